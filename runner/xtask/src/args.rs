//! What the command line says. It is small enough that a parser crate would double the build; the
//! product's own command line is in `cli`.

use crate::corpus::Corpus;
use crate::groups::{self, Group};
use crate::mutate::Mutants;

/// Rounds of `faults` where nothing is said: what happens once in ten times is found.
const FAULT_ROUNDS: u32 = 10;

/// The help of the whole.
pub(crate) const HELP: &str = "\
The chores of the repository. Each needs rustup, a C compiler and git.

usage: cargo xtask <command>

  test [--install]     run all tests, group by group; --install installs what they need first
  tidy                 check the source tree: arrows, owners, budgets, headers
  lint                 formatting, clippy and documentation, warnings refused
  ci                   lint, then test --install: what must pass before a merge
  bench [FILTER]       measure, optimised, beside plain programs that do the same
  mutate [FILTER]      disable each guard of domain and trust in a copy; a test must turn red
  sql-corpus FILE      judge a file of hostile and harmless SQL statements, --live on servers, too
  sql-oracle [SEED]    let a PostgreSQL server read what its gate lets pass of generated statements
  faults [ROUNDS]      what befalls a replica while it is read, again and again on real servers

Each command explains itself: cargo xtask <command> --help";

const TEST: &str = "\
usage: cargo xtask test [--install] [--group NAME]

Builds every test of the workspace once, then runs the groups in this order and prints the
time of each. A failure does not keep later groups from running; the exit code is that of the
first failure. The Wasm target is installed first if it is missing.

Some groups need more than a toolchain: OpenSSH's and PostgreSQL's programs, Python packages.
Without them the other groups run, and the last lines say which did not. --install says what is
missing, installs it with the system's package manager (with sudo) and in a virtual environment
under target/, and then runs all groups. --group runs one of them.

groups:";

const TIDY: &str = "\
usage: cargo xtask tidy

Runs the tests of tests/it/tidy.rs only: crate arrows, owners of external crates, lengths of
files and functions, module headers, ambient clocks, the top level, what is documented.";

const LINT: &str = "\
usage: cargo xtask lint

Runs `cargo fmt --check`, then clippy over all targets, then rustdoc; a warning is an error.";

const CI: &str = "\
usage: cargo xtask ci

Runs everything of `cargo xtask lint`, then everything of
`cargo xtask test --install`.";

const BENCH: &str = "\
usage: cargo xtask bench [FILTER]

Builds the product and its benches optimised (the first time about ten minutes of processor time),
runs the benches whose name contains FILTER, all without one, and prints a table in Markdown with a
description of this machine. All of them take about six minutes; progress comes on standard error.
Close what else keeps the machine busy: the figures of both sides suffer alike, but not the medians.

benches: instantiate, host-call, chain, rows, launch, hello (needs `wasmtime` on the PATH), entries,
replay, verify, ready, cancel. What each measures: tests/benches/README.md";

const MUTATE: &str = "\
usage: cargo xtask mutate [--unseen] [--boundary] [--target-dir DIR] [FILTER]

Copies the tree to target/mutate/tree, disables one guard of runner/xtask/guards.txt after another
there, and runs the tests of domain and trust until one turns red. Prints which test saw which
guard. With FILTER only guards whose name or file contains it. With --boundary those that stay green
are shown to the scenarios that attack the whole, which takes minutes for each.

The exit code is 1 when a guard survives: then a test is missing. Which test saw which is kept in
runner/xtask/guards.seen.md; with --unseen only those run that are not in there. It takes some 10
seconds of processor time for each guard and is not part of `ci`; there a test checks that every
guard of the list is still where the list says. --target-dir names a directory to build in, instead
of target/mutate/target.";

const SQL_CORPUS: &str = "\
usage: cargo xtask sql-corpus FILE [--live]

Judges each statement of FILE against the grant of the reference database (tests/cases/sql-corpus):
PostgreSQL's in its gate, SQLite's on a copy of the database made for this. With --live it starts a
PostgreSQL primary with a streaming standby, makes the database there, and executes what the gate
lets pass on the standby; nothing may change on either server, and what is to exhaust one (category
`resource`) has to end within the limits. Without --live that category of PostgreSQL and SQLite is
skipped, and engines that are not built yet always are. Prints each wrong verdict with its id,
category, what was expected and what happened. The last line counts:

  N statements, N wrong, N leaks, N skipped

A leak is a statement that was sent and had to be refused, showed a canary in a row or an error, or
changed a server. The exit code is 1 when something is wrong. FILE is JSON: {\"statements\": [{\"id\",
\"engine\", \"category\", \"sql\", \"verdict\"}]}, where a statement may have `params` and an
`acceptable_alternative` that is right as well. --live needs the programs of a PostgreSQL server.";

const SQL_ORACLE: &str = "\
usage: cargo xtask sql-oracle [SEED [COUNT]]

Makes COUNT statements, 10,000 without it, of hostile fragments in every place of the syntax, and
gives them to PostgreSQL's gate. What the gate lets pass is read, not run, by a PostgreSQL server
that is started for this, as its superuser: no relation, column or function of the tree that it
makes of it may be outside the grant of the reference database. Prints each that is. The last line
counts and names the seed, which is the time's without SEED. The exit code is 1 when there is any.";

const FAULTS: &str = "\
usage: cargo xtask faults [ROUNDS]

Plays everything that befalls a PostgreSQL replica under load while it is read, and the queries that
want all of it, ROUNDS times (10 without a number), together with what takes long and is left out of
`cargo xtask test`: a server that accepts connections and does not answer, a value of 900 MB. It needs
PostgreSQL's server programs. The exit code is that of the first round that failed; all are played.";

/// What to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Task {
    /// Print this text.
    Help(String),
    /// Run tests.
    Test(Tests),
    /// Run the checks of the source tree.
    Tidy,
    /// Check formatting, lints and documentation.
    Lint,
    /// Lint, then test.
    Ci,
    /// Run the benches, or those whose name contains a text.
    Bench(Option<String>),
    /// Judge a corpus of SQL statements.
    SqlCorpus(Corpus),
    /// Let a server read what the gate lets pass, from a seed, of so many statements.
    SqlOracle(Vec<u64>),
    /// Disable guards, and look which test sees it.
    Mutate(Mutants),
    /// Play what befalls a replica, so many times.
    Faults(u32),
}

