//! The queries of one run: which text goes to which target, within which limits, and what came back.
//!
//! Knows neither ledger nor recording: whoever asks has made the intent durable before ([`crate::host`]),
//! or asks nothing that is anybody's production, as a script's own fixtures.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::manifest::Query;
use domain::{Analysis, Capabilities, LimitName, Pair, QueryName, Value};
use sandbox::{CallError, OpenedCursor, Page, QueryBudget};
use targets::{Caps, Connector, Session, Spool, TargetError};

use crate::analysis::seen;
use crate::bundle::Bundle;

/// Rows of one page; the guest asks again for more.
const PAGE_ROWS_MAX: u32 = 1_000;

/// What was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Calls that were answered.
    pub calls: u64,
    /// Rows that the target gave.
    pub rows: u64,
    /// Bytes of their cells.
    pub bytes: u64,
}

/// The queries that one run may ask, its sessions and its open cursors.
pub struct Queries {
    bundle: Arc<Bundle>,
    connectors: BTreeMap<Pair, Arc<dyn Connector>>,
    effective: Capabilities,
    sessions: BTreeMap<Pair, Box<dyn Session>>,
    cursors: BTreeMap<u64, Spool>,
    opened: u64,
    given: BTreeMap<QueryName, Figures>,
    reviewed: Option<BTreeMap<Pair, Analysis>>,
}

impl Queries {
    /// Nothing is opened yet. `effective` has the limits; `connectors` the ways to its targets, by pair:
    /// two of one target can see different columns.
    #[must_use]
    pub fn new(
        bundle: Arc<Bundle>,
        connectors: BTreeMap<Pair, Arc<dyn Connector>>,
        effective: Capabilities,
    ) -> Self {
        Self {
            bundle,
            connectors,
            effective,
            sessions: BTreeMap::new(),
            cursors: BTreeMap::new(),
            opened: 0,
            given: BTreeMap::new(),
            reviewed: None,
        }
    }

    /// Holds every query to what its reviewers saw. Without, nobody saw anything: a script's own
    /// fixtures.
    #[must_use]
    pub fn as_reviewed(mut self, analyses: BTreeMap<Pair, Analysis>) -> Self {
        self.reviewed = Some(analyses);
        self
    }

    /// What the query may still fetch. The sandbox counts what the script reads; this counts what the
    /// target gave, so that cursors which are dropped or kept open cost as much as read ones.
    ///
    /// # Errors
    /// When nothing is left of one of its limits, or the query is not effective.
    pub fn unspent(&self, query: &QueryName, asked: QueryBudget) -> Result<QueryBudget, CallError> {
        let unknown = || CallError::Denied("the query is not effective".to_owned());
        let (_, limits) = self.effective.query(query).ok_or_else(unknown)?;
        let given = self.given.get(query).copied().unwrap_or_default();
        let rows_left = limits.rows_total_max.saturating_sub(given.rows).min(asked.rows_left);
        let bytes_left = limits.bytes_total_max.saturating_sub(given.bytes).min(asked.bytes_left);
        match (rows_left, bytes_left) {
            (0, _) => Err(CallError::Limit(LimitName::QueryRows)),
            (_, 0) => Err(CallError::Limit(LimitName::QueryBytes)),
            _ => Ok(QueryBudget { rows_left, bytes_left }),
        }
    }

    /// Asks the target, in the run's session there.
    ///
    /// # Errors
    /// Whatever the target or its connector says.
    pub async fn ask(
        &mut self,
        pair: &Pair,
        query: &Query,
        params: Vec<Value>,
        budget: QueryBudget,
    ) -> Result<Spool, TargetError> {
        let sql = self.bundle.queries.get(&query.name).ok_or(TargetError::SessionLost)?;
        let reviewed = self.reviewed.as_ref().map(|r| seen(r, pair, &query.name)).transpose()?;
        let typed: Vec<_> = query.params.iter().map(|p| p.param_type).zip(params).collect();
        let caps = Caps {
            rows_max: budget.rows_left,
            bytes_max: budget.bytes_left,
            time_ms_max: self.effective.limits.wall_ms_max,
        };
        if !self.sessions.contains_key(pair) {
            let connector = self.connectors.get(pair).ok_or(TargetError::SessionLost)?;
            let session = connector.open_session().await?;
            self.sessions.insert(pair.clone(), session);
        }
        let session = self.sessions.get_mut(pair).ok_or(TargetError::SessionLost)?;
        session.query_as_reviewed(sql, &typed, caps, reviewed).await
    }

    /// Counts an answer and keeps it to be paged through.
    pub fn keep(&mut self, query: &QueryName, spool: Spool) -> OpenedCursor {
        let given = self.given.entry(query.clone()).or_default();
        given.calls += 1;
        given.rows += spool.rows();
        given.bytes += spool.bytes();
        let columns = spool.columns().to_vec();
        self.opened += 1;
        self.cursors.insert(self.opened, spool);
        OpenedCursor { cursor: self.opened, columns }
    }

    /// The next rows of an answer.
    ///
    /// # Errors
    /// When the cursor is closed, or the rows that a limit let through are read.
    pub fn next(&mut self, cursor: u64, rows_max: u32) -> Result<Page, CallError> {
        let unknown = || CallError::Invalid("the cursor is closed".to_owned());
        let spool = self.cursors.get_mut(&cursor).ok_or_else(unknown)?;
        let (rows, drained) = spool.next(rows_max.min(PAGE_ROWS_MAX) as usize);
        match spool.limit_hit() {
            None => Ok(Page { rows, done: drained }),
            // Rows that were fetched are given first; then the guest learns that there were more.
            Some(_) if !rows.is_empty() => Ok(Page { rows, done: false }),
            Some(limit) => Err(CallError::Limit(limit)),
        }
    }

    /// Forgets an answer.
    pub fn close(&mut self, cursor: u64) {
        self.cursors.remove(&cursor);
    }

    /// What each query has given so far.
    #[must_use]
    pub fn given(&self) -> &BTreeMap<QueryName, Figures> {
        &self.given
    }

    /// What all of them have given.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.given.values().fold(Figures::default(), |sum, one| Figures {
            calls: sum.calls + one.calls,
            rows: sum.rows + one.rows,
            bytes: sum.bytes + one.bytes,
        })
    }
}

/// What the script is told: a code, never the database's words.
#[must_use]
pub fn call_error(error: &TargetError) -> CallError {
    match error {
        TargetError::StatementTime { .. } => CallError::Timeout,
        TargetError::BadParameters { .. } => CallError::Invalid(error.code().to_owned()),
        other => CallError::Backend(other.code().to_owned()),
    }
}
