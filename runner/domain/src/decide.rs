//! The one decision: may this run happen, and with which capabilities?
//!
//! [`decide()`] takes facts that somebody else has established from signed documents (crate `trust`)
//! and applies the rules that no configuration can turn off, then the target's own rules. The control
//! plane calls it for advice, the runner for good. It never looks at a clock: `now` is a fact.
//!
//! Rules run in a fixed order and the first that fails is the answer, so that a denial names one
//! cause and one way forward.

pub mod facts;
mod grant;
mod people;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use facts::{
    ApprovalFact, Facts, InputRule, Quorum, RequestFact, ReviewFact, RunFact, StopSubject,
    SubmissionFact, TargetRules, Verdict, Window,
};

use crate::capability::{Capabilities, Pair};
use crate::ids::{ApprovalId, ReviewId};
use crate::time::Timestamp;

/// The longest life of a run request, seconds.
pub const RUN_REQUEST_LIFE_S_MAX: i64 = 300;

/// A rule that can deny, with its stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Something that the run depends on is stopped.
    Stopped,
    /// The run request is not valid now, or lives too long.
    RunRequestExpired,
    /// The run id has been used.
    RunIdSpent,
    /// The bindings do not fit the manifest.
    Targets,
    /// The policy does not know the target, or does not let this runner reach it.
    TargetUnknown,
    /// The target is marked prod; this version refuses those.
    ProdNotSupported,
    /// The caller may not run anything on this target.
    CallerNotAllowed,
    /// Nobody known has submitted the revision.
    SubmissionMissing,
    /// A reviewer rejected the revision or asked for changes.
    ReviewRejected,
    /// Too few reviews count.
    ReviewMissing,
    /// There is no access request.
    RequestMissing,
    /// The access request is about something else: another caller, revision, target or runner.
    RequestMismatch,
    /// The input is not the approved one.
    InputNotApproved,
    /// Too few approvals count.
    ApprovalMissing,
    /// The grant has not begun.
    GrantNotYet,
    /// The grant has ended.
    GrantExpired,
    /// All uses are spent, or this one is.
    UseSpent,
    /// A document of the run order is malformed, falsely signed, or about something else.
    DocumentInvalid,
    /// The bundle's files are not those that the revision digest names.
    BundleInvalid,
    /// The input does not fit the schema, or lacks what a query needs.
    InputInvalid,
    /// The component cannot run within what is effective.
    ComponentRefused,
    /// The run cannot be recorded.
    NotRecorded,
    /// The clock shows a time before one that was recorded.
    ClockWentBack,
}

impl Rule {
    /// The stable code, as errors and receipts carry it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::RunRequestExpired => "run-request-expired",
            Self::RunIdSpent => "run-id-spent",
            Self::Targets => "targets",
            Self::TargetUnknown => "target-unknown",
            Self::ProdNotSupported => "prod-not-supported",
            Self::CallerNotAllowed => "caller-not-allowed",
            Self::SubmissionMissing => "submission-missing",
            Self::ReviewRejected => "review-rejected",
            Self::ReviewMissing => "review-missing",
            Self::RequestMissing => "request-missing",
            Self::RequestMismatch => "request-mismatch",
            Self::InputNotApproved => "input-not-approved",
            Self::ApprovalMissing => "approval-missing",
            Self::GrantNotYet => "grant-not-yet",
            Self::GrantExpired => "grant-expired",
            Self::UseSpent => "use-spent",
            Self::DocumentInvalid => "document-invalid",
            Self::BundleInvalid => "bundle-invalid",
            Self::InputInvalid => "input-invalid",
            Self::ComponentRefused => "component-refused",
            Self::NotRecorded => "not-recorded",
            Self::ClockWentBack => "clock-went-back",
        }
    }
}

/// A no: which rule, which fact, and what would help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denial {
    /// The rule that failed.
    pub rule: Rule,
    /// The fact that it failed on.
    pub fact: String,
    /// What would help.
    pub help: String,
}

impl Denial {
    /// A denial by `rule` because of `fact`; `help` says what would change it.
    pub fn new(rule: Rule, fact: impl Into<String>, help: impl Into<String>) -> Self {
        Self { rule, fact: fact.into(), help: help.into() }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.fact, self.help)
    }
}

impl std::error::Error for Denial {}

/// A yes: what the run may do, until when, and on whose word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What the run may do.
    pub effective: Capabilities,
    /// When the grant ends; a live run ends with it.
    pub grant_ends: Timestamp,
    /// The reviews that were counted.
    pub reviews: Vec<ReviewId>,
    /// The approvals that were counted.
    pub approvals: Vec<ApprovalId>,
}

/// Decides one run.
///
/// # Errors
/// The first rule that fails, with the fact and what would help.
pub fn decide(facts: &Facts<'_>) -> Result<Decision, Denial> {
    not_stopped(facts)?;
    run_request_is_live(facts)?;
    let rules = target_rules(facts)?;
    people::caller_is_allowed(facts, &rules)?;
    people::submitted(facts)?;
    let reviews = people::reviewed(facts, &rules)?;
    let request = grant::request(facts)?;
    let approvals = people::approved(facts, request, &rules, &reviews)?;
    let grant_ends = grant::window(facts, request, &approvals, &reviews)?;
    grant::use_is_left(facts, request)?;
    let effective = effective(facts, &rules, &reviews, request, &approvals)?;
    Ok(Decision {
        effective,
        grant_ends,
        reviews: reviews.iter().map(|r| r.id.clone()).collect(),
        approvals: approvals.iter().map(|a| a.id.clone()).collect(),
    })
}

