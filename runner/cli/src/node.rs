//! A server of this process: store, runner and control plane opened from a data directory.
//! `borescope serve` and the demo use it.

use std::sync::Arc;

use anyhow::Context as _;
use app::{App, AppLimits, AppOptions, RunnerBlobs};
use domain::RunnerName;
use executor::ports::Ways;
use executor::{AuthorityDocuments, LocalRunner, RunnerOptions};
use ledger::{Ledger, Options};
use sandbox::{Sandbox, SandboxOptions};
use store::{Blobs, Store};
use trust::Keyring;

use crate::exit::Failure;
use crate::founding::{DataDir, Documents, log_key};
use crate::keys;
use crate::server_config::{ServerConfig, ServerLimits};
use crate::session::World;

/// Bytes of all files and inputs together.
const BLOBS_BYTES_MAX: u64 = 10 << 30;

/// Opens everything that a server needs. `origins` are the addresses under which people dial it.
pub(crate) async fn open(
    config: &ServerConfig,
    origins: Vec<String>,
    world: &World,
) -> anyhow::Result<Arc<App>> {
    let data = DataDir(config.data_dir.clone());
    let documents = documents(&data)?;
    let store = Store::open(&data.store()).await?;
    let blobs = Blobs::open(&data.blobs(), BLOBS_BYTES_MAX).await?;
    let keyring: Keyring = trust::read_unverified(&documents.keyring)?;
    let log = log_key(&data, &keyring.header.trust_domain, &config.runner, world)?;
    let ledger = Ledger::open(Options {
        dir: data.ledger(),
        key: log,
        clock: Arc::clone(&world.clock),
        entropy: Arc::clone(&world.entropy),
    })
    .context("the ledger cannot be opened")?;
    let ways = config.targets.iter().map(|(id, t)| Ok((id.clone(), t.access(id)?)));
    let ways = ways.collect::<anyhow::Result<_>>()?;
    let runner = LocalRunner::open(RunnerOptions {
        dir: data.runner(),
        name: config.runner.clone(),
        key: receipt_key(&data, &config.runner)?,
        ledger,
        sandbox: sandbox(&data, &config.limits, world)?,
        connectors: Arc::new(Ways(ways)),
        blobs: Arc::new(RunnerBlobs::new(blobs.clone())),
        clock: Arc::clone(&world.clock),
        entropy: Arc::clone(&world.entropy),
        concurrent_runs_max: config.limits.all_runs_max() as usize,
    })
    .await?;
    let app = App::open(AppOptions {
        store,
        blobs,
        runner,
        documents,
        origins,
        clock: Arc::clone(&world.clock),
        entropy: Arc::clone(&world.entropy),
        limits: AppLimits {
            concurrent_runs_max: config.limits.concurrent_runs_max as usize,
            emergency_runs_max: config.limits.emergency_runs_max as usize,
            quotas: config.limits.quotas(),
            ..AppLimits::DEFAULT
        },
        target_runs_max: config.target_runs_max(),
    })
    .await?;
    Ok(app)
}

/// The documents that a server was founded with.
pub(crate) fn documents(data: &DataDir) -> anyhow::Result<AuthorityDocuments> {
    let path = data.documents();
    let bytes = std::fs::read(&path).map_err(|e| {
        Failure::usage(
            format!("{} cannot be read: {e}", path.display()),
            "this is no server's data directory; make one: borescope init --help",
        )
    })?;
    let documents: Documents =
        serde_json::from_slice(&bytes).with_context(|| format!("{}", path.display()))?;
    let Documents { keyring, successors, directory, policy } = documents;
    Ok(AuthorityDocuments { keyring, successors, directory, policy })
}

fn receipt_key(data: &DataDir, runner: &RunnerName) -> anyhow::Result<trust::SecretKey> {
    keys::read(&data.receipt_key()).with_context(|| format!("runner {runner} has no key"))
}

fn sandbox(data: &DataDir, limits: &ServerLimits, world: &World) -> anyhow::Result<Sandbox> {
    let dir = data.artifacts();
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    Ok(Sandbox::new(SandboxOptions {
        artifact_dir: Some(dir),
        mac_key: keys::seed(&data.artifact_seed(), &*world.entropy)?,
        concurrent_runs_max: limits.all_runs_max(),
        concurrent_compiles_max: limits.concurrent_compiles_max,
        compile_ms_max: limits.compile_ms_max,
    })?)
}
