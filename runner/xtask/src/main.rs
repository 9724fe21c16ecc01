//! `cargo xtask`: the chores of the repository, each one command on a fresh machine with rustup, a
//! C compiler and git. It starts cargo and the binaries that cargo builds; it links nothing of ours,
//! so that it builds in seconds. It installs the Wasm target when it is missing, and
//! what else the tests need only when asked to; it says so each time.
//!
//! Neighbours: `args` (what the command line says), `corpus` (judges SQL statements), `groups` (which packages are tested together),
//! `mutate` (disables guards and looks which test sees it), `needs` (what else must be installed), `steps`
//! (runs commands, times them, keeps the first failure), `one` (the hidden command that cargo starts for
//! each test binary), `wasm` (the target that scripts are built for).

mod args;
mod corpus;
mod groups;
mod mutate;
mod needs;
mod one;
mod steps;
mod wasm;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::args::Task;
use crate::needs::Need;
use crate::steps::{Step, say};

/// The exit code of a command line that makes no sense.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((one::COMMAND, rest)) = arguments.split_first().map(|(it, rest)| (&**it, rest)) {
        return one::run(rest);
    }
    let task = match args::parse(&arguments) {
        Ok(task) => task,
        Err(problem) => {
            say(&format!("error: {problem}\n\n{}", args::HELP));
            return ExitCode::from(USAGE);
        }
    };
    match perform(&task) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Does the task; the result is the exit code of the first command that failed, or 0.
fn perform(task: &Task) -> Result<u8> {
    let root = root();
    let steps = match task {
        Task::Help(text) => {
            say(text);
            return Ok(0);
        }
        Task::Bench(filter) => bench(filter.as_deref()),
        Task::Tidy => vec![tidy()],
        Task::Lint => lint(),
        Task::Ci => {
            let code = run(&lint(), &root)?;
            let tests = test(&args::Tests { group: None, install: true }, &root)?;
            return Ok(if code == 0 { tests } else { code });
        }
        Task::Test(tests) => return test(tests, &root),
        Task::SqlCorpus(corpus) => return corpus::run(corpus, &root),
        Task::SqlOracle(numbers) => return corpus::oracle(numbers, &root),
        Task::Mutate(mutants) => return mutate::run(mutants, &root),
        Task::Faults(rounds) => faults(*rounds),
    };
    run(&steps, &root)
}

fn run(steps: &[Step], root: &Path) -> Result<u8> {
    wasm::ensure_target(root)?;
    steps::run_all(steps, &mut std::io::stderr(), |step| step.run(root))
}

/// Runs the groups that can run, and ends with those that cannot and what would help. A group that
/// was asked for by name must run, and with `--install` all must.
fn test(tests: &args::Tests, root: &Path) -> Result<u8> {
    let chosen = tests.group.map_or_else(|| groups::ALL.to_vec(), |group| vec![group]);
    if tests.install {
        let needs: BTreeSet<Need> = chosen.iter().flat_map(|group| group.needs).copied().collect();
        needs::install(root, &Vec::from_iter(needs))?;
    }
    let (able, unable): (Vec<_>, Vec<_>) =
        chosen.into_iter().partition(|group| group.missing(root).is_empty());
    let reasons: Vec<String> = unable
        .iter()
        .map(|group| format!("  {:<14} needs {}", group.name, group.missing(root).join("; ")))
        .collect();
    if tests.group.is_some() && !unable.is_empty() {
        bail!("the group cannot run:\n{}\ninstall it with: {}", reasons.join("\n"), needs::INSTALL);
    }
    let code = run(&test_steps(&able, root)?, root)?;
    if !unable.is_empty() {
        let reasons = reasons.join("\n");
        say(&format!("\nDID NOT RUN:\n{reasons}\nrun them with: {}", needs::INSTALL));
    }
    Ok(code)
}

/// Every group is a step after one that builds them all, so that nothing is compiled twice: cargo
/// chooses features by the packages on its command line, and other packages mean other builds of
/// wasmtime. So each step names the whole workspace, and `one` skips what is not of the group.
fn test_steps(chosen: &[groups::Group], root: &Path) -> Result<Vec<Step>> {
    let xtask = std::env::current_exe()?;
    let mut build = Step::cargo("build tests", &[groups::BUILT, &["--no-run"]].concat());
    build.needed = true;
    let mut steps = vec![build];
    steps.extend(chosen.iter().map(|group| group.step(&xtask.to_string_lossy(), root)));
    Ok(steps)
}

fn tidy() -> Step {
    let only = ["test", "--workspace", "--test", "it", "--", "--quiet", "tidy::"];
    Step::cargo("tidy", &only)
}

fn lint() -> Vec<Step> {
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    // Programs and libraries apart: the executable and the SDK are both called `borescope`, and two
    // pages of that name in one go would overwrite each other.
    let docs = [("docs of bins", "--bins"), ("docs of libs", "--lib")].map(|(name, kind)| {
        let mut docs = Step::cargo(
            name,
            &["doc", "--workspace", "--no-deps", "--document-private-items", kind],
        );
        docs.env.push(("RUSTDOCFLAGS".to_owned(), "-D warnings".to_owned()));
        docs
    });
    let checks = [Step::cargo("fmt", &["fmt", "--all", "--check"]), Step::cargo("clippy", &clippy)];
    checks.into_iter().chain(docs).collect()
}

/// The modules of the tests against PostgreSQL that are about faults, again and again; with what takes
/// long.
fn faults(rounds: u32) -> Vec<Step> {
    let mut build = Step::cargo("build tests", &[groups::BUILT, &["--no-run"]].concat());
    build.needed = true;
    let modules = ["faults::", "bombs::", "replica::", "cancel::", "imposture::"];
    let round = |n: u32| {
        let only = ["test", "--workspace", "--test", "postgres", "--", "--quiet"];
        let mut step = Step::cargo(&format!("round {n}"), &[&only[..], &modules].concat());
        step.env.push(("BORESCOPE_FAULTS".to_owned(), "all".to_owned()));
        step
    };
    std::iter::once(build).chain((1..=rounds).map(round)).collect()
}

/// The product first, because one bench starts the real program. Product and benches are built by one
/// command: what the benches need besides gives some crates more features, and a product built without
/// them would mean that everything is built twice.
fn bench(filter: Option<&str>) -> Vec<Step> {
    let both = ["build", "--workspace", "--release", "--bins", "--bench", "numbers"];
    let mut product = Step::cargo("build", &both);
    product.needed = true;
    let today = Command::new("date").args(["-u", "+%F"]).output();
    let today = today.ok().and_then(|said| String::from_utf8(said.stdout).ok()).unwrap_or_default();
    let mut benches = Step::cargo("bench", &["bench", "--workspace", "--bench", "numbers", "--"]);
    benches.arguments.extend(filter.map(str::to_owned));
    benches.arguments.extend(["--date".to_owned(), today.trim().to_owned()]);
    vec![product, benches]
}

/// The root of the workspace that this was built in.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}
