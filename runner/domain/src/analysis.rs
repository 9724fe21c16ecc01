//! What a revision's queries come to on one target: everything in its catalog, and in its policy's
//! masks, that decides what they read and how it is computed.
//!
//! Reviewers sign its digest; the runner looks at the catalog again in each query's transaction and
//! refuses when it is another one. So it holds what a change of meaning changes and nothing else: no
//! statistics, no cost, no number of the catalog's own (OID). The value is written down and compared
//! here; looking at catalogs is the connectors' business (crate `targets`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::capability::Pair;
use crate::digest::Digest;
use crate::mask::{ColumnPath, Mask};
use crate::names::{LogicalTarget, QueryName, TargetId};
use crate::text::ParseError;

/// Bytes of an analysis as JSON: far more than a reviewer reads.
pub const ANALYSIS_BYTES_MAX: usize = 4 << 20;
/// Differences that are told of one query; the first ones say what happened.
const DIFFERENCES_MAX: usize = 10;

/// A relation or function of a catalog by name, with the digest of what defines it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// Of all that defines it.
    pub digest: Digest,
}

/// What a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelationKind {
    /// A table, also a partitioned one.
    Table,
    /// A view: what it reads is computed when it is read.
    View,
    /// A materialised view.
    MaterializedView,
}

impl RelationKind {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View => "view",
            Self::MaterializedView => "materialised view",
        }
    }
}

/// A column as the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnShape {
    /// Its name.
    pub name: String,
    /// Its type in the database's words.
    pub db_type: String,
    /// Of what defines the type, where somebody made it: an enum's labels, a domain's checks.
    pub definition: Option<Digest>,
}

/// A relation as the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelationShape {
    /// As policy names it.
    pub name: String,
    /// What it is.
    pub kind: RelationKind,
    /// Of a view's definition with all that it rests on.
    pub definition: Option<Digest>,
    /// Of the policies of row security, where that is on.
    pub row_security: Option<Digest>,
    /// The columns that are read, in the catalog's order.
    pub columns: Vec<ColumnShape>,
}

/// What a catalog has of what was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// Relations, by name.
    pub relations: Vec<RelationShape>,
    /// Functions, by name; of each, every one of the name.
    pub functions: Vec<Definition>,
}

/// A mask that policy puts on a column that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Masked {
    /// Which.
    pub column: ColumnPath,
    /// How.
    pub mask: Mask,
}

/// A row filter of a relation that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filtered {
    /// The relation.
    pub table: String,
    /// The filter as policy writes it.
    pub filter: String,
}

/// What one query comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryAnalysis {
    /// Its name in the manifest.
    pub name: QueryName,
    /// What it reads, and what it calls.
    pub catalog: Catalog,
    /// Masks on what it reads, by column.
    pub masks: Vec<Masked>,
    /// Row filters on what it reads, by table.
    pub filters: Vec<Filtered>,
}

/// What all queries of a revision come to on one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analysis {
    /// By name; the revision's queries of the pair's logical target.
    pub queries: Vec<QueryAnalysis>,
}

/// The analysis that somebody saw for a pair, as documents name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalysisRef {
    /// The script's name for the target.
    pub logical: LogicalTarget,
    /// The real target.
    pub target: TargetId,
    /// The digest of its bytes.
    pub digest: Digest,
}

impl AnalysisRef {
    /// The pair that it is about.
    #[must_use]
    pub fn pair(&self) -> Pair {
        Pair { logical: self.logical.clone(), target: self.target.clone() }
    }
}

impl Analysis {
    /// The bytes whose digest is signed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The digest that is signed.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// Reads bytes whose digest was compared before.
    ///
    /// # Errors
    /// When they are no analysis of this version.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let unread = |problem: &str| ParseError::new("analysis", problem, "one of this version");
        if bytes.len() > ANALYSIS_BYTES_MAX {
            return Err(unread("too long"));
        }
        serde_json::from_slice(bytes).map_err(|e| unread(&e.to_string()))
    }

    /// What is otherwise in `now` of what is here, in words; empty when nothing is.
    #[must_use]
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for was in &self.queries {
            match now.query(&was.name) {
                None => found.push(format!("{} is refused there", was.name)),
                Some(is) => {
                    found.extend(was.catalog.differences(&is.catalog));
                    found.extend(was.policy_differences(is));
                }
            }
        }
        found.sort();
        found.dedup();
        found.truncate(DIFFERENCES_MAX);
        found
    }

    /// What it says of a query.
    #[must_use]
    pub fn query(&self, name: &QueryName) -> Option<&QueryAnalysis> {
        self.queries.iter().find(|q| q.name == *name)
    }
}

