//! The receipt: a runner's statement about one run.

use domain::decide::Window;
use domain::{
    ApprovalId, Denial, Digest, LimitName, Outcome, ReceiptId, ReviewId, RunId, RunnerName, Scope,
    Timestamp, TrustDomain,
};
use serde::{Deserialize, Serialize};

use super::statements::statement;
use super::written;
use crate::document::{Document, Header, InProcess, Problem, SignedBy, field};

/// Where in the runner's log the run's first entry stands. The last one carries the receipt's digest,
/// so the receipt cannot name it; the proof that comes with a receipt does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogPosition {
    /// The log's origin line.
    pub origin: String,
    /// The leaf's index.
    pub index: u64,
    /// The leaf's digest.
    pub leaf: Digest,
}

/// The receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// What every document has.
    pub header: Header<ReceiptId>,
    /// The run.
    pub run: RunId,
    /// The digest of the access request's payload.
    #[serde(deserialize_with = "written")]
    pub request: Option<Digest>,
    /// The digest of the run request's payload.
    pub run_request: Digest,
    /// The revision.
    pub revision: Digest,
    /// The component's bytes.
    pub component: Digest,
    /// The engine build.
    pub engine_build: Digest,
    /// Who executed.
    pub runner: RunnerName,
    /// How it ended.
    pub outcome: Outcome,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// What it was allowed to do; empty when denied.
    pub effective: Scope,
    /// The input's bytes.
    pub input: Digest,
    /// The released result's bytes.
    #[serde(deserialize_with = "written")]
    pub output: Option<Digest>,
    /// The recording's bytes.
    #[serde(deserialize_with = "written")]
    pub recording: Option<Digest>,
    /// Fuel after instantiation.
    pub fuel_used: u64,
    /// Every limit that was hit, whether or not it ended the run.
    pub limits_hit: Vec<LimitName>,
    /// Rows that queries returned.
    pub rows: u64,
    /// Bytes of cells that queries returned.
    pub bytes: u64,
    /// Bytes of stdout beyond its cap.
    pub stdout_dropped: u64,
    /// Bytes of stderr beyond its cap.
    pub stderr_dropped: u64,
    /// What stands between script and runner.
    pub isolation: InProcess,
    /// Whether one person may have said everything: a trust domain `solo/…`.
    pub solo: bool,
    /// Where it is logged.
    pub log: LogPosition,
    /// Counted reviews.
    pub reviews: Vec<ReviewId>,
    /// Counted approvals.
    pub approvals: Vec<ApprovalId>,
    /// Why it never started.
    #[serde(deserialize_with = "written")]
    pub denial: Option<Denial>,
}
statement!(
    Receipt,
    "receipt",
    |d| SignedBy::Runner(&d.runner),
    check | d | {
        if (d.outcome == Outcome::Denied) != d.denial.is_some() {
            return Err(field("denial", "is there exactly when the outcome is `denied`"));
        }
        d.effective.capabilities().map(drop).map_err(|e| field("effective", e.to_string()))
    }
);