/// Which tests to run, and whether to install what they need.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tests {
    /// One group, or all.
    pub(crate) group: Option<Group>,
    /// Whether to install what is missing.
    pub(crate) install: bool,
}

/// Reads the command line without the program's name; an error is a sentence for its author.
pub(crate) fn parse(arguments: &[String]) -> Result<Task, String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some((command, rest)) = words.split_first() else {
        return Ok(Task::Help(HELP.to_owned()));
    };
    let (task, help) = match *command {
        "test" => (Task::Test(Tests::default()), format!("{TEST}\n{}", groups::list())),
        "tidy" => (Task::Tidy, TIDY.to_owned()),
        "lint" => (Task::Lint, LINT.to_owned()),
        "ci" => (Task::Ci, CI.to_owned()),
        "bench" => (Task::Bench(None), BENCH.to_owned()),
        "sql-corpus" => (Task::SqlCorpus(Corpus::default()), SQL_CORPUS.to_owned()),
        "sql-oracle" => (Task::SqlOracle(Vec::new()), SQL_ORACLE.to_owned()),
        "faults" => (Task::Faults(FAULT_ROUNDS), FAULTS.to_owned()),
        "mutate" => (Task::Mutate(Mutants::default()), MUTATE.to_owned()),
        "help" | "--help" | "-h" => return Ok(Task::Help(HELP.to_owned())),
        unknown => return Err(format!("there is no command `{unknown}`")),
    };
    match (rest, task) {
        ([], Task::SqlCorpus(_)) => Err("`sql-corpus` wants a file".to_owned()),
        ([], task) => Ok(task),
        (["--help" | "-h"], _) => Ok(Task::Help(help)),
        (words, Task::SqlCorpus(corpus)) => corpus_of(words, corpus),
        (words, Task::SqlOracle(_)) if words.len() <= 2 => {
            let numbers: Result<_, std::num::ParseIntError> =
                words.iter().map(|word| word.parse()).collect();
            let wanted = |_| format!("`sql-oracle` wants numbers, not `{}`", words.join(" "));
            numbers.map(Task::SqlOracle).map_err(wanted)
        }
        (words, Task::Test(tests)) => tests_of(words, tests),
        (words, Task::Mutate(mutants)) => mutants_of(words, mutants),
        ([rounds], Task::Faults(_)) => match rounds.parse() {
            Ok(rounds @ 1..) => Ok(Task::Faults(rounds)),
            _ => Err(format!("`faults` wants a number of rounds, not `{rounds}`")),
        },
        ([filter], Task::Bench(None)) if !filter.starts_with('-') => {
            Ok(Task::Bench(Some((*filter).to_owned())))
        }
        ([unknown, ..], _) => Err(format!("`{command}` does not take `{unknown}`")),
    }
}

/// The options of `test`.
fn tests_of(words: &[&str], tests: Tests) -> Result<Task, String> {
    match words {
        [] => Ok(Task::Test(tests)),
        ["--install", rest @ ..] => tests_of(rest, Tests { install: true, ..tests }),
        ["--group", name, rest @ ..] => match groups::find(name) {
            Some(group) => tests_of(rest, Tests { group: Some(group), ..tests }),
            None => Err(format!("there is no group `{name}`; groups:\n{}", groups::list())),
        },
        ["--group"] => Err(format!("--group wants a name; groups:\n{}", groups::list())),
        [unknown, ..] => Err(format!("`test` does not take `{unknown}`")),
    }
}

/// The options of `mutate`.
fn mutants_of(words: &[&str], mutants: Mutants) -> Result<Task, String> {
    match words {
        [] => Ok(Task::Mutate(mutants)),
        ["--target-dir", dir, rest @ ..] => {
            mutants_of(rest, Mutants { target_dir: Some(dir.into()), ..mutants })
        }
        ["--unseen", rest @ ..] => mutants_of(rest, Mutants { unseen: true, ..mutants }),
        ["--boundary", rest @ ..] => mutants_of(rest, Mutants { boundary: true, ..mutants }),
        [filter, rest @ ..] if mutants.filter.is_none() && !filter.starts_with('-') => {
            mutants_of(rest, Mutants { filter: Some((*filter).to_owned()), ..mutants })
        }
        [unknown, ..] => Err(format!("`mutate` does not take `{unknown}`")),
    }
}

/// The file and the options of `sql-corpus`.
fn corpus_of(words: &[&str], corpus: Corpus) -> Result<Task, String> {
    match words {
        [] if corpus.file.is_none() => Err("`sql-corpus` wants a file".to_owned()),
        [] => Ok(Task::SqlCorpus(corpus)),
        ["--live", rest @ ..] => corpus_of(rest, Corpus { live: true, ..corpus }),
        [file, rest @ ..] if corpus.file.is_none() && !file.starts_with('-') => {
            corpus_of(rest, Corpus { file: Some(file.into()), ..corpus })
        }
        [unknown, ..] => Err(format!("`sql-corpus` does not take `{unknown}`")),
    }
}

#[cfg(test)]
mod tests;
