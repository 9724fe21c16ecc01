//! Runs that nobody has ordered: what would be decided if these people said these things?
//!
//! Everything is asked of [`domain::decide()`], over facts such as a chain of documents would give, so
//! there is no second opinion about any rule. [`Scene`] plays one run with named people, [`who`] asks
//! it about one person at a time, and [`expected`] compares it with what somebody wrote down. Nothing
//! here is evidence: no document was signed.

mod cast;
pub mod expected;
pub mod rights;
pub mod who;

use domain::{Decision, Denial, PersonId, Rule, Step, TargetId};

use crate::authority::Authority;
use crate::documents::{Directory, KeyStatus, Keyring, Person, Policy, PolicyTarget};

use cast::{Cast, Speaker, Way};

/// What would be in force.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// Roles and floors.
    pub keyring: &'a Keyring,
    /// People.
    pub directory: &'a Directory,
    /// Targets.
    pub policy: &'a Policy,
}

impl<'a> Ground<'a> {
    /// What is in force.
    #[must_use]
    pub const fn of(authority: &'a Authority) -> Self {
        Self {
            keyring: authority.keyring(),
            directory: authority.directory(),
            policy: authority.policy(),
        }
    }

    fn solo(&self) -> bool {
        self.keyring.header.trust_domain.as_str().starts_with(crate::authority::SOLO_PREFIX)
    }

    fn person(&self, id: &PersonId) -> Option<&'a Person> {
        self.directory.people.iter().find(|p| p.id == *id)
    }

    /// Somebody whose documents verify.
    fn speaker(&self, id: &PersonId) -> Result<Speaker, Denial> {
        let no = |fact: String, help: &str| Err(Denial::new(Rule::DocumentInvalid, fact, help));
        let Some(person) = self.person(id) else {
            return no(format!("{id} is not in the directory"), "have them enrolled");
        };
        if !person.keys.iter().any(|k| k.status == KeyStatus::Active) {
            let fact = format!("{id} has no active key in the directory");
            return no(fact, "have a key of theirs enrolled");
        }
        Ok(Speaker {
            counted: person.counted().clone(),
            human: person.is_human(),
            groups: person.groups.clone(),
        })
    }

    fn target(&self, id: &TargetId) -> Result<&'a PolicyTarget, Denial> {
        self.policy.target(id).ok_or_else(|| {
            let fact = format!("the policy has no target {id}");
            Denial::new(Rule::TargetUnknown, fact, "check the target's name")
        })
    }
}

/// One run, and who says what about it. A script with one query is submitted, reviewed for the target,
/// requested, approved and run, everything in time, within its limits, and with nothing stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scene {
    /// Where.
    pub target: TargetId,
    /// Who submits the revision.
    pub authors: Vec<PersonId>,
    /// Who approves the revision, as reviewers.
    pub reviewers: Vec<PersonId>,
    /// Who approved an earlier revision that differs in nothing but the component.
    pub reviewed_before: Vec<PersonId>,
    /// Who runs.
    pub caller: PersonId,
    /// Who approves the access request.
    pub approvers: Vec<PersonId>,
    /// Whether the access request is marked as an emergency.
    pub break_glass: bool,
    /// Whether there is no access request, and the reviewers open the revision to the caller's groups.
    pub self_serve: bool,
}

impl Scene {
    /// What would be decided.
    ///
    /// # Errors
    /// The first rule that fails.
    pub fn decide(&self, ground: &Ground<'_>) -> Result<Decision, Denial> {
        self.cast(ground)?.decide(ground, self.target(ground)?)
    }

    /// The whole derivation; of somebody who is not there, only that.
    #[must_use]
    pub fn explain(&self, ground: &Ground<'_>) -> Vec<Step> {
        let steps = || self.cast(ground)?.explain(ground, self.target(ground)?);
        steps().unwrap_or_else(|Denial { rule, fact, help }| {
            vec![Step { rule, satisfied: false, fact, help: Some(help), documents: Vec::new() }]
        })
    }

    fn target<'a>(&self, ground: &Ground<'a>) -> Result<&'a PolicyTarget, Denial> {
        ground.target(&self.target)
    }

    fn cast(&self, ground: &Ground<'_>) -> Result<Cast, Denial> {
        let all = |ids: &[PersonId]| -> Result<Vec<Speaker>, Denial> {
            ids.iter().map(|id| ground.speaker(id)).collect()
        };
        Ok(Cast {
            authors: all(&self.authors)?,
            reviewers: all(&self.reviewers)?,
            reviewed_before: all(&self.reviewed_before)?,
            caller: ground.speaker(&self.caller)?,
            approvers: all(&self.approvers)?,
            way: match (self.self_serve, self.break_glass) {
                (true, _) => Way::SelfServe,
                (false, true) => Way::BreakGlass,
                (false, false) => Way::Request,
            },
            alone: false,
        })
    }
}

#[cfg(test)]
mod tests;
