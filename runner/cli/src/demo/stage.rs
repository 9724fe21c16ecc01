//! The stage: a temporary folder, the shop, a server on a loopback port, people who are logged in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use domain::manifest::Engine;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::bundles::BUNDLES;
use super::people::{ALICE, BOB, CAROL, MALLORY, RUNNER, TARGET, found_all, session, trust_domain};
use super::postgres;
use super::production::Production;
use super::report::Report;
use crate::commands::login;
use crate::founding::{DataDir, TrustSource};
use crate::node;
use crate::server_config::{ServerConfig, ServerLimits};
use crate::session::{Session, World};
use crate::view::number;

/// Seconds that a live run may still take when the demo ends.
const DRAIN_S: u64 = 2;

/// Everything that the story needs.
pub(super) struct Stage {
    /// The production database; before the folder, so that it has ended when its files go.
    shop: Production,
    folder: TempDir,
    /// Where the server is.
    pub(super) url: String,
    /// What an auditor believes.
    pub(super) trust: TrustSource,
    /// The server's data.
    pub(super) data: DataDir,
    /// Author and caller.
    pub(super) alice: Session,
    /// Reviewer and approver.
    pub(super) bob: Session,
    /// Administrator.
    pub(super) carol: Session,
    /// Attacker.
    pub(super) mallory: Session,
    /// Alice's token, for curl.
    pub(super) token: String,
    server: Option<Server>,
}

struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Stage {
    /// Sets the stage, step by step.
    pub(super) async fn build(report: &mut Report, engine: Engine) -> anyhow::Result<Self> {
        let world = World::real();
        let folder = tempfile::Builder::new().prefix("borescope-demo-").tempdir()?;
        let dir = folder.path().to_owned();
        let made = make_shop(engine, dir.clone()).await;
        let step = "create the sample production database";
        let (shop, _) = report.ok(step, made, |(shop, orders)| {
            let (orders, place) = (number(*orders), shop.describe());
            format!("{orders} orders in {place}, some of them in trouble")
        })?;
        let domain = trust_domain(&world)?;
        let data = DataDir(dir.join("data"));
        let founded = found_all(&dir, &data, &domain, &shop, &world);
        let trust = report.ok("found a trust domain", founded, |trust| {
            format!(
                "{}; fresh keys for alice, bob, carol and mallory; keyring, directory and policy signed by carol",
                trust.trust_domain
            )
        })?;
        let serving = serve(&dir, &data, &shop, &world).await;
        let (url, server) = report.ok("start a server with a runner", serving, |(url, _)| {
            format!("{url}, in this process; the runner pins keyring {}", trust.keyring.short())
        })?;
        write_bundles(&dir, shop.engine())?;
        let sessions = log_in_all(&dir, &url, &trust, &world).await;
        let (sessions, token) = report.ok("log in", sessions, |_| {
            "each signed the server's challenge; a token alone never reviews, approves or runs"
                .to_owned()
        })?;
        let [alice, bob, carol, mallory] = sessions;
        Ok(Self {
            shop,
            folder,
            url,
            trust,
            data,
            alice,
            bob,
            carol,
            mallory,
            token,
            server: Some(server),
        })
    }

    /// The engine that production runs on.
    pub(super) const fn engine(&self) -> Engine {
        self.shop.engine()
    }

    /// The demo's folder.
    pub(super) fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of an embedded bundle.
    pub(super) fn bundle(&self, name: &str) -> PathBuf {
        self.dir().join("bundles").join(name)
    }

    /// Stops the server.
    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        if let Some(server) = self.server.take() {
            // A server that has ended by itself hears nothing, and its error comes next.
            let _ = server.stop.send(());
            server.task.await??;
        }
        Ok(())
    }
}

async fn make_shop(engine: Engine, dir: PathBuf) -> anyhow::Result<(Production, u64)> {
    tokio::task::spawn_blocking(move || Production::create(engine, &dir)).await?
}

async fn serve(
    dir: &Path,
    data: &DataDir,
    shop: &Production,
    world: &World,
) -> anyhow::Result<(String, Server)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let url = format!("http://{address}");
    let config = ServerConfig {
        listen: address,
        origin: None,
        tls: None,
        data_dir: data.0.clone(),
        runner: RUNNER.parse()?,
        status: None,
        targets: BTreeMap::from([(TARGET.parse()?, shop.way())]),
        notify: Vec::new(),
        limits: ServerLimits::default(),
    };
    let app = node::open(&config, vec![url.clone()], world)
        .await
        .with_context(|| format!("cannot serve from {}", dir.display()))?;
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        let shutdown = async move {
            // A dropped sender is a demo that failed: the server ends as well.
            drop(stopped.await);
        };
        let limits = server::ServerLimits { drain_s: DRAIN_S, ..server::ServerLimits::DEFAULT };
        server::serve(listener, None, app, limits, shutdown).await?;
        Ok(())
    });
    Ok((url, Server { stop, task }))
}

/// Writes the embedded bundles to disk: what is submitted comes from folders, as with users. A
/// component knows its queries by name only, so the same one runs on another engine with another
/// manifest, which is another revision.
fn write_bundles(dir: &Path, engine: Engine) -> anyhow::Result<()> {
    for (name, files) in BUNDLES {
        for (path, bytes) in *files {
            let place = dir.join("bundles").join(name).join(path);
            if let Some(folder) = place.parent() {
                std::fs::create_dir_all(folder)?;
            }
            match *path {
                "script.toml" => std::fs::write(&place, manifest_for(engine, bytes)?)?,
                path => std::fs::write(&place, postgres::file(engine, name, path, bytes))?,
            }
        }
    }
    Ok(())
}

/// The manifest with its one target on `engine`.
pub(super) fn manifest_for(engine: Engine, manifest: &[u8]) -> anyhow::Result<String> {
    let manifest = std::str::from_utf8(manifest)?;
    Ok(manifest.replace("engine = \"sqlite\"", &format!("engine = \"{engine}\"")))
}

async fn log_in_all(
    dir: &Path,
    url: &str,
    trust: &TrustSource,
    world: &World,
) -> anyhow::Result<([Session; 4], String)> {
    let open = |person| session(dir, person, url, trust, world);
    let mut sessions = [open(ALICE)?, open(BOB)?, open(CAROL)?, open(MALLORY)?];
    let mut alices = None;
    for session in &mut sessions {
        let opened = login::log_in(session).await?;
        alices.get_or_insert(opened.token);
    }
    Ok((sessions, alices.context("nobody logged in")?))
}
