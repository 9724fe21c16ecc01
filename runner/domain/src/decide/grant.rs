//! The grant: what one access request and its approvals amount to, now. A grant is derived, never
//! stored.

use super::facts::{ApprovalFact, Facts, InputRule, RequestFact, ReviewFact};
use super::{Denial, Rule};
use crate::time::Timestamp;

/// The access request, when it is about this run.
pub(super) fn request<'f>(facts: &'f Facts<'_>) -> Result<&'f RequestFact, Denial> {
    let run = &facts.run;
    let Some(request) = &facts.request else {
        return Err(Denial::new(
            Rule::RequestMissing,
            "the run names no access request, and self-serve is not supported yet",
            "file an access request and have it approved",
        ));
    };
    let mismatch = |fact: String| {
        let help =
            "file an access request for what you want to run; an approved one cannot be changed";
        Err(Denial::new(Rule::RequestMismatch, fact, help))
    };
    if run.request != Some(request.digest) {
        return mismatch(format!(
            "{} is not the access request that the run request names",
            request.id
        ));
    }
    if request.caller != run.caller {
        return mismatch(format!(
            "{} belongs to {}, not to {}",
            request.id, request.caller, run.caller
        ));
    }
    if request.revision != run.revision {
        return mismatch(format!(
            "{} is about {}, not {}",
            request.id, request.revision, run.revision
        ));
    }
    if let Some(pair) = run.pairs.iter().find(|p| !request.scope.pairs.contains_key(*p)) {
        return mismatch(format!("{} does not name {pair}", request.id));
    }
    if let InputRule::Exact { digest } = &request.input
        && *digest != run.input
    {
        return Err(Denial::new(
            Rule::InputNotApproved,
            format!("the input is {}, the access request says {digest}", run.input),
            "run with the approved input, or file an access request for this one",
        ));
    }
    Ok(request)
}

/// When the grant ends, if it is open now: it starts at the latest not-before of the approvals and
/// ends at the earliest of start + duration and all not-afters, those of counted reviews included.
pub(super) fn window(
    facts: &Facts<'_>,
    request: &RequestFact,
    approvals: &[&ApprovalFact],
    reviews: &[&ReviewFact],
) -> Result<Timestamp, Denial> {
    let starts = approvals
        .iter()
        .map(|a| a.window.not_before)
        .chain([request.window.not_before])
        .max()
        .unwrap_or(request.window.not_before);
    let by_duration = starts.plus_s(i64::try_from(request.duration_s).unwrap_or(i64::MAX));
    let ends = approvals
        .iter()
        .map(|a| a.window.not_after)
        .chain(reviews.iter().map(|r| r.window.not_after))
        .chain([request.window.not_after, by_duration])
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
    Ok(ends)
}

pub(super) fn use_is_left(facts: &Facts<'_>, request: &RequestFact) -> Result<(), Denial> {
    let number = facts.run.use_number;
    if number == 0 || number > request.uses {
        return Err(Denial::new(
            Rule::UseSpent,
            format!("the run is use {number} of {}, which allows {}", request.id, request.uses),
            "file a new access request",
        ));
    }
    if facts.uses_spent.contains(&number) {
        return Err(Denial::new(
            Rule::UseSpent,
            format!("use {number} of {} of {} is spent", request.uses, request.id),
            "run again to take the next use, or file a new access request when all are spent",
        ));
    }
    Ok(())
}
