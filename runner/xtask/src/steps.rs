//! Commands with names: each is announced, timed and summed up at the end. All of them run, unless
//! one fails that the rest needs; the first failure decides the exit code, because what fails later
//! is often its consequence.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// The exit code that stands for a command which a signal ended; cargo uses it for a panic.
const KILLED: u8 = 101;

/// One command.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// What people call it.
    pub(crate) name: String,
    /// What it covers; may be empty.
    pub(crate) note: String,
    /// The arguments of cargo.
    pub(crate) arguments: Vec<String>,
    /// Variables added to the environment.
    pub(crate) env: Vec<(String, String)>,
    /// Whether later steps make no sense without it.
    pub(crate) needed: bool,
}

impl Step {
    /// A step that runs cargo.
    pub(crate) fn cargo(name: &str, arguments: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            note: String::new(),
            arguments: arguments.iter().map(|it| (*it).to_owned()).collect(),
            env: Vec::new(),
            needed: false,
        }
    }

    /// Runs it in `folder`, with its output on the terminal; the result is its exit code.
    pub(crate) fn run(&self, folder: &Path) -> Result<u8> {
        let status = Command::new("cargo")
            .args(&self.arguments)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .status()
            .context("cannot start cargo; is it in PATH?")?;
        let code = status.code().unwrap_or_else(|| i32::from(KILLED));
        Ok(u8::try_from(code).unwrap_or(KILLED))
    }
}

/// Runs the steps, reporting to `out`, with a summary at the end; the result is the exit code of the
/// first that failed, or 0. An error means that a step could not be started, and ends the rest.
pub(crate) fn run_all(
    steps: &[Step],
    out: &mut impl Write,
    mut run: impl FnMut(&Step) -> Result<u8>,
) -> Result<u8> {
    let begin = Instant::now();
    let mut failed = 0;
    let mut summary = Vec::new();
    for step in steps {
        let note = if step.note.is_empty() { String::new() } else { format!(" ({})", step.note) };
        writeln!(out, "\n== {}{note}", step.name)?;
        let begin = Instant::now();
        let code = run(step)?;
        let line = result(code, &step.name, begin.elapsed());
        writeln!(out, "== {line}")?;
        summary.push(line);
        if failed == 0 {
            failed = code;
        }
        if code != 0 && step.needed {
            break;
        }
    }
    if steps.len() > 1 {
        summary.push(result(failed, "in all", begin.elapsed()));
        writeln!(out, "\n{}", summary.join("\n"))?;
    }
    Ok(failed)
}

/// How it ended and how long it took, as one line.
fn result(code: u8, name: &str, time: Duration) -> String {
    let end = if code == 0 { "ok" } else { "FAILED" };
    format!("{end:<7} {name:<14} {}", in_words(time))
}

/// Prints to standard error, where cargo writes its progress, so that the two stay in order.
pub(crate) fn say(text: &str) {
    // Nobody is left to tell when standard error is gone; the exit code still speaks.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Seconds with one decimal, minutes from the first on.
fn in_words(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    let seconds = time.as_secs_f64() % 60.0;
    if minutes == 0 { format!("{seconds:.1} s") } else { format!("{minutes} min {seconds:.0} s") }
}

#[cfg(test)]
mod tests;
