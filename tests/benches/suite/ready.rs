//! From starting the real program to the first answer that says ready: `borescope serve` on a new
//! server's folder.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use api::{Client, ClientConfig};
use tokio::runtime::Runtime;

use super::Scale;
use super::bed::workshop;
use super::readings::{Readings, size};
use super::stats::{Goal, Row, Samples, Unit};

/// After this long something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that ends with the sample.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

pub(super) fn run(rt: &Runtime, scale: Scale) -> Vec<Row> {
    let what = "`borescope serve` ready";
    let Some(program) = program() else {
        return vec![Row::missing(
            what,
            "no `borescope` beside the bench; `cargo xtask bench` builds it",
        )];
    };
    let readings = Readings::sqlite(size(scale));
    let home = tempfile::tempdir_in(workshop()).unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let target = format!("readings={}", readings.file().display());
    let asked = [
        "init",
        "server",
        "--trust-domain",
        "bench.example/ready",
        "--person",
        "alice",
        "--person",
        "bob",
        "--target",
        &target,
        "--listen",
        &address,
    ];
    let made = command(&program, home.path()).args(asked).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut samples = Samples::default();
    for _ in 0..scale.pick(15, 1) {
        samples.push(rt.block_on(start(&program, home.path(), &address)));
    }
    vec![Row::alone(what, Unit::Seconds, samples).goal(Goal::AtMost(1.0))]
}

/// The executable that cargo built with the same profile: benches are in `deps` beside it.
fn program() -> Option<PathBuf> {
    let bench = std::env::current_exe().ok()?;
    let program = bench.parent()?.parent()?.join("borescope");
    program.is_file().then_some(program)
}

fn command(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(home).env_clear().env("HOME", home).env("BORESCOPE_LOG", "off");
    command
}

/// Seconds until the server says that it is ready.
async fn start(program: &Path, home: &Path, address: &str) -> f64 {
    let client = Client::new(ClientConfig {
        base: format!("http://{address}"),
        authorities: api::Authorities::default(),
        token: None,
        connect_timeout: PATIENCE,
        call_timeout: PATIENCE,
        entropy: std::sync::Arc::new(executor::OsEntropy),
    })
    .unwrap();
    let begin = Instant::now();
    let mut command = command(program, home);
    command.args(["serve", "--config", "server"]).stdout(Stdio::null()).stderr(Stdio::null());
    let _server = Server(command.spawn().unwrap());
    while !client.ready().await.is_ok_and(|answer| answer.ready) {
        assert!(begin.elapsed() < PATIENCE, "the server does not become ready");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    begin.elapsed().as_secs_f64()
}
