//! What people say about one script or run: submission, review, access request, approval, run
//! request; and the answer to a login challenge. Bans and their ends, and what is said afterwards, are
//! in [`super::notices`].

use std::collections::BTreeSet;

use domain::analysis::AnalysisRef;
use domain::decide::{InputRule, SelfServeClause, Verdict, Window};
use domain::{
    ApprovalId, Digest, FreeText, Pair, PersonId, PlanRequestId, RequestId, ReviewId, RunId,
    RunRequestId, RunnerName, Scope, ScriptName, ScriptVersion, SubmissionId, Ticket, Timestamp,
    TrustDomain,
};
use serde::{Deserialize, Serialize};

use super::written;
use crate::document::{Document, Header, NullOnly, Problem, Salt, SignedBy, VersionRef, field};

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

/// Whether a reviewer built the component from the revision's source, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rebuilt {
    /// The reviewer did not, or it is a stock component.
    NotTried,
    /// The same bytes.
    Matched,
    /// Other bytes.
    Differs,
}

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
    /// What the reviewer saw that its queries come to, for pairs of the ceiling. An approval counts for
    /// no pair without.
    pub analysis: Vec<AnalysisRef>,
    /// Who may run it without an approval, on which targets of the ceiling.
    pub self_serve: Vec<SelfServeClause>,
    /// Whether the reviewer built the component again. People read it; no rule counts it.
    pub rebuilt: Rebuilt,
    /// For people.
    pub comment: FreeText,
}
statement!(
    Review,
    "review",
    |d| SignedBy::Person(&d.reviewer),
    check | d | {
        scope("ceiling", &d.ceiling)?;
        analysis(&d.analysis, &d.ceiling)?;
        for (i, clause) in d.self_serve.iter().enumerate() {
            self_serve(clause, &d.ceiling).map_err(|p| p.within(&format!("self_serve.{i}")))?;
        }
        if d.verdict != Verdict::Approve && !d.self_serve.is_empty() {
            return Err(field("self_serve", "is not empty, and the verdict is no approval"));
        }
        Ok(())
    }
);

/// One that is about nothing of the ceiling is a mistake, and two about one pair contradict each other.
fn analysis(seen: &[AnalysisRef], ceiling: &Scope) -> Result<(), Problem> {
    let mut pairs = BTreeSet::new();
    for (i, pair) in seen.iter().map(AnalysisRef::pair).enumerate() {
        let at = |problem: &str| Err(field(&format!("analysis.{i}"), format!("{pair} {problem}")));
        if !ceiling.pairs().any(|p| p == pair) {
            return at("is not in the ceiling");
        }
        if !pairs.insert(pair.clone()) {
            return at("is listed twice");
        }
    }
    Ok(())
}

/// A clause that opens nothing is a mistake, and so is one for a target that the ceiling lacks.
fn self_serve(clause: &SelfServeClause, ceiling: &Scope) -> Result<(), Problem> {
    if clause.groups.is_empty() {
        return Err(field("groups", "is empty; name the groups whose members may run it"));
    }
    if clause.targets.is_empty() {
        return Err(field("targets", "is empty; name targets of the ceiling"));
    }
    let bound = |t: &&domain::TargetId| ceiling.targets.iter().any(|c| c.target == **t);
    if let Some(stray) = clause.targets.iter().find(|t| !bound(t)) {
        return Err(field("targets", format!("{stray} is not in the ceiling")));
    }
    if clause.runs_per_day == 0 {
        return Err(field("runs_per_day", "is 0; leave the clause out"));
    }
    Ok(())
}

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
    /// Whether it is an emergency: fewer approvals, less and shorter, and looked at afterwards.
    pub break_glass: bool,
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
        let raw = d.scope.targets.iter().any(|t| !t.unmasked.is_empty());
        if raw && d.reason.as_str().trim().is_empty() {
            let what = "is empty, and columns are to be read without their masks; say why";
            return Err(field("reason", what));
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
    /// Which of the grant's uses this is, from 1; 0 for self-serve.
    pub use_number: u64,
    /// Why, in the caller's words; `null` where the access request says it.
    #[serde(deserialize_with = "written")]
    pub reason: Option<FreeText>,
    /// Incident or change that this is about; `null` where the access request says it.
    #[serde(deserialize_with = "written")]
    pub ticket: Option<Ticket>,
}
statement!(
    RunRequest,
    "run-request",
    |d| SignedBy::Person(&d.caller),
    check
        | d
        | match (d.request, d.use_number) {
            (None, 1..) => Err(field("use_number", "is not 0, and `request` is null")),
            _ => Ok(()),
        }
);

/// A reviewer's or approver's request for what a target's planner expects of a revision's queries: by it
/// their text reaches the target, so nobody asks for a revision of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanRequest {
    /// What every document has.
    pub header: Header<PlanRequestId>,
    /// Who asks.
    pub person: PersonId,
    /// The revision's digest.
    pub revision: Digest,
    /// Where.
    pub pair: Pair,
    /// The runner that may ask the target.
    pub runner: RunnerName,
}
statement!(PlanRequest, "plan-request", |d| SignedBy::Person(&d.person));

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
