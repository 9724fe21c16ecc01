//! For which real targets a revision is reviewed: those that were named, else those that make sense.

use std::collections::BTreeSet;

use domain::capability::Capabilities;
use domain::display::neutralise;
use domain::{ColumnPath, GroupName, LogicalTarget, Pair};
use trust::{Authority, PolicyTarget, Read};

use crate::bundle::Bundle;
use crate::exit::Failure;
use crate::out::{hang_at, width};
use crate::view::revision::Told;

/// Where a revision is reviewed.
pub(super) struct Chosen {
    /// The bindings.
    pub(super) pairs: Vec<Pair>,
    /// Whether the reviewer has to say which of them are meant: the policy leaves a choice.
    pub(super) open: bool,
}

/// Checks the targets that were named: each logical one is bound, to targets of its engine.
pub(super) fn named(
    bundle: &Bundle,
    authority: &Authority,
    pairs: Vec<Pair>,
) -> Result<Chosen, Failure> {
    let bound: BTreeSet<&LogicalTarget> = pairs.iter().map(|p| &p.logical).collect();
    let wanted: BTreeSet<&LogicalTarget> = bundle.manifest.targets.keys().collect();
    if bound != wanted {
        let names = |set: &BTreeSet<&LogicalTarget>| {
            set.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        return Err(Failure::usage(
            format!(
                "{} has the targets {}; bound are {}",
                bundle.manifest.name,
                names(&wanted),
                names(&bound)
            ),
            "bind each of them, as --target shop=shop-replica, or none: then all that fit are shown",
        ));
    }
    if let Some(pair) = pairs.iter().find(|p| authority.target(&p.target).is_none()) {
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
pub(super) fn sensible(
    bundle: &Bundle,
    authority: &Authority,
    groups: &[GroupName],
) -> Result<Chosen, Failure> {
    let (mut pairs, mut open) = (Vec::new(), false);
    for (logical, engine) in &bundle.manifest.targets {
        let all = authority.policy().targets.iter().filter(|t| t.engine == *engine);
        let all: Vec<&PolicyTarget> = all.collect();
        let mine = preferred(&all, fitting(bundle, logical, &all));
        let reviewed = mine.iter().filter(|t| t.reviews.admits(groups));
        let mine = preferred(&mine, reviewed.copied().collect());
        if mine.is_empty() {
            return Err(Failure::usage(
                format!("{logical} is a {engine} database, and the policy has no such target"),
                "have one added to the policy, then review it: borescope policy source",
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
    bundle: &Bundle,
    logical: &LogicalTarget,
    all: &[&'t PolicyTarget],
) -> Vec<&'t PolicyTarget> {
    let mut known: Vec<(&[Read], bool)> = Vec::new();
    let mut fits = |target: &'t PolicyTarget| {
        if let Some((_, fits)) = known.iter().find(|(reads, _)| *reads == target.reads) {
            return *fits;
        }
        let mut queries = bundle.manifest.queries.iter().filter(|q| q.target == *logical);
        let fits = queries.all(|query| {
            let text = bundle.text(query.file.as_str()).unwrap_or_default();
            app::query_reads(query, &text, target).is_ok()
        });
        known.push((target.reads.as_slice(), fits));
        fits
    };
    all.iter().copied().filter(|t| fits(t)).collect()
}

/// What each query reads on the targets, and what of it is masked under `ceiling`, for people; the same
/// on several targets is told once.
pub(super) fn reads(
    bundle: &Bundle,
    authority: &Authority,
    pairs: &[Pair],
    ceiling: &Capabilities,
) -> Told {
    let (mut told, none) = (Told::new(), BTreeSet::new());
    for query in &bundle.manifest.queries {
        let text = bundle.text(query.file.as_str()).unwrap_or_default();
        let mut lines: Vec<(String, Vec<String>)> = Vec::new();
        for pair in pairs.iter().filter(|p| p.logical == query.target) {
            let Some(target) = authority.target(&pair.target) else { continue };
            let (label, what) = match app::query_reads(query, &text, target) {
                Ok(reads) if reads.is_empty() => ("reads no table", String::new()),
                Ok(reads) => {
                    let raw = ceiling.pairs.get(pair).map(|on| &on.unmasked);
                    let table = |read: &Read| table(read, target, raw.unwrap_or(&none));
                    ("reads ", reads.iter().map(table).collect::<Vec<_>>().join("; "))
                }
                Err(error) => ("would be refused: ", error.to_string()),
            };
            let line = format!("{label}{}", neutralise(&what));
            match lines.iter_mut().find(|(known, _)| *known == line) {
                Some((_, targets)) => targets.push(pair.target.to_string()),
                None => lines.push((line, vec![pair.target.to_string()])),
            }
        }
        let one = |(line, targets): (String, Vec<String>)| {
            hang_at(6, "  ", &format!("on {}: {line}", targets.join(", ")), width())
        };
        told.insert(query.name.clone(), lines.into_iter().flat_map(one).collect());
    }
    told
}

fn table(read: &Read, target: &PolicyTarget, raw: &BTreeSet<ColumnPath>) -> String {
    let only = target.row_filter(&read.table);
    let only = only.map_or_else(String::new, |filter| format!(", only rows with {filter}"));
    if read.columns.is_empty() {
        return format!("{} (its rows are counted){only}", read.table);
    }
    let column = |name: &String| match target.mask(&read.table, name) {
        None => name.clone(),
        Some(m) if m.unmask && m.path().is_some_and(|path| raw.contains(&path)) => {
            format!("{name} (RAW, WITHOUT ITS MASK)")
        }
        Some(m) => format!("{name} (masked: {})", m.mask),
    };
    let columns: Vec<String> = read.columns.iter().map(column).collect();
    format!("{}: {}{only}", read.table, columns.join(", "))
}

/// The ceiling that is proposed: what the manifest asks for there, as far as the targets' policy lets it.
pub(super) fn proposed(bundle: &Bundle, authority: &Authority, pairs: &[Pair]) -> Capabilities {
    let asked = bundle.manifest.asks(pairs);
    let mut proposed = asked.clone();
    for pair in pairs {
        let Some(target) = authority.target(&pair.target) else { continue };
        let bound = target.rules().bound(&asked);
        proposed.limits = proposed.limits.meet(&bound.limits);
        proposed.pairs.extend(asked.only(pair).meet(&bound.only(pair)).pairs);
    }
    proposed
}
