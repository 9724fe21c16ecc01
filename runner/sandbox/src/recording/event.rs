//! The events of a recording, and the parts of a run's result.

use domain::{Column, Digest, LimitName, Outcome, RunId, Scope, Table, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::port::CallError;

/// One thing that happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// What the run is; always first.
    Header(Box<Header>),
    /// The guest calls a function whose result comes from outside.
    Call {
        /// The call's number, from 1, without gaps.
        seq: u64,
        /// The interface, as `borescope:debug/sql`.
        interface: String,
        /// The function.
        function: String,
        /// Its arguments.
        args: Json,
        /// Fuel that is left; a fingerprint of everything that the guest did before.
        fuel_left: u64,
    },
    /// What the call returned.
    Return {
        /// The call's number.
        seq: u64,
        /// The result, exactly as the guest got it.
        result: CallResult,
    },
    /// The guest calls a function whose result follows from the header.
    Local {
        /// The call's number.
        seq: u64,
        /// The interface.
        interface: String,
        /// The function.
        function: String,
        /// The digest of its arguments.
        args_digest: Digest,
        /// The line, for `log`, up to the cap on log bytes.
        line: Option<LogLine>,
        /// Fuel that is left.
        fuel_left: u64,
    },
    /// What the guest wrote to standard output.
    Stdout(Captured),
    /// What the guest wrote to standard error.
    Stderr(Captured),
    /// What the script produced.
    Result(Box<ScriptResult>),
    /// How the run ended; always last.
    End(Box<End>),
}

/// What a run is: all of a guest's input that does not come from calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The run.
    pub run: RunId,
    /// The revision.
    pub revision: Digest,
    /// The component's bytes.
    pub component: Digest,
    /// The engine build that ran it.
    pub engine_build: Digest,
    /// Milliseconds since the Unix epoch; the guest's clock stands there.
    pub started_at_ms: u64,
    /// The seed of the guest's randomness.
    #[serde(with = "hex_bytes")]
    pub seed: Vec<u8>,
    /// Effective capabilities with the limits of the run.
    pub effective: Scope,
    /// The input, byte for byte.
    #[serde(with = "hex_bytes")]
    pub input: Vec<u8>,
}

/// The result of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CallResult {
    /// A query was opened.
    Opened {
        /// The cursor's number.
        cursor: u64,
        /// Its columns.
        columns: Vec<Column>,
    },
    /// Rows were read.
    Page {
        /// The rows.
        rows: Vec<Vec<Value>>,
        /// Whether nothing follows.
        done: bool,
    },
    /// The call gave an error value.
    Error(CallError),
}

/// A line that the script logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogLine {
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// The text; untrusted.
    pub message: String,
}

/// A captured stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Captured {
    /// What was kept; untrusted.
    #[serde(with = "hex_bytes")]
    pub bytes: Vec<u8>,
    /// Bytes above the cap, which were dropped.
    pub dropped: u64,
}

/// What a script produced.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptResult {
    /// What `run` returned; null unless the run succeeded.
    pub value: Json,
    /// Tables, in the order they were made.
    pub tables: Vec<Table>,
    /// Artifacts, in the order they were made.
    pub artifacts: Vec<Artifact>,
}

/// A named file in a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// Its name; untrusted.
    pub name: String,
    /// Its media type; untrusted.
    pub content_type: String,
    /// Its content.
    #[serde(with = "hex_bytes")]
    pub bytes: Vec<u8>,
}

/// Why a script failed, for its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptError {
    /// What went wrong; the script's own words are untrusted.
    pub message: String,
    /// Where the guest was, innermost first; empty unless it trapped.
    pub frames: Vec<Frame>,
}

/// One guest function of a backtrace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Its name from the component's name section, demangled; or `function N`.
    pub function: String,
    /// The offset in its module, for symbolising.
    pub module_offset: Option<u64>,
}

/// Where a run stopped; a replay stops there too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum StopPoint {
    /// The guest returned, trapped or hit a limit by itself.
    Guest,
    /// From outside, during instantiation: the guest made no call.
    Instantiation,
    /// From outside, when the guest had yielded so many times since instantiation.
    Yield {
        /// Yields, from 1.
        count: u64,
    },
    /// From outside, in this call: it never returned to the guest.
    HostCall {
        /// The call's number.
        seq: u64,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// The outcome.
    pub outcome: Outcome,
    /// Why, if it failed.
    pub error: Option<ScriptError>,
    /// Where.
    pub stop: StopPoint,
    /// Limits that were hit, also those that did not end the run.
    pub limits_hit: Vec<LimitName>,
    /// Fuel since instantiation.
    pub fuel_used: u64,
    /// Bytes of all memories.
    pub memory_peak: u64,
    /// Calls of `borescope:debug` functions.
    pub host_calls: u64,
    /// Bytes of log lines above the cap, which were dropped.
    pub log_dropped: u64,
}

impl Event {
    pub(super) const CALLS: u8 = 2;

    /// The number of the call that this event is about.
    #[must_use]
    pub const fn seq(&self) -> Option<u64> {
        match self {
            Self::Call { seq, .. } | Self::Return { seq, .. } | Self::Local { seq, .. } => {
                Some(*seq)
            }
            Self::Header(_)
            | Self::Stdout(_)
            | Self::Stderr(_)
            | Self::Result(_)
            | Self::End(_) => None,
        }
    }

    /// Whether both are the same in a recording. Unlike `==`, a NaN is the same as itself.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self == other
            || serde_json::to_vec(self)
                .ok()
                .is_some_and(|a| serde_json::to_vec(other).ok() == Some(a))
    }

    /// The frame's type byte; numbers are never reused.
    pub(super) const fn kind(&self) -> u8 {
        match self {
            Self::Header(_) => 1,
            Self::Call { .. } => 2,
            Self::Return { .. } => 3,
            Self::Local { .. } => 4,
            Self::Stdout(_) => 5,
            Self::Stderr(_) => 6,
            Self::Result(_) => 7,
            Self::End(_) => 8,
        }
    }

    /// Whether it is one of the four that follow all calls and say how the run ended.
    #[must_use]
    pub const fn is_of_end(&self) -> bool {
        Self::is_tail(self.kind())
    }

    /// Whether a type byte is of the events after all calls.
    pub(super) const fn is_tail(kind: u8) -> bool {
        matches!(kind, 5..=8)
    }

    /// The order in a file: the header, calls and returns as they come, then one of each.
    pub(super) const fn stage(&self) -> u8 {
        match self {
            Self::Header(_) => 1,
            Self::Call { .. } | Self::Return { .. } | Self::Local { .. } => Self::CALLS,
            Self::Stdout(_) => 3,
            Self::Stderr(_) => 4,
            Self::Result(_) => 5,
            Self::End(_) => 6,
        }
    }

    /// What the event is called in messages: the function, or the part of the recording.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Header(_) => "header".to_owned(),
            Self::Call { interface, function, .. } | Self::Local { interface, function, .. } => {
                format!("{interface}#{function}")
            }
            Self::Return { .. } => "return".to_owned(),
            Self::Stdout(_) => "stdout".to_owned(),
            Self::Stderr(_) => "stderr".to_owned(),
            Self::Result(_) => "result".to_owned(),
            Self::End(_) => "end".to_owned(),
        }
    }
}

mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(v: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(v))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        hex::decode(String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}
