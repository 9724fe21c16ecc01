//! A host for tests: keeps what is recorded, answers queries from a list, fails on demand.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use domain::manifest::Query;
use domain::{Capabilities, Column, Digest, LimitName, Manifest, Pair, Value};

use crate::recording::{MAGIC, encode_frame};
use crate::{
    CallError, Cancel, Event, Finished, Host, HostFault, Linked, OpenedCursor, Page, Plan,
    QueryBudget, Recording, Replay, Sandbox, SandboxOptions,
};

/// What the host did, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Did {
    Recorded(String),
    Intent(String),
    Opened(String, Vec<Value>),
    Closed(u64),
    Progress(u8, String),
}

#[derive(Default)]
pub(crate) struct FakeHost {
    pub(crate) events: Vec<Event>,
    pub(crate) did: Vec<Did>,
    /// Pages of the next cursors, all from one list.
    pub(crate) pages: VecDeque<Page>,
    pub(crate) fail_intent: bool,
    /// Fails `record` of the event with this name.
    pub(crate) fail_record: Option<&'static str>,
    /// Takes so many events before the run's end, and then none until the end.
    pub(crate) events_max: Option<usize>,
    /// Cancelled inside `sql_open`, which then never returns.
    pub(crate) cancel_in_open: Option<Cancel>,
    pub(crate) cursors: u64,
    /// The rows that each `sql_next` asked for.
    pub(crate) asked: Vec<u32>,
}

fn fault() -> HostFault {
    HostFault::Broken { problem: "disk full".to_owned() }
}

#[async_trait]
impl Host for FakeHost {
    async fn intent(&mut self, call: &Event) -> Result<(), HostFault> {
        if self.fail_intent {
            return Err(fault());
        }
        if self.events_max.is_some_and(|max| self.events.len() >= max) {
            return Err(HostFault::Limit(LimitName::Recording));
        }
        self.did.push(Did::Intent(call.name()));
        self.events.push(call.clone());
        Ok(())
    }

    fn record(&mut self, event: &Event) -> Result<(), HostFault> {
        if self.events_max.is_some_and(|max| self.events.len() >= max) && !event.is_of_end() {
            return Err(HostFault::Limit(LimitName::Recording));
        }
        if self.fail_record == Some(event.name().as_str()) {
            return Err(fault());
        }
        self.did.push(Did::Recorded(event.name()));
        self.events.push(event.clone());
        Ok(())
    }

    async fn sql_open(
        &mut self,
        _: &Pair,
        query: &Query,
        params: Vec<Value>,
        _: QueryBudget,
    ) -> Result<OpenedCursor, CallError> {
        self.did.push(Did::Opened(query.name.to_string(), params));
        if let Some(cancel) = &self.cancel_in_open {
            cancel.cancel();
            std::future::pending::<()>().await;
        }
        self.cursors += 1;
        let columns = vec![Column { name: "id".to_owned(), db_type: "int8".to_owned() }];
        Ok(OpenedCursor { cursor: self.cursors, columns })
    }

    async fn sql_next(&mut self, _: u64, rows_max: u32) -> Result<Page, CallError> {
        self.asked.push(rows_max);
        Ok(self.pages.pop_front().unwrap_or(Page { rows: Vec::new(), done: true }))
    }

    fn sql_close(&mut self, cursor: u64) {
        self.did.push(Did::Closed(cursor));
    }

    async fn progress(&mut self, percent: u8, note: &str) -> Result<(), HostFault> {
        self.did.push(Did::Progress(percent, note.to_owned()));
        Ok(())
    }
}

impl FakeHost {
    pub(crate) fn with_rows(pages: &[usize]) -> Self {
        let page = |n: &usize| Page {
            rows: (0..*n).map(|i| vec![Value::Int64(i as i64)]).collect(),
            done: *n == 0,
        };
        Self { pages: pages.iter().map(page).collect(), ..Self::default() }
    }

