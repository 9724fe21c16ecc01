//! What one run's store holds: the state of the host functions, all of it deterministic.
//!
//! Nothing here reaches outside; that goes over the [`Bridge`]. A world belongs to one run and is
//! taken apart after it ([`crate::finish`]).

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use domain::{Digest, LimitName, Table};
use wasmtime::component::ResourceTable;

use crate::bridge::Bridge;
use crate::engine::HANDLES_MAX;
use crate::limiter::Quota;
use crate::random::Stream;
use crate::recording::{Artifact, Captured, Event, LogLine};
use crate::run::Plan;

/// Bytes of standard output that are kept.
pub const STDOUT_BYTES_MAX: usize = 1 << 20;
/// Bytes of standard error that are kept.
pub const STDERR_BYTES_MAX: usize = 256 << 10;
/// Bytes of log lines that are kept, and written out in the recording.
pub const LOG_BYTES_MAX: u64 = 1 << 20;
/// Bytes that a line, table or artifact costs besides its content, so that empty ones are not free.
const ENTRY_BYTES: u64 = 64;

/// Why the host ends the guest. Traps with it; [`crate::finish`] finds it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Halt {
    /// A limit that ends runs.
    #[error("the limit {0} is used up")]
    Limit(LimitName),
    /// A call before `run`.
    #[error(
        "the component calls {0} while it is instantiated; scripts may call the host only from `run`"
    )]
    TooEarly(&'static str),
    /// A call that breaks the contract.
    #[error("{0}")]
    Misuse(String),
    /// `wasi:cli/exit`.
    #[error("the script exited with code {0} instead of returning a result")]
    Exit(u8),
}

/// A captured stream, shared with its stream resources.
pub(crate) struct Capture {
    pub(crate) kept: Captured,
    pub(crate) cap: usize,
}

pub(crate) type SharedCapture = Arc<Mutex<Capture>>;

fn capture(cap: usize) -> SharedCapture {
    Arc::new(Mutex::new(Capture { kept: Captured::default(), cap }))
}

/// The state of one run's store.
pub(crate) struct World {
    pub(crate) bridge: Bridge,
    pub(crate) quota: Quota,
    pub(crate) resources: ResourceTable,
    /// False until instantiation is over.
    pub(crate) running: bool,
    pub(crate) calls: u64,
    calls_max: u64,
    output_left: u64,
    pub(crate) run: String,
    /// The queries that may be opened, sorted: a fact of the effective capabilities, so that a replay
    /// knows it without the manifest.
    pub(crate) queries: Vec<String>,
    pub(crate) started_at_ms: u64,
    /// Nanoseconds of the guest's monotonic clock.
    pub(crate) monotonic_ns: Arc<AtomicU64>,
    pub(crate) random: Stream,
    pub(crate) insecure: Stream,
    /// Bytes that host functions have produced since the guest last yielded.
    pub(crate) work: usize,
    pub(crate) stdout: SharedCapture,
    pub(crate) stderr: SharedCapture,
    log_left: u64,
    pub(crate) log: Vec<LogLine>,
    pub(crate) log_dropped: u64,
    pub(crate) tables: Vec<Table>,
    pub(crate) artifacts: Vec<Artifact>,
    pub(crate) limits_hit: BTreeSet<LimitName>,
}

impl World {
    pub(crate) fn new(plan: &Plan, bridge: Bridge) -> Self {
        let limits = &plan.effective.limits;
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(HANDLES_MAX);
        let queries: BTreeSet<String> = plan
            .effective
            .pairs
            .values()
            .flat_map(|of| of.queries.keys().map(ToString::to_string))
            .collect();
        Self {
            bridge,
            quota: Quota::new(limits.memory_bytes_max),
            resources,
            running: false,
            calls: 0,
            calls_max: limits.host_calls_max,
            output_left: limits.output_bytes_max,
            run: plan.run.to_string(),
            queries: queries.into_iter().collect(),
            started_at_ms: plan.started_at_ms,
            monotonic_ns: Arc::new(AtomicU64::new(0)),
            random: Stream::new("random", plan.seed),
            insecure: Stream::new("insecure", plan.seed),
            work: 0,
            stdout: capture(STDOUT_BYTES_MAX),
            stderr: capture(STDERR_BYTES_MAX),
            log_left: LOG_BYTES_MAX,
            log: Vec::new(),
            log_dropped: 0,
            tables: Vec::new(),
            artifacts: Vec::new(),
            limits_hit: BTreeSet::new(),
        }
    }

    /// Begins a call of a `borescope:debug` function and gives it its number.
    pub(crate) fn begin(&mut self, function: &'static str) -> Result<u64, Halt> {
        if !self.running {
            return Err(Halt::TooEarly(function));
        }
        if self.calls >= self.calls_max {
            return Err(Halt::Limit(LimitName::HostCalls));
        }
        self.calls += 1;
        Ok(self.calls)
    }

    /// Counts output.
    pub(crate) fn spend_output(&mut self, bytes: u64) -> Result<(), Halt> {
        let cost = bytes.saturating_add(ENTRY_BYTES);
        self.output_left =
            self.output_left.checked_sub(cost).ok_or(Halt::Limit(LimitName::Output))?;
        Ok(())
    }

    /// Keeps a log line up to the cap; above it, counts what is dropped.
    pub(crate) fn keep_line(&mut self, line: LogLine) -> Option<LogLine> {
        let cost = ENTRY_BYTES + line.message.len() as u64;
        let Some(left) = self.log_left.checked_sub(cost) else {
            self.log_left = 0;
            self.log_dropped += line.message.len() as u64;
            return None;
        };
        self.log_left = left;
        self.log.push(line.clone());
        Some(line)
    }

    /// The event of a call whose result follows from the run's facts.
    pub(crate) fn local_event(
        seq: u64,
        interface: &str,
        function: &str,
        args_digest: Digest,
        fuel_left: u64,
    ) -> Event {
        Event::Local {
            seq,
            interface: interface.to_owned(),
            function: function.to_owned(),
            args_digest,
            line: None,
            fuel_left,
        }
    }
}
