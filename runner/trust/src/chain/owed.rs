//! What is owed after an emergency, and whether it is paid. The runner keeps these; when one is late,
//! its caller breaks no glass until somebody has looked.

use domain::decide::{AfterReviewer, TargetRules, after_review_settled};
use domain::{Digest, PersonId, RequestId, TargetId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::authority::Authority;
use crate::documents::PolicyTarget;
use crate::negative::InForce;

/// A break-glass access request under which something ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwedAfterReview {
    /// The digest of the access request's payload.
    pub request: Digest,
    /// The access request's id.
    pub request_id: RequestId,
    /// Who broke the glass, counted as a person.
    pub caller: PersonId,
    /// Where.
    pub targets: Vec<TargetId>,
    /// Until when somebody must have looked: its first use and the `after_review_s` of then.
    pub due: Timestamp,
    /// Who has looked, as they named themselves in after-reviews that were verified on arrival.
    pub reviewers: Vec<PersonId>,
}

impl OwedAfterReview {
    /// Whether enough people have looked, with `more` besides those that are known. Who they are is
    /// asked of the directory of now; somebody who is stopped does not count.
    #[must_use]
    pub fn is_settled(&self, authority: &Authority, more: &[PersonId], in_force: &InForce) -> bool {
        let looked = |id: &PersonId| {
            let person = authority.person(id)?;
            let reviewer = person.counted().clone();
            let (human, groups) = (person.is_human(), person.groups.clone());
            (!in_force.is_stopped(&reviewer)).then_some(AfterReviewer { reviewer, human, groups })
        };
        let reviewers: Vec<AfterReviewer> =
            self.reviewers.iter().chain(more).filter_map(looked).collect();
        let targets: Vec<TargetRules> = self
            .targets
            .iter()
            .filter_map(|t| authority.target(t))
            .map(PolicyTarget::rules)
            .collect();
        after_review_settled(&self.caller, &reviewers, &targets, authority.is_solo())
    }
}
