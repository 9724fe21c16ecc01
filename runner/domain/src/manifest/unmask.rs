//! Masked columns that a script asks to read raw.

use std::collections::BTreeSet;

use super::{ManifestError, invalid};
use crate::mask::ColumnPath;
use crate::names::LogicalTarget;

/// Columns of one target: more than anybody should say yes to.
const UNMASK_MAX: usize = 64;

/// The columns that are asked for on one target.
pub(super) fn columns(
    target: &LogicalTarget,
    asked: &[ColumnPath],
) -> Result<BTreeSet<ColumnPath>, ManifestError> {
    let wrong = |problem: String| Err(invalid(format!("targets.{target}.unmask"), problem));
    if asked.len() > UNMASK_MAX {
        return wrong(format!("at most {UNMASK_MAX} columns are allowed"));
    }
    let columns: BTreeSet<ColumnPath> = asked.iter().cloned().collect();
    if columns.len() < asked.len() {
        return wrong("names a column twice".to_owned());
    }
    Ok(columns)
}
