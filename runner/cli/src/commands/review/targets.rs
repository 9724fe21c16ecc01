//! For which real targets a revision is reviewed: those that were named, else those that make sense.

use std::collections::BTreeSet;

use domain::capability::Capabilities;
use domain::{GroupName, LogicalTarget, Manifest, Pair};
use trust::{Policy, PolicyTarget};

use crate::blast::{self, Script};
use crate::exit::Failure;

/// Where a revision is reviewed.
pub(crate) struct Chosen {
    /// The bindings.
    pub(crate) pairs: Vec<Pair>,
    /// Whether the reviewer has to say which of them are meant: the policy leaves a choice.
    pub(super) open: bool,
}

/// Checks the targets that were named: each logical one is bound, to targets of its engine.
pub(crate) fn named(
    manifest: &Manifest,
    policy: &Policy,
    pairs: Vec<Pair>,
) -> Result<Chosen, Failure> {
    let bound: BTreeSet<&LogicalTarget> = pairs.iter().map(|p| &p.logical).collect();
    let wanted: BTreeSet<&LogicalTarget> = manifest.targets.keys().collect();
    if bound != wanted {
        let names = |set: &BTreeSet<&LogicalTarget>| {
            set.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        return Err(Failure::usage(
            format!(
                "{} has the targets {}; bound are {}",
                manifest.name,
                names(&wanted),
                names(&bound)
            ),
            "bind each of them, as --target shop=shop-replica, or none: then all that fit are shown",
        ));
    }
    if let Some(pair) = pairs.iter().find(|p| policy.target(&p.target).is_none()) {
        return Err(Failure::usage(
            format!("{} is no target of the policy", pair.target),
            "list what there is: borescope policy who-can",
        ));
    }
    let mut pairs = pairs;
    pairs.sort();
    pairs.dedup();
    Ok(Chosen { pairs, open: false })
}

/// All targets of the policy that its queries fit, and that this reviewer's groups review: for each
/// logical target, as far as there are such.
pub(crate) fn sensible(
    script: Script<'_>,
    policy: &Policy,
    groups: &[GroupName],
) -> Result<Chosen, Failure> {
    let (mut pairs, mut open) = (Vec::new(), false);
    for (logical, engine) in &script.manifest.targets {
        let all = policy.targets.iter().filter(|t| t.engine == *engine);
        let all: Vec<&PolicyTarget> = all.collect();
        let mine = preferred(&all, fitting(script, policy, logical, &all));
        let reviewed = mine.iter().filter(|t| t.reviews.admits(groups));
        let mine = preferred(&mine, reviewed.copied().collect());
        if mine.is_empty() {
            return Err(Failure::usage(
                format!("{logical} is a {engine} database, and the policy has no such target"),
                "have one added to the policy: borescope policy source",
            ));
        }
        open |= mine.len() > 1;
        let pair = |t: &&PolicyTarget| Pair { logical: logical.clone(), target: t.id.clone() };
        pairs.extend(mine.iter().map(pair));
    }
    Ok(Chosen { pairs, open })
}

/// The better ones if there are any.
fn preferred<'t>(all: &[&'t PolicyTarget], better: Vec<&'t PolicyTarget>) -> Vec<&'t PolicyTarget> {
    if better.is_empty() { all.to_vec() } else { better }
}

/// Those of `all` on which every query of the logical target would run. A fleet's targets grant the same,
/// and then one is asked for all of them.
fn fitting<'t>(
    script: Script<'_>,
    policy: &Policy,
    logical: &LogicalTarget,
    all: &[&'t PolicyTarget],
) -> Vec<&'t PolicyTarget> {
    let pair = |t: &PolicyTarget| Pair { logical: logical.clone(), target: t.id.clone() };
    let pairs: Vec<Pair> = all.iter().map(|t| pair(t)).collect();
    let blast = blast::of(script, policy, &proposed(script.manifest, policy, &pairs));
    all.iter().copied().filter(|t| blast.passes_on(&pair(t))).collect()
}

/// The ceiling that is proposed: what the manifest asks for there, as far as the targets' policy lets it.
pub(crate) fn proposed(manifest: &Manifest, policy: &Policy, pairs: &[Pair]) -> Capabilities {
    blast::under(policy, &manifest.asks(pairs))
}
