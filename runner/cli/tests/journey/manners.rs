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
fn the_context_of_a_shell_is_chosen_once() {
    let team = Team::found(|_, _, _| {});
    for person in ["alice", "bob"] {
        let own = team.m.json_with(&[("BORESCOPE_CONTEXT", person)], &["sessions"]);
        assert_eq!(own[0]["person"], person);
    }
}

#[test]
fn a_shell_takes_the_completion_that_is_written_for_it() {
    let m = Machine::new();
    let script = m.output(&[], &["completion", "bash"]).stdout;
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(&script).unwrap();
    assert!(bash.wait().unwrap().success());
    for word in ["after-review", "--reason", "fish"] {
        assert!(String::from_utf8_lossy(&script).contains(word), "{word}");
    }
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
