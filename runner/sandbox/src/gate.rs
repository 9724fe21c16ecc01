//! The one place where a label is checked: which queries this run may open, how often, and how much
//! they may return.
//!
//! Used only by live runs; a replay takes the recorded results and evaluates no permission.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::manifest::Query;
use domain::{Capabilities, LimitName, Manifest, Pair, QueryLimits, QueryName, Value};
use serde_json::Value as Json;

use crate::port::{CallError, Page, QueryBudget};

/// Cursors that may be open at a time: each holds a spool at the host.
const CURSORS_MAX: usize = 16;
/// Rows of one page: what the guest must hold at once.
const PAGE_ROWS_MAX: u32 = 10_000;

/// What this run has used of its queries.
pub(crate) struct Gate {
    manifest: Arc<Manifest>,
    effective: Capabilities,
    input: Option<Json>,
    used: BTreeMap<QueryName, Used>,
    open: BTreeMap<u64, QueryName>,
}

#[derive(Default)]
struct Used {
    calls: u64,
    rows: u64,
    bytes: u64,
}

/// A query that may be sent.
pub(crate) struct Admission {
    pub(crate) pair: Pair,
    pub(crate) query: Query,
    pub(crate) params: Vec<Value>,
    pub(crate) budget: QueryBudget,
}

impl Gate {
    pub(crate) fn new(
        manifest: Arc<Manifest>,
        effective: Capabilities,
        input: Option<Json>,
    ) -> Self {
        Self { manifest, effective, input, used: BTreeMap::new(), open: BTreeMap::new() }
    }

    /// Checks a call of `open` and counts it.
    pub(crate) fn admit(
        &mut self,
        label: &str,
        passed: Vec<(String, Value)>,
    ) -> Result<Admission, CallError> {
        let denied = || {
            let label = domain::display::neutralise(&label.chars().take(80).collect::<String>());
            CallError::Denied(format!(
                "the query {label} is not among this run's effective capabilities"
            ))
        };
        let name: QueryName = label.parse().map_err(|_| denied())?;
        let (pair, limits) = self.effective.query(&name).ok_or_else(denied)?;
        let (pair, limits) = (pair.clone(), *limits);
        let query = self
            .manifest
            .query(&name)
            .filter(|q| q.target == pair.logical)
            .ok_or_else(denied)?
            .clone();
        if self.open.len() >= CURSORS_MAX {
            return Err(CallError::Limit(LimitName::Handles));
        }
        let used = self.used.entry(name).or_default();
        if used.calls >= limits.calls_max {
            return Err(CallError::Limit(LimitName::QueryCalls));
        }
        let params = query
            .bind(self.input.as_ref(), passed)
            .map_err(|e| CallError::Invalid(e.to_string()))?;
        used.calls += 1;
        let budget = left(used, &limits);
        Ok(Admission { pair, query, params, budget })
    }

    /// The host has opened a cursor for the query.
    pub(crate) fn opened(&mut self, cursor: u64, query: QueryName) {
        self.open.insert(cursor, query);
    }

    /// How many rows to ask for. When none is left, one more: if it comes, the limit is hit; if not,
    /// the result just fits.
    pub(crate) fn rows_to_ask(&self, cursor: u64, wanted: u32) -> Result<u32, CallError> {
        let (used, limits) = self.account(cursor)?;
        let rows_left = u32::try_from(left(used, &limits).rows_left).unwrap_or(u32::MAX);
        Ok(wanted.clamp(1, PAGE_ROWS_MAX).min(rows_left.max(1)))
    }

    /// Counts a page; a page above a total is not given to the guest.
    pub(crate) fn count(&mut self, cursor: u64, page: &Page) -> Result<(), CallError> {
        let (used, limits) = self.account(cursor)?;
        let left = left(used, &limits);
        let rows = page.rows.len() as u64;
        let bytes: u64 = page.rows.iter().flatten().map(Value::size_bytes).sum();
        if rows > left.rows_left {
            return Err(CallError::Limit(LimitName::QueryRows));
        }
        if bytes > left.bytes_left {
            return Err(CallError::Limit(LimitName::QueryBytes));
        }
        if let Some(used) = self.open.get(&cursor).and_then(|name| self.used.get_mut(name)) {
            used.rows += rows;
            used.bytes += bytes;
        }
        Ok(())
    }

    /// Forgets a cursor; false if it is not open.
    pub(crate) fn close(&mut self, cursor: u64) -> bool {
        self.open.remove(&cursor).is_some()
    }

    /// Forgets all cursors, and says which were open.
    pub(crate) fn close_all(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.open).into_keys().collect()
    }

    fn account(&self, cursor: u64) -> Result<(&Used, QueryLimits), CallError> {
        let closed = || CallError::Invalid("the cursor is closed".to_owned());
        let name = self.open.get(&cursor).ok_or_else(closed)?;
        let (_, limits) = self.effective.query(name).ok_or_else(closed)?;
        Ok((self.used.get(name).ok_or_else(closed)?, *limits))
    }
}

fn left(used: &Used, limits: &QueryLimits) -> QueryBudget {
    QueryBudget {
        rows_left: limits.rows_total_max.saturating_sub(used.rows),
        bytes_left: limits.bytes_total_max.saturating_sub(used.bytes),
    }
}
