//! Row filters: policy's condition on the rows of a table.
//!
//! It is put into the inner view between parentheses, so here it must be what fits between them and
//! nothing more: one expression, no parameter, no sub-select. Which columns it may name is found out
//! when a session opens, by the compiler ([`super::views`]).

use super::{syntax, text};
use crate::TargetError;

/// What of a condition is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(String);

/// A condition that can stand between parentheses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(String);

impl Filter {
    /// Reads a condition.
    ///
    /// # Errors
    /// What of it is refused.
    pub fn parse(condition: &str) -> Result<Self, FilterError> {
        text::condition(condition).map_err(|e| match e {
            TargetError::NotAllowed { reason, .. } => FilterError(reason),
            other => FilterError(other.to_string()),
        })?;
        match syntax::error(&format!("SELECT 1 WHERE (\n{condition}\n)")) {
            None => Ok(Self(condition.to_owned())),
            Some((words, _)) => Err(FilterError(format!("SQLite does not read this: {words}"))),
        }
    }

    /// The condition between parentheses. A comment in it ends with its line.
    pub(super) fn sql(&self) -> String {
        format!("(\n{}\n)", self.0)
    }
}
