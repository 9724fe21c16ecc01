//! The person rules: who counts. People are counted, not keys or groups; nobody is exempt.

use std::collections::BTreeSet;

use super::facts::{
    ApprovalFact, Facts, RequestFact, ReviewFact, StopSubject, TargetRules, Verdict,
};
use super::{Denial, Rule};
use crate::capability::Pair;
use crate::names::PersonId;

type Rules<'a> = [(&'a Pair, &'a TargetRules)];

pub(super) fn caller_is_allowed(facts: &Facts<'_>, rules: &Rules<'_>) -> Result<(), Denial> {
    let closed =
        rules.iter().find(|(_, t)| !t.callers.iter().any(|g| facts.caller_groups.contains(g)));
    match closed {
        None => Ok(()),
        Some((pair, t)) => Err(Denial::new(
            Rule::CallerNotAllowed,
            format!("{} may not run on {}", facts.run.caller, pair.target),
            format!("ask for membership in one of: {}", join(&t.callers)),
        )),
    }
}

pub(super) fn submitted(facts: &Facts<'_>) -> Result<(), Denial> {
    if facts.submissions.is_empty() {
        return Err(Denial::new(
            Rule::SubmissionMissing,
            format!("nobody in the directory has submitted {}", facts.run.revision),
            "have its author submit it",
        ));
    }
    Ok(())
}

/// The reviews that count, for every pair at least as many as required.
pub(super) fn reviewed<'f>(
    facts: &'f Facts<'_>,
    rules: &Rules<'_>,
) -> Result<Vec<&'f ReviewFact>, Denial> {
    let mut counted: Vec<&ReviewFact> = Vec::new();
    for (pair, rules) in rules {
        let eligible: Vec<&ReviewFact> = facts
            .reviews
            .iter()
            .filter(|r| r.ceiling.pairs.contains_key(pair) && r.window.contains(facts.now))
            .filter(|r| r.human && rules.reviews.admits(&r.groups) && !stopped(facts, &r.reviewer))
            .filter(|r| !facts.submissions.iter().any(|s| s.author == r.reviewer))
            .collect();
        if let Some(no) = eligible.iter().find(|r| r.verdict != Verdict::Approve) {
            return Err(Denial::new(
                Rule::ReviewRejected,
                format!("{} did not approve the revision for {pair}", no.reviewer),
                "address the review and submit a new revision",
            ));
        }
        // Whatever a policy says, unreviewed code never runs.
        let required = rules.reviews.required.max(1) as usize;
        let people: BTreeSet<&PersonId> = eligible.iter().map(|r| &r.reviewer).collect();
        if people.len() < required {
            return Err(Denial::new(
                Rule::ReviewMissing,
                format!(
                    "{} of {required} reviews of {} for {pair} count{}",
                    people.len(),
                    facts.run.revision,
                    why_not(facts, pair, &people)
                ),
                format!(
                    "ask for a review by somebody other than an author, in one of: {}",
                    join(&rules.reviews.groups)
                ),
            ));
        }
        counted.extend(
            eligible
                .into_iter()
                .filter(|r| !counted.iter().any(|c| c.digest == r.digest))
                .collect::<Vec<_>>(),
        );
    }
    Ok(counted)
}

/// The approvals that count, for every target at least as many as required.
pub(super) fn approved<'f>(
    facts: &'f Facts<'_>,
    request: &RequestFact,
    rules: &Rules<'_>,
    reviews: &[&ReviewFact],
) -> Result<Vec<&'f ApprovalFact>, Denial> {
    // Self-serve comes later; until then a policy of zero approvals still needs one, so that nobody
    // who reviewed runs alone.
    let required = rules.iter().map(|(_, t)| t.approvals.required as usize).max();
    let required = required.unwrap_or(0).max(1);
    let covers_reviews = |a: &ApprovalFact| {
        !a.reviews.is_empty() && a.reviews.iter().all(|d| reviews.iter().any(|r| r.digest == *d))
    };
    let counted: Vec<&ApprovalFact> = facts
        .approvals
        .iter()
        .filter(|a| a.request == request.digest && a.approver != request.caller && a.human)
        .filter(|a| a.policy_version <= facts.policy_version && !stopped(facts, &a.approver))
        .filter(|a| rules.iter().all(|(_, t)| t.approvals.admits(&a.groups)))
        // An approver who saw a review's ceiling relied on it; an order without it could widen.
        .filter(|a| covers_reviews(a))
        .collect();
    let people: BTreeSet<&PersonId> = counted.iter().map(|a| &a.approver).collect();
    if people.len() < required {
        let mut groups: Vec<_> =
            rules.iter().flat_map(|(_, t)| t.approvals.groups.clone()).collect();
        groups.dedup();
        return Err(Denial::new(
            Rule::ApprovalMissing,
            format!("{} of {required} approvals of {} count", people.len(), request.id),
            format!("ask somebody other than the caller, in one of: {}", join(&groups)),
        ));
    }
    Ok(counted)
}

fn stopped(facts: &Facts<'_>, person: &PersonId) -> bool {
    facts.stops.iter().any(|s| matches!(s, StopSubject::Person(p) if p == person))
}

/// Why the reviews that are there do not count, for the message.
fn why_not(facts: &Facts<'_>, pair: &Pair, counted: &BTreeSet<&PersonId>) -> String {
    let mut reasons: Vec<String> = Vec::new();
    for r in facts.reviews.iter().filter(|r| !counted.contains(&r.reviewer)) {
        let why = if facts.submissions.iter().any(|s| s.author == r.reviewer) {
            "is an author"
        } else if !r.ceiling.pairs.contains_key(pair) {
            "reviewed for another target"
        } else if !r.window.contains(facts.now) {
            "reviewed for another time"
        } else if stopped(facts, &r.reviewer) {
            "is stopped"
        } else {
            "is in no reviewing group"
        };
        reasons.push(format!("{} {why}", r.reviewer));
    }
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) }
}

fn join(groups: &[crate::names::GroupName]) -> String {
    let names: Vec<&str> = groups.iter().map(AsRef::as_ref).collect();
    if names.is_empty() { "(no group is listed)".to_owned() } else { names.join(", ") }
}
