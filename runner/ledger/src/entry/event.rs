//! The closed list of what a ledger records.
//!
//! A digest in an event is always of something salted (a signed document has a random salt, a
//! recording its seed), so that it commits to it without telling what it says.

use domain::{
    AfterReviewId, ApprovalId, Digest, DirectoryId, KeyringId, LiftId, Outcome, PolicyId,
    RequestId, ReviewId, RunId, StopId, SubmissionId, WithdrawalId,
};
use serde::{Deserialize, Serialize};

use crate::note::Origin;

/// The public part of an entry. `document` is the digest of the signed payload's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// A process opened this log; written by the ledger itself.
    LogOpened {
        /// The log's name, so that the tree itself says whose it is.
        log: Origin,
        /// Bytes of an incomplete last frame that a crash had left and that were cut off.
        torn_bytes: u64,
    },
    /// A submission was accepted.
    SubmissionAccepted {
        /// Its id.
        id: SubmissionId,
        /// Its digest.
        document: Digest,
    },
    /// A review was accepted.
    ReviewAccepted {
        /// Its id.
        id: ReviewId,
        /// Its digest.
        document: Digest,
    },
    /// An access request was accepted.
    RequestAccepted {
        /// Its id.
        id: RequestId,
        /// Its digest.
        document: Digest,
    },
    /// An approval was accepted.
    ApprovalAccepted {
        /// Its id.
        id: ApprovalId,
        /// Its digest.
        document: Digest,
    },
    /// A stop was accepted; from here on it bans.
    StopAccepted {
        /// Its id.
        id: StopId,
        /// Its digest.
        document: Digest,
    },
    /// A rejecting review was accepted; from here on it bars.
    RejectionAccepted {
        /// Its id.
        id: ReviewId,
        /// Its digest.
        document: Digest,
    },
    /// A lift was accepted; from here on what it names does not ban.
    LiftAccepted {
        /// Its id.
        id: LiftId,
        /// Its digest.
        document: Digest,
    },
    /// A reviewer's withdrawal of a rejection was accepted.
    WithdrawalAccepted {
        /// Its id.
        id: WithdrawalId,
        /// Its digest.
        document: Digest,
    },
    /// Somebody has looked at an emergency.
    AfterReviewAccepted {
        /// Its id.
        id: AfterReviewId,
        /// Its digest.
        document: Digest,
        /// Whether with it nothing is owed any more.
        settles: bool,
    },
    /// A keyring became the pinned one.
    KeyringAdopted {
        /// Its id.
        id: KeyringId,
        /// Its version.
        version: u64,
        /// Its digest.
        document: Digest,
    },
    /// A directory became the newest seen.
    DirectoryAdopted {
        /// Its id.
        id: DirectoryId,
        /// Its version.
        version: u64,
        /// Its digest.
        document: Digest,
    },
    /// A policy became the newest seen.
    PolicyAdopted {
        /// Its id.
        id: PolicyId,
        /// Its version.
        version: u64,
        /// Its digest.
        document: Digest,
    },
    /// A run was refused. Outside the run's chain: an order may repeat the id of a live run.
    RunDenied {
        /// The run id of the order.
        run: RunId,
    },
    /// A run began; with this its id and its use are spent.
    RunStarted {
        /// The run.
        run: RunId,
        /// Digest of the signed run request.
        order: Digest,
        /// Digest of the access request whose use is spent; `None`: the run needs no approval.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Digest>,
        /// Which use of it; 0 without one.
        use_number: u64,
        /// Whether it is an emergency, which somebody has to look at afterwards.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        break_glass: bool,
    },
    /// An outward call is about to leave the runner.
    CallIntent {
        /// The run.
        run: RunId,
        /// The call's number in the run, from 0.
        call: u64,
    },
    /// An outward call came back.
    CallOutcome {
        /// The run.
        run: RunId,
        /// The call's number in the run, from 0.
        call: u64,
        /// How it ended.
        status: CallStatus,
    },
    /// Bytes derived from guest or target are about to leave for the caller.
    OutputReleased {
        /// The run.
        run: RunId,
        /// How many.
        bytes: u64,
    },
    /// A run ended; closes its chain.
    RunFinished {
        /// The run.
        run: RunId,
        /// How.
        outcome: Outcome,
        /// Digest of the recording file.
        recording: Digest,
        /// Digest of the signed receipt, where it was signed before this entry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        receipt: Option<Digest>,
    },
    /// The runner died during the run and closed it at the next start; closes its chain.
    RunLost {
        /// The run.
        run: RunId,
    },
    /// Somebody is about to get what a run left. Outside the run's chain, which ends with the run.
    RunRead {
        /// The run.
        run: RunId,
        /// What of it.
        what: RunPart,
    },
    /// Somebody is about to get the catalog of a target: names and types of what policy grants there.
    CatalogRead {
        /// How many bytes of it.
        bytes: u64,
    },
    /// Somebody is about to get what a target's planner expects.
    PlanRead {
        /// Digest of the signed request.
        request: Digest,
        /// How many bytes of it.
        bytes: u64,
    },
}

/// What people read of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunPart {
    /// Its output: value, tables, artifacts, log.
    Result,
    /// Its recording.
    Recording,
    /// What it told while it went on.
    Progress,
}

impl RunPart {
    /// As leaves name it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::Recording => "recording",
            Self::Progress => "progress",
        }
    }
}

/// How an outward call ended: the errors of the host interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallStatus {
    /// With a result.
    Ok,
    /// Outside the effective capabilities.
    Denied,
    /// A limit was hit.
    Limit,
    /// The target did not answer in time.
    Timeout,
    /// The arguments do not fit.
    Invalid,
    /// The target failed.
    Backend,
}

impl Event {
    /// The run in whose chain the event is; `None` for everything else, a denial included.
    #[must_use]
    pub const fn chained_run(&self) -> Option<&RunId> {
        match self {
            Self::RunStarted { run, .. }
            | Self::CallIntent { run, .. }
            | Self::CallOutcome { run, .. }
            | Self::OutputReleased { run, .. }
            | Self::RunFinished { run, .. }
            | Self::RunLost { run } => Some(run),
            Self::LogOpened { .. }
            | Self::SubmissionAccepted { .. }
            | Self::ReviewAccepted { .. }
            | Self::RequestAccepted { .. }
            | Self::ApprovalAccepted { .. }
            | Self::StopAccepted { .. }
            | Self::RejectionAccepted { .. }
            | Self::LiftAccepted { .. }
            | Self::WithdrawalAccepted { .. }
            | Self::AfterReviewAccepted { .. }
            | Self::KeyringAdopted { .. }
            | Self::DirectoryAdopted { .. }
            | Self::PolicyAdopted { .. }
            | Self::RunDenied { .. }
            | Self::RunRead { .. }
            | Self::CatalogRead { .. }
            | Self::PlanRead { .. } => None,
        }
    }

    /// Whether it opens its run's chain.
    #[must_use]
    pub const fn opens_run(&self) -> bool {
        matches!(self, Self::RunStarted { .. })
    }

    /// Whether it closes its run's chain.
    #[must_use]
    pub const fn closes_run(&self) -> bool {
        matches!(self, Self::RunFinished { .. } | Self::RunLost { .. })
    }
}
