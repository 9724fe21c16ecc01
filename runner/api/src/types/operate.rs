//! What operators look at: what is served from, and how the webhooks fare.

use domain::Digest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::shapes;

/// A version of a signed document in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionView {
    /// Its number.
    pub version: u64,
    /// The digest of its payload.
    #[schema(value_type = shapes::Sha256)]
    pub digest: Digest,
}

/// `GET /v1/status`: what this server serves from now. Unsigned: nobody may rely on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusView {
    /// The keyring in force.
    pub keyring: VersionView,
    /// The directory in force.
    pub directory: VersionView,
    /// The policy in force.
    pub policy: VersionView,
    /// Stops in force.
    pub stops: u64,
    /// Entries of the log.
    pub log_size: u64,
    /// Runs that wait or execute.
    pub live_runs: u64,
    /// Whether writes are accepted.
    pub ready: bool,
    /// Why not.
    pub reason: Option<String>,
    /// How the webhooks fare.
    #[serde(default)]
    pub notify: Vec<HookView>,
}

/// A webhook. Its address is the operator's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HookView {
    /// Its name in the server's configuration.
    pub name: String,
    /// Messages that it took since the server's start.
    pub delivered: u64,
    /// Messages that it did not take in time, and never gets.
    pub dropped: u64,
    /// Since when it takes none; null when all is well.
    pub failing_since_ms: Option<u64>,
    /// Why not.
    pub problem: Option<String>,
}
