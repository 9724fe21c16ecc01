//! The list as it is, and what is read of tests.

use std::collections::BTreeSet;

use super::guards::{Guard, SEEN_HEAD, parse};
use super::*;

fn listed() -> Vec<Guard> {
    parse(&std::fs::read_to_string(crate::root().join(LIST)).unwrap()).unwrap()
}

#[test]
fn every_guard_of_the_list_is_still_there_exactly_once() {
    let problems: Vec<String> = listed()
        .iter()
        .filter_map(|guard| {
            let source = std::fs::read_to_string(crate::root().join(&guard.file));
            source.map_err(|e| e.to_string()).and_then(|s| guard.disabled(&s)).err()
        })
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

#[test]
fn every_guard_was_seen_by_a_test_that_is_still_there() {
    let root = crate::root();
    let seen = std::fs::read_to_string(root.join(SEEN)).unwrap();
    let rows = seen.strip_prefix(SEEN_HEAD).expect("its head has changed").lines();
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim).map(str::to_owned);
        (cells.next().unwrap(), cells.next().unwrap())
    };
    let rows: Vec<(String, String)> = rows.map(row).collect();
    let names: BTreeSet<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    let guards = listed();
    let guards: BTreeSet<&str> = guards.iter().map(|g| g.name.as_str()).collect();
    assert_eq!(guards, names, "run `cargo xtask mutate` once for the list as it is");
    let listed =
        Command::new("git").args(["grep", "-h", "fn "]).current_dir(&root).output().unwrap();
    let functions = String::from_utf8_lossy(&listed.stdout).into_owned();
    for (guard, test) in rows {
        let name = test.trim_matches('`').rsplit("::").next().unwrap().to_owned();
        assert!(functions.contains(&format!("fn {name}(")), "{guard}: there is no test {name}");
    }
}

#[test]
fn a_list_that_says_nothing_clear_is_refused() {
    let good = "# why\nfile a.rs\n\nguard one\n- if bad {\n+ if false {\nguard two\n- a\n-     b\n";
    let guards = parse(good).unwrap();
    assert_eq!((guards[0].text.as_str(), guards[0].instead.as_str()), ("if bad {", "if false {"));
    assert_eq!((guards[1].text.as_str(), guards[1].instead.as_str()), ("a\n    b", ""));
    for wrong in [
        "guard one\n- a\n",
        "file a.rs\nguard one\n",
        "file a.rs\nguard one\n- a\n+ a\n",
        "file a.rs\nguard one\n- a\nguard one\n- b\n",
        "file a.rs\n- a\n",
        "file a.rs\nguard one\n+ b\n- a\n",
        "file a.rs\nguard one\n- a\nwithout\n",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_text_that_is_not_there_exactly_once_is_refused() {
    let guard = &parse("file a.rs\nguard one\n- if bad {\n+ if false {\n").unwrap()[0];
    assert_eq!(guard.disabled("x(); if bad { no }").unwrap(), "x(); if false { no }");
    assert!(guard.disabled("x();").is_err());
    assert!(guard.disabled("if bad { if bad { } }").is_err());
}

#[test]
fn the_first_red_test_is_named() {
    let said = "\nrunning 2 tests\ntest a::b ... ok\ntest a::c ... FAILED\ntest a::d ... FAILED\n";
    assert_eq!(first_red(said), Some("a::c".to_owned()));
    assert_eq!(first_red("error: could not compile"), None);
}
