//! What [`super::decide()`] knows: facts that `trust` has derived from verified documents, and what the
//! runner knows of its own state. Nothing here is taken from an unsigned message.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::policy::{SelfServeClause, TargetRules};
use crate::capability::{Capabilities, Pair};
use crate::digest::Digest;
use crate::ids::{ApprovalId, RequestId, ReviewId, RunId, StatusId, SubmissionId};
use crate::manifest::Manifest;
use crate::names::{GroupName, PersonId, RunnerName, TargetId};
use crate::time::Timestamp;

/// A span of time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First second.
    pub not_before: Timestamp,
    /// Last second.
    pub not_after: Timestamp,
}

impl Window {
    /// Whether `t` lies within.
    #[must_use]
    pub fn contains(&self, t: Timestamp) -> bool {
        self.not_before <= t && t <= self.not_after
    }

    /// Its length in seconds; negative when the ends are swapped, and then it contains nothing.
    #[must_use]
    pub const fn seconds(&self) -> i64 {
        self.not_after.unix_s() - self.not_before.unix_s()
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} to {}", self.not_before, self.not_after)
    }
}

/// Everything that one decision depends on.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The trusted time.
    pub now: Timestamp,
    /// The caller's signed order.
    pub run: RunFact,
    /// The manifest out of the bundle whose digest is `run.revision`.
    pub manifest: &'a Manifest,
    /// Valid submissions of the revision.
    pub submissions: Vec<SubmissionFact>,
    /// Valid reviews of the revision, all verdicts; a rejection that was lifted or withdrawn is none.
    pub reviews: Vec<ReviewFact>,
    /// Rejections of the revision in force that are known otherwise: nobody has to carry them.
    pub rejections: Vec<RejectionFact>,
    /// An earlier revision that had its reviews, for targets whose policy asks less of a change of
    /// nothing but the component.
    pub base: Option<BaseFact>,
    /// The access request that the run request names; `None` with [`RunFact::request`] `None` asks
    /// for self-serve.
    pub request: Option<RequestFact>,
    /// Valid approvals of that access request.
    pub approvals: Vec<ApprovalFact>,
    /// Stops in force.
    pub stops: Vec<StopSubject>,
    /// The newest signed status at hand.
    pub status: Option<StatusFact>,
    /// The rules of the run's targets, from the signed policy.
    pub targets: Vec<TargetRules>,
    /// The policy's version.
    pub policy_version: u64,
    /// Whether the keyring lets any policy allow runs without an approval.
    pub self_serve_floor: bool,
    /// Whether one person may hold every role here: a trust domain for one, `solo/…`.
    pub solo: bool,
    /// The caller's groups, from the signed directory.
    pub caller_groups: Vec<GroupName>,
    /// Whether the run id has been spent.
    pub run_id_spent: bool,
    /// Use numbers of the access request that have been spent.
    pub uses_spent: Vec<u64>,
    /// Runs of this revision that the caller started without an approval.
    pub self_serve_runs: Vec<SelfServeRun>,
    /// The caller's access requests under which the glass was broken and which nobody has looked at
    /// in time.
    pub after_reviews_overdue: Vec<RequestId>,
}

/// The run request.
#[derive(Debug, Clone)]
pub struct RunFact {
    /// The run's id.
    pub id: RunId,
    /// Who orders it, counted as a person.
    pub caller: PersonId,
    /// The revision to run.
    pub revision: Digest,
    /// The digest of the access request's payload; `None` asks for self-serve.
    pub request: Option<Digest>,
    /// The runner that may execute it.
    pub runner: RunnerName,
    /// The bindings.
    pub pairs: Vec<Pair>,
    /// The digest of the input's bytes.
    pub input: Digest,
    /// Which of the grant's uses this is, from 1.
    pub use_number: u64,
    /// When the request is valid.
    pub window: Window,
}

/// A run that was started without an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfServeRun {
    /// Where; a run on two targets is listed twice.
    pub target: TargetId,
    /// When it started.
    pub at: Timestamp,
}

/// A valid submission.
#[derive(Debug, Clone)]
pub struct SubmissionFact {
    /// Its id.
    pub id: SubmissionId,
    /// Its author, counted as a person.
    pub author: PersonId,
}

/// What a reviewer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// May run within the ceiling.
    Approve,
    /// Not yet.
    RequestChanges,
    /// No.
    Reject,
}

