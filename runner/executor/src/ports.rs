//! What the runner needs from around it: time, entropy, blobs by digest, and connectors.
//!
//! The only real clock and the only real entropy of the product are here. Blobs come from the
//! control plane and are believed only after hashing; connectors are built from the *verified* policy
//! at every run, so a changed path or column list cannot outlive its signature.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use domain::{Clock, Digest, Entropy, TargetId};
use targets::Connector;
use targets::sqlite::{SqliteConnector, SqliteSpec, TableReads};
use trust::{PolicyTarget, TargetIdentity};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the real clock that others take as a port"
    )]
    fn now_ms(&self) -> u64 {
        // A clock before 1970 reads as 1970, which is before anything that was recorded: refused.
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the real entropy that others take as a port"
    )]
    fn fill(&self, out: &mut [u8]) {
        if getrandom::fill(out).is_err() {
            // Keys, salts and ids from predictable bytes would be worse than no process.
            std::process::abort();
        }
    }
}

/// Where blobs come from. Whoever is behind it may withhold or exchange them: the runner hashes
/// what it gets.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// The bytes that should have this digest; `None` when there are none.
    ///
    /// # Errors
    /// When the store cannot be read; the text is for the operator.
    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, BlobError>;
}

/// A blob store that cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("blobs cannot be read: {0}")]
pub struct BlobError(pub String);

/// Makes connectors for targets of a verified policy.
pub trait Connectors: Send + Sync {
    /// A connector for `target`.
    ///
    /// # Errors
    /// When this runner has no access to it; says what is missing.
    fn connector(&self, target: &PolicyTarget) -> Result<Arc<dyn Connector>, NoConnector>;
}

/// This runner has no way to a target.
#[derive(Debug, Clone, thiserror::Error)]
#[error("this runner has no path for target {0}; add [targets.\"{0}\"] to borescope.toml")]
pub struct NoConnector(pub TargetId);

/// Connectors to SQLite files at the paths of `borescope.toml`; everything else about them is policy.
#[derive(Debug, Clone, Default)]
pub struct SqlitePaths(pub BTreeMap<TargetId, PathBuf>);

impl Connectors for SqlitePaths {
    fn connector(&self, target: &PolicyTarget) -> Result<Arc<dyn Connector>, NoConnector> {
        let no_way = || NoConnector(target.id.clone());
        let path = self.0.get(&target.id).ok_or_else(no_way)?;
        let spec = sqlite_spec(target, path.clone()).ok_or_else(no_way)?;
        Ok(Arc::new(SqliteConnector::new(spec)))
    }
}

/// The connector's description of a policy target; `None` when it is no SQLite file.
#[must_use]
pub fn sqlite_spec(target: &PolicyTarget, path: PathBuf) -> Option<SqliteSpec> {
    let TargetIdentity::Sqlite(identity) = &target.identity else { return None };
    let reads = target
        .reads
        .iter()
        .map(|r| TableReads { table: r.table.clone(), columns: r.columns.clone() });
    Some(SqliteSpec {
        path,
        application_id: identity.application_id.cast_signed(),
        reads: reads.collect(),
        statement_ms_max: target.statement_ms_max,
    })
}
