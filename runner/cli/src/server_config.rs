//! `borescope.toml`: what an operator says to a server, unsigned.
//!
//! Listen address, paths and capacities only. Who may do what is never here: floors, targets' rules
//! and keys come from signed documents.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use domain::{RunnerName, TargetId};
use serde::Deserialize;

use crate::exit::Failure;

mod way;

pub(crate) use way::{PostgresConfig, TargetConfig};

/// The file's name.
pub(crate) const FILE: &str = "borescope.toml";

/// A server's configuration; relative paths are resolved against the file's folder.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerConfig {
    /// Where to listen; loopback only for now.
    pub(crate) listen: SocketAddr,
    /// Everything that the server keeps.
    pub(crate) data_dir: PathBuf,
    /// The name of the runner in this process, as the policy has it.
    pub(crate) runner: RunnerName,
    /// Ways to the targets.
    #[serde(default)]
    pub(crate) targets: BTreeMap<TargetId, TargetConfig>,
    /// Capacities.
    #[serde(default)]
    pub(crate) limits: ServerLimits,
}

/// Capacities of one server, each with a finite default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerLimits {
    /// Runs at a time; more wait.
    pub(crate) concurrent_runs_max: u32,
    /// Compilations at a time; more wait.
    pub(crate) concurrent_compiles_max: u32,
    /// Milliseconds after which a compilation is given up.
    pub(crate) compile_ms_max: u64,
    /// Seconds that a shutdown waits for live runs before it cancels them.
    pub(crate) shutdown_s_max: u64,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            concurrent_runs_max: 4,
            concurrent_compiles_max: 2,
            compile_ms_max: 30_000,
            shutdown_s_max: 10,
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

    /// Parses the text; relative paths are in `base`.
    pub(crate) fn parse(text: &str, base: &Path) -> Result<Self, Failure> {
        let mut config: Self = toml::from_str(text)
            .map_err(|e| Failure::usage(e.to_string(), "see borescope init for an example"))?;
        if !config.listen.ip().is_loopback() {
            return Err(Failure::usage(
                format!("listen = \"{}\" is not a loopback address", config.listen),
                "TLS is not supported yet: listen on 127.0.0.1 and put a TLS proxy in front",
            ));
        }
        let limits = &config.limits;
        if limits.concurrent_runs_max == 0 || limits.concurrent_runs_max > 64 {
            return Err(Failure::usage(
                "limits.concurrent_runs_max is not between 1 and 64",
                "4 suits a small server",
            ));
        }
        config.data_dir = base.join(&config.data_dir);
        for (id, target) in &mut config.targets {
            target.settle(id, base)?;
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests;
