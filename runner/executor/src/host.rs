//! What a live run reaches: the recording, the ledger and its targets, in this order.
//!
//! Implements the sandbox's port. An outward call's intent is durable in the ledger before the
//! target sees anything; outcomes follow without waiting, because nothing leaves the sandbox before
//! the next barrier.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use domain::manifest::Query;
use domain::{Capabilities, LimitName, Pair, QueryName, RunId, TargetId, Value};
use ledger::{CallStatus, Entry, Event as Logged, Ledger};
use sandbox::recording::Event;
use sandbox::{CallError, Host, HostFault, OpenedCursor, Page, QueryBudget};
use serde::Serialize;
use targets::{Caps, Connector, Session, Spool, TargetError};
use tokio::sync::mpsc;

use crate::bundle::Bundle;
use crate::events::{RunEvent, TROUBLES_MAX, Trouble};
use crate::recording_file::{RecordError, RecordingFile};
use crate::release::Release;

/// Rows of one page; the guest asks again for more.
const PAGE_ROWS_MAX: u32 = 1_000;

/// One run's way out.
pub(crate) struct RunHost {
    pub(crate) run: RunId,
    pub(crate) ledger: Ledger,
    pub(crate) recording: RecordingFile,
    pub(crate) bundle: Arc<Bundle>,
    pub(crate) connectors: BTreeMap<TargetId, Arc<dyn Connector>>,
    pub(crate) effective: Capabilities,
    pub(crate) events: mpsc::Sender<RunEvent>,
    sessions: BTreeMap<TargetId, Box<dyn Session>>,
    cursors: BTreeMap<u64, Spool>,
    opened: u64,
    intents: u64,
    figures: Figures,
    spooled: BTreeMap<QueryName, Figures>,
    troubles: Vec<Trouble>,
    broken: Option<HostFault>,
}

/// What the run read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// The payload of a call's outcome: evidence that never reaches the script.
#[derive(Serialize)]
struct OutcomeNote<'a> {
    target: &'a TargetId,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl RunHost {
    pub(crate) fn new(
        run: RunId,
        ledger: Ledger,
        recording: RecordingFile,
        bundle: Arc<Bundle>,
        connectors: BTreeMap<TargetId, Arc<dyn Connector>>,
        effective: Capabilities,
        events: mpsc::Sender<RunEvent>,
    ) -> Self {
        Self {
            run,
            ledger,
            recording,
            bundle,
            connectors,
            effective,
            events,
            sessions: BTreeMap::new(),
            cursors: BTreeMap::new(),
            opened: 0,
            intents: 0,
            figures: Figures::default(),
            spooled: BTreeMap::new(),
            troubles: Vec::new(),
            broken: None,
        }
    }

    /// Ends the sessions and hands back the recording.
    pub(crate) fn finish(self) -> (RecordingFile, Figures, Vec<Trouble>) {
        (self.recording, self.figures, self.troubles)
    }

    /// Keeps why a target did not answer, for whoever reads the output.
    fn note_trouble(&mut self, target: &TargetId, query: &QueryName, error: &TargetError) {
        let trouble = Trouble {
            target: target.clone(),
            query: query.clone(),
            code: error.code().to_owned(),
            fault: error.fault().into(),
            problem: error.to_string(),
        };
        let is_same =
            |t: &Trouble| t.target == *target && t.query == *query && t.code == trouble.code;
        if self.troubles.len() < TROUBLES_MAX && !self.troubles.iter().any(is_same) {
            self.troubles.push(trouble);
        }
    }

    async fn query(
        &mut self,
        pair: &Pair,
        query: &Query,
        params: Vec<Value>,
        budget: QueryBudget,
    ) -> Result<Spool, TargetError> {
        let sql = self.bundle.queries.get(&query.name).ok_or(TargetError::SessionLost)?;
        let typed: Vec<_> = query.params.iter().map(|p| p.param_type).zip(params).collect();
        let caps = Caps {
            rows_max: budget.rows_left,
            bytes_max: budget.bytes_left,
            time_ms_max: self.effective.limits.wall_ms_max,
        };
        if !self.sessions.contains_key(&pair.target) {
            let connector = self.connectors.get(&pair.target).ok_or(TargetError::SessionLost)?;
            let session = connector.open_session().await?;
            self.sessions.insert(pair.target.clone(), session);
        }
        let session = self.sessions.get_mut(&pair.target).ok_or(TargetError::SessionLost)?;
        session.query(sql, &typed, caps).await
    }

    /// What the query may still fetch. The sandbox counts what the script reads; this counts what the
    /// target gave, so that cursors which are dropped or kept open cost as much as read ones.
    fn unspent(&self, query: &QueryName, asked: QueryBudget) -> Result<QueryBudget, CallError> {
        let unknown = || CallError::Denied("the query is not effective".to_owned());
        let (_, limits) = self.effective.query(query).ok_or_else(unknown)?;
        let spooled = self.spooled.get(query).copied().unwrap_or_default();
        let rows_left = limits.rows_total_max.saturating_sub(spooled.rows).min(asked.rows_left);
        let bytes_left = limits.bytes_total_max.saturating_sub(spooled.bytes).min(asked.bytes_left);
        match (rows_left, bytes_left) {
            (0, _) => Err(CallError::Limit(LimitName::QueryRows)),
            (_, 0) => Err(CallError::Limit(LimitName::QueryBytes)),
            _ => Ok(QueryBudget { rows_left, bytes_left }),
        }
    }

    fn log_outcome(&mut self, target: &TargetId, result: &Result<Spool, TargetError>) {
        let (status, note) = match result {
            Ok(spool) => (
                CallStatus::Ok,
                OutcomeNote {
                    target,
                    rows: Some(spool.rows()),
                    bytes: Some(spool.bytes()),
                    error: None,
                    detail: None,
                },
            ),
            Err(e) => (
                status(e),
                OutcomeNote {
                    target,
                    rows: None,
                    bytes: None,
                    error: Some(e.to_string()),
                    detail: e.detail(),
                },
            ),
        };
        let event = Logged::CallOutcome { run: self.run.clone(), call: self.intents - 1, status };
        // Not waited for; but an outcome that is not taken ends the run at its next event.
        if let Err(e) = self.ledger.append(Entry::new(event, json(&note))) {
            self.broken = Some(fault(e));
        }
    }
}

