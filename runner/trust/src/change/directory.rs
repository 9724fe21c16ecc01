//! Between two directories: who comes and goes, with which keys, in which groups.

use domain::display::neutralise;

use super::lists::{Moved, joined};
use super::{Change, Changes};
use crate::documents::{Directory, KeyStatus, Person, PersonKey, PersonKind};

/// What the next directory changes.
#[must_use]
pub fn of_directory(before: &Directory, after: &Directory) -> Vec<Change> {
    let mut changes = Changes::default();
    for new in &after.people {
        match before.people.iter().find(|p| p.id == new.id) {
            None => comes(&mut changes, new),
            Some(old) => person(&mut changes, old, new),
        }
    }
    for old in &before.people {
        if !after.people.iter().any(|p| p.id == old.id) {
            changes.narrows(format!("{} goes: nothing that they signed counts any more", old.id));
        }
    }
    let ids = |d: &Directory| d.people.iter().map(|p| p.id.clone()).collect::<Vec<_>>();
    let (old, new) = (ids(before), ids(after));
    let Moved { added, removed } = Moved::of(&old, &new);
    changes.order("people", old != new && added.is_empty() && removed.is_empty());
    changes.sorted()
}

fn comes(changes: &mut Changes, p: &Person) {
    let who = described(p);
    changes.grave(format!("{} comes: {who}, in {}", p.id, joined(&p.groups)));
    for k in &p.keys {
        let (key, status) = (k.key.fingerprint(), word(k.status));
        let what = format!("{} has the key {key} ({status})", p.id);
        if k.status == KeyStatus::Active { changes.grave(what) } else { changes.narrows(what) }
    }
}

fn described(p: &Person) -> String {
    let name = neutralise(&p.name);
    let kind = match p.kind {
        PersonKind::Human => "a human",
        PersonKind::Service => "a service",
        PersonKind::Agent => "an agent",
    };
    match &p.owner {
        None => format!("{kind} called \"{name}\""),
        Some(owner) => format!("{kind} called \"{name}\", counted as {owner}"),
    }
}

fn person(changes: &mut Changes, old: &Person, new: &Person) {
    let id = &new.id;
    if (old.kind, &old.owner) != (new.kind, &new.owner) {
        changes.grave(format!("{id} is {} instead of {}", described(new), described(old)));
    } else if old.name != new.name {
        let (was, is) = (neutralise(&old.name), neutralise(&new.name));
        changes.widens(format!("{id} is called \"{is}\" instead of \"{was}\""));
    }
    changes.list(&format!("groups of {id}"), &old.groups, &new.groups);
    for k in &new.keys {
        match old.keys.iter().find(|earlier| earlier.key == k.key) {
            None => {
                let (key, status) = (k.key.fingerprint(), word(k.status));
                let what = format!("{id} gets the key {key} ({status})");
                if k.status == KeyStatus::Active {
                    changes.grave(what)
                } else {
                    changes.widens(what)
                }
            }
            Some(earlier) => status(changes, new, earlier, k),
        }
    }
    let keys = |p: &Person| p.keys.iter().map(|k| k.key.fingerprint()).collect::<Vec<_>>();
    let (before, after) = (keys(old), keys(new));
    let Moved { added, removed } = Moved::of(&before, &after);
    for key in &removed {
        changes.narrows(format!("{id} has the key {key} no more"));
    }
    let same = before != after && added.is_empty() && removed.is_empty();
    changes.order(&format!("keys of {id}"), same);
}

fn status(changes: &mut Changes, person: &Person, old: &PersonKey, new: &PersonKey) {
    let (id, key) = (&person.id, new.key.fingerprint());
    let (was, is) = (word(old.status), word(new.status));
    let since = new.since.map_or_else(String::new, |t| format!(" since {t}"));
    match (old.status, new.status) {
        (a, b) if a == b && old.since == new.since => {}
        (a, b) if a == b => changes.widens(format!("the key {key} of {id} is {is}{since}")),
        (_, KeyStatus::Active) => {
            changes.grave(format!("the key {key} of {id} signs again; it was {was}"));
        }
        (KeyStatus::Active, _) => {
            changes.narrows(format!("the key {key} of {id} signs no more: {is}{since}"));
        }
        _ => changes.widens(format!("the key {key} of {id} is {is}{since} instead of {was}")),
    }
}

const fn word(status: KeyStatus) -> &'static str {
    match status {
        KeyStatus::Active => "active",
        KeyStatus::Retired => "retired",
        KeyStatus::Compromised => "compromised",
    }
}
