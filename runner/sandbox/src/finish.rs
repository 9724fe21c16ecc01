//! What a run that is over means: outcome, error with the guest's frames, result, figures.
//!
//! The same for a run and its replay, so that a replay compares the end event for event.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use domain::{LimitName, Outcome};
use serde_json::Value as Json;
use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};

use crate::drive::Ending;
use crate::port::HostFault;
use crate::recording::{
    Captured, End, Event, Frame, LogLine, ScriptError, ScriptResult, StopPoint,
};
use crate::run::{Executed, Returned};
use crate::world::{Halt, SharedCapture, World};

/// Levels of arrays and objects in what `run` returns.
const RESULT_DEPTH_MAX: usize = 64;

/// Everything about a run that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// How it ended; `lost` if it could not be recorded.
    pub outcome: Outcome,
    /// Why it failed.
    pub error: Option<ScriptError>,
    /// Where it stopped.
    pub stop: StopPoint,
    /// What it produced; also what a failed run produced before.
    pub result: ScriptResult,
    /// Limits that were hit, also those that did not end it.
    pub limits_hit: Vec<LimitName>,
    /// Fuel since instantiation; the same in every replay.
    pub fuel_used: u64,
    /// Fuel of instantiation; differs between machines, for information only.
    pub fuel_init: u64,
    /// Bytes of all memories.
    pub memory_peak: u64,
    /// Calls of `borescope:debug` functions.
    pub host_calls: u64,
    /// Captured standard output.
    pub stdout: Captured,
    /// Captured standard error.
    pub stderr: Captured,
    /// Log lines that were kept.
    pub log: Vec<LogLine>,
    /// Bytes of log messages that were dropped.
    pub log_dropped: u64,
    /// Why the recording is not complete. Then nothing of this run may leave.
    pub recording_failed: Option<String>,
    /// Milliseconds that it took.
    pub wall_ms: u64,
}

impl Finished {
    /// A run that ended before it began: its header could not be recorded.
    pub(crate) fn unrecorded(fault: &HostFault) -> Self {
        Self {
            outcome: Outcome::Lost,
            error: None,
            stop: StopPoint::Instantiation,
            result: ScriptResult::default(),
            limits_hit: Vec::new(),
            fuel_used: 0,
            fuel_init: 0,
            memory_peak: 0,
            host_calls: 0,
            stdout: Captured::default(),
            stderr: Captured::default(),
            log: Vec::new(),
            log_dropped: 0,
            recording_failed: Some(fault.to_string()),
            wall_ms: 0,
        }
    }

    /// Says what an execution means. `recorded` is the outcome that a replay's recording has for a
    /// run that was stopped from outside.
    pub(crate) fn conclude<B>(
        executed: Executed<B>,
        recorded: Option<Outcome>,
        broken: impl FnOnce(B) -> String,
    ) -> Self {
        let Executed { ending, mut world, fuel_used, fuel_init } = executed;
        let mut recording_failed = None;
        let mut stop = StopPoint::Guest;
        let mut value = Json::Null;
        let (outcome, error) = match ending {
            Ending::Guest(returned) => conclude_guest(&mut world, returned, &mut value),
            Ending::Stopped { outcome, at, .. } => {
                stop = at;
                (outcome.or(recorded).unwrap_or(Outcome::Lost), None)
            }
            Ending::Broken { broken: why, .. } => {
                recording_failed = Some(broken(why));
                (Outcome::Lost, None)
            }
        };
        let result = ScriptResult {
            value,
            tables: std::mem::take(&mut world.tables),
            artifacts: std::mem::take(&mut world.artifacts),
        };
        Self {
            outcome,
            error,
            stop,
            result,
            limits_hit: limits_hit(&world, outcome),
            fuel_used,
            fuel_init,
            memory_peak: world.quota.memory_bytes(),
            host_calls: world.calls,
            stdout: captured(&world.stdout),
            stderr: captured(&world.stderr),
            log: std::mem::take(&mut world.log),
            log_dropped: world.log_dropped,
            recording_failed,
            wall_ms: 0,
        }
    }

    /// The recording failed after the run was over.
    pub(crate) fn lose(&mut self, fault: &HostFault) {
        self.outcome = Outcome::Lost;
        self.recording_failed = Some(fault.to_string());
    }

    /// The events that end its recording.
    pub(crate) fn tail(&self) -> [Event; 4] {
        let end = End {
            outcome: self.outcome,
            error: self.error.clone(),
            stop: self.stop,
            limits_hit: self.limits_hit.clone(),
            fuel_used: self.fuel_used,
            memory_peak: self.memory_peak,
            host_calls: self.host_calls,
            log_dropped: self.log_dropped,
        };
        [
            Event::Stdout(self.stdout.clone()),
            Event::Stderr(self.stderr.clone()),
            Event::Result(Box::new(self.result.clone())),
            Event::End(Box::new(end)),
        ]
    }
}

