//! What the runner needs from around it: time, entropy, blobs by digest, and connectors.
//!
//! The only real clock and the only real entropy of the product are here. Blobs come from the
//! control plane and are believed only after hashing; connectors are built from the *verified* policy
//! at every run, so a changed path or column list cannot outlive its signature.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use domain::{Clock, ColumnPath, Digest, Entropy, TargetId};
use targets::postgres::{self, PostgresConnector, PostgresSpec};
use targets::sqlite::{self, SqliteConnector, SqliteSpec, TableReads};
use targets::{Connector, HashKeys};
use trust::{ColumnMask, PolicyTarget, TargetIdentity};

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

    fn elapsed_ms(&self) -> u64 {
        // Linux stops CLOCK_MONOTONIC while the machine sleeps; other systems do not.
        #[cfg(target_os = "linux")]
        let id = rustix::time::ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        let id = rustix::time::ClockId::Monotonic;
        let at = rustix::time::clock_gettime(id);
        let seconds = u64::try_from(at.tv_sec).unwrap_or(0);
        let ms = u64::try_from(at.tv_nsec / 1_000_000).unwrap_or(0);
        seconds.saturating_mul(1000).saturating_add(ms)
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
    /// A connector for `target`, which shows what `sight` lets a run see.
    ///
    /// # Errors
    /// When this runner has no access to it; says what is missing.
    fn connector(
        &self,
        target: &PolicyTarget,
        sight: Sight,
    ) -> Result<Arc<dyn Connector>, NoConnector>;
}

/// What one run sees of a target's masked columns.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// Those that it sees raw: everybody who has a say said so, policy among them.
    pub unmasked: BTreeSet<ColumnPath>,
    /// What hashed ones are hashed with.
    pub keys: HashKeys,
}

/// Why there is no connector to a target.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NoConnector {
    /// This runner has no way to it.
    #[error(
        "this runner has no way to target {0}; add [targets.\"{0}\"] of the policy's engine to \
         borescope.toml"
    )]
    NoWay(TargetId),
    /// The policy's part about it cannot be used.
    #[error("the policy of target {0} cannot be used: {1}")]
    Policy(TargetId, GrantError),
}

/// Why what a policy lets queries read cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// It is no PostgreSQL database, or lacks what its engine needs. A valid policy's is whole.
    #[error("it is incomplete; correct the policy")]
    Incomplete,
    /// A row filter that cannot be a condition in SQLite.
    #[error("the row filter of {table}: {refusal}; correct the policy")]
    SqliteFilter {
        /// Of which table.
        table: String,
        /// What is refused.
        refusal: sqlite::FilterError,
    },
    /// A row filter that the gate refuses.
    #[error("the row filter of {table}, {refusal}; correct the policy")]
    Filter {
        /// Of which table.
        table: String,
        /// What is refused, and where in the filter.
        refusal: postgres::gate::Refusal,
    },
}

/// A way to a target, from the operator's unsigned configuration.
#[derive(Debug, Clone)]
pub enum TargetAccess {
    /// The path of a SQLite file.
    Sqlite(PathBuf),
    /// The address of a PostgreSQL standby, and how many sessions it has at a time.
    Postgres(postgres::Access, postgres::Sessions),
}

/// Connectors to the targets that `borescope.toml` has a way to; everything else about them is
/// policy. A way of another engine than the policy's is no way.
#[derive(Debug, Clone, Default)]
pub struct Ways(pub BTreeMap<TargetId, TargetAccess>);

impl Connectors for Ways {
    fn connector(
        &self,
        target: &PolicyTarget,
        sight: Sight,
    ) -> Result<Arc<dyn Connector>, NoConnector> {
        let no_way = || NoConnector::NoWay(target.id.clone());
        match self.0.get(&target.id).ok_or_else(no_way)? {
            TargetAccess::Sqlite(path) => {
                if !matches!(target.identity, TargetIdentity::Sqlite(_)) {
                    return Err(no_way());
                }
                let spec = sqlite_spec(target, path.clone(), sight)
                    .map_err(|e| NoConnector::Policy(target.id.clone(), e))?;
                Ok(Arc::new(SqliteConnector::new(spec)))
            }
            TargetAccess::Postgres(access, sessions) => {
                if !matches!(target.identity, TargetIdentity::Postgres(_)) {
                    return Err(no_way());
                }
                let spec = postgres_spec(target, access.clone(), sight)
                    .map_err(|e| NoConnector::Policy(target.id.clone(), e))?;
                Ok(Arc::new(PostgresConnector::new(spec, sessions.clone())))
            }
        }
    }
}

