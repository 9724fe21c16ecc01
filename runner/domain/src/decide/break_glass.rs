//! The emergency: a marked access request with fewer approvals. Only reviewed scripts, with all their
//! reviews; shorter, less, and looked at afterwards.

use super::facts::{Facts, RequestFact};
use super::people::PairReviews;
use super::policy::BreakGlassRules;
use super::quorum::join;
use super::{Denial, Place, Rule};

fn rules<'f>(places: &[Place<'f>]) -> impl Iterator<Item = &'f BreakGlassRules> {
    places.iter().filter_map(|p| p.rules.break_glass.as_ref())
}

/// The uses that every target allows; `None` when the glass is whole.
pub(super) fn uses_max(request: &RequestFact, places: &[Place<'_>]) -> Option<u64> {
    rules(places).map(|b| b.uses_max).min().filter(|_| request.break_glass)
}

/// Seconds until it must have been looked at; the strictest target's.
pub(super) fn after_review_s(places: &[Place<'_>]) -> u64 {
    rules(places).map(|b| b.after_review_s).min().unwrap_or(0)
}

pub(super) fn is_allowed(facts: &Facts<'_>, places: &[Place<'_>]) -> Result<(), Denial> {
    for place in places {
        let target = &place.pair.target;
        let Some(rules) = &place.rules.break_glass else {
            return Err(Denial::new(
                Rule::BreakGlassNotAllowed,
                format!("the policy of {target} knows no emergency"),
                "file an ordinary access request, or have `break_glass` added to the signed policy",
            ));
        };
        if !rules.groups.iter().any(|g| facts.caller_groups.contains(g)) {
            return Err(Denial::new(
                Rule::BreakGlassNotAllowed,
                format!("{} may not break the glass on {target}", facts.run.caller),
                format!(
                    "have somebody do it who is in one of: {}, or file an ordinary access request",
                    join(&rules.groups)
                ),
            ));
        }
    }
    Ok(())
}

/// What was asked for is what was approved, so that more than policy allows is refused, not cut.
pub(super) fn is_within(request: &RequestFact, places: &[Place<'_>]) -> Result<(), Denial> {
    for place in places {
        let Some(rules) = &place.rules.break_glass else { continue };
        let bounds = [
            ("seconds", request.duration_s, rules.duration_s_max),
            ("uses", request.uses, rules.uses_max),
        ];
        if let Some((what, asked, most)) = bounds.into_iter().find(|(_, asked, most)| asked > most)
        {
            return Err(Denial::new(
                Rule::BreakGlassTooWide,
                format!(
                    "{} asks for {asked} {what}, and an emergency on {} has at most {most}",
                    request.id, place.pair.target
                ),
                format!("file one that asks for at most {most} {what}"),
            ));
        }
    }
    Ok(())
}

pub(super) fn nothing_is_overdue(facts: &Facts<'_>) -> Result<(), Denial> {
    let Some(first) = facts.after_reviews_overdue.first() else { return Ok(()) };
    Err(Denial::new(
        Rule::AfterReviewOverdue,
        format!(
            "{} broke the glass under {first}, and nobody has looked at it in time",
            facts.run.caller
        ),
        format!(
            "have somebody else sign an after-review of {first}, or file an ordinary access request"
        ),
    ))
}

/// Where no approval is needed, a review by somebody else is the other person's yes.
pub(super) fn somebody_else_reviewed(
    facts: &Facts<'_>,
    reviewed: &[PairReviews<'_>],
) -> Result<(), Denial> {
    let caller = &facts.run.caller;
    let alone = |r: &&PairReviews<'_>| {
        r.people(|review| facts.solo || review.reviewer != *caller).is_empty()
    };
    match reviewed.iter().find(alone) {
        None => Ok(()),
        Some(r) => Err(Denial::new(
            Rule::ApprovalMissing,
            format!("nobody but {caller} has said yes to {}", r.place.pair),
            "ask somebody other than the caller for an approval or a review",
        )),
    }
}
