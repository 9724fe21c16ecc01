//! Where a script is to run, as people type it: `TARGET`, or `LOGICAL=TARGET` for each of several; and
//! `group:NAME` for one run on each target of a group, as the signed policy has it.
//!
//! Which logical target is meant where none is named is known only with the script's manifest. What
//! is *not* here: whether anybody may run there.

use std::collections::BTreeSet;

use domain::{LogicalTarget, Manifest, Pair, ParseError, TargetGroup, TargetId};
use trust::{GROUP_PREFIX, Policy};

use crate::exit::Failure;

/// A place, and the logical target that it stands for, if that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct On {
    /// The script's name for it.
    pub(crate) logical: Option<LogicalTarget>,
    /// The real one.
    pub(crate) place: Place,
}

/// What is named after `--on`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// One target.
    Target(TargetId),
    /// Each of a group, in runs of their own.
    Group(TargetGroup),
}

/// Parses `[LOGICAL=]TARGET`.
pub(crate) fn parse(text: &str) -> Result<On, String> {
    let words = |e: ParseError| e.to_string();
    let (logical, place) = match text.split_once('=') {
        Some((logical, place)) => (Some(logical.parse().map_err(words)?), place),
        None => (None, text),
    };
    let place = match place.strip_prefix(GROUP_PREFIX) {
        Some(group) => Place::Group(group.parse().map_err(words)?),
        None => Place::Target(place.parse().map_err(words)?),
    };
    Ok(On { logical, place })
}

/// The places of each run: a group stands for its targets in turn.
pub(crate) fn each(policy: &Policy, on: &[On]) -> Result<Vec<Vec<On>>, Failure> {
    let groups = on.iter().enumerate().filter_map(|(at, on)| match &on.place {
        Place::Group(group) => Some((at, group)),
        Place::Target(_) => None,
    });
    let groups: Vec<_> = groups.collect();
    let (at, group) = match groups.as_slice() {
        [] => return Ok(vec![on.to_vec()]),
        [one] => *one,
        _ => {
            let help = "name the targets of the others";
            return Err(Failure::usage("only one group can be asked at a time", help));
        }
    };
    let members = policy.targets.iter().filter(|t| t.groups.contains(group));
    let each = members.map(|t| {
        let mut on = on.to_vec();
        on[at].place = Place::Target(t.id.clone());
        on
    });
    let each: Vec<Vec<On>> = each.collect();
    if each.is_empty() {
        let known: BTreeSet<&str> =
            policy.targets.iter().flat_map(|t| &t.groups).map(AsRef::as_ref).collect();
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        let help = if known.is_empty() {
            "it has no groups".to_owned()
        } else {
            format!("groups are: {known}")
        };
        return Err(Failure::usage(
            format!("no target of the policy is in the group {group}"),
            help,
        ));
    }
    Ok(each)
}

/// The bindings of a script's targets: each of them once. Its only one needs no name.
pub(crate) fn bind(manifest: &Manifest, on: &[On]) -> Result<Vec<Pair>, Failure> {
    let pairs = pairs(manifest, on)?;
    check(manifest, &pairs)?;
    Ok(pairs)
}

/// Bindings as they were named, with as many targets for each logical one as somebody likes.
pub(crate) fn pairs(manifest: &Manifest, on: &[On]) -> Result<Vec<Pair>, Failure> {
    let known: Vec<&str> = manifest.targets.keys().map(AsRef::as_ref).collect();
    let mut only = manifest.targets.keys();
    let only = only.next().filter(|_| manifest.targets.len() == 1);
    let mut pairs = Vec::with_capacity(on.len());
    for On { logical, place } in on {
        let target = match place {
            Place::Target(target) => target,
            Place::Group(group) => {
                let help = "this is about one target at a time; name it";
                return Err(Failure::usage(format!("{GROUP_PREFIX}{group} is a group"), help));
            }
        };
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
