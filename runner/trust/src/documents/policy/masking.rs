//! What a target's policy hides of the tables that it lets queries read: masked columns, denied
//! columns, rows.

use std::collections::BTreeSet;

use domain::display::neutralise;
use domain::{ColumnPath, Mask};
use serde::{Deserialize, Serialize};

use super::{PolicyTarget, Read};
use crate::document::{Problem, field};

/// Bytes of a row filter; more than a person reads in a policy.
const FILTER_BYTES_MAX: usize = 2_000;

/// A mask on a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnMask {
    /// A table of `reads`.
    pub table: String,
    /// One of its columns there.
    pub column: String,
    /// What stands in its place.
    pub mask: Mask,
    /// Whether a grant may take the mask away.
    pub unmask: bool,
}

/// A column that nobody may put into `reads`. It is in no `reads`, so that whoever looks there only
/// does not see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denied {
    /// A table of `reads`.
    pub table: String,
    /// A column that is not listed there.
    pub column: String,
}

/// Which rows of a table exist for queries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowFilter {
    /// A table of `reads`.
    pub table: String,
    /// A condition in the engine's SQL over the table's columns, which need not be in `reads`.
    pub filter: String,
}

impl ColumnMask {
    /// The column in one text, if its name has no dot.
    #[must_use]
    pub fn path(&self) -> Option<ColumnPath> {
        ColumnPath::of(&self.table, &self.column).ok()
    }
}

impl PolicyTarget {
    /// The mask of a column.
    #[must_use]
    pub fn mask(&self, table: &str, column: &str) -> Option<&ColumnMask> {
        self.masks.iter().find(|m| m.table == table && m.column == column)
    }

    /// Columns whose mask a grant may take away.
    #[must_use]
    pub fn unmaskable(&self) -> BTreeSet<ColumnPath> {
        let may = self.masks.iter().filter(|m| m.unmask);
        // A name that has no path cannot be asked for; such a policy is not signed.
        may.filter_map(ColumnMask::path).collect()
    }

    /// The condition on a table's rows.
    #[must_use]
    pub fn row_filter(&self, table: &str) -> Option<&str> {
        self.row_filters.iter().find(|f| f.table == table).map(|f| f.filter.as_str())
    }
}

/// Everything that is hidden is of a table that may be read, and hidden once.
pub(super) fn check(target: &PolicyTarget) -> Result<(), Problem> {
    let mut hidden = BTreeSet::new();
    for (i, m) in target.masks.iter().enumerate() {
        let at = format!("masks.{i}");
        check_mask(target, m, &at)?;
        once(&mut hidden, &m.table, &m.column, &at)?;
    }
    for (i, d) in target.denied.iter().enumerate() {
        let at = format!("denied.{i}");
        if read(target, &d.table, &at)?.columns.contains(&d.column) {
            let what =
                format!("{} is in `reads` as well; take it out of there", neutralise(&d.column));
            return Err(field(format!("{at}.column"), what));
        }
        once(&mut hidden, &d.table, &d.column, &at)?;
    }
    let mut filtered = BTreeSet::new();
    for (i, f) in target.row_filters.iter().enumerate() {
        let at = format!("row_filters.{i}");
        read(target, &f.table, &at)?;
        let is_text = !f.filter.trim().is_empty() && !f.filter.chars().any(char::is_control);
        if f.filter.len() > FILTER_BYTES_MAX || !is_text {
            let what =
                format!("expected a condition on one line, at most {FILTER_BYTES_MAX} bytes");
            return Err(field(format!("{at}.filter"), what));
        }
        if !filtered.insert(f.table.as_str()) {
            let what =
                format!("{} has another one; write them as one, with AND", neutralise(&f.table));
            return Err(field(format!("{at}.table"), what));
        }
    }
    Ok(())
}

fn check_mask(target: &PolicyTarget, m: &ColumnMask, at: &str) -> Result<(), Problem> {
    if !read(target, &m.table, at)?.columns.contains(&m.column) {
        let what = format!("{} is not in `reads`; add it there, or deny it", neutralise(&m.column));
        return Err(field(format!("{at}.column"), what));
    }
    m.mask.check().map_err(|e| field(format!("{at}.mask"), e.to_string()))?;
    if m.unmask {
        ColumnPath::of(&m.table, &m.column)
            .map_err(|e| field(format!("{at}.unmask"), format!("nobody could ask for it: {e}")))?;
    }
    Ok(())
}

fn read<'t>(target: &'t PolicyTarget, table: &str, at: &str) -> Result<&'t Read, Problem> {
    target.reads.iter().find(|r| r.table == table).ok_or_else(|| {
        let what =
            format!("{} is not in `reads`; only what may be read can be hidden", neutralise(table));
        field(format!("{at}.table"), what)
    })
}

fn once<'t>(
    hidden: &mut BTreeSet<(&'t str, &'t str)>,
    table: &'t str,
    column: &'t str,
    at: &str,
) -> Result<(), Problem> {
    if hidden.insert((table, column)) {
        return Ok(());
    }
    let what = format!("{}.{} is masked or denied already", neutralise(table), neutralise(column));
    Err(field(format!("{at}.column"), what))
}