/// A valid review.
#[derive(Debug, Clone)]
pub struct ReviewFact {
    /// Its id.
    pub id: ReviewId,
    /// The digest of its payload.
    pub digest: Digest,
    /// Who reviewed.
    pub reviewer: PersonId,
    /// Whether the reviewer is a human; services and agents never review.
    pub human: bool,
    /// The reviewer's groups.
    pub groups: Vec<GroupName>,
    /// The verdict.
    pub verdict: Verdict,
    /// The ceiling.
    pub ceiling: Capabilities,
    /// The analysis that the reviewer saw, by pair.
    pub analyses: BTreeMap<Pair, Digest>,
    /// What it opens to whom without an approval.
    pub self_serve: Vec<SelfServeClause>,
    /// When it is valid; of two by one person the one that begins later is the newer.
    pub window: Window,
}

/// A rejection in force. It bars whatever its window, until it is withdrawn or lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectionFact {
    /// The review's id.
    pub id: ReviewId,
    /// The digest of the review's payload.
    pub digest: Digest,
    /// Who rejected.
    pub reviewer: PersonId,
    /// Whether that is a human.
    pub human: bool,
    /// The reviewer's groups.
    pub groups: Vec<GroupName>,
    /// What it is about.
    pub pairs: Vec<Pair>,
}

/// An earlier revision.
#[derive(Debug, Clone)]
pub struct BaseFact {
    /// Its digest.
    pub revision: Digest,
    /// Its valid submissions.
    pub submissions: Vec<SubmissionFact>,
    /// Its valid reviews.
    pub reviews: Vec<ReviewFact>,
    /// Its rejections in force.
    pub rejections: Vec<RejectionFact>,
    /// What differs besides the component, as [`super::difference`] says; `None`: nothing.
    pub difference: Option<String>,
}

/// A part of what is in force, as a status names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatusPart {
    /// The keyring.
    Keyring,
    /// The directory.
    Directory,
    /// The policy.
    Policy,
    /// The stops and rejections.
    Stops,
}

impl fmt::Display for StatusPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keyring => "keyring",
            Self::Directory => "directory",
            Self::Policy => "policy",
            Self::Stops => "stops and rejections",
        })
    }
}

/// A valid status.
#[derive(Debug, Clone)]
pub struct StatusFact {
    /// Its id.
    pub id: StatusId,
    /// When it is valid.
    pub window: Window,
    /// What it names otherwise than this party has it.
    pub differs: Vec<StatusPart>,
}

/// Which input an access request is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum InputRule {
    /// Exactly the bytes with this digest.
    Exact {
        /// The SHA-256 of the bytes as the client sent them.
        digest: Digest,
    },
    /// Any input that fits the bundle's schema.
    Schema,
}

/// A valid access request.
#[derive(Debug, Clone)]
pub struct RequestFact {
    /// Its id.
    pub id: RequestId,
    /// The digest of its payload; what approvals sign.
    pub digest: Digest,
    /// Who wants to run.
    pub caller: PersonId,
    /// The revision.
    pub revision: Digest,
    /// What is wanted.
    pub scope: Capabilities,
    /// Which input.
    pub input: InputRule,
    /// The outer window.
    pub window: Window,
    /// Seconds that the grant lasts once it starts.
    pub duration_s: u64,
    /// How often it may be used.
    pub uses: u64,
    /// Whether it is an emergency.
    pub break_glass: bool,
}

/// A valid approval.
#[derive(Debug, Clone)]
pub struct ApprovalFact {
    /// Its id.
    pub id: ApprovalId,
    /// Who approved.
    pub approver: PersonId,
    /// Whether the approver is a human.
    pub human: bool,
    /// The approver's groups.
    pub groups: Vec<GroupName>,
    /// The digest of the access request's payload.
    pub request: Digest,
    /// The reviews that the approver's client verified, by payload digest.
    pub reviews: Vec<Digest>,
    /// The policy version that the approver's client verified.
    pub policy_version: u64,
    /// What is approved; may only narrow.
    pub scope: Capabilities,
    /// When it is valid.
    pub window: Window,
}

/// What a stop bans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "value")]
pub enum StopSubject {
    /// A person, in any role.
    Person(PersonId),
    /// A key, by its OpenSSH fingerprint `SHA256:…`.
    Key(String),
    /// A revision.
    Revision(Digest),
    /// An access request and its grant.
    Request(RequestId),
    /// A target.
    Target(TargetId),
    /// Every run.
    Everything,
}

impl fmt::Display for StopSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(p) => write!(f, "person {p}"),
            Self::Key(k) => write!(f, "key {}", crate::display::neutralise(k)),
            Self::Revision(r) => write!(f, "revision {r}"),
            Self::Request(r) => write!(f, "access request {r}"),
            Self::Target(t) => write!(f, "target {t}"),
            Self::Everything => f.write_str("everything"),
        }
    }
}
