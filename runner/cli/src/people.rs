//! Who can help on, by name: asked of the runner's own rules, over what this client verified.

use domain::{Pair, PersonId};
use trust::imagine::Ground;
use trust::imagine::who::{self, Act};

use crate::dossier::Dossier;

/// Names that are listed; more help nobody.
const SHOWN_MAX: usize = 8;

/// Everybody who may do it on all of these targets, besides these people. Whoever is stopped may not.
pub(crate) fn who(dossier: &Dossier, pairs: &[Pair], act: Act, but: &[PersonId]) -> Vec<PersonId> {
    let authority = &dossier.authority;
    let ground = Ground::of(authority);
    let counted = |id: &PersonId| authority.person(id).map(|p| p.counted().clone());
    let but: Vec<_> = but.iter().map(counted).collect();
    let may = |p: &&trust::Person| {
        let other = authority.is_solo() || !but.contains(&Some(p.counted().clone()));
        other
            && p.is_human()
            && !dossier.against.in_force.is_stopped(&p.id)
            && pairs.iter().all(|pair| who::may(&ground, &p.id, act, &pair.target).is_ok())
    };
    authority.directory().people.iter().filter(may).map(|p| p.id.clone()).collect()
}

/// `bob, carol or dave`; and what it means that there is nobody.
pub(crate) fn in_words(people: &[PersonId]) -> String {
    let names: Vec<&str> = people.iter().take(SHOWN_MAX).map(PersonId::as_str).collect();
    match (names.as_slice(), people.len()) {
        ([], _) => "nobody else, by the policy in force".to_owned(),
        ([one], _) => (*one).to_owned(),
        ([all @ .., last], n) if n <= SHOWN_MAX => format!("{} or {last}", all.join(", ")),
        (all, n) => format!("{} or {} others", all.join(", "), n - all.len()),
    }
}

#[cfg(test)]
mod tests;
