//! What a run tells whoever started it. Everything that derives from guest or target has passed
//! [`crate::release`] before it is here.

use domain::{Denial, Digest, LimitName, Outcome, QueryName, RunId, TargetId};
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
    /// Targets that did not answer a query, whatever the script made of it; at most
    /// [`TROUBLES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Trouble>,
    /// Replicas that were read, and how far behind they were at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lags: Vec<ReplicaLag>,
}

/// How far a replica was behind its primary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplicaLag {
    /// The target.
    pub target: TargetId,
    /// Seconds, rounded up: the most that any of the run's queries found when it began.
    pub lag_s_max: u64,
}

/// Troubles that an output has at most: a script that tries again and again has one.
pub const TROUBLES_MAX: usize = 8;

/// Why a target did not answer a query, in the runner's words. The script is told the code alone, and
/// the database's words stay in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    /// The target.
    pub target: TargetId,
    /// The query.
    pub query: QueryName,
    /// The stable code, as the script gets it.
    pub code: String,
    /// Who can do something about it.
    pub fault: TroubleFault,
    /// What happened and what helps.
    pub problem: String,
    /// Whether the query had been sent, so that it may have run there.
    #[serde(default = "may_be")]
    pub asked: bool,
}

/// Of a trouble that does not say, as those of older runners.
const fn may_be() -> bool {
    true
}

/// Who can do something about a trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TroubleFault {
    /// The script: its SQL or its parameters.
    Script,
    /// Whoever operates the target or signs its policy.
    Operator,
    /// The target, at this moment.
    Target,
    /// Nobody: the run was ended.
    Nobody,
    /// The runner.
    Runner,
}

impl From<targets::Fault> for TroubleFault {
    fn from(fault: targets::Fault) -> Self {
        match fault {
            targets::Fault::Script => Self::Script,
            targets::Fault::Operator => Self::Operator,
            targets::Fault::Target => Self::Target,
            targets::Fault::Nobody => Self::Nobody,
            targets::Fault::Runner => Self::Runner,
        }
    }
}
