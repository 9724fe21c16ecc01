//! Audited runs a second at 32 clients against requests a second of `wasmtime serve` on a component
//! that says hello: what signatures, evidence and durability cost over none of them.
//!
//! It needs the program `wasmtime` on the PATH and says so where there is none. The component is built
//! only then, with the toolchain that builds all guests.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Client;
use tokio::runtime::Runtime;

use super::Scale;
use super::bed::{Bed, workshop};
use super::launch::{Block, ours};
use super::readings::{Readings, size};
use super::stats::{Goal, Row, Unit, alternate};

/// Clients at a time.
const CLIENTS: usize = 32;
/// After this long something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// `wasmtime serve`, which ends with the bench.
struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(super) fn run(rt: &Runtime, scale: Scale) -> Vec<Row> {
    let what = format!("audited runs at {CLIENTS} clients");
    let Some(wasmtime) = on_path("wasmtime") else {
        return vec![Row::missing(what, "no `wasmtime` on the PATH")];
    };
    let component = match build() {
        Ok(component) => component,
        Err(why) => return vec![Row::missing(what, why)],
    };
    let http = Client::builder().no_proxy().build().unwrap();
    let server = rt.block_on(serve(&wasmtime, &component, &http));
    let bed = rt.block_on(Bed::open(&Readings::sqlite(size(scale))));
    let story = rt.block_on(bed.story("{}"));
    let client = rt.block_on(bed.client());
    let (clients, runs, requests) = scale.pick((CLIENTS, 10, 100), (2, 1, 1));
    let mut next_use = 1;
    let (ours, plain) = alternate(
        scale,
        8,
        || rt.block_on(ours(&bed, &story, &client, clients, runs, &mut next_use)).rate(),
        || rt.block_on(hello(&http, &server.url, clients, requests)).rate(),
    );
    rt.block_on(bed.close());
    let row = Row::pair(what, Unit::PerSecond, ours, ("wasmtime serve", plain));
    vec![row.goal(Goal::RatioAtLeast(0.5))]
}

/// A program by its name.
fn on_path(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Builds the component; an error says why there is none.
fn build() -> Result<PathBuf, String> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/hello");
    let target = workshop().join("hello");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "--release", "--target", "wasm32-wasip2"]);
    let built = cargo.arg("--target-dir").arg(&target).current_dir(package).output();
    let built = built.map_err(|e| format!("cargo cannot be started: {e}"))?;
    if built.status.success() {
        Ok(target.join("wasm32-wasip2/release/hello.wasm"))
    } else {
        Err("the hello component does not build; try it in tests/benches/hello".to_owned())
    }
}

/// Starts the server and waits for its first answer.
async fn serve(wasmtime: &Path, component: &Path, http: &Client) -> Server {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut command = Command::new(wasmtime);
    command.args(["serve", "-S", "cli", "--addr", &address]).arg(component);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let server = Server { child, url: format!("http://{address}/") };
    let begin = Instant::now();
    while http.get(&server.url).send().await.is_err() {
        assert!(begin.elapsed() < PATIENCE, "`wasmtime serve` does not answer");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server
}

/// `clients` at a time send `each` requests, one after the other.
async fn hello(http: &Client, url: &str, clients: usize, each: usize) -> Block {
    let one = |_| {
        let (http, url) = (http.clone(), url.to_owned());
        tokio::spawn(async move {
            let mut latencies = Vec::new();
            for _ in 0..each {
                let begin = Instant::now();
                let answer = http.get(&url).send().await.unwrap();
                assert!(answer.status().is_success());
                assert_eq!(answer.bytes().await.unwrap(), "hello");
                latencies.push(begin.elapsed().as_secs_f64());
            }
            latencies
        })
    };
    let begin = Instant::now();
    let done = join_all((0..clients).map(one)).await;
    let time = begin.elapsed();
    Block { latencies: done.into_iter().flat_map(Result::unwrap).collect(), time }
}
