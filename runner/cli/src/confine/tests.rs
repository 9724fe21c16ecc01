//! What a stranger's build would try, tried: each succeeds without the room.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Read as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Room, spawn};

/// Runs a line of shell, in a room or not; whether it succeeded, and what it said.
fn sh(room: Option<&Room>, line: &str) -> (bool, String) {
    let mut command = Command::new("sh");
    command.args(["-c", line]).env_clear().env("PATH", "/usr/bin:/bin");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = match room {
        Some(room) => spawn(command, room).unwrap(),
        None => command.spawn().unwrap(),
    };
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap().success(), said)
}

fn room(work: &Path) -> Room {
    Room { work: work.to_owned(), tools: Vec::new() }
}

#[test]
fn a_secret_of_the_user_stays_unread_and_nothing_outside_is_changed() {
    let home = tempfile::tempdir().unwrap();
    let work = home.path().join("work");
    std::fs::create_dir(&work).unwrap();
    let key = home.path().join("id_ed25519");
    std::fs::write(&key, "the key\n").unwrap();
    let attacks = [
        format!("cat {}", key.display()),
        format!("ls {}", home.path().display()),
        format!("echo more >> {}", key.display()),
        format!("echo x > {}/left-behind", home.path().display()),
        format!("ln {} {}/mine && cat {0}/mine", key.display(), work.display()),
        "cat /proc/1/environ".to_owned(),
    ];
    for attack in &attacks {
        assert!(!sh(Some(&room(&work)), attack).0, "{attack}");
    }
    for attack in &attacks[..4] {
        assert!(sh(None, attack).0, "{attack}: it shows nothing when it never works");
    }
    let (may, said) =
        sh(Some(&room(&work)), &format!("cd {} && echo 1 > a && cat a", work.display()));
    assert!(may && said == "1\n", "its own folder is its own: {said}");
}

#[test]
fn nobody_can_be_reached_neither_an_agent_nor_a_server() {
    let home = tempfile::tempdir().unwrap();
    let work = home.path().join("work");
    std::fs::create_dir(&work).unwrap();
    let agent = work.join("agent.sock");
    let _agent = UnixListener::bind(&agent).unwrap();
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let python = |line: String| format!("python3 -c 'import socket, os; {line}'");
    let attacks = [
        python(format!("socket.socket(socket.AF_UNIX).connect(\"{}\")", agent.display())),
        python(format!("socket.create_connection((\"127.0.0.1\", {port}))")),
        python("socket.socket(socket.AF_INET, socket.SOCK_DGRAM)".to_owned()),
        "unshare -r true".to_owned(),
    ];
    for attack in &attacks {
        assert!(!sh(Some(&room(&work)), attack).0, "{attack}");
    }
    // Not every system lets its users make namespaces.
    for attack in &attacks[..3] {
        assert!(sh(None, attack).0, "{attack}: it shows nothing when it never works");
    }
}

#[test]
fn who_started_it_stays_free() {
    let home = tempfile::tempdir().unwrap();
    let work = home.path().join("work");
    std::fs::create_dir(&work).unwrap();
    assert!(sh(Some(&room(&work)), "true").0);
    std::fs::write(home.path().join("after"), "x").unwrap();
    drop(std::net::TcpListener::bind("127.0.0.1:0").unwrap());
}
