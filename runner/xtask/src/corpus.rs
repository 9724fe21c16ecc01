//! Judges SQL: builds the program that does it and becomes its parent, so that the program's last line is
//! the last line of all output.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::steps::Step;
use crate::wasm;

/// The programs, of the package `tests`.
const PROGRAM: &str = "sqlcorpus";
const ORACLE: &str = "sqloracle";

/// What to judge, and how.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Corpus {
    /// The file.
    pub(crate) file: Option<PathBuf>,
    /// Whether against servers, too.
    pub(crate) live: bool,
}

/// Builds and runs; the result is the program's exit code. The file is relative to where the command
/// was typed.
pub(crate) fn run(corpus: &Corpus, root: &Path) -> Result<u8> {
    let Some(file) = &corpus.file else { bail!("`sql-corpus` wants a file") };
    let live = corpus.live.then(|| OsString::from("--live"));
    judge(PROGRAM, live.into_iter().chain([file.into()]), root)
}

/// Asks a server about generated statements.
pub(crate) fn oracle(numbers: &[u64], root: &Path) -> Result<u8> {
    judge(ORACLE, numbers.iter().map(|n| n.to_string().into()), root)
}

fn judge(program: &str, args: impl IntoIterator<Item = OsString>, root: &Path) -> Result<u8> {
    wasm::ensure_target(root)?;
    // With the features of all other builds, so that nothing is compiled twice.
    let code = Step::cargo("build", &["build", "--quiet", "--workspace", "--bins"]).run(root)?;
    if code != 0 {
        return Ok(code);
    }
    let program = std::env::current_exe()?.with_file_name(program);
    let status = Command::new(&program).args(args).status();
    let status = status.with_context(|| format!("cannot start {}", program.display()))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
