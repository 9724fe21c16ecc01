//! Blast radius: what the queries of a revision can touch and return on targets.
//!
//! A value, computed from the queries' texts by the gates that the runner uses, under the policy's masks
//! and row filters and within a ceiling; nothing of it comes from what a manifest says in prose. What
//! cannot be said for sure is said as the larger thing. Neighbours: [`mod@touches`] reads one query on one
//! target, [`words`] says it all to people.

mod touches;
pub(crate) mod words;

use std::collections::{BTreeMap, BTreeSet};

use domain::capability::{Capabilities, OnPair};
use domain::manifest::Query;
use domain::{BundlePath, LogicalTarget, Manifest, Pair, QueryLimits, QueryName, TargetId};
use serde::Serialize;
use trust::{Policy, PolicyTarget};

use crate::bundle::Bundle;

use touches::{TableRows, Touches, touches};

/// A script's manifest and files, with a component or without.
#[derive(Clone, Copy)]
pub(crate) struct Script<'a> {
    /// Its manifest.
    pub(crate) manifest: &'a Manifest,
    /// Its files.
    pub(crate) files: &'a BTreeMap<BundlePath, Vec<u8>>,
}

impl<'a> Script<'a> {
    /// That of a bundle.
    pub(crate) const fn of(bundle: &'a Bundle) -> Self {
        Self { manifest: &bundle.manifest, files: &bundle.files }
    }

    /// A query's text.
    pub(crate) fn text(&self, query: &Query) -> String {
        let bytes = self.files.get(&query.file).map(Vec::as_slice).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// What a revision can touch and return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Blast {
    /// Query by query, in the order of the manifest.
    pub(crate) queries: Vec<OfQuery>,
    /// All of them together.
    pub(crate) totals: Totals,
}

/// What one query can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct OfQuery {
    /// Its name.
    pub(crate) name: QueryName,
    /// The script's name for its target.
    pub(crate) target: LogicalTarget,
    /// Its parameters that its text uses nowhere.
    pub(crate) unused: Vec<String>,
    /// Where; targets on which it is the same are told once.
    pub(crate) on: Vec<On>,
}

/// What a query can do on some targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct On {
    /// Which.
    pub(crate) targets: Vec<TargetId>,
    /// What.
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

/// What the gate says of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Outcome {
    /// It would not run.
    Refused {
        /// In the gate's words.
        refused: String,
    },
    /// It would.
    Reaches(Touches),
}

/// What one run can do, whichever of the targets it is bound to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    /// Queries within the ceiling.
    pub(crate) queries: u64,
    /// Those that a target would refuse.
    pub(crate) refused: BTreeSet<QueryName>,
    /// Tables that are read, with the columns that are looked at.
    pub(crate) tables: BTreeMap<String, BTreeSet<String>>,
    /// Masked columns that are read raw.
    pub(crate) raw: BTreeSet<String>,
    /// Tables of which every row may be read.
    pub(crate) every_row: BTreeSet<String>,
    /// Rows that all queries together return at most.
    pub(crate) rows_max: u64,
    /// Bytes of cells that they return at most.
    pub(crate) bytes_max: u64,
    /// Bytes that leave the sandbox at most.
    pub(crate) output_bytes_max: u64,
}

/// What a script's queries can touch within `ceiling`, on the targets that it names.
pub(crate) fn of(script: Script<'_>, policy: &Policy, ceiling: &Capabilities) -> Blast {
    let one = |query: &Query| of_query(query, &script.text(query), policy, ceiling);
    let queries: Vec<OfQuery> = script.manifest.queries.iter().map(one).collect();
    let mut totals =
        Totals { output_bytes_max: ceiling.limits.output_bytes_max, ..Totals::default() };
    queries.iter().filter(|query| !query.on.is_empty()).for_each(|query| totals.add(query));
    Blast { queries, totals }
}

/// What of `asked` the targets' policy lets be.
pub(crate) fn under(policy: &Policy, asked: &Capabilities) -> Capabilities {
    let mut under = asked.clone();
    for pair in asked.pairs.keys() {
        let Some(target) = policy.target(&pair.target) else { continue };
        let bound = target.rules().bound(asked);
        under.limits = under.limits.meet(&bound.limits);
        under.pairs.extend(asked.only(pair).meet(&bound.only(pair)).pairs);
    }
    under
}

fn of_query(query: &Query, text: &str, policy: &Policy, ceiling: &Capabilities) -> OfQuery {
    let mut known: Vec<(&PolicyTarget, &OnPair, QueryLimits, On)> = Vec::new();
    let mut unused = None;
    for (pair, within) in ceiling.pairs.iter().filter(|(pair, _)| pair.logical == query.target) {
        let (Some(target), Some(limits)) =
            (policy.target(&pair.target), within.queries.get(&query.name))
        else {
            continue;
        };
        let same = known.iter_mut().find(|(other, raw, most, _)| {
            is_same(target, other) && raw.unmasked == within.unmasked && most == limits
        });
        if let Some((.., on)) = same {
            on.targets.push(pair.target.clone());
            continue;
        }
        let outcome = match touches(query, text, target, &within.unmasked, limits) {
            Ok((touches, params)) => {
                unused.get_or_insert(params);
                Outcome::Reaches(touches)
            }
            Err(refused) => Outcome::Refused { refused },
        };
        let on = On { targets: vec![pair.target.clone()], outcome };
        known.push((target, within, *limits, on));
    }
    OfQuery {
        name: query.name.clone(),
        target: query.target.clone(),
        unused: unused.unwrap_or_default(),
        on: known.into_iter().map(|(.., on)| on).collect(),
    }
}

/// Whether two targets give a query the same: a fleet's do.
fn is_same(one: &PolicyTarget, other: &PolicyTarget) -> bool {
    one.engine == other.engine
        && one.reads == other.reads
        && one.denied == other.denied
        && one.masks == other.masks
        && one.row_filters == other.row_filters
}

impl Blast {
    /// Whether no target would refuse any query.
    pub(crate) fn passes(&self) -> bool {
        self.totals.refused.is_empty()
    }

    /// The targets of a logical one on which every query of it passes.
    pub(crate) fn passes_on(&self, pair: &Pair) -> bool {
        let refuses = |on: &On| {
            matches!(on.outcome, Outcome::Refused { .. }) && on.targets.contains(&pair.target)
        };
        let mut queries = self.queries.iter().filter(|query| query.target == pair.logical);
        !queries.any(|query| query.on.iter().any(refuses))
    }
}

impl Totals {
    /// A run is on one of the targets, so the largest of each counts.
    fn add(&mut self, query: &OfQuery) {
        self.queries += 1;
        let (mut rows, mut bytes) = (0, 0);
        for on in &query.on {
            let reach = match &on.outcome {
                Outcome::Refused { .. } => {
                    self.refused.insert(query.name.clone());
                    continue;
                }
                Outcome::Reaches(reach) => reach,
            };
            rows = rows.max(reach.rows_max);
            bytes = bytes.max(reach.bytes_max);
            for table in &reach.tables {
                let columns = self.tables.entry(table.table.clone()).or_default();
                columns.extend(table.columns.iter().map(|column| column.name.clone()));
                if table.rows == TableRows::Every {
                    self.every_row.insert(table.table.clone());
                }
                let raw = table.columns.iter().filter(|column| column.raw);
                self.raw.extend(raw.map(|column| format!("{}.{}", table.table, column.name)));
            }
        }
        self.rows_max = self.rows_max.saturating_add(rows);
        self.bytes_max = self.bytes_max.saturating_add(bytes);
    }
}

#[cfg(test)]
mod tests;
