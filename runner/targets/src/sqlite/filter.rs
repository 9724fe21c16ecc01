//! Row filters: policy's condition on the rows of a table.
//!
//! It is put into the inner view between parentheses, so here it must be what fits between them and
//! nothing more: one expression, no parameter, no sub-select. Which columns it may name is found out
//! when a session opens, by the compiler ([`super::views`]), and so are its functions: those that have a
//! value for every value. A filter that failed on a hidden row would tell that there is one.

use std::collections::BTreeSet;

use super::{syntax, text};
use crate::TargetError;

/// What of a condition is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(String);

/// Functions that have a value for every value, NULL at worst. SQLite's casts and arithmetic do, too.
/// Not here: those of JSON, which fail on what is none.
const FUNCTIONS: &[&str] = &[
    "coalesce",
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "datetime",
    "glob",
    "hex",
    "if",
    "ifnull",
    "iif",
    "instr",
    "json_valid",
    "julianday",
    "length",
    "like",
    "lower",
    "ltrim",
    "max",
    "min",
    "nullif",
    "octet_length",
    "round",
    "rtrim",
    "strftime",
    "substr",
    "substring",
    "time",
    "trim",
    "typeof",
    "unixepoch",
    "upper",
];

/// A condition that can stand between parentheses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    sql: String,
    names: BTreeSet<String>,
}

impl Filter {
    /// Reads a condition.
    ///
    /// # Errors
    /// What of it is refused.
    pub fn parse(condition: &str) -> Result<Self, FilterError> {
        let names = text::condition(condition).map_err(|e| match e {
            TargetError::NotAllowed { reason, .. } => FilterError(reason),
            other => FilterError(other.to_string()),
        })?;
        match syntax::error(&format!("SELECT 1 WHERE (\n{condition}\n)")) {
            None => Ok(Self { sql: condition.to_owned(), names }),
            Some((words, _)) => Err(FilterError(format!("SQLite does not read this: {words}"))),
        }
    }

    /// The condition between parentheses. A comment in it ends with its line.
    pub(super) fn sql(&self) -> String {
        format!("(\n{}\n)", self.sql)
    }

    /// Whether it may read the column of this name: rather too many than too few.
    pub(super) fn may_read(&self, column: &str) -> bool {
        self.names.contains(&column.to_ascii_lowercase())
    }
}

/// Whether a filter may call it.
pub(super) fn may_call(function: &str) -> bool {
    FUNCTIONS.iter().any(|f| f.eq_ignore_ascii_case(function))
}
