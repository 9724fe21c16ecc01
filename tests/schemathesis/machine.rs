//! A machine with the built `borescope`, a served folder with one run, and the client's executable.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// Where the server's folder is on the machine.
const SERVER: &str = "server";

/// A home directory and what is in it.
pub(crate) struct Machine {
    home: tempfile::TempDir,
    program: PathBuf,
}

/// A server that ends with the test.
pub(crate) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The `borescope` that cargo built beside this test.
fn program() -> PathBuf {
    let me = std::env::current_exe().unwrap();
    let built = me.parent().and_then(Path::parent).unwrap().join("borescope");
    assert!(
        built.exists(),
        "{} is missing; `cargo xtask test` builds it, or: cargo test --workspace --tests --no-run",
        built.display()
    );
    built
}

/// The executable `st` of schemathesis: in the environment of `BORESCOPE_TEST_VENV`, or on the PATH.
pub(crate) fn client() -> PathBuf {
    let venv = std::env::var_os("BORESCOPE_TEST_VENV").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = venv.map(|v| v.join("bin")).into_iter().chain(std::env::split_paths(&path));
    let found = places.map(|dir| dir.join("st")).find(|st| st.exists());
    found.unwrap_or_else(|| {
        panic!(
            "the client `st` is missing: `cargo xtask test --install` makes a virtual environment \
             with it, or: python3 -m venv VENV, VENV/bin/pip install -r \
             tests/schemathesis/requirements.txt, BORESCOPE_TEST_VENV=VENV"
        )
    })
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), program: program() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(self.home.path()).env_clear();
        command.env("HOME", self.home.path()).stdin(Stdio::null());
        command
    }

    /// The JSON that a command prints, one object a line; the command must succeed.
    pub(crate) fn json(&self, args: &[&str]) -> Vec<Value> {
        let output = self.command(args).arg("--json").output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {stderr}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    /// Founds a company of alice and bob with one SQLite target, and raises the limits that a client
    /// which tries everything would meet.
    pub(crate) fn found(&self, listen: &str) {
        let target = format!("shop-replica={}", self.path("shop.sqlite").display());
        let db = rusqlite::Connection::open(self.path("shop.sqlite")).unwrap();
        db.execute_batch("PRAGMA application_id = 7; CREATE TABLE t (x);").unwrap();
        drop(db);
        let people = ["--person", "alice", "--person", "bob"];
        let rest = ["--target", &target, "--listen", listen];
        let init = ["init", SERVER, "--trust-domain", "shop.example/dev"];
        self.json(&[&init[..], &people, &rest].concat());
        let path = self.path(SERVER).join("borescope.toml");
        let limits = "failures_per_peer_per_minute_max = 1000000\nfailures_per_minute_max = 1000000\n\
                      uploads_per_hour_max = 1000000\n";
        let text = std::fs::read_to_string(&path).unwrap();
        let text = match text.contains("[limits]") {
            true => text.replace("[limits]\n", &format!("[limits]\n{limits}")),
            false => format!("{text}\n[limits]\n{limits}"),
        };
        std::fs::write(&path, text).unwrap();
    }

    pub(crate) fn serve(&self) -> Server {
        let mut command = self.command(&["serve", "--config", SERVER]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut told = Vec::new();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| {
            told.push(line);
            told.last().is_some_and(|line| line.contains("127.0.0.1:"))
        });
        assert!(ready, "the server did not say where it listens: {told:?}");
        // Somebody has to read on, or the server blocks on a full pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Server(child)
    }

    /// Logs a person in and gives the token.
    pub(crate) fn token(&self, person: &str, url: &str) -> String {
        let key = format!("{SERVER}/keys/{person}");
        let trust = format!("{SERVER}/trust.toml");
        let who = ["login", "--context", person, "--url", url, "--as", person];
        self.json(&[&who[..], &["--key", &key, "--trust", &trust]].concat());
        let token = self.path(".config/borescope").join(format!("{person}.token"));
        std::fs::read_to_string(token).unwrap().trim().to_owned()
    }

    /// A further session of a person.
    pub(crate) fn other_session(&self, person: &str, url: &str) -> String {
        self.token(person, url);
        let all = self.json(&["--context", person, "sessions"]);
        let own = all.iter().find(|s| s["current"] == true).unwrap();
        own["id"].as_str().unwrap().to_owned()
    }

    /// Submits `echo`, has it reviewed and approved, and runs it; gives revision, request and run.
    pub(crate) fn run_once(&self) -> [String; 3] {
        let bundle = self.path("echo");
        for (path, bytes) in tests::guests::files("echo") {
            let file = bundle.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
        }
        std::fs::write(self.path("input.json"), r#"{"text":"hello"}"#).unwrap();
        let of = |who: &str, args: &[&str]| self.json(&[&["--context", who], args].concat());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let submitted = of("alice", &["submit", "echo"]);
        let pair = "shop=shop-replica";
        of("bob", &["review", "echo", "--target", pair, "--approve", "--yes"]);
        let ask = ["request", "echo", "--on", pair, "--input", "input.json", "--reason", "test"];
        let request = text(&of("alice", &ask)[0]["id"]);
        of("bob", &["approve", &request, "--yes"]);
        let ran = of("alice", &["run", "--request", &request, "--input", "input.json"]);
        [text(&submitted[0]["revision"]), request, text(&ran.last().unwrap()["run"]["id"])]
    }
}

/// A loopback port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
