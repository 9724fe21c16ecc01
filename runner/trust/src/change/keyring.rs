//! Between two keyrings: who holds which role, with which keys, how many of them are needed, and the
//! floors.

use domain::PersonId;

use super::lists::{More, Moved, joined};
use super::{Change, Changes};
use crate::documents::{Floors, Keyring, Role, RoleRule};

/// What the next keyring changes.
#[must_use]
pub fn of_keyring(before: &Keyring, after: &Keyring) -> Vec<Change> {
    let mut changes = Changes::default();
    roles(&mut changes, before, after);
    keys(&mut changes, before, after);
    floors(&mut changes, &before.floors, &after.floors);
    changes.sorted()
}

fn roles(changes: &mut Changes, before: &Keyring, after: &Keyring) {
    for new in &after.roles {
        match before.role(new.role) {
            None => changes.grave(format!(
                "the role {} is new: {} of {}",
                new.role,
                new.threshold,
                joined(&new.people)
            )),
            Some(old) => role(changes, old, new),
        }
    }
    for old in before.roles.iter().filter(|r| after.role(r.role).is_none()) {
        let what = format!("nobody holds the role {} any more: {}", old.role, joined(&old.people));
        // Who cannot stop anything cannot prevent anything.
        if old.role == Role::Stop { changes.grave(what) } else { changes.narrows(what) }
    }
    let order = |k: &Keyring| k.roles.iter().map(|r| r.role).collect::<Vec<_>>();
    let (old, new) = (order(before), order(after));
    let Moved { added, removed } = Moved::of(&old, &new);
    changes.order("roles", old != new && added.is_empty() && removed.is_empty());
}

fn role(changes: &mut Changes, old: &RoleRule, new: &RoleRule) {
    let role = new.role;
    let (was, is) = (u64::from(old.threshold), u64::from(new.threshold));
    changes.number(&format!("people of the role {role} who have to sign"), was, is, More::Narrows);
    if old.people == new.people {
        return;
    }
    let Moved { added, removed } = Moved::of(&old.people, &new.people);
    for person in &added {
        changes.grave(format!("{person} gets the role {role}"));
    }
    for person in &removed {
        let what = format!("{person} loses the role {role}");
        if role == Role::Stop { changes.widens(what) } else { changes.narrows(what) }
    }
    let same = added.is_empty() && removed.is_empty();
    changes.order(&format!("people of the role {role}"), same);
}

fn keys(changes: &mut Changes, before: &Keyring, after: &Keyring) {
    if before.keys == after.keys {
        return;
    }
    let Moved { added, removed } = Moved::of(&before.keys, &after.keys);
    for k in &added {
        let roles = held(after, &k.person);
        let key = k.key.fingerprint();
        changes.grave(format!("{} may sign with {key} for: {roles}", k.person));
    }
    for k in &removed {
        changes.narrows(format!("{} may not sign with {} any more", k.person, k.key.fingerprint()));
    }
    changes.order("keys", added.is_empty() && removed.is_empty());
}

/// The roles of a person, in words.
fn held(keyring: &Keyring, person: &PersonId) -> String {
    let mine = keyring.roles.iter().filter(|r| r.people.contains(person));
    joined(&mine.map(|r| r.role).collect::<Vec<_>>())
}

fn floors(changes: &mut Changes, before: &Floors, after: &Floors) {
    let Floors { reviews_required, approvals_required, self_serve, break_glass_approvals_required } =
        after;
    for (what, old, new) in [
        ("reviews", before.reviews_required, reviews_required),
        ("approvals", before.approvals_required, approvals_required),
        (
            "approvals in an emergency",
            before.break_glass_approvals_required,
            break_glass_approvals_required,
        ),
    ] {
        let what = format!("the fewest {what} that a policy may ask for");
        changes.number(&what, u64::from(old), u64::from(*new), More::Narrows);
    }
    match (before.self_serve, self_serve) {
        (false, true) => changes.grave("policies may allow runs without an approval"),
        (true, false) => changes.narrows("no policy may allow runs without an approval"),
        _ => {}
    }
}