/// The connector's description of a policy target.
///
/// # Errors
/// When it is no SQLite file, or the policy's part about it cannot be used.
pub fn sqlite_spec(
    target: &PolicyTarget,
    path: PathBuf,
    sight: Sight,
) -> Result<SqliteSpec, GrantError> {
    let TargetIdentity::Sqlite(identity) = &target.identity else {
        return Err(GrantError::Incomplete);
    };
    Ok(SqliteSpec {
        path,
        application_id: identity.application_id.cast_signed(),
        reads: sqlite_reads(target, &sight.unmasked)?,
        recursion: target.recursion,
        keys: sight.keys,
        statement_ms_max: target.statement_ms_max,
    })
}

/// What queries may read of a SQLite target, and what is hidden of it from a run that sees these columns
/// raw. Policy has the last word on which those can be.
///
/// # Errors
/// When a row filter is refused.
pub fn sqlite_reads(
    target: &PolicyTarget,
    unmasked: &BTreeSet<ColumnPath>,
) -> Result<Vec<TableReads>, GrantError> {
    let table_reads = |read: &trust::Read| {
        let table = &read.table;
        let masks = target.masks.iter().filter(|m| m.table == *table && !is_raw(m, unmasked));
        let denied = target.denied.iter().filter(|d| d.table == *table);
        let filter = target.row_filter(table).map(sqlite::Filter::parse).transpose();
        let filter =
            filter.map_err(|refusal| GrantError::SqliteFilter { table: table.clone(), refusal })?;
        Ok(TableReads {
            table: table.clone(),
            columns: read.columns.clone(),
            hidden: sqlite::Hidden {
                masks: masks.map(|m| (m.column.clone(), m.mask.clone())).collect(),
                filter,
                denied: denied.map(|d| d.column.clone()).collect(),
            },
        })
    };
    target.reads.iter().map(table_reads).collect()
}

/// The connector's description of a policy target.
///
/// # Errors
/// When it is no PostgreSQL database, or the policy's part about it cannot be used.
pub fn postgres_spec(
    target: &PolicyTarget,
    access: postgres::Access,
    sight: Sight,
) -> Result<PostgresSpec, GrantError> {
    let TargetIdentity::Postgres(identity) = &target.identity else {
        return Err(GrantError::Incomplete);
    };
    Ok(PostgresSpec {
        access,
        identity: postgres::Identity {
            system_identifier: identity.system().map_err(|_| GrantError::Incomplete)?,
            database: identity.database.clone(),
            role: identity.role.clone(),
        },
        reads: postgres_reads(target, &sight.unmasked)?,
        recursion: target.recursion,
        keys: sight.keys,
        statement_ms_max: target.statement_ms_max,
        lag_s_max: target.lag_s_max.ok_or(GrantError::Incomplete)?,
        cost_max: target.cost_max.ok_or(GrantError::Incomplete)?,
        prod: target.prod,
    })
}

/// What the gate lets queries of a PostgreSQL target do that see no column raw.
///
/// # Errors
/// As [`postgres_reads`].
pub fn postgres_grant(target: &PolicyTarget) -> Result<postgres::gate::Grant, GrantError> {
    let relations = postgres_reads(target, &BTreeSet::new())?;
    Ok(postgres::gate::Grant { relations, recursion: target.recursion })
}

/// What queries may read of a PostgreSQL target, and what is hidden of it from a run that sees these
/// columns raw. Policy has the last word on which those can be.
///
/// # Errors
/// When a table's name has no schema, which a valid policy does not let pass, or a row filter is
/// refused.
pub fn postgres_reads(
    target: &PolicyTarget,
    unmasked: &BTreeSet<ColumnPath>,
) -> Result<Vec<postgres::Relation>, GrantError> {
    target.reads.iter().map(|read| relation(target, read, unmasked)).collect()
}

fn relation(
    target: &PolicyTarget,
    read: &trust::Read,
    unmasked: &BTreeSet<ColumnPath>,
) -> Result<postgres::Relation, GrantError> {
    let table = &read.table;
    let (schema, name) = read.schema_and_name().ok_or(GrantError::Incomplete)?;
    let masks = target.masks.iter().filter(|m| m.table == *table && !is_raw(m, unmasked));
    let denied = target.denied.iter().filter(|d| d.table == *table);
    let filter = target.row_filter(table).map(postgres::Filter::parse).transpose();
    let filter = filter.map_err(|refusal| GrantError::Filter { table: table.clone(), refusal })?;
    Ok(postgres::Relation {
        schema: schema.to_owned(),
        name: name.to_owned(),
        columns: read.columns.clone(),
        hidden: postgres::Hidden {
            masks: masks.map(|m| (m.column.clone(), postgres::Mask::new(m.mask.clone()))).collect(),
            filter,
            denied: denied.map(|d| d.column.clone()).collect(),
        },
    })
}

/// Whether a run sees a column as it is: it was asked for, and policy lets it.
fn is_raw(mask: &ColumnMask, unmasked: &BTreeSet<ColumnPath>) -> bool {
    mask.unmask && mask.path().is_some_and(|path| unmasked.contains(&path))
}
