//! The real program: found beside the bench, started as a server, and waited for.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use api::{Client, ClientConfig};

use super::stats::Row;

/// After this long something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that ends with the sample.
pub(super) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The program, or the row that says why there is none.
pub(super) fn program(what: &str) -> Result<PathBuf, Vec<Row>> {
    beside_the_bench().ok_or_else(|| {
        let why = "no `borescope` beside the bench; `cargo xtask bench` builds it";
        vec![Row::missing(what, why)]
    })
}

/// A loopback address that was free a moment ago.
pub(super) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Runs the program to its end; it must succeed. What it printed.
pub(super) fn good(command: &mut Command) -> String {
    let made = command.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap()
}

/// The executable that cargo built with the same profile: benches are in `deps` beside it.
fn beside_the_bench() -> Option<PathBuf> {
    let bench = std::env::current_exe().ok()?;
    let program = bench.parent()?.parent()?.join("borescope");
    program.is_file().then_some(program)
}

/// A command of the program with nothing but this HOME.
pub(super) fn command(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(home).env_clear().env("HOME", home).env("BORESCOPE_LOG", "off");
    command
}

/// Starts the server of `home/server`; it, and the seconds until it said that it is ready.
pub(super) async fn start(program: &Path, home: &Path, address: &str) -> (Server, f64) {
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
    let server = Server(command.spawn().unwrap());
    while !client.ready().await.is_ok_and(|answer| answer.ready) {
        assert!(begin.elapsed() < PATIENCE, "the server does not become ready");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    (server, begin.elapsed().as_secs_f64())
}
