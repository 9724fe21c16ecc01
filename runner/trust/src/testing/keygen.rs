//! The real `ssh-keygen`: the oracle of these tests.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Runs it and returns what it prints.
pub(crate) fn keygen(args: &[&str], stdin: &[u8]) -> String {
    let mut child = Command::new("ssh-keygen")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ssh-keygen is missing; install OpenSSH's client (apt install openssh-client)");
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let out = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "ssh-keygen {args:?}: {said}");
    String::from_utf8(out.stdout).unwrap()
}
