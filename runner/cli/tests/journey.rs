//! The daily path through the real program: a fresh HOME, a server's folder, two people, one answer,
//! and its proof after the server is gone.

#![expect(clippy::unwrap_used, reason = "a journey that cannot be set up has failed")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

#[path = "../src/demo/shop/mod.rs"]
mod shop;

const INPUT: &str = r#"{"since":"2026-11-01T00:00:00Z","paid_before":"2026-11-21T00:00:00Z"}"#;

/// A machine with the program and nothing else.
struct Machine {
    home: tempfile::TempDir,
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Machine {
    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_borescope"));
        command.args(args).current_dir(self.home.path()).env_clear();
        command.env("HOME", self.home.path()).env("PATH", std::env::var_os("PATH").unwrap());
        command
    }

    fn output(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The JSON that a command prints, one object a line; the command must succeed.
    fn json(&self, args: &[&str]) -> Vec<Value> {
        let mut all = args.to_vec();
        all.push("--json");
        let output = self.output(&all);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {stderr}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    /// The exit code and everything that a command prints.
    fn told(&self, args: &[&str]) -> (i32, String) {
        let output = self.output(args);
        let all = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(all).unwrap())
    }

    fn serve(&self) -> Server {
        let mut command = self.command(&["serve", "--config", "server"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).any(|l| l.contains("127.0.0.1:"));
        assert!(ready, "the server did not say where it listens");
        // Somebody has to read on, or the server blocks on a full pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Server(child)
    }
}

fn copy_bundle(name: &str, to: &Path) {
    let from = Path::new(env!("OUT_DIR")).join("bundles").join(name);
    let copied = Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{value} has no text `{key}`"))
}

/// A loopback port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn from_an_empty_home_to_a_proven_answer() {
    let m = Machine { home: tempfile::tempdir().unwrap() };
    shop::create(&m.path("shop.sqlite")).unwrap();
    std::fs::write(m.path("input.json"), INPUT).unwrap();
    copy_bundle("stuck-orders", &m.path("stuck-orders"));
    let listen = format!("127.0.0.1:{}", free_port());
    let url = format!("http://{listen}");

    m.json(&[
        "init",
        "server",
        "--trust-domain",
        "shop.example/dev",
        "--person",
        "alice",
        "--person",
        "bob",
        "--target",
        "shop-replica=shop.sqlite",
        "--listen",
        &listen,
    ]);
    let server = m.serve();
    for person in ["alice", "bob"] {
        let key = format!("server/keys/{person}");
        m.json(&[
            "login",
            "--context",
            person,
            "--url",
            &url,
            "--as",
            person,
            "--key",
            &key,
            "--trust",
            "server/trust.toml",
        ]);
    }
    let (alice, bob) = (["--context", "alice"], ["--context", "bob"]);
    let with = |who: [&'static str; 2], args: &[&'static str]| [&who[..], args].concat();

    let submitted = m.json(&with(alice, &["submit", "stuck-orders"]));
    assert!(m.path("stuck-orders/bundle.sha256").exists());
    let revision = text(&submitted[0], "revision").to_owned();
    m.json(&with(
        bob,
        &["review", "stuck-orders", "--target", "shop=shop-replica", "--approve", "--yes"],
    ));
    let asked = m.json(&with(
        alice,
        &[
            "request",
            "stuck-orders",
            "--on",
            "shop=shop-replica",
            "--input",
            "input.json",
            "--reason",
            "parcels are late",
        ],
    ));
    let request = text(&asked[0], "id").to_owned();

    let run = [
        "--context",
        "alice",
        "run",
        "--request",
        &request,
        "--input",
        "input.json",
        "--out",
        "result",
    ];
    let (code, told) = m.told(&run);
    assert!(code == 3 && told.contains("approval"), "not approved yet: {code} {told}");
    let (code, told) = m.told(&["--context", "alice", "approve", &request, "--yes"]);
    assert!(code != 0 && told.contains("alice"), "callers do not approve their own: {told}");
    m.json(&["--context", "bob", "approve", &request, "--yes"]);
    let (code, told) = m.told(&run);
    assert!(code == 0 && told.contains("never-scanned"), "{code} {told}");
    let (code, told) = m.told(&run);
    assert!(code == 3 && told.contains("use"), "one use was granted: {code} {told}");

    assert!(m.told(&["--context", "alice", "runs"]).1.contains("succeeded"));
    assert!(m.told(&["--context", "alice", "show", &revision]).1.contains("stuck"));
    drop(server);

    let verify = [
        "verify",
        "result/evidence.json",
        "--output",
        "result/output.json",
        "--recording",
        "result/recording.rec",
    ];
    let (code, told) = m.told(&[&verify[..], &["--trust", "server/trust.toml"]].concat());
    assert_eq!(code, 0, "{told}");
    let (code, told) = m.told(&verify);
    assert!(code == 7 && told.contains("NOT authenticated"), "{code} {told}");
    let (code, told) = m.told(&["replay", "result/recording.rec", "--bundle", "stuck-orders"]);
    assert_eq!(code, 0, "{told}");

    let mut output = std::fs::read(m.path("result/output.json")).unwrap();
    let middle = output.len() / 2;
    output[middle] ^= 1;
    std::fs::write(m.path("result/output.json"), output).unwrap();
    let (code, told) = m.told(&[&verify[..], &["--trust", "server/trust.toml"]].concat());
    assert!(code == 7 && told.contains("output"), "{code} {told}");
}
