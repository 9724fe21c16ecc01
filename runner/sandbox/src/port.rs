//! [`Host`]: the only way out of the sandbox. The executor implements it.

use async_trait::async_trait;
use domain::manifest::Query;
use domain::{Column, LimitName, Pair, Value};
use serde::{Deserialize, Serialize};

use crate::recording::Event;

/// What a run needs from outside. One run has one host; calls come one at a time, in the guest's
/// order. Whoever is behind it sees query parameters and decides what the guest reads; it cannot make
/// the guest exceed its limits.
///
/// A future of these methods is dropped when the run is cancelled or its wall time is over; the
/// implementation must then stop the work at the target by itself. After the run every cursor that
/// is still open gets its [`Self::sql_close`].
#[async_trait]
pub trait Host: Send {
    /// Makes the intent of an outward call, and every event recorded before it, durable. Only after
    /// `Ok` does the call leave; an error ends the run before it.
    async fn intent(&mut self, call: &Event) -> Result<(), HostFault>;

    /// Takes an event into the recording, in order; it need not be durable yet. Never blocks long.
    /// An error ends the run; [`HostFault::Limit`] never comes for an event of the run's end
    /// ([`Event::is_of_end`]).
    fn record(&mut self, event: &Event) -> Result<(), HostFault>;

    /// Runs a reviewed query with bound parameters. Called only after [`Self::intent`] returned.
    async fn sql_open(
        &mut self,
        pair: &Pair,
        query: &Query,
        params: Vec<Value>,
        budget: QueryBudget,
    ) -> Result<OpenedCursor, CallError>;

    /// The next rows of a cursor, at most `rows_max`.
    async fn sql_next(&mut self, cursor: u64, rows_max: u32) -> Result<Page, CallError>;

    /// Forgets a cursor. Never fails; a cursor is closed once.
    fn sql_close(&mut self, cursor: u64);

    /// Tells whoever waits. What is told leaves the runner, so it is recorded durably before; the
    /// note is untrusted text. An error ends the run.
    async fn progress(&mut self, percent: u8, note: &str) -> Result<(), HostFault>;
}

/// The recording cannot go on, so neither can the run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostFault {
    /// The recording is as large as it may be. What the host took so far stays valid, and it still takes
    /// the events of the run's end: the run ends there, by this limit, and replays to the same point.
    #[error("the limit {0} is used up")]
    Limit(LimitName),
    /// It cannot be recorded at all; what the run did after the last event is unknown.
    #[error("the run cannot be recorded: {problem}")]
    Broken {
        /// What failed, for the operator.
        problem: String,
    },
}

/// What a query may still return in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryBudget {
    /// Rows of all its calls.
    pub rows_left: u64,
    /// Bytes of their cells, as [`Value::size_bytes`] counts.
    pub bytes_left: u64,
}

/// A query that has been sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedCursor {
    /// The host's number for it; unique in the run.
    pub cursor: u64,
    /// The result's columns.
    pub columns: Vec<Column>,
}

/// Some rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Each as long as the columns.
    pub rows: Vec<Vec<Value>>,
    /// Whether nothing follows; there may still be rows here.
    pub done: bool,
}

/// Why a call gave no result. It becomes the value `error` of the contract, never a trap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum CallError {
    /// Outside the effective capabilities.
    #[error("denied: {0}")]
    Denied(String),
    /// A limit of the query is used up.
    #[error("the limit {0} is used up")]
    Limit(LimitName),
    /// The target did not answer in time.
    #[error("the target did not answer in time")]
    Timeout,
    /// The call does not fit the manifest.
    #[error("invalid: {0}")]
    Invalid(String),
    /// The target failed; a stable code, never the database's words.
    #[error("the target failed: {0}")]
    Backend(String),
}
