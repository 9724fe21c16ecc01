//! The hidden command that cargo starts in place of each test binary (its *runner*). It skips the
//! binaries of other groups; otherwise it becomes the binary, so that signals and exit codes are the
//! test's own. Cargo says in the environment whose binary it is; nothing else is read from there.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use crate::groups;
use crate::steps::say;

/// The name of the hidden command.
pub(crate) const COMMAND: &str = "run-one";

/// `GROUP BINARY ARGUMENT…`.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let known = |it: &[String]| groups::find(it.first()?);
    let (Some(group), [_, binary, rest @ ..]) = (known(arguments), arguments) else {
        say(&format!("error: `{COMMAND}` is for cargo, which passes a group and a binary"));
        return ExitCode::FAILURE;
    };
    let package = std::env::var_os("CARGO_PKG_NAME").unwrap_or_default();
    let Some(package) = package.to_str().filter(|name| !name.is_empty()) else {
        say("error: cargo does not say whose tests these are (CARGO_PKG_NAME)");
        return ExitCode::FAILURE;
    };
    if !group.has(package, target(binary)) {
        return ExitCode::SUCCESS;
    }
    say(&format!("   {package}: {}", target(binary)));
    let error = Command::new(OsStr::new(binary)).args(rest).exec();
    say(&format!("error: cannot start {binary}: {error}"));
    ExitCode::FAILURE
}

/// The name of the target that cargo built as `…/name-<hash>`.
fn target(binary: &str) -> &str {
    let file = binary.rsplit('/').next().unwrap_or(binary);
    file.rsplit_once('-').map_or(file, |(name, _)| name)
}
