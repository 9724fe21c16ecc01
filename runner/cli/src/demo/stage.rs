//! The stage: a temporary folder, the shop, a server on a loopback port, people who are logged in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::bundles::BUNDLES;
use super::people::{ALICE, BOB, CAROL, MALLORY, RUNNER, TARGET, found_all, session, trust_domain};
use super::report::Report;
use super::shop;
use crate::commands::login;
use crate::founding::{DataDir, TrustSource};
use crate::node;
use crate::server_config::{ServerConfig, ServerLimits, TargetPath};
use crate::session::{Session, World};
use crate::view::number;

/// Seconds that a live run may still take when the demo ends.
const DRAIN_S: u64 = 2;

/// Everything that the story needs.
pub(super) struct Stage {
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
    pub(super) async fn build(report: &mut Report) -> anyhow::Result<Self> {
        let world = World::real();
        let folder = tempfile::Builder::new().prefix("borescope-demo-").tempdir()?;
        let dir = folder.path().to_owned();
        let database = dir.join("shop.sqlite");
        let made = make_shop(database.clone()).await;
        report.ok("create the sample production database", made, |orders| {
            format!("{} orders in shop.sqlite, some of them in trouble", number(*orders))
        })?;
        let domain = trust_domain(&world)?;
        let data = DataDir(dir.join("data"));
        let founded = found_all(&dir, &data, &domain, &world);
        let trust = report.ok("found a trust domain", founded, |trust| {
            format!(
                "{}; fresh keys for alice, bob, carol and mallory; keyring, directory and policy signed by carol",
                trust.trust_domain
            )
        })?;
        let serving = serve(&dir, &data, database, &world).await;
        let (url, server) = report.ok("start a server with a runner", serving, |(url, _)| {
            format!("{url}, in this process; the runner pins keyring {}", trust.keyring.short())
        })?;
        write_bundles(&dir)?;
        let sessions = log_in_all(&dir, &url, &trust, &world).await;
        let (sessions, token) = report.ok("log in", sessions, |_| {
            "each signed the server's challenge; a token alone never reviews, approves or runs"
                .to_owned()
        })?;
        let [alice, bob, carol, mallory] = sessions;
        Ok(Self {
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

async fn make_shop(path: PathBuf) -> anyhow::Result<u64> {
    tokio::task::spawn_blocking(move || {
        shop::create(&path)?;
        let db = rusqlite::Connection::open(&path)?;
        let orders: i64 = db.query_row("SELECT count(*) FROM orders", [], |row| row.get(0))?;
        Ok(u64::try_from(orders)?)
    })
    .await?
}

async fn serve(
    dir: &Path,
    data: &DataDir,
    database: PathBuf,
    world: &World,
) -> anyhow::Result<(String, Server)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let url = format!("http://{address}");
    let config = ServerConfig {
        listen: address,
        data_dir: data.0.clone(),
        runner: RUNNER.parse()?,
        targets: BTreeMap::from([(TARGET.parse()?, TargetPath { path: database })]),
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
        server::serve(listener, app, limits, shutdown).await?;
        Ok(())
    });
    Ok((url, Server { stop, task }))
}

/// Writes the embedded bundles to disk: what is submitted comes from folders, as with users.
fn write_bundles(dir: &Path) -> anyhow::Result<()> {
    for (name, files) in BUNDLES {
        for (path, bytes) in *files {
            let place = dir.join("bundles").join(name).join(path);
            if let Some(folder) = place.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&place, bytes)?;
        }
    }
    Ok(())
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
