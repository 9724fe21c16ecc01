//! What a change of directory or policy means for people: what they may do then and could not before.

use std::collections::{BTreeMap, BTreeSet};

use domain::{GroupName, PersonId, TargetId};

use super::Ground;
use super::cast::Speaker;
use super::who::{Act, asked};
use crate::change::{Change, Effect};

type Rights = BTreeSet<(TargetId, Act)>;

/// What people may do in `after` and could not in `before`, and the other way round.
#[must_use]
pub fn consequences(before: &Ground<'_>, after: &Ground<'_>) -> Vec<Change> {
    let (old, new) = (of(before), of(after));
    let none = Rights::new();
    let mut all = Vec::new();
    for person in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let was = old.get(person).unwrap_or(&none);
        let is = new.get(person).unwrap_or(&none);
        let widens = |what| Change { effect: Effect::Widens, grave: true, what };
        all.extend(
            is.difference(was).map(|(target, act)| {
                widens(format!("{person} may now {} on {target}", act.words()))
            }),
        );
        all.extend(was.difference(is).map(|(target, act)| {
            let lost = format!("{person} may no longer {} on {target}", act.words());
            match act {
                // A no of somebody who may not review is no obstacle.
                Act::Review => Change {
                    effect: Effect::Widens,
                    grave: false,
                    what: format!("{lost}, and what they rejected there is barred no more"),
                },
                _ => Change { effect: Effect::Narrows, grave: false, what: lost },
            }
        }));
    }
    all.sort_by_key(|c| (!c.grave, c.effect));
    all
}

/// Everybody's rights. People of the same kind in the same groups have the same.
fn of(ground: &Ground<'_>) -> BTreeMap<PersonId, Rights> {
    let mut known: BTreeMap<(bool, Vec<GroupName>), Rights> = BTreeMap::new();
    let mut all = BTreeMap::new();
    for person in &ground.directory.people {
        let Ok(speaker) = ground.speaker(&person.id) else { continue };
        let mut groups = speaker.groups.clone();
        groups.sort();
        groups.dedup();
        let same = (speaker.human, groups);
        let rights = known.entry(same).or_insert_with(|| rights(ground, &speaker));
        all.insert(person.id.clone(), rights.clone());
    }
    all
}

fn rights(ground: &Ground<'_>, speaker: &Speaker) -> Rights {
    let targets = ground.policy.targets.iter();
    let pairs = targets.flat_map(|t| Act::ALL.into_iter().map(move |act| (t, act)));
    pairs
        .filter(|(t, act)| asked(ground, speaker, *act, t).is_ok())
        .map(|(t, act)| (t.id.clone(), act))
        .collect()
}
