//! What queries may see on one target, and in which form.

use std::collections::{BTreeMap, BTreeSet};

use domain::mask::HashClass;

use super::filter::Filter;
use super::mask::Mask;
use super::refusal::{Checked, Denial, What};

/// A relation that queries may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its schema, as in the catalog.
    pub schema: String,
    /// Its name, as in the catalog.
    pub name: String,
    /// The columns that queries may read, as in the catalog, in the order of `*`.
    pub columns: Vec<String>,
    /// What is hidden of it.
    pub hidden: Hidden,
}

/// What is hidden of a relation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hidden {
    /// Masks, by names of the relation's columns.
    pub masks: BTreeMap<String, Mask>,
    /// Which of its rows exist; all without one.
    pub filter: Option<Filter>,
    /// Columns that policy denies by name. They are in no list of columns; a refusal says why.
    pub denied: BTreeSet<String>,
}

/// What queries may see and do on one target: the signed policy's `reads`, masks and row filters, and
/// `recursion`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grant {
    /// The relations; nothing else exists for a query.
    pub relations: Vec<Relation>,
    /// Whether a query may say WITH RECURSIVE, whose cost no planner knows.
    pub recursion: bool,
}

impl Relation {
    /// A relation of which every row and every listed column is shown.
    #[must_use]
    pub fn plain(schema: &str, name: &str, columns: Vec<String>) -> Self {
        let (schema, name) = (schema.to_owned(), name.to_owned());
        Self { schema, name, columns, hidden: Hidden::default() }
    }

    /// The columns that its sub-select reads: those that are granted, and those that its filter names.
    pub(crate) fn columns_read(&self) -> Vec<&String> {
        let filtered = self.hidden.filter.iter().flat_map(Filter::columns);
        let more = filtered.filter(|column| !self.columns.contains(column));
        self.columns.iter().chain(more).collect()
    }

    /// The functions that its masks and its filter call, as far as masks stand on `columns`.
    pub(super) fn calls(&self) -> Vec<String> {
        let masks = self.hidden.masks.iter().filter(|(column, _)| self.columns.contains(column));
        let masks = masks.flat_map(|(_, mask)| mask.calls()).map(|&name| name.to_owned());
        masks.chain(self.hidden.filter.iter().flat_map(Filter::calls).cloned()).collect()
    }

    /// Whether its sub-select needs a key.
    pub(super) fn is_hashed(&self) -> bool {
        self.hidden.masks.values().any(|mask| mask.class().is_some())
    }
}

impl Grant {
    /// These relations, and no recursion.
    #[must_use]
    pub fn of(relations: Vec<Relation>) -> Self {
        Self { relations, recursion: false }
    }

    /// The classes of its hashes, in the order in which their keys are bound.
    #[must_use]
    pub fn classes(&self) -> Vec<HashClass> {
        let masks = self.relations.iter().flat_map(|r| r.hidden.masks.values());
        let classes: BTreeSet<&HashClass> = masks.filter_map(Mask::class).collect();
        classes.into_iter().cloned().collect()
    }

    /// Names that PostgreSQL cannot hold, or that would make a relation mean two things, are a
    /// mistake in the policy; so is a mask on nothing.
    pub(super) fn check(&self) -> Checked<()> {
        let bad = |problem: String| Err(Denial::nowhere(What::Grant { problem }));
        let name_ok = |name: &str| !name.is_empty() && name.len() <= 63 && !name.contains('\0');
        for (index, relation) in self.relations.iter().enumerate() {
            let Relation { schema, name, columns, hidden } = relation;
            let full = format!("{schema}.{name}");
            if !name_ok(schema) || !name_ok(name) || !columns.iter().all(|c| name_ok(c)) {
                return bad(format!("{full} has a name that is empty or longer than 63 bytes"));
            }
            if schema.starts_with("pg_") || schema == "information_schema" {
                return bad(format!("{full} is in a system schema"));
            }
            if columns.is_empty() {
                return bad(format!("{full} has no columns"));
            }
            if columns.iter().enumerate().any(|(i, c)| columns[..i].contains(c)) {
                return bad(format!("{full} has a column twice"));
            }
            let same = |r: &Relation| r.schema == *schema && r.name == *name;
            if self.relations[..index].iter().any(same) {
                return bad(format!("{full} is listed twice"));
            }
            if let Some(stray) = hidden.masks.keys().find(|column| !columns.contains(column)) {
                return bad(format!("{full} has a mask on {stray}, which is not granted"));
            }
            if let Some(denied) = hidden.denied.iter().find(|column| columns.contains(column)) {
                return bad(format!("{full} grants {denied} and denies it"));
            }
        }
        Ok(())
    }
}
