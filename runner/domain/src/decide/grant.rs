//! The grant: what one access request and its approvals amount to, now. A grant is derived, never
//! stored.

use std::collections::BTreeMap;

use super::facts::{ApprovalFact, Facts, InputRule, RequestFact, ReviewFact};
use super::people::{PairReviews, stopped};
use super::policy::Quorum;
use super::quorum::{People, join};
use super::{Denial, Place, Rule, break_glass};
use crate::time::Timestamp;

pub(super) fn request<'f>(facts: &'f Facts<'_>) -> Result<&'f RequestFact, Denial> {
    facts.request.as_ref().ok_or_else(|| {
        Denial::new(
            Rule::RequestMissing,
            "the run names an access request, and the order has none",
            "send it with the order, or file an access request and have it approved",
        )
    })
}

/// Whether the access request is about this run.
pub(super) fn is_about(facts: &Facts<'_>, request: &RequestFact) -> Result<(), Denial> {
    let run = &facts.run;
    let fact = if run.request != Some(request.digest) {
        format!("{} is not the access request that the run request names", request.id)
    } else if request.caller != run.caller {
        format!("{} belongs to {}, not to {}", request.id, request.caller, run.caller)
    } else if request.revision != run.revision {
        format!("{} is about {}, not {}", request.id, request.revision, run.revision)
    } else if let Some(pair) = run.pairs.iter().find(|p| !request.scope.pairs.contains_key(*p)) {
        format!("{} does not name {pair}", request.id)
    } else {
        return Ok(());
    };
    let help = "file an access request for what you want to run; an approved one cannot be changed";
    Err(Denial::new(Rule::RequestMismatch, fact, help))
}

pub(super) fn input_is_approved(facts: &Facts<'_>, request: &RequestFact) -> Result<(), Denial> {
    match &request.input {
        InputRule::Exact { digest } if *digest != facts.run.input => Err(Denial::new(
            Rule::InputNotApproved,
            format!("the input is {}, the access request says {digest}", facts.run.input),
            "run with the approved input, or file an access request for this one",
        )),
        InputRule::Exact { .. } | InputRule::Schema => Ok(()),
    }
}

/// The approvals that are needed, target by target.
pub(super) fn needed(request: &RequestFact, places: &[Place<'_>]) -> Vec<Quorum> {
    let of = |p: &Place<'_>| match &p.rules.break_glass {
        // An emergency has its own number, which may be none.
        Some(rules) if request.break_glass => rules.approvals.clone(),
        // Without a request there is self-serve; with one, somebody else always says yes.
        _ => p.rules.approvals.with_required(p.rules.approvals.required.max(1)),
    };
    places.iter().map(of).collect()
}

/// The approvals that count, whether or not they suffice. One counts for a run only if its approver
/// is in an approving group of every target.
pub(super) fn counted<'f>(
    facts: &'f Facts<'_>,
    request: &RequestFact,
    needed: &[Quorum],
    reviewed: &[PairReviews<'_>],
) -> Vec<&'f ApprovalFact> {
    let other = |a: &ApprovalFact| facts.solo || a.approver != request.caller;
    facts
        .approvals
        .iter()
        .filter(|a| a.request == request.digest && a.human && other(a))
        .filter(|a| a.policy_version <= facts.policy_version && !stopped(facts, &a.approver))
        .filter(|a| needed.iter().all(|quorum| quorum.admits(&a.groups)))
        // An approver who saw a review's ceiling relied on it; an order without it could widen.
        .filter(|a| !a.reviews.is_empty() && relies_on_counted(facts, a, reviewed))
        .collect()
}

/// Whether every review that the approver saw is here, and binds each pair of the run that it names.
fn relies_on_counted(
    facts: &Facts<'_>,
    approval: &ApprovalFact,
    reviewed: &[PairReviews<'_>],
) -> bool {
    let binds = |review: &ReviewFact, r: &PairReviews<'_>| {
        let here = |c: &&ReviewFact| c.digest == review.digest;
        !review.ceiling.pairs.contains_key(r.place.pair)
            || r.counted.iter().any(here)
            || r.base.iter().any(here)
    };
    let base = || facts.base.iter().flat_map(|b| &b.reviews);
    approval.reviews.iter().all(|digest| {
        let seen = facts.reviews.iter().chain(base()).find(|r| r.digest == *digest);
        seen.is_some_and(|review| reviewed.iter().all(|r| binds(review, r)))
    })
}

