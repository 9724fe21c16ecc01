//! `cargo xtask mutate`: each guard of `domain` and `trust` is disabled, alone, in a copy of the tree, and
//! at least one test has to turn red. A guard that no test sees is a guard that a later change removes
//! unnoticed.
//!
//! The list is `guards.txt` beside this crate, read by [`guards`]; by which test each was seen last is in
//! `guards.seen.md`, which a run keeps up to date guard by guard. Neighbour: `steps`, which runs what shows
//! its output; here the output is read.

pub(crate) mod guards;

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::steps::say;
use guards::Guard;

/// The list, relative to the root.
pub(crate) const LIST: &str = "runner/xtask/guards.txt";
/// By which test each guard was seen last, relative to the root.
pub(crate) const SEEN: &str = "runner/xtask/guards.seen.md";

/// The tests that are asked first, because they build in seconds: those of the pure crates, each of
/// which sees the guards of those before it.
const PURE: &[(&str, &[&str])] = &[
    ("runner/domain/", &["test", "-p", "domain", "--lib"]),
    ("runner/trust/", &["test", "-p", "trust", "--lib"]),
];
/// Those of the whole boundary, for what stays green there: the whole product is built for each.
const BOUNDARY: &[&str] =
    &["test", "--workspace", "--test", "it", "--", "adversary::", "attacks::", "authority::"];
/// How long the tests of one mutant may take, with building them: it may make one go on for ever.
const COMMAND_MAX: Duration = Duration::from_secs(1200);
/// How often what a command says is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What the command line says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mutants {
    /// Only guards whose name or file contains this.
    pub(crate) filter: Option<String>,
    /// Where cargo builds; the scratch directory's own without it.
    pub(crate) target_dir: Option<PathBuf>,
    /// Whether what no test of the pure crates sees is shown to the scenarios, too.
    pub(crate) boundary: bool,
    /// Whether only those are disabled that no test is known to see.
    pub(crate) unseen: bool,
}

/// What became of one mutant.
enum End {
    /// The first test that turned red.
    Seen(String),
    /// No test did.
    Survived,
    /// It is no program: the list is wrong.
    Broken(String),
}

/// Disables guard after guard; the result is 1 when one survived.
pub(crate) fn run(wanted: &Mutants, root: &Path) -> Result<u8> {
    let list = fs::read_to_string(root.join(LIST)).with_context(|| LIST.to_owned())?;
    let all = guards::parse(&list).map_err(anyhow::Error::msg)?;
    let filter = wanted.filter.as_deref().unwrap_or_default();
    let mut seen = guards::rows(&fs::read_to_string(root.join(SEEN)).unwrap_or_default());
    let chosen: Vec<&Guard> = all
        .iter()
        .filter(|g| g.name.contains(filter) || g.file.contains(filter))
        .filter(|g| !wanted.unseen || !seen.contains_key(&g.name))
        .collect();
    if chosen.is_empty() {
        bail!("no guard of {LIST} is left that has `{filter}` in its name or file");
    }
    let scratch = Scratch::of(root, wanted.target_dir.as_deref())?;
    say(&format!("the tree is copied to {}", scratch.tree.display()));
    for (_, tests) in PURE {
        // The first time everything that they rest on is built, however long that takes.
        if let Some(red) = scratch.tests(tests, Duration::MAX)? {
            bail!("{red} is red with every guard in place; mend that first");
        }
    }
    let mut survivors = Vec::new();
    for (n, guard) in chosen.iter().enumerate() {
        let begin = Instant::now();
        let end = scratch.without(guard, wanted.boundary)?;
        let (mark, by) = match &end {
            End::Seen(by) => ("seen", by.as_str()),
            End::Survived => ("SURVIVED", "no test"),
            End::Broken(why) => ("BROKEN", why.as_str()),
        };
        let (done, of) = (n + 1, chosen.len());
        let seconds = begin.elapsed().as_secs();
        say(&format!("{done:>3}/{of} {mark:<8} {seconds:>4} s  {} (by {by})", guard.name));
        match end {
            End::Seen(by) => drop(seen.insert(guard.name.clone(), by)),
            End::Survived | End::Broken(_) => {
                seen.remove(&guard.name);
                survivors.push(guard.name.as_str());
            }
        }
        fs::write(root.join(SEEN), guards::table(&all, &seen))?;
    }
    if !survivors.is_empty() {
        let names = survivors.join("\n  ");
        say(&format!("\n{} of {} were not seen:\n  {names}", survivors.len(), chosen.len()));
        return Ok(1);
    }
    say(&format!("\nall {} were seen", chosen.len()));
    Ok(0)
}

