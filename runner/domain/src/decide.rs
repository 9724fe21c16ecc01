//! The one decision: may this run happen, and with which capabilities?
//!
//! [`decide()`] takes facts that somebody else has established from signed documents (crate `trust`)
//! and applies the rules that no configuration can turn off, then the target's own rules. The control
//! plane calls it for advice, the runner for good. It never looks at a clock: `now` is a fact.
//!
//! Rules run in a fixed order and the first that fails is the answer, so that a denial names one
//! cause and one way forward. [`explain()`] walks the same rules and tells them all.

mod after_review;
mod break_glass;
pub mod facts;
mod gate;
mod grant;
mod people;
pub mod policy;
pub mod quorum;
mod rule;
mod self_serve;
mod trace;
mod unchanged;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use after_review::{AfterReviewer, after_review_settled};
pub use facts::{
    ApprovalFact, BaseFact, Facts, InputRule, RejectionFact, RequestFact, ReviewFact, RunFact,
    SelfServeRun, StatusFact, StatusPart, StopSubject, SubmissionFact, Verdict, Window,
};
pub use people::approving;
pub use policy::{BreakGlassRules, Quorum, SelfServeClause, SelfServeRules, TargetRules};
pub use rule::Rule;
pub use trace::Step;
pub use unchanged::difference;

use crate::capability::{Capabilities, Pair};
use crate::digest::Digest;
use crate::ids::{ApprovalId, ReviewId};
use crate::time::Timestamp;
use people::PairReviews;
use trace::{Trace, said};

/// The longest life of a run request, seconds.
pub const RUN_REQUEST_LIFE_S_MAX: i64 = 300;
/// The longest life of a status, seconds: how long production may be reached by a runner that hears
/// nothing.
pub const STATUS_LIFE_S_MAX: i64 = 600;

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

/// On which way a run is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// An access request and its approvals.
    Request,
    /// An emergency.
    BreakGlass {
        /// Seconds after the first use until somebody else must have looked at it.
        after_review_s: u64,
    },
    /// Reviews that open it to the caller.
    SelfServe,
}

/// A yes: what the run may do, until when, and on whose word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What the run may do.
    pub effective: Capabilities,
    /// When the grant ends; a live run ends with it.
    pub grant_ends: Timestamp,
    /// When the status that it rests on ends; a live run ends then unless a newer one has come.
    /// `None`: it touches no production.
    pub status_ends: Option<Timestamp>,
    /// On which way it is allowed.
    pub way: Way,
    /// Whether one person may have said everything; the receipt says so.
    pub solo: bool,
    /// The reviews of the revision that were counted.
    pub reviews: Vec<ReviewId>,
    /// The reviews of an unchanged earlier revision that were counted.
    pub base_reviews: Vec<ReviewId>,
    /// The approvals that were counted.
    pub approvals: Vec<ApprovalId>,
    /// The analysis that all counted reviews saw, by pair.
    pub analyses: BTreeMap<Pair, Digest>,
}

/// One pair of the run with the rules of its target.
#[derive(Debug, Clone, Copy)]
struct Place<'f> {
    pair: &'f Pair,
    rules: &'f TargetRules,
}

/// Decides one run.
///
/// # Errors
/// The first rule that fails, with the fact and what would help.
pub fn decide(facts: &Facts<'_>) -> Result<Decision, Denial> {
    let mut trace = Trace::deciding();
    let decision = derive(facts, &mut trace);
    match (trace.into_denial(), decision) {
        (Some(denial), _) => Err(denial),
        (None, Some(decision)) => Ok(decision),
        // A derivation stops early only at a denial; should that ever be wrong, it is a no.
        (None, None) => Err(Denial::new(
            Rule::Targets,
            "the derivation came to no end",
            "report this: it is a defect",
        )),
    }
}

/// The whole derivation, rule by rule. The first step that is not satisfied is what [`decide()`]
/// denies with; a rule that rests on what another could not establish is not listed.
#[must_use]
pub fn explain(facts: &Facts<'_>) -> Vec<Step> {
    let mut trace = Trace::explaining();
    let _decision = derive(facts, &mut trace);
    trace.into_steps()
}

/// What one of the three ways gives, before it is met with everything else.
struct Granted<'f> {
    way: Way,
    scopes: Vec<&'f Capabilities>,
    approvals: Vec<&'f ApprovalFact>,
    /// `None`: as long as the reviews and one run last.
    ends: Option<Timestamp>,
}

