//! PostgreSQL targets: hot standbys, read by a login role of their own. PostgreSQL 14 or newer.
//!
//! Layers, each written as if the others had failed:
//! 1. [`connect`]: a connection of its own for each session, by TLS with the host's name proven or
//!    by a Unix socket, with pinned start-up options; and how a statement is ended at the server;
//! 2. [`identity`]: the right cluster, database and harmless role; in every transaction still the
//!    same server, in recovery, not too far behind;
//! 3. [`grants`]: the grant compared with the catalog and with the role's own privileges;
//! 4. [`gate`]: which statements may be sent, and as which text: masks and row filters are part of it;
//! 5. [`plan`]: what the planner expects of it is within the policy's ceiling;
//! 6. [`statement`]: a read-only transaction, time, and caps that hold at the server.
//!
//! The driver is tokio-postgres. sqlx 0.9 cannot do this: it has no cancel request, and dropping its
//! future leaves the statement running; it fetches whole results, so the next statement waits until
//! what nobody wanted has been drained; and its types fail on multiranges.
//!
//! The role needs CONNECT, USAGE on the schemas, SELECT on the granted columns, and nothing else:
//! [`RoleSql`] writes what makes it so, and [`check`] finds what is not so.

pub mod gate;

mod catalog;
mod connect;
mod doctor;
mod failure;
mod grants;
mod identity;
mod numeric;
mod params;
mod plan;
mod role_sql;
mod session;
mod spec;
mod statement;
mod temporal;
mod value;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use domain::analysis::Catalog;
use domain::plan::Expected;
use domain::{Column, ParamType, QueryAnalysis, QueryName};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::{Connector, Session, TargetError};

pub use connect::startup_options;
pub use doctor::Finding;
pub use gate::{Filter, Hidden, Mask, Relation};
pub use role_sql::{MaskViews, RoleSql, ViewsError};
pub use spec::{Access, Host, Identity, Password, PostgresSpec, Tls};

/// What a target is and gives to queries, found without running any script's SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// As found, which is as policy says.
    pub identity: Identity,
    /// The server's version, in its words.
    pub version: String,
    /// Seconds that the replica lags now, rounded up.
    pub lag_s: u64,
    /// Each granted `schema.name` with its visible columns and their types.
    pub tables: Vec<(String, Vec<Column>)>,
    /// Relations that no query can see.
    pub hidden_relations: u64,
    /// What to look at.
    pub findings: Vec<Finding>,
}

/// Connects, compares everything with the description as a session does, and says what queries can
/// reach.
///
/// # Errors
/// As [`Connector::open_session`].
pub async fn check(spec: &PostgresSpec) -> Result<Reach, TargetError> {
    session::PostgresSession::open(spec).await?.reach().await
}

/// How many sessions a target has at a time, whoever opens them: clones count together.
#[derive(Debug, Clone)]
pub struct Sessions {
    places: Arc<Semaphore>,
    max: usize,
}

impl Sessions {
    /// As many as there can be.
    pub const MAX: usize = 1_000;

    /// At most `max`, of which there is at least one.
    #[must_use]
    pub fn at_most(max: usize) -> Self {
        let max = max.clamp(1, Self::MAX);
        Self { places: Arc::new(Semaphore::new(max)), max }
    }

    /// A place, which is free again when this is dropped. The control plane lets no more runs start
    /// than there are places, so who waits here in vain meets one that does otherwise.
    async fn place(&self) -> Result<OwnedSemaphorePermit, TargetError> {
        let place = Arc::clone(&self.places).acquire_owned();
        let place = timeout(connect::CONNECT_TIME_MAX, place).await;
        place.ok().and_then(Result::ok).ok_or(TargetError::Busy { max: self.max })
    }
}

/// Opens sessions on one PostgreSQL target.
#[derive(Debug, Clone)]
pub struct PostgresConnector {
    spec: PostgresSpec,
    sessions: Sessions,
}

impl PostgresConnector {
    /// A connector; nothing is opened yet.
    #[must_use]
    pub fn new(spec: PostgresSpec, sessions: Sessions) -> Self {
        Self { spec, sessions }
    }
}

/// What a query that passed the gate comes to, by a catalog that has at least what it reads and calls;
/// with what row filters read for it.
#[must_use]
pub fn analyse(name: QueryName, gated: &gate::Gated, catalog: &Catalog) -> QueryAnalysis {
    let columns = |r: &Relation| r.columns_read().into_iter().cloned().collect();
    let reads = gated.reads.iter().map(|r| (format!("{}.{}", r.schema, r.name), columns(r)));
    QueryAnalysis::of(name, catalog, &reads.collect(), &gated.all_calls())
}

#[async_trait::async_trait]
impl Connector for PostgresConnector {
    async fn open_session(&self) -> Result<Box<dyn Session>, TargetError> {
        let place = self.sessions.place().await?;
        Ok(Box::new(session::PostgresSession::open(&self.spec).await?.in_place(place)))
    }

    async fn catalog(&self) -> Result<Catalog, TargetError> {
        let _place = self.sessions.place().await?;
        session::PostgresSession::open(&self.spec).await?.catalog().await
    }

    async fn plan(&self, sql: &str, params: &[ParamType]) -> Result<Option<Expected>, TargetError> {
        let _place = self.sessions.place().await?;
        let mut session = session::PostgresSession::open(&self.spec).await?;
        session.plan(sql, params).await.map(Some)
    }
}
