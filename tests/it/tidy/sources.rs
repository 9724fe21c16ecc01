//! What must and must not stand in a source file: its header, ambient clocks and entropy, marks of
//! unfinished work. Clippy refuses some of the same calls; this also sees code that Clippy does not
//! build, such as other targets and build scripts.

use super::Source;
use super::budgets::is_test;
use super::rust_text::{code_only, has_word};

/// Files that are included into another one and so cannot open with a module header.
pub(super) const FRAGMENTS: &[&str] = &["runner/targets/bindgen/src/bindings.rs"];

/// `(path or folder, why it may read the real clock or real entropy)`. Deadlines are on the monotonic
/// clock: nothing that is recorded or replayed depends on them.
const CLOCK_READERS: &[(&str, &str)] = &[
    ("runner/executor/src/ports", "the only real clock and entropy, behind their ports"),
    ("runner/cli/src/progress", "how long a person has been waiting"),
    ("runner/sandbox/src/run.rs", "monotonic: the wall deadline of a live run"),
    ("runner/targets/src/sqlite/statement.rs", "monotonic: the deadline of a statement"),
    ("runner/targets/src/postgres/identity.rs", "monotonic: how old a look at a replica is"),
    ("runner/targets/src/postgres/session.rs", "monotonic: whether a statement had its time"),
    (
        "runner/cli/src/demo/postgres/cluster/mod.rs",
        "monotonic: patience with a server that starts",
    ),
    ("runner/xtask/", "how long a step takes"),
];

/// Reads of ambient time or entropy.
const AMBIENT: &[&str] = &[
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "getrandom::fill",
    "OsRng",
    "SysRng",
    "thread_rng",
    "rand::rng",
    "Uuid::new_v4",
    "Uuid::now_v7",
];

/// `(path or folder, why it may use standard output or error by itself)`. All else that the program
/// prints goes through `cli::out`, which neutralises it.
const PRINTERS: &[(&str, &str)] = &[
    ("runner/cli/src/out", "the one place that prints"),
    ("runner/cli/src/signer.rs", "asks whether standard error is a terminal"),
    ("runner/cli/build", "a build script, which talks to cargo"),
    ("runner/store/build.rs", "a build script, which talks to cargo"),
    ("runner/targets/bindgen/", "stands in for a tool of a build script"),
    ("runner/xtask/", "a tool for developers"),
];

/// Ways to a terminal.
const PRINTS: &[&str] =
    &["stdout()", "stderr()", "io::stdout", "io::stderr", "println", "eprintln"];

/// Marks of unfinished work, put together here so that this file does not contain them.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Rust files that do not open with `//!`, and entries of `fragments` that do or are gone.
pub(super) fn without_header(sources: &[Source], fragments: &[&str]) -> Vec<String> {
    let mut violations = Vec::new();
    for Source { path, text } in sources {
        let is_fragment = fragments.contains(&path.as_str());
        if !text.starts_with("//!") && !is_fragment {
            violations.push(format!("{path}: must open with `//!`: what it is, what it is not"));
        }
    }
    for fragment in fragments {
        let source = sources.iter().find(|source| source.path == *fragment);
        if source.is_none_or(|source| source.text.starts_with("//!")) {
            violations.push(format!("{fragment}: is no fragment; remove it from FRAGMENTS"));
        }
    }
    violations
}

/// Lines outside tests that read the real clock or real entropy and are not entitled to.
pub(super) fn ambient_clock_or_entropy(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for Source { path, text } in sources.iter().filter(|source| !is_test(&source.path)) {
        if CLOCK_READERS.iter().any(|(allowed, _)| path.starts_with(allowed)) {
            continue;
        }
        for (number, line) in (1..).zip(code_only(text).lines()) {
            for read in AMBIENT.iter().filter(|read| has_word(line, read)) {
                violations.push(format!(
                    "{path}:{number}: `{read}`; take a `domain::Clock` or `domain::Entropy`"
                ));
            }
        }
    }
    violations
}

/// Lines of the product, outside tests, that reach a terminal without `cli::out`.
pub(super) fn printing(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for Source { path, text } in sources.iter().filter(|source| !is_test(&source.path)) {
        let allowed = PRINTERS.iter().any(|(allowed, _)| path.starts_with(allowed));
        if allowed || !path.starts_with("runner/") {
            continue;
        }
        for (number, line) in (1..).zip(code_only(text).lines()) {
            for print in PRINTS.iter().filter(|print| has_word(line, print)) {
                violations.push(format!(
                    "{path}:{number}: `{print}`; print through `cli::out`, which neutralises"
                ));
            }
        }
    }
    violations
}

/// Lines with a mark of unfinished work.
pub(super) fn unfinished(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for Source { path, text } in sources {
        for (number, line) in (1..).zip(text.lines()) {
            if UNFINISHED.iter().any(|mark| has_word(line, mark)) {
                violations.push(format!("{path}:{number}: unfinished; do it or open an issue"));
            }
        }
    }
    violations
}

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn a_file_without_a_header_is_found() {
    let bad = source("runner/x/src/a.rs", "use std::fmt;\n//! Too late.\n");
    assert_eq!(without_header(&[bad], &[]).len(), 1);
    let good = || source("runner/x/src/a.rs", "//! Says what it is.\n");
    assert_eq!(without_header(&[good()], &[]), Vec::<String>::new());
    assert_eq!(without_header(&[good()], &["runner/x/src/a.rs", "gone.rs"]).len(), 2);
}

#[test]
fn a_read_of_the_real_clock_is_found_and_talk_about_it_is_not() {
    let bad = "//! x\nfn f() { let t = std::time::Instant::now(); }\n";
    let found = ambient_clock_or_entropy(&[source("runner/app/src/a.rs", bad)]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("runner/app/src/a.rs:2: `Instant::now`"));
    let talk = source("runner/app/src/a.rs", "// never SystemTime::now\n");
    let port = source("runner/executor/src/ports.rs", bad);
    let test = source("runner/app/src/a/tests.rs", bad);
    assert_eq!(ambient_clock_or_entropy(&[talk, port, test]), Vec::<String>::new());
}

#[test]
fn a_second_way_to_the_terminal_is_found() {
    for bad in [
        "writeln!(std::io::stdout().lock(), \"\")",
        "eprintln!()",
        "use std::io::{stdout}; stdout()",
    ] {
        let text = format!("//! x\nfn f() {{ {bad}; }}\n");
        assert!(!printing(&[source("runner/cli/src/view.rs", &text)]).is_empty(), "{bad}");
        let out = source("runner/cli/src/out.rs", &text);
        let test = source("runner/cli/src/view/tests.rs", &text);
        assert_eq!(printing(&[out, test]), Vec::<String>::new());
    }
    let talk = source("runner/cli/src/view.rs", "//! x\nlet x = output.stdout; // println\n");
    assert_eq!(printing(&[talk]), Vec::<String>::new());
}

#[test]
fn unfinished_work_is_found() {
    for mark in UNFINISHED {
        let bad = source("runner/x/src/a.rs", &format!("// {mark}: later\n"));
        assert_eq!(unfinished(&[bad]).len(), 1);
    }
    let good = source("runner/x/src/a.rs", &format!("mktemp {0}{0}\n", UNFINISHED[2]));
    assert_eq!(unfinished(&[good]), Vec::<String>::new());
}
