//! What [`super::decide()`] knows: facts that `trust` has derived from verified documents, and what the
//! runner knows of its own state. Nothing here is taken from an unsigned message.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::capability::{Capabilities, Pair};
use crate::digest::Digest;
use crate::ids::{ApprovalId, RequestId, ReviewId, RunId};
use crate::limits::{Limits, QueryLimits};
use crate::manifest::{Engine, Manifest};
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
    /// Valid reviews of the revision, all verdicts.
    pub reviews: Vec<ReviewFact>,
    /// The access request that the run request names.
    pub request: Option<RequestFact>,
    /// Valid approvals of that access request.
    pub approvals: Vec<ApprovalFact>,
    /// Stops in force.
    pub stops: Vec<StopSubject>,
    /// The rules of the targets, from the signed policy.
    pub targets: Vec<TargetRules>,
    /// The policy's version.
    pub policy_version: u64,
    /// The caller's groups, from the signed directory.
    pub caller_groups: Vec<GroupName>,
    /// Whether the run id has been spent.
    pub run_id_spent: bool,
    /// Use numbers of the access request that have been spent.
    pub uses_spent: Vec<u64>,
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

/// A valid submission.
#[derive(Debug, Clone)]
pub struct SubmissionFact {
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
    /// When it is valid.
    pub window: Window,
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

/// How many people, and from which groups. No group means nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quorum {
    /// Distinct people needed.
    pub required: u32,
    /// A person of any of these groups counts.
    pub groups: Vec<GroupName>,
}

impl Quorum {
    /// Whether a member of `groups` counts.
    #[must_use]
    pub fn admits(&self, groups: &[GroupName]) -> bool {
        self.groups.iter().any(|g| groups.contains(g))
    }
}

/// The part of a target's policy that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRules {
    /// The target.
    pub id: TargetId,
    /// What it is.
    pub engine: Engine,
    /// Whether it is production.
    pub prod: bool,
    /// Runners that reach it.
    pub runners: Vec<RunnerName>,
    /// Groups whose members may run on it.
    pub callers: Vec<GroupName>,
    /// Reviews needed; at least one whatever the policy says.
    pub reviews: Quorum,
    /// Approvals needed.
    pub approvals: Quorum,
    /// Limits of a run that touches it.
    pub limits: Limits,
    /// Limits of each query on it.
    pub query: QueryLimits,
}

impl TargetRules {
    /// The capabilities that this target allows for what is asked.
    #[must_use]
    pub fn bound(&self, asks: &Capabilities) -> Capabilities {
        let mine = asks.pairs.iter().filter(|(pair, _)| pair.target == self.id);
        let bound = |(pair, queries): (&Pair, &std::collections::BTreeMap<_, _>)| {
            (
                pair.clone(),
                queries.keys().map(|q: &crate::QueryName| (q.clone(), self.query)).collect(),
            )
        };
        Capabilities { pairs: mine.map(bound).collect(), limits: self.limits }
    }
}
