//! Connectors that count what reaches the target, before it does.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::analysis::Catalog;
use domain::plan::Expected;
use domain::{ParamType, QueryAnalysis, Value};
use executor::Connectors;
use executor::ports::{NoConnector, Sight, sqlite_spec};
use targets::sqlite::SqliteConnector;
use targets::{Canceller, Caps, Connector, Session, Spool, TargetError};
use tokio::sync::Notify;
use trust::PolicyTarget;

/// What the target saw.
#[derive(Debug, Default)]
pub struct Seen {
    sessions: AtomicU64,
    statements: Mutex<Vec<String>>,
    arrived: Notify,
}

impl Seen {
    /// Sessions that were opened.
    pub fn sessions(&self) -> u64 {
        self.sessions.load(Ordering::SeqCst)
    }

    /// Returns when a statement has arrived.
    pub async fn reached(&self) {
        while self.statements().is_empty() {
            self.arrived.notified().await;
        }
    }

    /// Statements that arrived, in order.
    pub fn statements(&self) -> Vec<String> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Real SQLite connectors to one file, watched.
#[derive(Debug)]
pub struct WatchedConnectors {
    path: PathBuf,
    seen: Arc<Seen>,
}

impl WatchedConnectors {
    /// Connectors to the file at `path`.
    pub fn new(path: PathBuf, seen: Arc<Seen>) -> Self {
        Self { path, seen }
    }
}

impl Connectors for WatchedConnectors {
    fn connector(
        &self,
        target: &PolicyTarget,
        sight: Sight,
    ) -> Result<Arc<dyn Connector>, NoConnector> {
        let spec = sqlite_spec(target, self.path.clone(), sight);
        let inner =
            SqliteConnector::new(spec.map_err(|e| NoConnector::Policy(target.id.clone(), e))?);
        Ok(Arc::new(WatchedConnector { inner, seen: Arc::clone(&self.seen) }))
    }
}

struct WatchedConnector {
    inner: SqliteConnector,
    seen: Arc<Seen>,
}

#[async_trait]
impl Connector for WatchedConnector {
    async fn open_session(&self) -> Result<Box<dyn Session>, TargetError> {
        self.seen.sessions.fetch_add(1, Ordering::SeqCst);
        let inner = self.inner.open_session().await?;
        Ok(Box::new(WatchedSession { inner, seen: Arc::clone(&self.seen) }))
    }

    async fn catalog(&self) -> Result<Catalog, TargetError> {
        self.inner.catalog().await
    }

    async fn plan(&self, sql: &str, params: &[ParamType]) -> Result<Option<Expected>, TargetError> {
        self.inner.plan(sql, params).await
    }
}

struct WatchedSession {
    inner: Box<dyn Session>,
    seen: Arc<Seen>,
}

#[async_trait]
impl Session for WatchedSession {
    async fn query_as_reviewed(
        &mut self,
        sql: &str,
        params: &[(ParamType, Value)],
        caps: Caps,
        reviewed: Option<&QueryAnalysis>,
    ) -> Result<Spool, TargetError> {
        self.seen.statements.lock().unwrap_or_else(PoisonError::into_inner).push(sql.to_owned());
        self.seen.arrived.notify_one();
        self.inner.query_as_reviewed(sql, params, caps, reviewed).await
    }

    fn canceller(&self) -> Canceller {
        self.inner.canceller()
    }
}
