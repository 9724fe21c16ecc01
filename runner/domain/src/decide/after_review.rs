//! The look afterwards: what somebody who broke the glass still owes.
//!
//! Whether it is late is asked where the facts are made; that it bars the next emergency is a rule of
//! [`super::decide()`].

use std::collections::BTreeMap;

use super::policy::{Quorum, TargetRules};
use crate::names::{GroupName, PersonId};

/// Somebody who has looked at what was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterReviewer {
    /// Who, counted as a person.
    pub reviewer: PersonId,
    /// Whether that is a human.
    pub human: bool,
    /// Their groups.
    pub groups: Vec<GroupName>,
}

/// Whether enough people other than `caller` have looked at what was done on these targets. A target
/// whose policy knows no emergency any more asks for its ordinary approvers, at least one. Nobody
/// looks at their own doing, unless one person is all there is (`solo`).
#[must_use]
pub fn after_review_settled(
    caller: &PersonId,
    reviewers: &[AfterReviewer],
    targets: &[TargetRules],
    solo: bool,
) -> bool {
    let others: BTreeMap<&PersonId, &[GroupName]> = reviewers
        .iter()
        .filter(|r| r.human && (solo || r.reviewer != *caller))
        .map(|r| (&r.reviewer, r.groups.as_slice()))
        .collect();
    let enough = |t: &TargetRules| {
        let asked: &Quorum = t.break_glass.as_ref().map_or(&t.approvals, |b| &b.after_review);
        asked.with_required(asked.required.max(1)).shortfall(&others).is_none()
    };
    // Of targets that are gone from the policy nobody can say who should look: anybody else does.
    if targets.is_empty() { !others.is_empty() } else { targets.iter().all(enough) }
}
