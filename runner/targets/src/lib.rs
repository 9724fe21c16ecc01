//! Connectors: how a reviewed query reaches a target, and what comes back.
//!
//! A [`Connector`] opens one [`Session`] for each (run, target); a session runs one statement at a
//! time and drains it into a [`Spool`] up to the caller's [`Caps`]. This crate does not decide who
//! may run what (crate `domain`), does not record (crate `executor`, which wraps these traits), and
//! knows no cursor of the guest (crate `sandbox`). It believes none of them: each engine's module
//! is the last line and refuses writes, hidden tables and hidden columns by itself.

mod error;
mod form;
mod keys;
mod spool;

pub mod postgres;
pub mod sqlite;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::analysis::Catalog;
use domain::plan::Expected;
use domain::{ParamType, QueryAnalysis, Value};
use tokio::sync::Notify;

pub use error::{Fault, TargetError};
pub use keys::{HashKey, HashKeys};
pub use spool::Spool;

/// How much one statement may give and take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Rows; the next one is not fetched into the spool.
    pub rows_max: u64,
    /// Bytes of cells, as [`Value::size_bytes`] counts them.
    pub bytes_max: u64,
    /// Milliseconds for the statement; the target's own maximum applies as well.
    pub time_ms_max: u64,
}

/// Ends a session's statements from anywhere: the running one as soon as the target can be told,
/// later ones before they start. There is no way back.
#[derive(Debug, Clone, Default)]
pub struct Canceller(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    set: AtomicBool,
    raised: Notify,
}

impl Canceller {
    /// Ends the session's statements.
    pub fn cancel(&self) {
        self.0.set.store(true, Ordering::SeqCst);
        self.0.raised.notify_waiters();
    }

    /// Whether [`Canceller::cancel`] was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.set.load(Ordering::SeqCst)
    }

    /// Waits for [`Canceller::cancel`].
    pub async fn cancelled(&self) {
        let mut raised = std::pin::pin!(self.0.raised.notified());
        // Registered before the flag is read, so that a call in between is not missed.
        raised.as_mut().enable();
        if !self.is_cancelled() {
            raised.await;
        }
    }
}

/// A target that sessions can be opened on.
///
/// Implementations check the target's identity and the granted tables and columns before they
/// return a session. Retrying is the caller's choice; nothing here retries. Whoever stands behind
/// a connector can give wrong answers, but is never handed anything but reviewed SQL text and
/// parameters.
#[async_trait::async_trait]
pub trait Connector: Send + Sync {
    /// Opens a session, to be used by one run only.
    ///
    /// # Errors
    /// See [`TargetError`]; no statement of a script has been sent when this fails.
    async fn open_session(&self) -> Result<Box<dyn Session>, TargetError>;

    /// What the target's catalog has of everything that is granted, by statements of ours only.
    ///
    /// # Errors
    /// See [`TargetError`].
    async fn catalog(&self) -> Result<Catalog, TargetError>;

    /// What the target's planner expects of a statement whose parameters have these types and any
    /// values; it is not executed. `None`: this engine has no such numbers.
    ///
    /// # Errors
    /// See [`TargetError`]; also when the statement would be refused.
    async fn plan(&self, sql: &str, params: &[ParamType]) -> Result<Option<Expected>, TargetError>;
}

/// A session of one run on one target. Dropping it, or a future of it, ends the statement that
/// runs at the target.
#[async_trait::async_trait]
pub trait Session: Send {
    /// Runs one statement in a read-only transaction of its own and drains it. `$n` in `sql` is
    /// the n-th of `params`. With `reviewed`, what it reads and calls must be, in this transaction,
    /// what reviewers saw; without, there is nothing that anybody saw: a script's own fixtures.
    ///
    /// Reaching a cap is not an error: see [`Spool::limit_hit`].
    ///
    /// # Errors
    /// See [`TargetError`]. After an error the session is usable unless it was cancelled or lost.
    async fn query_as_reviewed(
        &mut self,
        sql: &str,
        params: &[(ParamType, Value)],
        caps: Caps,
        reviewed: Option<&QueryAnalysis>,
    ) -> Result<Spool, TargetError>;

    /// The same with nothing to compare.
    ///
    /// # Errors
    /// As [`Session::query_as_reviewed`].
    async fn query(
        &mut self,
        sql: &str,
        params: &[(ParamType, Value)],
        caps: Caps,
    ) -> Result<Spool, TargetError> {
        self.query_as_reviewed(sql, params, caps, None).await
    }

    /// A handle that ends this session's statements.
    fn canceller(&self) -> Canceller;
}