/// A copy of the tree that may be damaged.
struct Scratch {
    tree: PathBuf,
    target: PathBuf,
    log: PathBuf,
}

impl Scratch {
    /// Brings the copy up to date; what has not changed keeps its time, so that it is not built again.
    fn of(root: &Path, target: Option<&Path>) -> Result<Self> {
        let built = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let base = built.unwrap_or_else(|| root.join("target")).join("mutate");
        let target = target.map_or_else(|| base.join("target"), Path::to_owned);
        let scratch = Self { tree: base.join("tree"), target, log: base.join("output.txt") };
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("cannot start git; is it in PATH?")?;
        let listed =
            String::from_utf8(listed.stdout).context("git lists a path that is no text")?;
        for path in listed.split('\0').filter(|path| root.join(path).is_file()) {
            let (bytes, copy) = (fs::read(root.join(path))?, scratch.tree.join(path));
            if fs::read(&copy).is_ok_and(|there| there == bytes) {
                continue;
            }
            if let Some(folder) = copy.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&copy, bytes)?;
        }
        Ok(scratch)
    }

    /// The tests without one guard, which is put back afterwards.
    fn without(&self, guard: &Guard, boundary: bool) -> Result<End> {
        let path = self.tree.join(&guard.file);
        let source = fs::read_to_string(&path).with_context(|| guard.file.clone())?;
        let disabled = guard.disabled(&source).map_err(anyhow::Error::msg)?;
        fs::write(&path, disabled)?;
        let end = self.end(guard, boundary);
        fs::write(&path, source)?;
        end
    }

    fn end(&self, guard: &Guard, boundary: bool) -> Result<End> {
        let pure = PURE.iter().skip_while(|(package, _)| !guard.file.starts_with(package));
        let more = boundary.then_some(BOUNDARY);
        for tests in pure.map(|(_, tests)| *tests).chain(more) {
            match self.tests(tests, COMMAND_MAX) {
                Ok(None) => {}
                Ok(Some(red)) => return Ok(End::Seen(red)),
                Err(e) => return Ok(End::Broken(e.to_string())),
            }
        }
        Ok(End::Survived)
    }

    /// Builds and runs tests; the first that is red. An error when they cannot be built.
    fn tests(&self, tests: &[&str], limit: Duration) -> Result<Option<String>> {
        let ended = self.cargo(tests, limit)?;
        if ended == Ended::Green {
            return Ok(None);
        }
        let said = self.said()?;
        match first_red(&said) {
            Some(red) => Ok(Some(red)),
            None if ended == Ended::TooLong => Ok(Some("a test that never ended".to_owned())),
            None => {
                bail!("{}", said.lines().find(|l| l.starts_with("error")).unwrap_or("no test ran"))
            }
        }
    }

    /// Runs cargo in the copy with its output in a file.
    fn cargo(&self, arguments: &[&str], limit: Duration) -> Result<Ended> {
        let log = File::create(&self.log)?;
        let mut child = Command::new("cargo")
            .args(arguments)
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.target)
            .env_remove("CARGO_MANIFEST_DIR")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .context("cannot start cargo; is it in PATH?")?;
        let begin = Instant::now();
        let early = loop {
            if let Some(status) = child.try_wait()? {
                return Ok(if status.success() { Ended::Green } else { Ended::Red });
            }
            // One red test is enough; the others need not end.
            if first_red(&self.said()?).is_some() {
                break Ended::Red;
            }
            if begin.elapsed() > limit {
                break Ended::TooLong;
            }
            std::thread::sleep(LOOK_EVERY);
        };
        // The group, because the test is cargo's child.
        let group = format!("-{}", child.id());
        Command::new("kill").args(["-KILL", "--", &group]).status()?;
        child.wait()?;
        Ok(early)
    }

    /// What the last command has said so far.
    fn said(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.log)?).into_owned())
    }
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ended {
    Green,
    Red,
    TooLong,
}

/// The first test that libtest calls failed.
fn first_red(said: &str) -> Option<String> {
    let name =
        |line: &str| Some(line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?.to_owned());
    said.lines().find_map(name)
}

#[cfg(test)]
mod tests;
