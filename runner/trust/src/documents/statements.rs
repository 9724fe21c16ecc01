//! What people say about one script or run: submission, review, access request, approval, run
//! request, stop; and the answer to a login challenge.

use domain::decide::{InputRule, StopSubject, Verdict, Window};
use domain::{
    ApprovalId, Digest, FreeText, Pair, PersonId, RequestId, ReviewId, RunId, RunRequestId,
    RunnerName, Scope, ScriptName, ScriptVersion, StopId, SubmissionId, Ticket, Timestamp,
    TrustDomain,
};
use serde::{Deserialize, Serialize};

use super::keyring::Role;
use super::written;
use crate::document::{
    Document, EmptyOnly, FalseOnly, Header, NotTried, NullOnly, Problem, Salt, SignedBy,
    VersionRef, field,
};
use crate::key::Fingerprint;

macro_rules! statement {
    ($name:ident, $doc:literal, |$d:ident| $signed_by:expr $(, check $check:expr)?) => {
        impl Document for $name {
            const DOC: &'static str = $doc;
            fn trust_domain(&self) -> &TrustDomain {
                &self.header.trust_domain
            }
            fn window(&self) -> Window {
                self.header.window()
            }
            fn signed_by(&self) -> SignedBy<'_> {
                let $d = self;
                $signed_by
            }
            $(fn check(&self) -> Result<(), Problem> {
                let check: fn(&Self) -> Result<(), Problem> = $check;
                check(self)
            })?
        }
    };
}
pub(super) use statement;

/// An author's statement 'I submit this revision'.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// What every document has.
    pub header: Header<SubmissionId>,
    /// Who submits.
    pub author: PersonId,
    /// The human owner of a service principal comes from the directory; written here later.
    pub owner: NullOnly,
    /// The script's name.
    pub script: ScriptName,
    /// The script's version.
    pub version: ScriptVersion,
    /// The revision's digest.
    pub revision: Digest,
}
statement!(Submission, "submission", |d| SignedBy::Person(&d.author));

/// A reviewer's verdict with its ceiling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// What every document has.
    pub header: Header<ReviewId>,
    /// Who reviews.
    pub reviewer: PersonId,
    /// The revision's digest.
    pub revision: Digest,
    /// The verdict.
    pub verdict: Verdict,
    /// What the revision may do at most; its pairs bind logical to real targets.
    pub ceiling: Scope,
    /// The digest of the analysis that the reviewer saw; comes later.
    pub analysis: NullOnly,
    /// Who may run without approval; comes later.
    pub self_serve: EmptyOnly,
    /// Whether the reviewer rebuilt the component; comes later.
    pub rebuilt: NotTried,
    /// For people.
    pub comment: FreeText,
}
statement!(
    Review,
    "review",
    |d| SignedBy::Person(&d.reviewer),
    check | d | scope("ceiling", &d.ceiling)
);

/// A caller's request to run a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessRequest {
    /// What every document has.
    pub header: Header<RequestId>,
    /// Who wants to run.
    pub caller: PersonId,
    /// The revision's digest.
    pub revision: Digest,
    /// What is wanted.
    pub scope: Scope,
    /// On which input.
    pub input: InputRule,
    /// When the grant may be used.
    pub window: Window,
    /// Seconds that the grant lasts once it starts.
    pub duration_s: u64,
    /// How often it may be used, from 1.
    pub uses: u64,
    /// The runner that executes.
    pub runner: RunnerName,
    /// For people.
    pub reason: FreeText,
    /// The incident or change.
    #[serde(deserialize_with = "written")]
    pub ticket: Option<Ticket>,
    /// Comes later.
    pub break_glass: FalseOnly,
}
statement!(
    AccessRequest,
    "access-request",
    |d| SignedBy::Person(&d.caller),
    check | d | {
        scope("scope", &d.scope)?;
        if d.scope.targets.is_empty() {
            return Err(field("scope.targets", "is empty; name the targets to run on"));
        }
        if d.window.seconds() < 0 {
            return Err(field("window.not_before", "is after window.not_after"));
        }
        if d.uses == 0 {
            return Err(field("uses", "is 0; ask for at least one use"));
        }
        if d.duration_s == 0 {
            return Err(field("duration_s", "is 0; ask for at least one second"));
        }
        Ok(())
    }
);

