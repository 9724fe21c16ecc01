//! From 'something waits' to a signed verdict: what a reviewer reads, types and signs; what an author hears
//! of it; and scripts and servers that would have a reviewer read something else.

use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::lies::Liar;
use super::machine::text as field;
use super::team::Team;
use super::terminal::Terminal;
use super::ways::self_serve;

const SOURCE: &str = "pub fn run() {\n    // one batch after the other\n}\n";

/// Puts sources into the bundle, by the `tar` of the system.
fn pack(team: &Team, files: &[(&str, &str)]) {
    let dir = team.m.path("sources");
    drop(fs::remove_dir_all(&dir));
    for (path, text) in files {
        let place = dir.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }
    let mut tar = Command::new("tar");
    tar.args(["--format=ustar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "-C"]);
    let tar =
        tar.arg(&dir).arg("-cf").arg(team.m.path("stuck-orders/source.tar")).arg(".").status();
    assert!(tar.unwrap().success());
}

/// Replaces text in a file of the bundle.
fn edit(team: &Team, file: &str, from: &str, to: &str) {
    let path = team.m.path("stuck-orders").join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file}: {text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// Alice submits what is in the folder; its revision.
fn submitted(team: &Team) -> String {
    field(&team.json("alice", &["submit", "stuck-orders"])[0], "revision").to_owned()
}

/// The next version of the script, with what `change` does to it.
fn next_version(team: &Team, version: &str, change: impl FnOnce()) -> String {
    let path = team.m.path("stuck-orders/script.toml");
    let text = fs::read_to_string(&path).unwrap();
    let old = text.lines().find(|l| l.starts_with("version")).unwrap().to_owned();
    fs::write(&path, text.replace(&old, &format!("version = \"{version}\""))).unwrap();
    change();
    submitted(team)
}

/// A team whose script has its source, and was approved by bob as 1.0.0.
fn approved() -> (Team, String) {
    let team = Team::found(|_, _, _| {});
    pack(&team, &[("src/lib.rs", SOURCE), ("Cargo.toml", "[package]\n")]);
    let first = submitted(&team);
    team.json("bob", &["review", "stuck-orders", "--approve", "--yes"]);
    (team, first)
}

fn at_terminal(team: &Team, who: &str, env: &[(&str, &str)], args: &[&str]) -> Terminal {
    let env = [&[("PAGER", "cat")], env].concat();
    Terminal::open(&team.m, &env, &[&["--context", who], args].concat())
}

#[test]
fn something_waits_is_read_and_signed_in_one_command() {
    let (team, _) = approved();
    next_version(&team, "1.1.0", || {
        edit(&team, "script.toml", "rows_total_max = 5000", "rows_total_max = 9000");
        edit(&team, "script.toml", "wall = \"20s\"", "wall = \"10s\"");
        edit(&team, "queries/last-event.sql", "SELECT", "SELECT -- the newest\n");
        let source = SOURCE.replace("one batch after the other", "larger batches");
        pack(&team, &[("src/lib.rs", &source), ("Cargo.toml", "[package]\n")]);
    });
    let inbox = team.good("carol", &["inbox"]);
    assert!(inbox.contains("stuck-orders@1.1.0") && inbox.contains("borescope review "), "{inbox}");

    let told = team.good("carol", &["review", "stuck-orders"]);
    let words = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "approved by bob, ",
        ": queries: last-event changed; WIDER: rows of stuck 9,000, was 5,000; narrower: wall 10.0 s, ",
        "was 20.0 s; source +1 −1 lines, and the component is the same",
    ] {
        assert!(words.contains(part), "{told}");
    }
    let mut carol = at_terminal(&team, "carol", &[], &["review", "stuck-orders"]);
    carol.sees("stuck-orders 1.1.0 since 1.0.0 (");
    carol.sees("WIDER:");
    carol.sees("submitted by alice");
    carol.sees("-     // one batch after the other");
    carol.sees("+     // larger batches");
    carol.sees("+ SELECT -- the newest");
    carol.sees("query stuck on shop, 20 calls, 9,000 rows");
    carol.sees("chosen by the script: can read every row this query can return");
    carol.sees("on shop-replica: reads customers: ");
    carol.sees("a(ccept), e(dit the ceiling), c(hanges), r(eject), q(uit)?");
    carol.types("a");
    carol.sees("Sign \"approve\" for ");
    carol.types("y");
    carol.sees("signed rev_");
    assert_eq!(carol.ends().0, 0);
    assert!(team.good("carol", &["inbox"]).contains("nothing waits for you"));
    let told = team.good("alice", &["show", "stuck-orders"]);
    assert!(told.contains("approve by carol for shop=shop-replica"), "{told}");
}

#[test]
fn nothing_is_signed_by_anything_but_an_answer_and_a_yes() {
    let (team, _) = approved();
    next_version(&team, "1.1.0", || {});
    let question = "a(ccept), e(dit the ceiling), c(hanges), r(eject), q(uit)?";
    for answers in [&["q"][..], &["x", "q"], &["y", "q"], &["a", "n"], &["c", "", "q"]] {
        let mut carol = at_terminal(&team, "carol", &[], &["review", "stuck-orders"]);
        carol.sees(question);
        answers.iter().for_each(|answer| carol.types(answer));
        carol.sees("nothing was signed");
        carol.ends();
    }
    let told = team.good("carol", &["review", "stuck-orders"]);
    assert!(told.contains("nothing is signed; next: borescope review "), "{told}");
    assert!(!team.good("alice", &["show", "stuck-orders"]).contains("by carol"));
    let told = team.good("alice", &["review", "stuck-orders"]);
    assert!(told.contains("you cannot review it: you submitted it"), "{told}");
}

#[test]
fn a_reviewer_opens_it_to_a_group_by_one_letter_where_the_policy_lets_them() {
    let team = Team::found(|keyring, _, policy| self_serve(keyring, policy));
    submitted(&team);
    let mut bob = at_terminal(&team, "bob", &[], &["review", "stuck-orders"]);
    let question = "a(ccept), e(dit the ceiling), s(elf-serve), c(hanges), r(eject), q(uit)?";
    bob.sees(question);
    bob.types("s");
    bob.sees("Who may run it without an approval, how often a day? [engineers:3; - for nobody]");
    bob.types("engineers:many");
    bob.sees(question);
    bob.types("s");
    bob.sees("how often a day?");
    bob.types("engineers:2");
    bob.sees("engineers");
    bob.sees(question);
    bob.types("a");
    bob.sees("Sign \"approve\" for ");
    bob.types("y");
    bob.sees("signed rev_");
    assert_eq!(bob.ends().0, 0);
    let run = [
        "run",
        "stuck-orders",
        "--on",
        "shop-replica",
        "--since",
        "2026-11-01 00:00 UTC",
        "--paid-before",
        "1h",
    ];
    let told = team.good("alice", &run);
    assert!(told.contains("complete"), "{told}");
}

#[test]
fn a_ceiling_is_edited_narrower_and_never_wider() {
    let (team, revision) = approved();
    let editor = |name: &str, script: &str| {
        fs::write(team.m.path(name), format!("sed -i '{script}' \"$1\"\n")).unwrap();
        format!("sh {}", team.m.path(name).display())
    };
    let wider = editor("wider.sh", "s/^rows_total_max = 5000/rows_total_max = 5001/");
    let mut carol = at_terminal(&team, "carol", &[("EDITOR", &wider)], &["review", &revision]);
    carol.sees("q(uit)?");
    carol.types("e");
    carol.sees(
        "nothing is signed that is wider than what was proposed: rows of stuck 5,001, was 5,000",
    );
    carol.types("n");
    carol.sees("the ceiling stays as it was");
    carol.sees("stuck (20 calls, 5,000 rows");
    carol.types("q");
    assert_eq!(carol.ends().0, 0);

    let narrower = editor("narrower.sh", "s/^rows_total_max = 5000/rows_total_max = 70/");
    let mut carol = at_terminal(&team, "carol", &[("EDITOR", &narrower)], &["review", &revision]);
    carol.sees("q(uit)?");
    carol.types("e");
    carol.sees("stuck (20 calls, 70 rows");
    carol.types("a");
    carol.types("y");
    carol.sees("signed rev_");
    assert_eq!(carol.ends().0, 0);
    let told = team.json("alice", &["show", &revision]);
    let documents = told[0]["documents"].to_string();
    assert!(documents.contains("carol"), "{documents}");
    // What carol would approve of the next one is compared with what she and bob let this one do.
    next_version(&team, "1.1.0", || {});
    let told = team.good("bob", &["review", "stuck-orders"]);
    let words = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("WIDER: rows of stuck 5,000, was 70"), "{told}");
    assert!(words.contains("approved by bob and carol"), "{told}");
}

#[test]
fn an_author_hears_why_a_script_came_back_until_there_is_another() {
    let (team, _) = approved();
    next_version(&team, "1.1.0", || {});
    let mut bob = at_terminal(&team, "bob", &[], &["review", "stuck-orders"]);
    bob.sees("q(uit)?");
    bob.types("c");
    bob.sees("What should the author know?");
    bob.types("batch needs a bound");
    bob.types("and say why \u{202e}so many rows");
    bob.types("");
    bob.sees("Sign \"request-changes\" for ");
    bob.types("y");
    bob.sees("signed rev_");
    assert_eq!(bob.ends().0, 0);

    for told in [team.good("alice", &["inbox"]), team.good("alice", &["show", "stuck-orders"])] {
        assert!(told.contains("batch needs a bound"), "{told}");
        assert!(told.contains("say why \\u{202e}so many rows"), "{told}");
    }
    let inbox = team.json("alice", &["inbox"]);
    assert_eq!(inbox[0]["sent_back"][0]["script"]["version"], "1.1.0");
    assert!(team.good("carol", &["inbox"]).contains("nothing waits"), "it waits for alice");
    next_version(&team, "1.2.0", || {});
    assert!(team.good("alice", &["inbox"]).contains("nothing waits for you"));
    assert!(team.good("carol", &["inbox"]).contains("stuck-orders@1.2.0"));

    // A rejection that is withdrawn is none any more.
    let no = ["review", "stuck-orders", "--reject", "--comment", "reads too much", "--yes"];
    let no = team.json("bob", &no);
    assert!(team.good("alice", &["inbox"]).contains("reads too much"));
    team.json("bob", &["withdraw", field(&no[0], "id"), "--reason", "a mistake", "--yes"]);
    assert!(team.good("alice", &["inbox"]).contains("nothing waits for you"));
    let told = team.good("alice", &["show", "stuck-orders"]);
    assert!(told.contains("ended since"), "{told}");
}

#[test]
fn a_source_cannot_draw_on_the_reviewers_terminal() {
    let (team, _) = approved();
    let hostile = "pub fn run() {\n    /* \u{1b}[2J\u{1b}[8m */ // \u{202e}\r harmless\n}\n";
    next_version(&team, "1.1.0", || pack(&team, &[("src/lib.rs", hostile)]));
    for more in [&[][..], &["--full"]] {
        let told = team.good("carol", &[&["review", "stuck-orders"], more].concat());
        assert!(
            told.contains("\\u{1b}[2J\\u{1b}[8m") && told.contains("\\u{202e}\\u{d}"),
            "{told}"
        );
        assert!(!told.contains(['\u{1b}', '\u{202e}', '\r']), "{told}");
    }
    let mut carol = at_terminal(&team, "carol", &[], &["review", "stuck-orders"]);
    carol.sees("\\u{1b}[2J");
    carol.sees("q(uit)?");
    carol.types("q");
    let (_, raw) = carol.ends_raw();
    let obeyed = |sequence: &[u8]| raw.windows(sequence.len()).any(|w| w == sequence);
    assert!(!obeyed(b"\x1b[2J") && !obeyed(b"\x1b[8m"), "{}", String::from_utf8_lossy(&raw));
}

#[test]
fn an_archive_that_unpacks_to_something_else_is_no_source() {
    let (team, _) = approved();
    next_version(&team, "1.1.0", || {
        let dir = team.m.path("sources");
        std::os::unix::fs::symlink("/etc/passwd", dir.join("link.rs")).unwrap();
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(&dir).arg("-cf").arg(team.m.path("stuck-orders/source.tar"));
        assert!(tar.args(["--format=ustar", "."]).status().unwrap().success());
    });
    let told = team.good("carol", &["review", "stuck-orders"]);
    assert!(told.contains("is neither a file nor a folder"), "{told}");
    let told = team.good("carol", &["review", "stuck-orders", "--dir", "look"]);
    assert!(told.contains("borescope review "), "{told}");
    assert!(!team.m.path("look/new/source").exists() && team.m.path("look/old/source").exists());
}

#[test]
fn the_files_are_unpacked_beside_those_that_were_approved() {
    let (team, first) = approved();
    next_version(&team, "1.1.0", || pack(&team, &[("src/lib.rs", "// other\n")]));
    let told = team.good("carol", &["review", "stuck-orders", "--dir", "look"]);
    assert!(told.contains("since 1.0.0") && told.contains("let the editor run nothing"), "{told}");
    let read = |path: &str| fs::read_to_string(team.m.path(path)).unwrap();
    assert_eq!(read("look/new/source/src/lib.rs"), "// other\n");
    assert_eq!(read("look/old/source/src/lib.rs"), SOURCE);
    assert!(read("look/new/script.toml").contains("1.1.0"));
    assert_eq!(read("look/new/queries/stuck.sql"), read("look/old/queries/stuck.sql"));
    let mut check = Command::new("sha256sum");
    check.args(["--quiet", "-c", "bundle.sha256"]).current_dir(team.m.path("look/old"));
    assert!(check.status().unwrap().success());

    let told = team.refused(2, "carol", &["review", &first, "--dir", "look"]);
    assert!(told.contains("look is not empty; nothing was written"), "{told}");
}

#[test]
fn what_was_approved_last_is_what_signatures_say() {
    let (team, first) = approved();
    let second = next_version(&team, "1.1.0", || {
        edit(&team, "queries/last-event.sql", "SELECT", "SELECT -- nobody read this\n");
    });
    next_version(&team, "1.2.0", || {});
    let liar = Liar::before(&team.listen);
    liar.answers_for(&team.m, "carol");
    let honest = team.good("carol", &["review", "stuck-orders"]);
    assert!(honest.contains("since 1.0.0") && honest.contains("nobody read this"), "{honest}");

    // The reviews of the first one, shown for the second.
    let said: Arc<Mutex<Value>> = Arc::default();
    let (kept, of_first, of_second) =
        (Arc::clone(&said), format!("/v1/revisions/{first}"), format!("/v1/revisions/{second}"));
    let (asked_first, asked_second) = (of_first.clone(), of_second.clone());
    liar.lies(move |path, answer| {
        if path == asked_first {
            *kept.lock().unwrap() = answer["documents"].clone();
        }
    });
    team.good("carol", &["review", "stuck-orders"]);
    let first_said = said.lock().unwrap().clone();
    assert!(first_said.to_string().contains("bob"), "{first_said}");
    liar.lies(move |path, answer| {
        if path == asked_second {
            answer["documents"] = first_said.clone();
        }
    });
    let told = team.refused(7, "carol", &["review", "stuck-orders"]);
    assert!(told.contains("sign nothing") && !told.contains("since 1.1.0"), "{told}");

    // A server that calls the second one the newest, or hides the first: there is more to read.
    liar.lies(move |path, answer| {
        if path == "/v1/scripts" {
            answer.as_array_mut().unwrap().retain(|s| s["version"] != "1.0.0");
        }
    });
    let told = team.good("carol", &["review", "stuck-orders"]);
    assert!(told.contains("stuck-orders 1.2.0: first revision"), "{told}");
    assert!(
        told.contains("nobody read this") && told.contains("one batch after the other"),
        "{told}"
    );
    liar.lies(|_, answer| {
        if answer["index"].is_string() {
            answer["script"]["summary"] = json!("approved by everybody");
        }
    });
    let told = team.good("carol", &["review", "stuck-orders"]);
    assert!(told.contains("since 1.0.0") && !told.contains("approved by everybody"), "{told}");
}

#[test]
fn where_the_policy_leaves_a_choice_a_typed_verdict_names_its_targets() {
    let team = Team::found_with(&["shop-staging"], |_, _, policy| {
        let mut hidden = policy.targets[0].clone();
        hidden.id = "shop-other".parse().unwrap();
        hidden.reads.retain(|read| read.table != "orders");
        policy.targets.push(hidden);
    });
    submitted(&team);
    let told = team.good("bob", &["review", "stuck-orders"]);
    assert!(
        told.contains("on     shop=shop-replica") && told.contains("shop=shop-staging"),
        "{told}"
    );
    assert!(!told.contains("shop-other"), "its queries would be refused there: {told}");
    let typed = ["review", "stuck-orders", "--approve", "--yes"];
    let told = team.refused(2, "bob", &typed);
    assert!(told.contains("--target shop=shop-replica --target shop=shop-staging"), "{told}");
    let both = ["--target", "shop=shop-replica", "--target", "shop=shop-staging"];
    team.json("bob", &[&typed[..], &both, &["--rows", "stuck=9"]].concat());
    let told = team.good("alice", &["show", "stuck-orders"]);
    assert!(told.contains("approve by bob for shop=shop-replica, shop=shop-staging"), "{told}");
    let told = team.good("bob", &["review", "stuck-orders", "--target", "shop=shop-other"]);
    assert!(told.contains("would be refused: "), "{told}");
}

#[test]
fn a_watched_inbox_shows_what_comes() {
    let team = Team::found(|_, _, _| {});
    let mut bob = at_terminal(&team, "bob", &[], &["inbox", "--watch"]);
    bob.sees("nothing waits for you");
    submitted(&team);
    bob.sees("stuck-orders@1.0.0");
    bob.sees("borescope review ");
    bob.interrupts();
    assert_eq!(bob.ends().0, 0);
}
