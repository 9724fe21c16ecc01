//! Long text through the person's pager. It gets what a terminal would get, nothing else.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use super::safe;

/// The exit code with which a shell says that there is no such program.
const NOT_FOUND: i32 = 127;

/// Shows lines by `pager`, a command of the shell; false when there is no such program.
///
/// # Errors
/// When no shell can be started.
pub(super) fn show(lines: &[String], pager: &str, colour: bool) -> io::Result<bool> {
    let mut command = Command::new("sh");
    command.args(["-c", pager]).stdin(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut to) = child.stdin.take() {
        // Whoever leaves the pager early has seen enough.
        let _ = lines.iter().try_for_each(|line| writeln!(to, "{}", safe::line(line, colour)));
    }
    Ok(child.wait()?.code() != Some(NOT_FOUND))
}