    /// The recording's file.
    pub(crate) fn file(&self) -> Vec<u8> {
        let frames = self.events.iter().flat_map(encode_frame);
        MAGIC.into_iter().chain(frames).collect()
    }

    pub(crate) fn recording(&self) -> Recording {
        Recording::parse(&self.file()).unwrap()
    }
}

pub(crate) fn options() -> SandboxOptions {
    SandboxOptions {
        artifact_dir: None,
        mac_key: [7; 32],
        concurrent_runs_max: 2,
        concurrent_compiles_max: 1,
        compile_ms_max: 60_000,
    }
}

/// One engine a process, as in the runner.
pub(crate) fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| Sandbox::new(options()).unwrap())
}

const MANIFEST: &str = r#"
[script]
name = "t"
version = "1.0.0"
summary = "a test"
input = "input.schema.json"
[targets.orders]
engine = "sqlite"
[[query]]
name = "recent"
target = "orders"
file = "queries/recent.sql"
calls_max = 3
rows_total_max = 5
[[query]]
name = "batch"
target = "orders"
file = "queries/batch.sql"
params = [{ name = "since", type = "text", from = "/since" }, { name = "batch", type = "int8" }]
[limits]
fuel = 50_000_000
memory = "8MiB"
wall = "20s"
output = "64KiB"
host_calls = 50
"#;

pub(crate) fn manifest() -> Arc<Manifest> {
    Arc::new(Manifest::parse(MANIFEST.as_bytes()).unwrap())
}

/// All that the manifest asks for.
pub(crate) fn everything() -> Capabilities {
    manifest().asks(&[Pair {
        logical: "orders".parse().unwrap(),
        target: "orders-replica".parse().unwrap(),
    }])
}

/// Nothing but the limits.
pub(crate) fn nothing() -> Capabilities {
    Capabilities { pairs: std::collections::BTreeMap::new(), ..everything() }
}

pub(crate) fn plan(effective: &Capabilities) -> Plan {
    Plan {
        run: "run_01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        revision: Digest::of(b"revision"),
        manifest: manifest(),
        effective: effective.clone(),
        input: br#"{"since":"yesterday"}"#.to_vec(),
        started_at_ms: 1_700_000_000_123,
        seed: [42; 32],
    }
}

pub(crate) async fn link(component: Vec<u8>, effective: &Capabilities) -> Linked {
    let admitted = sandbox().admit(component.into()).await.unwrap();
    sandbox().link(&admitted, effective).unwrap()
}

/// Runs a component with all capabilities.
pub(crate) async fn run(component: Vec<u8>, host: &mut FakeHost) -> Finished {
    run_with(component, &everything(), host, &Cancel::new()).await
}

pub(crate) async fn run_with(
    component: Vec<u8>,
    effective: &Capabilities,
    host: &mut FakeHost,
    cancel: &Cancel,
) -> Finished {
    let linked = link(component, effective).await;
    sandbox().run(&linked, plan(effective), host, cancel).await
}

/// Replays what the host recorded.
pub(crate) async fn replay(
    component: Vec<u8>,
    effective: &Capabilities,
    recording: &Recording,
) -> Replay {
    let linked = link(component, effective).await;
    sandbox().replay(&linked, recording, plan(effective)).await
}

/// Runs, then replays, and insists that the replay is the same run.
pub(crate) async fn run_and_replay(
    component: Vec<u8>,
    host: &mut FakeHost,
    cancel: &Cancel,
) -> Finished {
    let all = everything();
    let mut finished = run_with(component.clone(), &all, host, cancel).await;
    match replay(component, &all, &host.recording()).await {
        Replay::Matches(again) => {
            finished.wall_ms = again.wall_ms;
            finished.fuel_init = again.fuel_init;
            assert_eq!(*again, finished);
        }
        other => panic!("the replay does not match: {other:?}"),
    }
    finished
}