fn captured(stream: &SharedCapture) -> Captured {
    std::mem::take(&mut stream.lock().unwrap_or_else(PoisonError::into_inner).kept)
}

fn limits_hit(world: &World, outcome: Outcome) -> Vec<LimitName> {
    let mut hit: BTreeSet<LimitName> = world.limits_hit.clone();
    if world.quota.memory_refused {
        hit.insert(LimitName::Memory);
    }
    if world.quota.elements_refused {
        hit.insert(LimitName::TableElements);
    }
    if let Outcome::LimitExceeded { limit } = outcome {
        hit.insert(limit);
    }
    hit.into_iter().collect()
}

type Verdict = (Outcome, Option<ScriptError>);

fn failed(message: impl Into<String>, frames: Vec<Frame>) -> Verdict {
    (Outcome::Failed, Some(ScriptError { message: message.into(), frames }))
}

fn limited(limit: LimitName, message: String, frames: Vec<Frame>) -> Verdict {
    (Outcome::LimitExceeded { limit }, Some(ScriptError { message, frames }))
}

fn conclude_guest(world: &mut World, returned: Returned, value: &mut Json) -> Verdict {
    let text = match returned {
        Ok(Ok(text)) => text,
        Ok(Err(message)) => {
            return match world.spend_output(message.len() as u64) {
                Ok(()) => failed(message, Vec::new()),
                Err(halt) => limited(LimitName::Output, halt.to_string(), Vec::new()),
            };
        }
        Err(error) => return conclude_trap(world, &error),
    };
    if let Err(halt) = world.spend_output(text.len() as u64) {
        return limited(LimitName::Output, halt.to_string(), Vec::new());
    }
    match domain::schema::parse_json(text.as_bytes()) {
        // Recording and output wrap the value; their readers stop at 128 levels.
        Ok(json) if depth(&json) > RESULT_DEPTH_MAX => failed(
            format!("`run` returned JSON nested deeper than {RESULT_DEPTH_MAX} levels"),
            Vec::new(),
        ),
        Ok(json) => {
            *value = json;
            (Outcome::Succeeded, None)
        }
        Err(e) => failed(format!("`run` returned text that is no JSON: {e}"), Vec::new()),
    }
}

/// Levels of arrays and objects; parsing has bounded them.
fn depth(json: &Json) -> usize {
    let inner = match json {
        Json::Array(items) => items.iter().map(depth).max(),
        Json::Object(map) => map.values().map(depth).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}

fn conclude_trap(world: &World, error: &wasmtime::Error) -> Verdict {
    let frames = frames(error);
    if world.quota.machine_failed || error.is::<PoolConcurrencyLimitError>() {
        let message =
            "the machine has no memory for what the run may have; run it again on a freer one"
                .to_owned();
        return (Outcome::Lost, Some(ScriptError { message, frames }));
    }
    match error.downcast_ref::<Halt>() {
        Some(halt @ Halt::Limit(limit)) => return limited(*limit, halt.to_string(), frames),
        Some(halt) => return failed(halt.to_string(), frames),
        None => {}
    }
    let message = domain::display::neutralise(&error.root_cause().to_string());
    match limit_of(world, error, &message) {
        Some(limit) => limited(limit, format!("the limit {limit} is used up"), frames),
        None => failed(message, frames),
    }
}

/// The limit behind a trap or an error of wasmtime. Some of its errors have no type; tests hold their
/// words.
fn limit_of(world: &World, error: &wasmtime::Error, message: &str) -> Option<LimitName> {
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) if world.running => return Some(LimitName::Fuel),
        Some(Trap::OutOfFuel) => return Some(LimitName::InstantiationFuel),
        Some(Trap::StackOverflow) => return Some(LimitName::Stack),
        _ => {}
    }
    if matches!(error.downcast_ref(), Some(ResourceTableError::Full))
        || message.contains("store handle limit exceeded")
    {
        return Some(LimitName::Handles);
    }
    if message.contains("fuel allocated for hostcalls has been exhausted") {
        return Some(LimitName::CallBytes);
    }
    if world.quota.short_of_memory {
        return Some(LimitName::Memory);
    }
    world.quota.short_of_elements.then_some(LimitName::TableElements)
}

fn frames(error: &wasmtime::Error) -> Vec<Frame> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return Vec::new();
    };
    let frame = |f: &wasmtime::FrameInfo| Frame {
        function: match f.func_name() {
            // The alternate form leaves the hash out.
            Some(name) => {
                domain::display::neutralise(&format!("{:#}", rustc_demangle::demangle(name)))
            }
            None => format!("function {}", f.func_index()),
        },
        module_offset: f.module_offset().map(|o| o as u64),
    };
    backtrace.frames().iter().map(frame).collect()
}
