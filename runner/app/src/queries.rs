//! The gates that a bundle's queries pass on their way in, so that authors learn at upload what the
//! runner would refuse at run time. Advisory: the connector's own gate is the one that counts.

use std::collections::BTreeSet;

use domain::ParamType;
use domain::manifest::{Engine, Query};
use targets::postgres::gate::{Grant, Refusal, What, gate};
use trust::PolicyTarget;

use crate::AppError;

/// Checks one query of a script for `engine`; a warning is for author and reviewers. Without any target,
/// as on an author's machine, what no policy could allow is still refused.
///
/// # Errors
/// [`AppError::Bundle`] when no target could take it, whatever its policy grants.
pub fn check(
    query: &Query,
    engine: Engine,
    text: &str,
    targets: &[PolicyTarget],
) -> Result<Option<String>, AppError> {
    let refused = |what: &dyn std::error::Error| {
        AppError::Bundle(format!("{}: {}", query.file, crate::error::chain(what)))
    };
    if text.trim().is_empty() {
        return Err(AppError::Bundle(format!("{} is empty", query.file)));
    }
    match engine {
        Engine::Sqlite => {
            targets::sqlite::gate(text, query.params.len()).map_err(|e| refused(&e))?;
            Ok(sqlite(query, text, targets).map(|what| format!("{}: {what}", query.file)))
        }
        Engine::Postgres => {
            let warning = postgres(query, text, targets).map_err(|e| refused(&e))?;
            Ok(warning.map(|what| format!("{}: {what}", query.file)))
        }
    }
}

/// Nothing when one target's policy lets the query pass, or there is none of this engine.
fn sqlite(query: &Query, text: &str, targets: &[PolicyTarget]) -> Option<String> {
    let mut first = None;
    for target in targets.iter().filter(|t| t.engine == Engine::Sqlite) {
        // A policy that cannot be used is nothing that an author could better.
        let Ok(granted) = executor::ports::sqlite_reads(target, &BTreeSet::new()) else { continue };
        let refused = targets::sqlite::reads(text, query.params.len(), &granted, target.recursion);
        let refused = refused.err()?;
        // Of an empty database made from the policy's names, so its words quote nothing else.
        let words = refused.detail().map_or_else(|| refused.to_string(), str::to_owned);
        first.get_or_insert(format!(
            "{} would not run it: {words}; what it lets scripts read: borescope schema pull {0}",
            target.id
        ));
    }
    first
}

/// Which targets a script will be bound to is not known yet: one whose policy lets the query pass is
/// enough. What only a policy could change is a warning.
fn postgres(
    query: &Query,
    text: &str,
    targets: &[PolicyTarget],
) -> Result<Option<String>, Refusal> {
    let types: Vec<ParamType> = query.params.iter().map(|p| p.param_type).collect();
    let mut first = None;
    for target in targets.iter().filter(|t| t.engine == Engine::Postgres) {
        // Of a target whose policy cannot be used nothing is granted; its runner says so at each run.
        let grant = executor::ports::postgres_grant(target).unwrap_or_default();
        match gate(text, &types, &grant) {
            Ok(_) => return Ok(None),
            Err(refusal) => _ = first.get_or_insert((&target.id, refusal)),
        }
    }
    match first {
        // Nothing is granted: what remains is what no policy could allow.
        None => match gate(text, &types, &Grant::default()) {
            Err(refusal) if !is_of_policy(&refusal.what) => Err(refusal),
            _ => Ok(Some("no target of the policy is a PostgreSQL database".to_owned())),
        },
        Some((target, refusal)) if is_of_policy(&refusal.what) => {
            Ok(Some(format!("{target} would not run it: {refusal}")))
        }
        Some((_, refusal)) => Err(refusal),
    }
}

/// Whether another policy could let the query pass.
const fn is_of_policy(what: &What) -> bool {
    match what {
        What::Relation { .. }
        | What::AmbiguousRelation { .. }
        | What::Column { .. }
        | What::Denied { .. }
        | What::Recursion
        | What::Grant { .. } => true,
        What::NotSupported { .. }
        | What::Table { .. }
        | What::NameTaken { .. }
        | What::Parameter { .. }
        | What::TooLarge { .. }
        | What::Statements { .. }
        | What::Syntax { .. }
        | What::Failed { .. }
        | What::Disagreement { .. } => false,
    }
}

#[cfg(test)]
mod tests;