fn people<'f>(approvals: &[&'f ApprovalFact]) -> People<'f> {
    approvals.iter().map(|a| (&a.approver, a.groups.as_slice())).collect()
}

pub(super) fn enough_approvals(
    facts: &Facts<'_>,
    request: &RequestFact,
    needed: &[Quorum],
    counted: &[&ApprovalFact],
    reviewed: &[PairReviews<'_>],
) -> Result<(), Denial> {
    let people = people(counted);
    if let Some((quorum, short)) = needed.iter().find_map(|q| Some((q, q.shortfall(&people)?))) {
        let mut groups = quorum.groups.clone();
        groups.dedup();
        return Err(Denial::new(
            Rule::ApprovalMissing,
            format!("{} of {} count", short.of("approvals"), request.id),
            format!("ask somebody other than the caller, in one of: {}", join(&groups)),
        ));
    }
    if counted.is_empty() {
        break_glass::somebody_else_reviewed(facts, reviewed)?;
    }
    Ok(())
}

/// When the grant is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) starts: Timestamp,
    pub(super) ends: Timestamp,
}

/// Every window cuts: the grant opens when the last one does and ends with the first. Its duration
/// runs from the approval that made it complete, so that one more approval never prolongs it.
pub(super) fn window(
    facts: &Facts<'_>,
    request: &RequestFact,
    needed: &[Quorum],
    approvals: &[&ApprovalFact],
    reviews: &BTreeMap<crate::Digest, &ReviewFact>,
) -> Result<Open, Denial> {
    let windows = || approvals.iter().map(|a| a.window).chain([request.window]);
    let starts = windows().map(|w| w.not_before).max().unwrap_or(request.window.not_before);
    let complete = completed_at(needed, approvals).unwrap_or(request.window.not_before);
    let complete = complete.max(request.window.not_before);
    let by_duration = complete.plus_s(i64::try_from(request.duration_s).unwrap_or(i64::MAX));
    let ends = windows()
        .map(|w| w.not_after)
        .chain(reviews.values().map(|r| r.window.not_after))
        .chain([by_duration])
        .min()
        .unwrap_or(by_duration);
    if facts.now < starts {
        return Err(Denial::new(
            Rule::GrantNotYet,
            format!("the grant of {} begins at {starts}, and it is {}", request.id, facts.now),
            "wait until then",
        ));
    }
    if facts.now > ends {
        return Err(Denial::new(
            Rule::GrantExpired,
            format!("the grant of {} ended at {ends}, and it is {}", request.id, facts.now),
            "file a new access request",
        ));
    }
    Ok(Open { starts, ends })
}

/// When the earliest approvals that suffice had all begun; `None` when none is needed.
fn completed_at(needed: &[Quorum], approvals: &[&ApprovalFact]) -> Option<Timestamp> {
    let mut sorted: Vec<&ApprovalFact> = approvals.to_vec();
    sorted.sort_by_key(|a| a.window.not_before);
    let suffices = |n: &usize| {
        let people = people(&sorted[..*n]);
        needed.iter().all(|q| q.shortfall(&people).is_none())
    };
    let enough = (0..=sorted.len()).find(suffices)?;
    sorted[..enough].last().map(|a| a.window.not_before)
}

pub(super) fn use_is_left(
    facts: &Facts<'_>,
    request: &RequestFact,
    places: &[Place<'_>],
) -> Result<(), Denial> {
    let number = facts.run.use_number;
    let uses = break_glass::uses_max(request, places).map_or(request.uses, |m| m.min(request.uses));
    if number == 0 || number > uses {
        return Err(Denial::new(
            Rule::UseSpent,
            format!("the run is use {number} of {}, which allows {uses}", request.id),
            "file a new access request",
        ));
    }
    if facts.uses_spent.contains(&number) {
        return Err(Denial::new(
            Rule::UseSpent,
            format!("use {number} of {uses} of {} is spent", request.id),
            "run again to take the next use, or file a new access request when all are spent",
        ));
    }
    Ok(())
}