/// All rules, in their order. Each is asked even when an earlier one has failed, as long as what it
/// rests on is known.
fn derive(facts: &Facts<'_>, t: &mut Trace) -> Option<Decision> {
    begin(facts, t);
    let places = t.step(Rule::Targets, gate::places(facts), |places| {
        let pairs: Vec<String> = places.iter().map(|p| p.pair.to_string()).collect();
        said(format!("{} reaches {}", facts.run.runner, pairs.join(", ")))
    })?;
    let status_ends = t.step(Rule::StatusMissing, gate::production(facts, &places), |ends| {
        let ids = ends.and(facts.status.as_ref()).map(|s| &s.id);
        let fact = ends.map_or_else(
            || "it touches no production".to_owned(),
            |ends| format!("what is in force is known to be so until {ends}"),
        );
        said(fact).by(ids)
    });
    t.step(Rule::CallerNotAllowed, people::caller_is_allowed(facts, &places), |()| {
        said(format!("{} may run there", facts.run.caller))
    });
    t.step(Rule::SubmissionMissing, people::submitted(facts), |()| {
        let authors: Vec<String> = facts.submissions.iter().map(|s| s.author.to_string()).collect();
        said(format!("{} submitted the revision", authors.join(", ")))
            .by(facts.submissions.iter().map(|s| &s.id))
    });
    let broken = facts.request.as_ref().is_some_and(|r| r.break_glass);
    let reviewed = people::reviewed(facts, &places, !broken);
    t.step(Rule::ReviewRejected, people::not_rejected(&reviewed), |()| {
        said("no reviewer is against it")
    });
    t.step(Rule::ReviewMissing, people::enough_reviews(facts, &reviewed), |()| {
        let counted = by_digest(reviewed.iter().flat_map(|r| r.counted.iter().chain(&r.base)));
        said(reviews_in_words(&reviewed)).by(counted.values().map(|r| &r.id))
    });
    let granted = if facts.run.request.is_none() && facts.request.is_none() {
        by_self_serve(facts, &places, &reviewed, t)
    } else {
        by_request(facts, &places, &reviewed, t)
    }?;
    let effective = t.step(Rule::RequestMismatch, effective(facts, &reviewed, &granted), |e| {
        let queries: usize = e.pairs.values().map(|on| on.queries.len()).sum();
        let raw: usize = e.pairs.values().map(|on| on.unmasked.len()).sum();
        let raw =
            if raw == 0 { String::new() } else { format!(", {raw} columns without their masks") };
        said(format!(
            "{queries} queries on {} targets are within everybody's bounds{raw}",
            e.pairs.len()
        ))
    })?;
    let reviews = all_reviews(&reviewed);
    let grant_ends = granted.ends.unwrap_or_else(|| {
        self_serve::ends(facts, reviews.values().copied(), effective.limits.wall_ms_max)
    });
    let ids = |reviews: BTreeMap<Digest, &ReviewFact>| -> Vec<ReviewId> {
        reviews.into_values().map(|r| r.id.clone()).collect()
    };
    Some(Decision {
        effective,
        grant_ends,
        status_ends: status_ends?,
        way: granted.way,
        solo: facts.solo,
        reviews: ids(by_digest(reviewed.iter().flat_map(|r| &r.counted))),
        base_reviews: ids(by_digest(reviewed.iter().flat_map(|r| &r.base))),
        approvals: granted.approvals.iter().map(|a| a.id.clone()).collect(),
        analyses: reviewed
            .iter()
            .filter_map(|r| Some((r.place.pair.clone(), r.analysis?)))
            .collect(),
    })
}

/// What needs no knowledge of the targets.
fn begin(facts: &Facts<'_>, t: &mut Trace) {
    t.step(Rule::Stopped, gate::not_stopped(facts), |()| said("nothing of it is stopped"));
    t.step(Rule::RunRequestExpired, gate::run_request_is_live(facts), |()| {
        said(format!("the run request of {} is valid {}", facts.run.caller, facts.run.window))
    });
    t.step(Rule::RunIdSpent, gate::run_id_is_new(facts), |()| {
        said(format!("{} has not been used", facts.run.id))
    });
}

