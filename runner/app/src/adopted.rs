//! Keyring, directory and policy in force, with the documents that they are: replaced as one when
//! people adopt others, so that no use-case sees half of a change.
//!
//! The runner adopts, and remembers what it adopted; this is the control plane's copy, which no runner
//! believes. What is only proposed is in [`crate::proposals`].

use std::sync::{Arc, PoisonError, RwLock};

use domain::{GroupName, PersonId};
use executor::AuthorityDocuments;
use trust::{Authority, Directory, KeyStatus, Person};

use crate::App;

/// What is in force.
#[derive(Debug)]
pub(crate) struct Adopted {
    pub(crate) authority: Authority,
    pub(crate) documents: AuthorityDocuments,
}

/// The newest of them.
#[derive(Debug)]
pub(crate) struct Newest(RwLock<Arc<Adopted>>);

impl Newest {
    pub(crate) fn new(adopted: Adopted) -> Self {
        Self(RwLock::new(Arc::new(adopted)))
    }

    pub(crate) fn get(&self) -> Arc<Adopted> {
        // Replaced as a whole, so a panic elsewhere leaves it whole.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn replace(&self, adopted: Adopted) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(adopted);
    }
}

impl App {
    /// What is in force now. A use-case that asks twice may see two; where that matters, it asks once.
    pub(crate) fn adopted(&self) -> Arc<Adopted> {
        self.newest.get()
    }

    /// Who is counted for a person: the owner of a service or agent.
    pub(crate) fn counted(&self, person: &PersonId) -> PersonId {
        self.adopted().authority.person(person).map_or(person, |p| p.counted()).clone()
    }

    pub(crate) fn is_human(&self, person: &PersonId) -> bool {
        self.adopted().authority.person(person).is_some_and(Person::is_human)
    }

    /// A person's groups; none for somebody who is not in the directory.
    pub(crate) fn groups(&self, person: &PersonId) -> Vec<GroupName> {
        let adopted = self.adopted();
        adopted.authority.person(person).map(|p| p.groups.clone()).unwrap_or_default()
    }
}

/// Whether a key is a person's own and may sign.
pub(crate) fn is_active(authority: &Authority, person: &PersonId, fingerprint: &str) -> bool {
    let keys = authority.person(person).map(active_keys_of);
    keys.is_some_and(|mut keys| keys.any(|key| key == fingerprint))
}

/// Who may sign with which key, by its fingerprint.
pub(crate) fn active_keys(directory: &Directory) -> impl Iterator<Item = (PersonId, String)> + '_ {
    directory.people.iter().flat_map(|p| active_keys_of(p).map(|key| (p.id.clone(), key)))
}

fn active_keys_of(person: &Person) -> impl Iterator<Item = String> + '_ {
    let active = person.keys.iter().filter(|k| k.status == KeyStatus::Active);
    active.map(|k| k.key.fingerprint().as_str().to_owned())
}