impl QueryAnalysis {
    /// Its relations and functions, picked from a catalog that has more.
    ///
    /// `reads` are relations with the columns of them that are read, in any order.
    #[must_use]
    pub fn of(
        name: QueryName,
        catalog: &Catalog,
        reads: &BTreeMap<String, BTreeSet<String>>,
        calls: &BTreeSet<String>,
    ) -> Self {
        let relation = |shape: &RelationShape| {
            let columns = reads.get(&shape.name)?;
            let mut shape = shape.clone();
            shape.columns.retain(|c| columns.contains(&c.name));
            Some(shape)
        };
        let mut relations: Vec<_> = catalog.relations.iter().filter_map(relation).collect();
        relations.sort_by(|a, b| a.name.cmp(&b.name));
        let called = catalog.functions.iter().filter(|f| calls.contains(&f.name));
        let mut functions: Vec<_> = called.cloned().collect();
        functions.sort();
        let catalog = Catalog { relations, functions };
        Self { name, catalog, masks: Vec::new(), filters: Vec::new() }
    }
}

impl QueryAnalysis {
    /// What policy says otherwise in `now`, in words; empty when nothing is.
    #[must_use]
    pub fn policy_differences(&self, now: &Self) -> Vec<String> {
        let mask = |of: &[Masked], column: &ColumnPath| {
            let found = of.iter().find(|m| m.column == *column);
            found.map_or_else(|| "raw".to_owned(), |m| m.mask.to_string())
        };
        let filter = |of: &[Filtered], table: &str| {
            let found = of.iter().find(|f| f.table == table);
            found.map_or_else(|| "(every row)".to_owned(), |f| f.filter.clone())
        };
        let columns: BTreeSet<&ColumnPath> =
            self.masks.iter().chain(&now.masks).map(|m| &m.column).collect();
        let tables: BTreeSet<&str> =
            self.filters.iter().chain(&now.filters).map(|f| f.table.as_str()).collect();
        let masks = columns.into_iter().map(|column| {
            let (was, is) = (mask(&self.masks, column), mask(&now.masks, column));
            (was != is).then(|| format!("{column} was {was} and is {is}"))
        });
        let filters = tables.into_iter().map(|table| {
            let (was, is) = (filter(&self.filters, table), filter(&now.filters, table));
            (was != is).then(|| format!("rows of {table} were {was} and are {is}"))
        });
        let mut found: Vec<String> = masks.chain(filters).flatten().collect();
        found.truncate(DIFFERENCES_MAX);
        found
    }
}

impl Catalog {
    /// What is otherwise in `now` of what is here, in words; empty when nothing is.
    #[must_use]
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for was in &self.relations {
            match now.relations.iter().find(|r| r.name == was.name) {
                None => found.push(format!("{} is gone", was.name)),
                Some(is) => was.differences(is, &mut found),
            }
        }
        for was in &self.functions {
            match now.functions.iter().find(|f| f.name == was.name) {
                None => found.push(format!("the function {} is gone", was.name)),
                Some(is) if is != was => {
                    found.push(format!("the function {} is another", was.name));
                }
                Some(_) => {}
            }
        }
        found.truncate(DIFFERENCES_MAX);
        found
    }
}

impl RelationShape {
    fn differences(&self, now: &Self, found: &mut Vec<String>) {
        let name = &self.name;
        if self.kind != now.kind {
            found.push(format!(
                "{name} was a {} and is a {}",
                self.kind.as_str(),
                now.kind.as_str()
            ));
        }
        if self.definition != now.definition {
            found.push(format!("the view {name}, or what it rests on, has another definition"));
        }
        if self.row_security != now.row_security {
            found.push(format!("{name} has other policies of row security"));
        }
        for was in &self.columns {
            match now.columns.iter().find(|c| c.name == was.name) {
                None => found.push(format!("{name}.{} is gone", was.name)),
                Some(is) if is.db_type != was.db_type => found
                    .push(format!("{name}.{} was {} and is {}", was.name, was.db_type, is.db_type)),
                Some(is) if is.definition != was.definition => found.push(format!(
                    "the type {} of {name}.{} has another definition",
                    was.db_type, was.name
                )),
                Some(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