fn not_stopped(facts: &Facts<'_>) -> Result<(), Denial> {
    let hit = facts.stops.iter().find(|stop| match stop {
        StopSubject::Everything => true,
        StopSubject::Person(p) => {
            *p == facts.run.caller || facts.submissions.iter().any(|s| s.author == *p)
        }
        // Documents signed by a stopped key never become facts; see `trust`.
        StopSubject::Key(_) => false,
        StopSubject::Revision(r) => *r == facts.run.revision,
        StopSubject::Request(id) => facts.request.as_ref().is_some_and(|r| r.id == *id),
        StopSubject::Target(t) => facts.run.pairs.iter().any(|p| p.target == *t),
    });
    match hit {
        None => Ok(()),
        Some(stop) => Err(Denial::new(
            Rule::Stopped,
            format!("{stop} is stopped"),
            "ask who stopped it; a stop ends only by a signed lift",
        )),
    }
}

fn run_request_is_live(facts: &Facts<'_>) -> Result<(), Denial> {
    let window = &facts.run.window;
    if window.seconds() > RUN_REQUEST_LIFE_S_MAX {
        return Err(Denial::new(
            Rule::RunRequestExpired,
            format!("the run request lives {} s", window.seconds()),
            format!("sign one that lives at most {RUN_REQUEST_LIFE_S_MAX} s"),
        ));
    }
    if !window.contains(facts.now) {
        return Err(Denial::new(
            Rule::RunRequestExpired,
            format!("the run request is valid {window}, and it is {}", facts.now),
            "run again; if it keeps happening, check this machine's clock",
        ));
    }
    if facts.run_id_spent {
        return Err(Denial::new(
            Rule::RunIdSpent,
            format!("{} has been used", facts.run.id),
            "run again; each run has an id of its own",
        ));
    }
    Ok(())
}

/// The rules of each pair's target, in the order of the run's pairs.
fn target_rules<'a>(facts: &'a Facts<'_>) -> Result<Vec<(&'a Pair, &'a TargetRules)>, Denial> {
    let mut bound: Vec<&str> = facts.run.pairs.iter().map(|p| p.logical.as_str()).collect();
    bound.sort_unstable();
    let asked: Vec<&str> = facts.manifest.targets.keys().map(AsRef::as_ref).collect();
    if bound != asked || bound.is_empty() {
        return Err(Denial::new(
            Rule::Targets,
            format!(
                "the run binds [{}], the script asks for [{}]",
                bound.join(", "),
                asked.join(", ")
            ),
            "bind each logical target of the script exactly once",
        ));
    }
    let find = |pair: &'a Pair| {
        let rules = facts.targets.iter().find(|t| t.id == pair.target);
        let reached = rules.filter(|t| t.runners.contains(&facts.run.runner));
        let rules = reached.ok_or_else(|| {
            Denial::new(
                Rule::TargetUnknown,
                format!("the policy has no target {} for runner {}", pair.target, facts.run.runner),
                "check the target's name, or have it added to the signed policy",
            )
        })?;
        let asked = facts.manifest.targets.get(&pair.logical);
        if asked != Some(&rules.engine) {
            let asked = asked.map_or("nothing", |engine| engine.as_str());
            return Err(Denial::new(
                Rule::Targets,
                format!(
                    "the script asks for {asked} at {}, and {} is {}",
                    pair.logical, pair.target, rules.engine
                ),
                "bind the logical target to a target of the engine that the script was written for",
            ));
        }
        if rules.prod {
            return Err(Denial::new(
                Rule::ProdNotSupported,
                format!("{} is marked prod", pair.target),
                "this version runs on targets with `prod = false` only",
            ));
        }
        Ok((pair, rules))
    };
    facts.run.pairs.iter().map(find).collect()
}

/// manifest ∩ every counted review's ceiling ∩ request ∩ every counted approval ∩ target policy.
/// A review counts for the pairs that its ceiling names, so the meet is made pair by pair.
fn effective(
    facts: &Facts<'_>,
    rules: &[(&Pair, &TargetRules)],
    reviews: &[&ReviewFact],
    request: &RequestFact,
    approvals: &[&ApprovalFact],
) -> Result<Capabilities, Denial> {
    let asks = facts.manifest.asks(&facts.run.pairs);
    let mut whole = Capabilities { pairs: std::collections::BTreeMap::new(), limits: asks.limits };
    for (pair, rules) in rules {
        let mut part = asks.only(pair).meet(&rules.bound(&asks.only(pair))).meet(&request.scope);
        for review in reviews.iter().filter(|r| r.ceiling.pairs.contains_key(pair)) {
            part = part.meet(&review.ceiling);
        }
        for approval in approvals {
            part = part.meet(&approval.scope);
        }
        if !part.pairs.contains_key(*pair) {
            return Err(Denial::new(
                Rule::RequestMismatch,
                format!("the access request or an approval does not cover {pair}"),
                "file an access request that names this target",
            ));
        }
        whole.limits = whole.limits.meet(&part.limits);
        whole.pairs.extend(part.pairs);
    }
    Ok(whole)
}

#[cfg(test)]
mod tests;
