//! Queries that passed under one grant, so that a script that asks the same query again and again pays for
//! its gate once. A grant that changes needs another one of these.

use std::sync::Arc;

use domain::ParamType;

use super::{Gated, Grant, Refusal, gate};

/// Queries that are kept; a script has few.
const KEPT_MAX: usize = 64;

/// One grant, and what has passed under it.
#[derive(Debug)]
pub struct Passed {
    grant: Grant,
    kept: Vec<(String, Vec<ParamType>, Arc<Gated>)>,
}

impl Passed {
    /// Nothing yet.
    #[must_use]
    pub fn under(grant: Grant) -> Self {
        Self { grant, kept: Vec::new() }
    }

    /// As [`gate`], at once for what passed before. A refusal is not kept.
    ///
    /// # Errors
    /// As [`gate`].
    pub fn gate(&mut self, sql: &str, params: &[ParamType]) -> Result<Arc<Gated>, Refusal> {
        let known = self.kept.iter().find(|(text, types, _)| text == sql && types == params);
        if let Some((_, _, gated)) = known {
            return Ok(Arc::clone(gated));
        }
        let gated = Arc::new(gate(sql, params, &self.grant)?);
        if self.kept.len() < KEPT_MAX {
            self.kept.push((sql.to_owned(), params.to_vec(), Arc::clone(&gated)));
        }
        Ok(gated)
    }
}