/// An approver's statement about one access request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// What every document has.
    pub header: Header<ApprovalId>,
    /// Who approves.
    pub approver: PersonId,
    /// The digest of the access request's payload.
    pub request: Digest,
    /// The access request's id, for people and lists.
    pub request_id: RequestId,
    /// The digests of the reviews that the approver's client verified.
    pub reviews: Vec<Digest>,
    /// The keyring that it verified against.
    pub keyring: VersionRef,
    /// The directory that it verified against.
    pub directory: VersionRef,
    /// The policy that it verified against.
    pub policy: VersionRef,
    /// What is approved; may only narrow the request.
    pub scope: Scope,
    /// For people.
    pub comment: FreeText,
}
statement!(
    Approval,
    "approval",
    |d| SignedBy::Person(&d.approver),
    check | d | {
        if d.reviews.is_empty() {
            return Err(field(
                "reviews",
                "is empty; an approval lists the reviews that it relies on",
            ));
        }
        scope("scope", &d.scope)
    }
);

/// A caller's order to execute once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// What every document has.
    pub header: Header<RunRequestId>,
    /// Who runs.
    pub caller: PersonId,
    /// The run's id, spent once.
    pub run: RunId,
    /// The revision's digest.
    pub revision: Digest,
    /// The digest of the access request's payload; `null` asks for self-serve.
    #[serde(deserialize_with = "written")]
    pub request: Option<Digest>,
    /// The runner that executes.
    pub runner: RunnerName,
    /// Logical targets bound to real ones.
    pub pairs: Vec<Pair>,
    /// The SHA-256 of the input's bytes.
    pub input: Digest,
    /// Which of the grant's uses this is, from 1.
    pub use_number: u64,
}
statement!(RunRequest, "run-request", |d| SignedBy::Person(&d.caller));

/// An immediate ban. It is in force from its arrival until a lift; its window does not end it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// What every document has.
    pub header: Header<StopId>,
    /// Who stops; holds the role `stop`.
    pub by: PersonId,
    /// What is stopped.
    pub subject: StopSubject,
    /// For people.
    pub reason: FreeText,
}
statement!(
    Stop,
    "stop",
    |d| SignedBy::Holder(&d.by, Role::Stop),
    check
        | d
        | match &d.subject {
            // A stop of a mistyped key would be accepted and ban nothing.
            StopSubject::Key(key) if !Fingerprint::is_canonical(key) => {
                Err(field(
                    "subject.value",
                    "is no fingerprint as `ssh-keygen -l` prints it, SHA256:…",
                ))
            }
            _ => Ok(()),
        }
);

/// The answer to a server's login challenge; proves who is there, and permits nothing by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The audience.
    pub trust_domain: TrustDomain,
    /// Who logs in.
    pub person: PersonId,
    /// The origin that the client dialled, as `https://borescope.example.com`.
    pub origin: String,
    /// The server's challenge.
    pub nonce: Salt,
    /// Last second of validity.
    pub not_after: Timestamp,
}

impl Document for Login {
    const DOC: &'static str = "login";
    fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }
    fn window(&self) -> Window {
        Window { not_before: Timestamp::from_unix_s(0), not_after: self.not_after }
    }
    fn signed_by(&self) -> SignedBy<'_> {
        SignedBy::Person(&self.person)
    }
}

fn scope(name: &str, scope: &Scope) -> Result<(), Problem> {
    scope.capabilities().map(drop).map_err(|e| field(name, e.to_string()))
}
