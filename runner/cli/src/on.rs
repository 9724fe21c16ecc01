//! Where a script is to run, as people type it: `TARGET`, or `LOGICAL=TARGET` for each of several.
//!
//! Which logical target is meant where none is named is known only with the script's manifest. What
//! is *not* here: whether anybody may run there.

use domain::{LogicalTarget, Manifest, Pair, ParseError, TargetId};

use crate::exit::Failure;

/// A target, and the logical one that it stands for, if that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct On {
    /// The script's name for it.
    pub(crate) logical: Option<LogicalTarget>,
    /// The real one.
    pub(crate) target: TargetId,
}

/// Parses `[LOGICAL=]TARGET`.
pub(crate) fn parse(text: &str) -> Result<On, String> {
    let words = |e: ParseError| e.to_string();
    let (logical, target) = match text.split_once('=') {
        Some((logical, target)) => (Some(logical.parse().map_err(words)?), target),
        None => (None, text),
    };
    Ok(On { logical, target: target.parse().map_err(words)? })
}

/// The bindings of a script's targets: each of them once. Its only one needs no name.
pub(crate) fn bind(manifest: &Manifest, on: &[On]) -> Result<Vec<Pair>, Failure> {
    let known: Vec<&str> = manifest.targets.keys().map(AsRef::as_ref).collect();
    let mut only = manifest.targets.keys();
    let only = only.next().filter(|_| manifest.targets.len() == 1);
    let mut pairs = Vec::with_capacity(on.len());
    for On { logical, target } in on {
        let logical = logical.as_ref().or(only).ok_or_else(|| {
            Failure::usage(
                format!(
                    "{} has the targets {}: which is {target}?",
                    manifest.name,
                    known.join(", ")
                ),
                format!("name each: --on {}=…", known.join("=… --on ")),
            )
        })?;
        pairs.push(Pair { logical: logical.clone(), target: target.clone() });
    }
    check(manifest, &pairs)?;
    Ok(pairs)
}

/// Every logical target is bound exactly once, and nothing else is.
pub(crate) fn check(manifest: &Manifest, pairs: &[Pair]) -> Result<(), Failure> {
    let known: Vec<&str> = manifest.targets.keys().map(AsRef::as_ref).collect();
    let mut bound: Vec<&str> = pairs.iter().map(|p| p.logical.as_str()).collect();
    bound.sort_unstable();
    if bound == known {
        return Ok(());
    }
    let (name, targets) = (&manifest.name, known.join(", "));
    Err(Failure::usage(
        format!("{name} has the targets {targets}; bound are {}", bound.join(", ")),
        format!("bind each of them once: --on {}=…", known.join("=… --on ")),
    ))
}

#[cfg(test)]
mod tests;