fn status(error: &TargetError) -> CallStatus {
    match call_error(error) {
        CallError::Denied(_) => CallStatus::Denied,
        CallError::Limit(_) => CallStatus::Limit,
        CallError::Timeout => CallStatus::Timeout,
        CallError::Invalid(_) => CallStatus::Invalid,
        CallError::Backend(_) => CallStatus::Backend,
    }
}

/// What the script is told: a code, never the database's words.
fn call_error(error: &TargetError) -> CallError {
    match error {
        TargetError::StatementTime { .. } => CallError::Timeout,
        TargetError::BadParameters { .. } => CallError::Invalid(error.code().to_owned()),
        other => CallError::Backend(other.code().to_owned()),
    }
}

pub(crate) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    // Fails only for maps whose keys are not strings; what we log has none.
    serde_json::to_vec(value).unwrap_or_default()
}

fn fault(e: impl std::fmt::Display) -> HostFault {
    HostFault::Broken { problem: e.to_string() }
}

fn not_taken(e: RecordError) -> HostFault {
    match e {
        RecordError::Full(_) => HostFault::Limit(LimitName::Recording),
        RecordError::Io(e) => fault(e),
    }
}

#[async_trait]
impl Host for RunHost {
    async fn intent(&mut self, call: &Event) -> Result<(), HostFault> {
        self.recording.add(call).map_err(not_taken)?;
        let event = Logged::CallIntent { run: self.run.clone(), call: self.intents };
        self.intents += 1;
        // If we die after this returns, the log says that the query may have reached the target.
        self.ledger.append_durable(Entry::new(event, json(call))).await.map_err(fault)?;
        Ok(())
    }

    fn record(&mut self, event: &Event) -> Result<(), HostFault> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        self.recording.add(event).map_err(not_taken)
    }

    async fn sql_open(
        &mut self,
        pair: &Pair,
        query: &Query,
        params: Vec<Value>,
        budget: QueryBudget,
    ) -> Result<OpenedCursor, CallError> {
        let budget = self.unspent(&query.name, budget)?;
        let result = self.query(pair, query, params, budget).await;
        self.log_outcome(&pair.target, &result);
        if let Err(e) = &result {
            self.note_trouble(&pair.target, &query.name, e);
        }
        let spool = result.map_err(|e| call_error(&e))?;
        let spooled = self.spooled.entry(query.name.clone()).or_default();
        spooled.rows += spool.rows();
        spooled.bytes += spool.bytes();
        self.figures.rows += spool.rows();
        self.figures.bytes += spool.bytes();
        let columns = spool.columns().to_vec();
        self.opened += 1;
        self.cursors.insert(self.opened, spool);
        Ok(OpenedCursor { cursor: self.opened, columns })
    }

    async fn sql_next(&mut self, cursor: u64, rows_max: u32) -> Result<Page, CallError> {
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

    fn sql_close(&mut self, cursor: u64) {
        self.cursors.remove(&cursor);
    }

    async fn progress(&mut self, percent: u8, note: &str) -> Result<(), HostFault> {
        let event = RunEvent::Progress { percent, note: note.to_owned() };
        Release { ledger: &self.ledger, run: &self.run }
            .send(note.len() as u64, json(&event), None, &self.events, |_| event)
            .await
            .map_err(fault)
    }
}
