//! How the program behaves among other programs: in pipes, at terminals, in shells and with `man`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::machine::Machine;
use super::team::Team;
use super::terminal::Terminal;

#[test]
fn colour_is_for_terminals_and_for_those_who_want_it() {
    let team = Team::found(|_, _, _| {});
    team.json("alice", &["submit", "stuck-orders"]);
    let show = ["--context", "alice", "show", "stuck-orders"];
    assert!(!team.m.told(&show).1.contains('\x1b'), "a pipe gets text");
    let coloured = |env: &[(&str, &str)]| {
        let (code, bytes) = Terminal::open(&team.m, env, &show).ends_raw();
        assert_eq!(code, 0);
        bytes.contains(&b'\x1b')
    };
    assert!(coloured(&[]));
    assert!(!coloured(&[("NO_COLOR", "1")]));
    assert!(!coloured(&[("TERM", "dumb")]));
}

#[test]
fn text_is_as_wide_as_the_terminal() {
    let team = Team::found(|_, _, _| {});
    team.json("alice", &["submit", "stuck-orders"]);
    let show = ["--context", "alice", "show", "stuck-orders"];
    let longest = |columns| {
        let (code, shown) = Terminal::of_columns(columns, &team.m, &[], &show).ends();
        assert_eq!(code, 0, "{shown}");
        // Digests, ids and SQL are shown as they are; words are broken between lines.
        let words = shown.lines().filter(|line| line.starts_with("limits "));
        words.map(|line| line.chars().count()).max().unwrap()
    };
    assert!(longest(60) <= 60);
    assert!((61..=100).contains(&longest(100)));
}

#[test]
fn the_context_of_a_shell_is_chosen_once() {
    let team = Team::found(|_, _, _| {});
    for person in ["alice", "bob"] {
        let own = team.m.json_with(&[("BORESCOPE_CONTEXT", person)], &["sessions"]);
        assert_eq!(own[0]["person"], person);
    }
}

/// What bash would offer after these words, the last of which is being typed.
fn offered(team: &Team, words: &[&str]) -> String {
    let mut ask = team.m.command(&[&["--", "borescope"], words].concat());
    ask.env("BORESCOPE_COMPLETE", "bash").env("_CLAP_COMPLETE_COMP_TYPE", "9");
    ask.env("_CLAP_COMPLETE_INDEX", words.len().to_string()).env("_CLAP_IFS", "\n");
    String::from_utf8(ask.output().unwrap().stdout).unwrap()
}

#[test]
fn a_shell_offers_what_the_server_knows() {
    let team = Team::found(|_, _, _| {});
    team.json("alice", &["submit", "stuck-orders"]);
    let script = team.m.output(&[], &["completion", "bash"]).stdout;
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(&script).unwrap();
    assert!(bash.wait().unwrap().success());

    assert_eq!(offered(&team, &["after-"]).trim(), "after-review");
    assert_eq!(offered(&team, &["--context", "c"]).trim(), "carol");
    assert!(offered(&team, &["--context", "alice", "show", "stu"]).starts_with("stuck-orders"));
    let on = ["--context", "alice", "show", "stuck-orders", "--why", "--on", "shop"];
    assert!(offered(&team, &on).starts_with("shop-replica"), "{}", offered(&team, &on));
    let run = ["--context", "alice", "run", "stuck-orders", "--si"];
    assert!(offered(&team, &run).starts_with("--since"), "{}", offered(&team, &run));
    // Somebody who is not logged in is offered nothing, and nobody is asked for a passphrase.
    std::fs::remove_file(team.m.path(".config/borescope/alice.token")).unwrap();
    assert_eq!(offered(&team, &["--context", "alice", "show", "stu"]), "");
    assert!(!team.m.path(".config/borescope/alice.token").exists());
}

#[test]
fn every_command_has_its_page_of_the_manual() {
    let m = Machine::new();
    let (code, told) = m.told(&["man", "--out", "man1"]);
    assert!(code == 0 && told.contains("man borescope"), "{told}");
    for page in ["borescope.1", "borescope-run.1", "borescope-policy-who-can.1"] {
        let page = std::fs::read_to_string(m.path("man1").join(page)).unwrap();
        assert!(page.starts_with(".ie") && page.contains(".TH borescope"), "{page}");
    }
}
