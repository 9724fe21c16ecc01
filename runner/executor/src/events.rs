//! What a run tells whoever started it. Everything that derives from guest or target has passed
//! [`crate::release`] before it is here.

use domain::{Denial, Digest, LimitName, Outcome, RunId};
use ledger::LogProof;
use sandbox::{Captured, LogLine, ScriptError, ScriptResult};
use serde::{Deserialize, Serialize};
use trust::Envelope;

/// One step of a run, in order: at most one `Started`, any number of `Progress`, one `Ended`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RunEvent {
    /// The start is durable; id and use are spent.
    Started {
        /// Milliseconds since the Unix epoch, as the runner chose.
        started_at_ms: u64,
    },
    /// The script says how far it is; the note is untrusted text.
    Progress {
        /// 0 to 100.
        percent: u8,
        /// What it is doing.
        note: String,
    },
    /// The run is over.
    Ended(Box<Ended>),
}

/// How a run ended, with its evidence.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// The run.
    pub run: RunId,
    /// How.
    pub outcome: Outcome,
    /// Why it was denied.
    pub denial: Option<Denial>,
    /// The released output, as the JSON of [`Output`]; `None` when nothing may leave.
    pub output: Option<String>,
    /// The digest of the recording, which the runner keeps.
    pub recording: Option<Digest>,
    /// Signed by the runner; `None` only when the log refuses and nothing can be proved.
    pub receipt: Option<Envelope>,
    /// That the run's last entry is in the log.
    pub proof: Option<LogProof>,
}

/// What a run gives its caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Value, tables and artifacts.
    pub result: ScriptResult,
    /// Why the script failed.
    pub error: Option<ScriptError>,
    /// What the guest logged.
    pub log: Vec<LogLine>,
    /// Its standard output.
    pub stdout: Captured,
    /// Its standard error.
    pub stderr: Captured,
    /// Limits that were hit, also those that did not end the run.
    pub limits_hit: Vec<LimitName>,
    /// Fuel since instantiation.
    pub fuel_used: u64,
    /// Milliseconds that it took.
    pub wall_ms: u64,
}
