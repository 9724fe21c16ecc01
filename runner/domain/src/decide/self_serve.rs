//! Self-serve: reviewers may open a revision to callers who then need no approval. Reviewers, policy
//! and keyring each have to allow it, and each can only make it less.

use super::facts::{Facts, ReviewFact};
use super::people::PairReviews;
use super::policy::SelfServeClause;
use super::quorum::join;
use super::{Denial, Place, Rule};
use crate::time::Timestamp;

/// Seconds over which runs are counted: a day, whenever it begins.
const DAY_S: i64 = 24 * 60 * 60;

const INSTEAD: &str = "file an access request and have it approved";

pub(super) fn is_allowed(facts: &Facts<'_>, places: &[Place<'_>]) -> Result<(), Denial> {
    let no = |fact: String, help: String| Err(Denial::new(Rule::SelfServeNotAllowed, fact, help));
    if facts.run.use_number != 0 {
        return no(
            format!("the run names no access request, but use {}", facts.run.use_number),
            "sign a run request with use 0, or with the access request".to_owned(),
        );
    }
    if !facts.self_serve_floor {
        let fact = "the run names no access request, and the keyring lets nobody run without";
        return no(fact.to_owned(), INSTEAD.to_owned());
    }
    for place in places {
        let target = &place.pair.target;
        let Some(rules) = &place.rules.self_serve else {
            let fact = format!("the run names no access request, and {target} has no self-serve");
            return no(fact, INSTEAD.to_owned());
        };
        if !rules.groups.iter().any(|g| facts.caller_groups.contains(g)) {
            return no(
                format!("{} may not run on {target} without an approval", facts.run.caller),
                format!("{INSTEAD}, or ask for membership in one of: {}", join(&rules.groups)),
            );
        }
    }
    Ok(())
}

/// The review's clauses that open `pair`'s target to the caller.
fn clauses<'r>(
    facts: &Facts<'_>,
    review: &'r ReviewFact,
    r: &PairReviews<'_>,
) -> impl Iterator<Item = &'r SelfServeClause> {
    let (groups, target) = (&facts.caller_groups, &r.place.pair.target);
    review.self_serve.iter().filter(move |c| c.admits(groups, target))
}

/// Whether a review opens the pair to the caller and is somebody else's.
fn opens(facts: &Facts<'_>, review: &ReviewFact, r: &PairReviews<'_>) -> bool {
    (facts.solo || review.reviewer != facts.run.caller)
        && clauses(facts, review, r).next().is_some()
}

/// For every pair as many reviewers as are needed at all, none of them the caller, open it.
pub(super) fn is_reviewed(facts: &Facts<'_>, reviewed: &[PairReviews<'_>]) -> Result<(), Denial> {
    for r in reviewed {
        let Some(short) = r.needed.shortfall(&r.people(|review| opens(facts, review, r))) else {
            continue;
        };
        return Err(Denial::new(
            Rule::SelfServeNotReviewed,
            format!(
                "{} by others open {} to {} without an approval",
                short.of("reviews"),
                r.place.pair,
                facts.run.caller
            ),
            format!("{INSTEAD}, or ask the reviewers for a review with such a clause"),
        ));
    }
    Ok(())
}

/// The smallest number that policy or an opening clause names, pair by pair.
pub(super) fn runs_are_left(facts: &Facts<'_>, reviewed: &[PairReviews<'_>]) -> Result<(), Denial> {
    let since = facts.now.plus_s(-DAY_S);
    for r in reviewed {
        let opening = r.binding().filter(|review| opens(facts, review, r));
        let most = opening
            .flat_map(|review| clauses(facts, review, r))
            .map(|c| c.runs_per_day)
            .chain(r.place.rules.self_serve.as_ref().map(|s| s.runs_per_day))
            .min()
            .unwrap_or(0);
        let target = &r.place.pair.target;
        let recent = facts.self_serve_runs.iter().filter(|s| s.target == *target && s.at > since);
        let started = recent.count() as u64;
        if started >= most {
            return Err(Denial::new(
                Rule::SelfServeSpent,
                format!(
                    "{} started {started} of {most} runs on {target} in the last 24 hours",
                    facts.run.caller
                ),
                format!("wait, or {INSTEAD}"),
            ));
        }
    }
    Ok(())
}

/// It lasts as long as the reviews that it rests on, and for one run.
pub(super) fn ends<'f>(
    facts: &Facts<'_>,
    reviews: impl Iterator<Item = &'f ReviewFact>,
    wall_ms_max: u64,
) -> Timestamp {
    let wall_s = i64::try_from(wall_ms_max.div_ceil(1000)).unwrap_or(i64::MAX);
    let run = facts.now.plus_s(wall_s);
    reviews.map(|r| r.window.not_after).fold(run, Timestamp::min)
}
