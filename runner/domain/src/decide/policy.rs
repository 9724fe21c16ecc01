//! The part of a signed policy that decides: who is needed, and what is allowed at most.
//!
//! Not here: how a policy is written and signed (crate `trust`), and how people are counted
//! ([`super::quorum`]).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::capability::{Capabilities, OnPair, Pair};
use crate::limits::{Limits, QueryLimits};
use crate::manifest::Engine;
use crate::mask::ColumnPath;
use crate::names::{GroupName, RunnerName, TargetId};

/// How many people, and from which groups. No group means nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quorum {
    /// Distinct people needed.
    pub required: u32,
    /// A person of any of these groups counts.
    pub groups: Vec<GroupName>,
    /// Groups that must each be represented, by different people. A part of `groups`.
    pub from_each: Vec<GroupName>,
}

impl Quorum {
    /// Whether a member of `groups` counts.
    #[must_use]
    pub fn admits(&self, groups: &[GroupName]) -> bool {
        self.groups.iter().any(|g| groups.contains(g))
    }
}

/// Who may run what reviewers have opened for it, without an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfServeRules {
    /// Groups whose members may.
    pub groups: Vec<GroupName>,
    /// Runs of one person of one revision on this target in 24 hours.
    pub runs_per_day: u64,
}

/// A reviewer's clause: what these callers may run on these targets, within the review's ceiling,
/// without an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfServeClause {
    /// Groups whose members may.
    pub groups: Vec<GroupName>,
    /// Targets of the ceiling.
    pub targets: Vec<TargetId>,
    /// Runs of one person on each of these targets in 24 hours.
    pub runs_per_day: u64,
}

impl SelfServeClause {
    /// Whether it opens `target` to a member of `groups`.
    #[must_use]
    pub fn admits(&self, groups: &[GroupName], target: &TargetId) -> bool {
        self.targets.contains(target) && self.groups.iter().any(|g| groups.contains(g))
    }
}

/// What an emergency may do: reviewed scripts, fewer approvals, less and shorter, looked at after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakGlassRules {
    /// Approvals needed; none where `required` is 0 and the keyring's floor lets it.
    pub approvals: Quorum,
    /// Groups whose members may break the glass.
    pub groups: Vec<GroupName>,
    /// Seconds that such a grant may last.
    pub duration_s_max: u64,
    /// Uses that such a grant may have.
    pub uses_max: u64,
    /// Limits of a run under it.
    pub limits: Limits,
    /// Limits of each query under it.
    pub query: QueryLimits,
    /// Seconds after its first use until it must have been looked at.
    pub after_review_s: u64,
    /// Who has to look at it.
    pub after_review: Quorum,
}

/// The part of a target's policy that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRules {
    /// The target.
    pub id: TargetId,
    /// What it is.
    pub engine: Engine,
    /// Whether it is production.
    pub prod: bool,
    /// Runners that reach it.
    pub runners: Vec<RunnerName>,
    /// Groups whose members may run on it.
    pub callers: Vec<GroupName>,
    /// Reviews needed; at least one whatever the policy says.
    pub reviews: Quorum,
    /// People who suffice where only the component changed since a revision that had all its
    /// reviews; `None`: always all.
    pub reviews_unchanged: Option<u32>,
    /// Approvals needed.
    pub approvals: Quorum,
    /// Who may run without one; `None`: nobody.
    pub self_serve: Option<SelfServeRules>,
    /// What an emergency may do; `None`: nothing.
    pub break_glass: Option<BreakGlassRules>,
    /// Limits of a run that touches it.
    pub limits: Limits,
    /// Limits of each query on it.
    pub query: QueryLimits,
    /// Masked columns whose mask a grant may take away.
    pub unmaskable: BTreeSet<ColumnPath>,
}

impl TargetRules {
    /// The capabilities that this target allows for what is asked.
    #[must_use]
    pub fn bound(&self, asks: &Capabilities) -> Capabilities {
        self.bounded(asks, self.limits, self.query)
    }

    /// The same in an emergency, when policy knows one here.
    #[must_use]
    pub fn bound_break_glass(&self, asks: &Capabilities) -> Option<Capabilities> {
        let rules = self.break_glass.as_ref()?;
        Some(self.bounded(asks, rules.limits, rules.query))
    }

    fn bounded(&self, asks: &Capabilities, limits: Limits, query: QueryLimits) -> Capabilities {
        let mine = asks.pairs.iter().filter(|(pair, _)| pair.target == self.id);
        let bound = |(pair, on): (&Pair, &OnPair)| {
            let queries = on.queries.keys().map(|q| (q.clone(), query)).collect();
            let unmasked = on.unmasked.intersection(&self.unmaskable).cloned().collect();
            (pair.clone(), OnPair { queries, unmasked })
        };
        Capabilities { pairs: mine.map(bound).collect(), limits }
    }
}
