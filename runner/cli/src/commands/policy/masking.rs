//! What a target hides, in words, and whether its row filters can be used at all.

use std::collections::BTreeSet;

use anyhow::Context as _;
use domain::manifest::Engine;
use trust::{Policy, PolicyTarget};

/// What is hidden of a target: a label and what of it, each a line.
pub(crate) fn hidden(target: &PolicyTarget) -> Vec<(&'static str, String)> {
    let masks = target.masks.iter().map(|m| {
        let unmask = if m.unmask { "; a grant may unmask it" } else { "" };
        ("masks", format!("{}.{}: {}{unmask}", m.table, m.column, m.mask))
    });
    let denied = target.denied.iter().map(|d| ("denies", format!("{}.{}", d.table, d.column)));
    let filters = target.row_filters.iter();
    let filters = filters.map(|f| ("rows", format!("{}, only with {}", f.table, f.filter)));
    masks.chain(denied).chain(filters).collect()
}

/// Whether the gates let the row filters pass. A runner refuses a target whose filter they do not, so
/// such a policy is not signed.
///
/// # Errors
/// Which filter, and what of it is refused.
pub(crate) fn filters_pass(policy: &Policy) -> anyhow::Result<()> {
    for target in &policy.targets {
        let none = BTreeSet::new();
        let passes = match target.engine {
            Engine::Postgres => executor::ports::postgres_reads(target, &none).map(drop),
            Engine::Sqlite => executor::ports::sqlite_reads(target, &none).map(drop),
        };
        passes.with_context(|| format!("target {}", target.id))?;
    }
    Ok(())
}
