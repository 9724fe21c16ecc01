//! `borescope.toml`: what an operator says to a server, unsigned.
//!
//! Listen address, paths and capacities only. Who may do what is never here: floors, targets' rules
//! and keys come from signed documents.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use app::QuotaLimits;
use domain::{RunnerName, TargetId};
use serde::Deserialize;

use crate::exit::Failure;

mod address;
mod notify;
mod way;

pub(crate) use address::TlsConfig;
pub(crate) use notify::NotifyConfig;
pub(crate) use way::{PostgresConfig, TargetConfig};

/// The file's name.
pub(crate) const FILE: &str = "borescope.toml";

/// A server's configuration; relative paths are resolved against the file's folder.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerConfig {
    /// Where to listen; loopback only without a certificate.
    pub(crate) listen: SocketAddr,
    /// What people dial, if that is not the address above.
    pub(crate) origin: Option<String>,
    /// The certificate; with it, the server speaks HTTPS only.
    pub(crate) tls: Option<TlsConfig>,
    /// Everything that the server keeps.
    pub(crate) data_dir: PathBuf,
    /// The name of the runner in this process, as the policy has it.
    pub(crate) runner: RunnerName,
    /// The key that signs the status, if this process does that.
    pub(crate) status: Option<StatusConfig>,
    /// Ways to the targets.
    #[serde(default)]
    pub(crate) targets: BTreeMap<TargetId, TargetConfig>,
    /// Whom to tell what happens.
    #[serde(default)]
    pub(crate) notify: Vec<NotifyConfig>,
    /// Capacities.
    #[serde(default)]
    pub(crate) limits: ServerLimits,
}

/// Who says what is in force, when this process does.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusConfig {
    /// A private key file of a holder of the role `status`.
    pub(crate) key_file: PathBuf,
}

/// Capacities of one server, each with a finite default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerLimits {
    /// Runs at a time; more wait.
    pub(crate) concurrent_runs_max: u32,
    /// Runs beside these that only emergencies may be, so that one starts whatever hangs.
    pub(crate) emergency_runs_max: u32,
    /// Compilations at a time; more wait.
    pub(crate) concurrent_compiles_max: u32,
    /// Milliseconds after which a compilation is given up.
    pub(crate) compile_ms_max: u64,
    /// Seconds that a shutdown waits for live runs before it cancels them.
    pub(crate) shutdown_s_max: u64,
    /// Uploads of one person in an hour.
    pub(crate) uploads_per_hour_max: u64,
    /// Bytes of one person's uploads and inputs in a day.
    pub(crate) upload_bytes_per_day_max: u64,
    /// Access requests of one person that wait for an approval.
    pub(crate) pending_requests_max: u64,
    /// Seconds of preparing one person's runs in an hour: compiling, and waiting for it.
    pub(crate) compile_s_per_hour_max: u64,
    /// Calls of nobody who is logged in, of one address in a minute.
    pub(crate) failures_per_peer_per_minute_max: u64,
    /// The same of all addresses together.
    pub(crate) failures_per_minute_max: u64,
}

impl Default for ServerLimits {
    fn default() -> Self {
        // The reasons for these are where they are enforced.
        let (quotas, shell) = (QuotaLimits::DEFAULT, server::ServerLimits::DEFAULT);
        Self {
            concurrent_runs_max: 4,
            emergency_runs_max: 1,
            concurrent_compiles_max: 2,
            compile_ms_max: 30_000,
            shutdown_s_max: 10,
            uploads_per_hour_max: quotas.uploads_per_hour_max,
            upload_bytes_per_day_max: quotas.upload_bytes_per_day_max,
            pending_requests_max: quotas.pending_requests_max,
            compile_s_per_hour_max: quotas.compile_s_per_hour_max,
            failures_per_peer_per_minute_max: shell.failures_per_peer_per_minute_max,
            failures_per_minute_max: shell.failures_per_minute_max,
        }
    }
}

impl ServerLimits {
    /// Runs that execute at a time, emergencies included.
    pub(crate) const fn all_runs_max(&self) -> u32 {
        self.concurrent_runs_max + self.emergency_runs_max
    }

    /// What one person may use.
    pub(crate) const fn quotas(&self) -> QuotaLimits {
        QuotaLimits {
            uploads_per_hour_max: self.uploads_per_hour_max,
            upload_bytes_per_day_max: self.upload_bytes_per_day_max,
            pending_requests_max: self.pending_requests_max,
            compile_s_per_hour_max: self.compile_s_per_hour_max,
        }
    }

    /// What the HTTP server enforces.
    pub(crate) const fn shell(&self) -> server::ServerLimits {
        server::ServerLimits {
            drain_s: self.shutdown_s_max,
            failures_per_peer_per_minute_max: self.failures_per_peer_per_minute_max,
            failures_per_minute_max: self.failures_per_minute_max,
            ..server::ServerLimits::DEFAULT
        }
    }
}

impl ServerConfig {
    /// Reads the file at `path`, or in the folder `path`.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let path = if path.is_dir() { path.join(FILE) } else { path.to_owned() };
        let text = fs::read_to_string(&path).map_err(|e| {
            Failure::usage(
                format!("{} cannot be read: {e}", path.display()),
                "make a server's folder first: borescope init DIR --help",
            )
        })?;
        let base = path.parent().unwrap_or(Path::new("."));
        Ok(Self::parse(&text, base).map_err(|mut failure| {
            failure.message = format!("{}: {}", path.display(), failure.message);
            failure
        })?)
    }

    /// Runs that execute at a time on each target that has such a limit.
    pub(crate) fn target_runs_max(&self) -> BTreeMap<TargetId, usize> {
        let max = |(id, way): (&TargetId, &TargetConfig)| Some((id.clone(), way.runs_max()?));
        self.targets.iter().filter_map(max).collect()
    }

    /// Parses the text; relative paths are in `base`.
    pub(crate) fn parse(text: &str, base: &Path) -> Result<Self, Failure> {
        let mut config: Self = toml::from_str(text)
            .map_err(|e| Failure::usage(e.to_string(), "see borescope init for an example"))?;
        config.settle_address(base)?;
        config.settle_notify(base)?;
        let limits = &config.limits;
        if limits.concurrent_runs_max == 0 || limits.concurrent_runs_max > 64 {
            return Err(Failure::usage(
                "limits.concurrent_runs_max is not between 1 and 64",
                "4 suits a small server",
            ));
        }
        if !(1..=8).contains(&limits.emergency_runs_max) {
            return Err(Failure::usage(
                "limits.emergency_runs_max is not between 1 and 8",
                "1 lets an emergency start while everything else hangs",
            ));
        }
        config.data_dir = base.join(&config.data_dir);
        if let Some(status) = &mut config.status {
            status.key_file = base.join(&status.key_file);
        }
        for (id, target) in &mut config.targets {
            target.settle(id, base)?;
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests;
