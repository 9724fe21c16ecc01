//! The list as it is, and what is read of tests.

use super::guards::{Guard, parse, rows, table as table_of};
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
fn the_table_is_of_guards_of_the_list_and_of_tests_that_are_still_there() {
    let root = crate::root();
    let table = std::fs::read_to_string(root.join(SEEN)).unwrap();
    let seen = rows(&table);
    assert_eq!(table_of(&listed(), &seen), table, "run `cargo xtask mutate` for what has changed");
    let unseen: Vec<_> =
        listed().into_iter().map(|g| g.name).filter(|name| !seen.contains_key(name)).collect();
    assert!(unseen.is_empty(), "no test is known to see these: {unseen:?}");
    let found = Command::new("git").args(["grep", "-h", "fn "]).current_dir(&root).output();
    let functions = String::from_utf8_lossy(&found.unwrap().stdout).into_owned();
    for (guard, test) in seen {
        let name = test.rsplit("::").next().unwrap();
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
