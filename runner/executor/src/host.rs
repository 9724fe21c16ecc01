//! What a live run reaches: the recording, the ledger and its targets, in this order.
//!
//! Implements the sandbox's port. An outward call's intent is durable in the ledger before the
//! target sees anything; outcomes follow without waiting, because nothing leaves the sandbox before
//! the next barrier.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::manifest::Query;
use domain::{LimitName, Pair, QueryName, RunId, TargetId, Value};
use ledger::{CallStatus, Entry, Event as Logged, Ledger};
use sandbox::recording::Event;
use sandbox::{CallError, Host, HostFault, OpenedCursor, Page, QueryBudget};
use serde::Serialize;
use targets::{Spool, TargetError};
use tokio::sync::mpsc;

use crate::events::{ReplicaLag, RunEvent, TROUBLES_MAX, Trouble};
use crate::queries::{Figures, Queries, call_error};
use crate::recording_file::{RecordError, RecordingFile};
use crate::release::Release;

/// One run's way out.
pub(crate) struct RunHost {
    pub(crate) run: RunId,
    pub(crate) ledger: Ledger,
    pub(crate) recording: RecordingFile,
    pub(crate) events: mpsc::Sender<RunEvent>,
    queries: Queries,
    intents: u64,
    troubles: Vec<Trouble>,
    lags: BTreeMap<TargetId, u64>,
    broken: Option<HostFault>,
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
    lag_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// What there is to say of the targets that a run read.
#[derive(Default)]
pub(crate) struct OfTargets {
    pub(crate) troubles: Vec<Trouble>,
    pub(crate) lags: Vec<ReplicaLag>,
}

impl RunHost {
    pub(crate) fn new(
        run: RunId,
        ledger: Ledger,
        recording: RecordingFile,
        queries: Queries,
        events: mpsc::Sender<RunEvent>,
    ) -> Self {
        Self {
            run,
            ledger,
            recording,
            events,
            queries,
            intents: 0,
            troubles: Vec::new(),
            lags: BTreeMap::new(),
            broken: None,
        }
    }

    /// Ends the sessions and hands back the recording.
    pub(crate) fn finish(self) -> (RecordingFile, Figures, OfTargets) {
        let lag = |(target, lag_s_max)| ReplicaLag { target, lag_s_max };
        let lags = self.lags.into_iter().map(lag).collect();
        (self.recording, self.queries.figures(), OfTargets { troubles: self.troubles, lags })
    }

    /// Keeps how far behind a replica was.
    fn note_lag(&mut self, target: &TargetId, spool: &Spool) {
        if let Some(lag_s) = spool.lag_s() {
            let most = self.lags.entry(target.clone()).or_default();
            *most = lag_s.max(*most);
        }
    }

    /// Keeps why a target did not answer, for whoever reads the output.
    fn note_trouble(&mut self, target: &TargetId, query: &QueryName, error: &TargetError) {
        let trouble = Trouble {
            target: target.clone(),
            query: query.clone(),
            code: error.code().to_owned(),
            fault: error.fault().into(),
            problem: error.to_string(),
            asked: error.was_asked(),
        };
        let is_same =
            |t: &Trouble| t.target == *target && t.query == *query && t.code == trouble.code;
        if self.troubles.len() < TROUBLES_MAX && !self.troubles.iter().any(is_same) {
            self.troubles.push(trouble);
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
                    lag_s: spool.lag_s(),
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
                    lag_s: None,
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
        let budget = self.queries.unspent(&query.name, budget)?;
        let result = self.queries.ask(pair, query, params, budget).await;
        self.log_outcome(&pair.target, &result);
        match &result {
            Ok(spool) => self.note_lag(&pair.target, spool),
            Err(e) => self.note_trouble(&pair.target, &query.name, e),
        }
        let spool = result.map_err(|e| call_error(&e))?;
        Ok(self.queries.keep(&query.name, spool))
    }

    async fn sql_next(&mut self, cursor: u64, rows_max: u32) -> Result<Page, CallError> {
        self.queries.next(cursor, rows_max)
    }

    fn sql_close(&mut self, cursor: u64) {
        self.queries.close(cursor);
    }

    async fn progress(&mut self, percent: u8, note: &str) -> Result<(), HostFault> {
        let event = RunEvent::Progress { percent, note: note.to_owned() };
        Release { ledger: &self.ledger, run: &self.run }
            .send(note.len() as u64, json(&event), None, &self.events, |_| event)
            .await
            .map_err(fault)
    }
}