fn by_request<'f>(
    facts: &'f Facts<'_>,
    places: &[Place<'f>],
    reviewed: &[PairReviews<'f>],
    t: &mut Trace,
) -> Option<Granted<'f>> {
    let request = t.step(Rule::RequestMissing, grant::request(facts), |r| {
        said(format!("{} asks for it", r.caller)).by([&r.id])
    })?;
    t.step(Rule::RequestMismatch, grant::is_about(facts, request), |()| {
        said("the access request is about this run")
    });
    t.step(Rule::InputNotApproved, grant::input_is_approved(facts, request), |()| {
        said("the input is what was asked for")
    });
    let way = if request.break_glass {
        t.step(Rule::BreakGlassNotAllowed, break_glass::is_allowed(facts, places), |()| {
            said(format!("{} may break the glass there", facts.run.caller))
        });
        t.step(Rule::BreakGlassTooWide, break_glass::is_within(request, places), |()| {
            said("it asks for no more than an emergency may have")
        });
        t.step(Rule::AfterReviewOverdue, break_glass::nothing_is_overdue(facts), |()| {
            said("no after-review is overdue")
        });
        Way::BreakGlass { after_review_s: break_glass::after_review_s(places) }
    } else {
        Way::Request
    };
    let needed = grant::needed(request, places);
    let approvals = grant::counted(facts, request, &needed, reviewed);
    let enough = grant::enough_approvals(facts, request, &needed, &approvals, reviewed);
    t.step(Rule::ApprovalMissing, enough, |()| {
        let names: Vec<String> = approvals.iter().map(|a| a.approver.to_string()).collect();
        let who =
            if names.is_empty() { "no approval is needed".to_owned() } else { names.join(", ") };
        said(format!("approved: {who}")).by(approvals.iter().map(|a| &a.id))
    });
    let reviews = all_reviews(reviewed);
    let window = grant::window(facts, request, &needed, &approvals, &reviews);
    let open = t.step(Rule::GrantExpired, window, |open| {
        said(format!("the grant is open from {} to {}", open.starts, open.ends))
    });
    t.step(Rule::UseSpent, grant::use_is_left(facts, request, places), |()| {
        said(format!("use {} is not spent", facts.run.use_number))
    });
    let scopes = [&request.scope].into_iter().chain(approvals.iter().map(|a| &a.scope)).collect();
    Some(Granted { way, scopes, approvals, ends: Some(open?.ends) })
}

fn by_self_serve<'f>(
    facts: &'f Facts<'_>,
    places: &[Place<'f>],
    reviewed: &[PairReviews<'f>],
    t: &mut Trace,
) -> Option<Granted<'f>> {
    t.step(Rule::SelfServeNotAllowed, self_serve::is_allowed(facts, places), |()| {
        said(format!("{} may run there without an approval", facts.run.caller))
    });
    t.step(Rule::SelfServeNotReviewed, self_serve::is_reviewed(facts, reviewed), |()| {
        said("the reviewers open it to the caller")
    });
    t.step(Rule::SelfServeSpent, self_serve::runs_are_left(facts, reviewed), |()| {
        said("runs are left in the last 24 hours")
    });
    Some(Granted { way: Way::SelfServe, scopes: Vec::new(), approvals: Vec::new(), ends: None })
}

fn reviews_in_words(reviewed: &[PairReviews<'_>]) -> String {
    let one = |r: &PairReviews<'_>| {
        let names: Vec<String> = r.people(|_| true).into_keys().map(ToString::to_string).collect();
        let base = if r.base.is_empty() { "" } else { ", and only the component changed" };
        format!("{}: reviewed by {}{base}", r.place.pair, names.join(", "))
    };
    reviewed.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn by_digest<'r, 'f: 'r>(
    reviews: impl Iterator<Item = &'r &'f ReviewFact>,
) -> BTreeMap<Digest, &'f ReviewFact> {
    reviews.map(|r| (r.digest, *r)).collect()
}

/// Every review that binds the run, once.
fn all_reviews<'f>(reviewed: &[PairReviews<'f>]) -> BTreeMap<Digest, &'f ReviewFact> {
    by_digest(reviewed.iter().flat_map(PairReviews::binding))
}

/// manifest ∩ every binding review's ceiling ∩ request ∩ every counted approval ∩ target policy. A
/// review counts for the pairs that its ceiling names, so the meet is made pair by pair.
fn effective(
    facts: &Facts<'_>,
    reviewed: &[PairReviews<'_>],
    granted: &Granted<'_>,
) -> Result<Capabilities, Denial> {
    let asks = facts.manifest.asks(&facts.run.pairs);
    let mut whole = Capabilities { pairs: BTreeMap::new(), limits: asks.limits };
    for r in reviewed {
        let Place { pair, rules } = r.place;
        let mine = asks.only(pair);
        let mut part = mine.meet(&rules.bound(&mine));
        if matches!(granted.way, Way::BreakGlass { .. }) {
            // A target that knows no emergency was refused before; then nothing is left of it.
            let nothing = || Capabilities { pairs: BTreeMap::new(), limits: asks.limits };
            part = part.meet(&rules.bound_break_glass(&mine).unwrap_or_else(nothing));
        }
        let ceilings = r.binding().map(|review| &review.ceiling);
        for bound in ceilings.chain(granted.scopes.iter().copied()) {
            part = part.meet(bound);
        }
        if !part.pairs.contains_key(pair) {
            return Err(Denial::new(
                Rule::RequestMismatch,
                format!("the access request or an approval does not cover {pair}"),
                "file an access request that names this target",
            ));
        }
        whole.limits = whole.limits.meet(&part.limits);
        whole.pairs.extend(part.pairs);
    }
    // Without an approval nobody but the caller said yes to this very run, so nothing is raw.
    Ok(if granted.approvals.is_empty() { whole.masked() } else { whole })
}

#[cfg(test)]
mod tests;
