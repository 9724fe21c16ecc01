//! The capability algebra: everyone can only narrow.
//!
//! [`Scope`] is the written form in signed documents; [`Capabilities`] is the value of the algebra.
//! [`Capabilities::meet`] is commutative, associative, idempotent and never widens; [`crate::decide()`]
//! is its only user that matters.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::limits::{Limits, QueryLimits};
use crate::mask::ColumnPath;
use crate::names::{LogicalTarget, QueryName, TargetId};

/// A logical target bound to a real one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The script's name for it.
    pub logical: LogicalTarget,
    /// The policy's id.
    pub target: TargetId,
}

impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.logical, self.target)
    }
}

/// One query with its limits, written out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryScope {
    /// Its label in the manifest.
    pub name: QueryName,
    /// See [`QueryLimits::calls_max`].
    pub calls_max: u64,
    /// See [`QueryLimits::rows_total_max`].
    pub rows_total_max: u64,
    /// See [`QueryLimits::bytes_total_max`].
    pub bytes_total_max: u64,
}

/// What a document allows on one pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetScope {
    /// The script's name for the target.
    pub logical: LogicalTarget,
    /// The real target.
    pub target: TargetId,
    /// The queries that may be opened there; one that is not listed may not.
    pub queries: Vec<QueryScope>,
    /// Masked columns whose raw value may be read.
    pub unmasked: Vec<ColumnPath>,
}

/// The written form of capabilities: a review's ceiling, a request's wish, an approval's bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// One entry a pair, no pair twice.
    pub targets: Vec<TargetScope>,
    /// Limits of the run as a whole.
    pub limits: Limits,
}

/// Why a scope is not well formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// A pair is listed twice.
    #[error("the pair {0} is listed twice; list its queries in one entry")]
    PairTwice(Pair),
    /// A query is listed twice for a pair.
    #[error("the query {1} is listed twice for {0}")]
    QueryTwice(Pair, QueryName),
    /// A column is listed twice for a pair.
    #[error("the column {1} is listed twice in `unmasked` of {0}")]
    UnmaskedTwice(Pair, ColumnPath),
}

impl Scope {
    /// The pairs, in the order written.
    pub fn pairs(&self) -> impl Iterator<Item = Pair> + '_ {
        self.targets.iter().map(TargetScope::pair)
    }

    /// The value of the algebra that this scope writes down.
    ///
    /// # Errors
    /// When a pair, a query or a column is listed twice.
    pub fn capabilities(&self) -> Result<Capabilities, ScopeError> {
        let mut pairs = BTreeMap::new();
        for t in &self.targets {
            let mut unmasked = BTreeSet::new();
            for column in &t.unmasked {
                if !unmasked.insert(column.clone()) {
                    return Err(ScopeError::UnmaskedTwice(t.pair(), column.clone()));
                }
            }
            let mut queries = BTreeMap::new();
            for q in &t.queries {
                let limits = QueryLimits {
                    calls_max: q.calls_max,
                    rows_total_max: q.rows_total_max,
                    bytes_total_max: q.bytes_total_max,
                };
                if queries.insert(q.name.clone(), limits).is_some() {
                    return Err(ScopeError::QueryTwice(t.pair(), q.name.clone()));
                }
            }
            if pairs.insert(t.pair(), OnPair { queries, unmasked }).is_some() {
                return Err(ScopeError::PairTwice(t.pair()));
            }
        }
        Ok(Capabilities { pairs, limits: self.limits })
    }
}

impl TargetScope {
    /// The pair that this entry is about.
    #[must_use]
    pub fn pair(&self) -> Pair {
        Pair { logical: self.logical.clone(), target: self.target.clone() }
    }
}

/// What a script may do on one pair.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OnPair {
    /// Queries that may be opened, each with its limits.
    pub queries: BTreeMap<QueryName, QueryLimits>,
    /// Masked columns whose raw value may be read by them.
    pub unmasked: BTreeSet<ColumnPath>,
}

impl OnPair {
    /// What both allow: common queries with the smaller of each limit, and common columns.
    fn meet(&self, other: &Self) -> Self {
        let common = self
            .queries
            .iter()
            .filter_map(|(name, a)| Some((name.clone(), a.meet(other.queries.get(name)?))));
        Self {
            queries: common.collect(),
            unmasked: self.unmasked.intersection(&other.unmasked).cloned().collect(),
        }
    }
}

/// What a script may do, by pair, and limits of the whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// What it may do on each pair.
    pub pairs: BTreeMap<Pair, OnPair>,
    /// Limits of the run.
    pub limits: Limits,
}

impl Capabilities {
    /// What both allow: common pairs, common queries and columns, the smaller of each limit.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        let pairs = self
            .pairs
            .iter()
            .filter_map(|(pair, mine)| Some((pair.clone(), mine.meet(other.pairs.get(pair)?))))
            .collect();
        Self { pairs, limits: self.limits.meet(&other.limits) }
    }

    /// Whether everything here is also allowed by `other`.
    #[must_use]
    pub fn within(&self, other: &Self) -> bool {
        self.meet(other) == *self
    }

    /// Only what is said about `pair`, with all limits of the run.
    #[must_use]
    pub fn only(&self, pair: &Pair) -> Self {
        let mine = self.pairs.get(pair);
        let pairs = mine.map(|on| (pair.clone(), on.clone())).into_iter().collect();
        Self { pairs, limits: self.limits }
    }

    /// The limits of one query, if it may be opened on any pair. A query's name belongs to one
    /// logical target (the manifest says which), so at most one pair has it.
    #[must_use]
    pub fn query(&self, name: &QueryName) -> Option<(&Pair, &QueryLimits)> {
        self.pairs.iter().find_map(|(pair, on)| Some((pair, on.queries.get(name)?)))
    }

    /// Whether any query may be opened; decides if the interface `sql` is linked.
    #[must_use]
    pub fn uses_sql(&self) -> bool {
        self.pairs.values().any(|on| !on.queries.is_empty())
    }

    /// The same with every mask in its place.
    #[must_use]
    pub fn masked(mut self) -> Self {
        self.pairs.values_mut().for_each(|on| on.unmasked.clear());
        self
    }

    /// The written form.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let targets = self
            .pairs
            .iter()
            .map(|(pair, OnPair { queries, unmasked })| TargetScope {
                logical: pair.logical.clone(),
                target: pair.target.clone(),
                queries: queries
                    .iter()
                    .map(|(name, l)| QueryScope {
                        name: name.clone(),
                        calls_max: l.calls_max,
                        rows_total_max: l.rows_total_max,
                        bytes_total_max: l.bytes_total_max,
                    })
                    .collect(),
                unmasked: unmasked.iter().cloned().collect(),
            })
            .collect();
        Scope { targets, limits: self.limits }
    }
}

#[cfg(test)]
mod tests;
