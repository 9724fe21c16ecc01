//! A machine with the program, an empty HOME and nothing else; servers that end with the test.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// A machine with the program and nothing else.
pub(crate) struct Machine {
    home: tempfile::TempDir,
}

/// A server that ends with the test.
pub(crate) struct Server {
    child: Child,
    log: Arc<Mutex<Vec<u8>>>,
}

impl Server {
    /// What it has logged, byte for byte.
    pub(crate) fn log(&self) -> Vec<u8> {
        self.log.lock().unwrap().clone()
    }

    /// Tells it to read its certificate again.
    pub(crate) fn hang_up(&self) {
        let kill = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_borescope"));
        command.args(args);
        command
    }

    /// Another program than ours, in the same environment.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.current_dir(self.home.path()).env_clear();
        command.env("HOME", self.home.path()).env("PATH", std::env::var_os("PATH").unwrap());
        command
    }

    /// What a command prints, with these variables set and nothing to read.
    pub(crate) fn output(&self, env: &[(&str, &str)], args: &[&str]) -> Output {
        let mut command = self.command(args);
        command.stdin(Stdio::null()).envs(env.iter().copied()).output().unwrap()
    }

    /// The JSON that a command prints, one object a line; the command must succeed.
    pub(crate) fn json(&self, args: &[&str]) -> Vec<Value> {
        self.json_with(&[], args)
    }

    pub(crate) fn json_with(&self, env: &[(&str, &str)], args: &[&str]) -> Vec<Value> {
        let mut all = args.to_vec();
        all.push("--json");
        let output = self.output(env, &all);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {stderr}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    /// The exit code and everything that a command prints.
    pub(crate) fn told(&self, args: &[&str]) -> (i32, String) {
        self.told_with(&[], args)
    }

    pub(crate) fn told_with(&self, env: &[(&str, &str)], args: &[&str]) -> (i32, String) {
        let output = self.output(env, args);
        let all = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(all).unwrap())
    }

    pub(crate) fn serve(&self) -> Server {
        self.start(&["serve", "--config", "server"])
    }

    /// Starts something that listens, and waits until it says so.
    pub(crate) fn start(&self, args: &[&str]) -> Server {
        let mut command = self.command(args);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (copy, (ready, is_ready)) = (Arc::clone(&log), std::sync::mpsc::channel());
        // Somebody has to read to the end, or the server blocks on a full pipe.
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while stderr.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                if line.windows(10).any(|w| w == b"127.0.0.1:") {
                    // After the first such line nobody waits any more.
                    let _ = ready.send(());
                }
                copy.lock().unwrap().append(&mut line);
            }
        });
        assert!(is_ready.recv().is_ok(), "the server did not say where it listens");
        Server { child, log }
    }
}

pub(crate) fn copy_bundle(name: &str, to: &Path) {
    let from = Path::new(env!("OUT_DIR")).join("bundles").join(name);
    let copied = Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

pub(crate) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{value} has no text `{key}`"))
}

/// A loopback port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
