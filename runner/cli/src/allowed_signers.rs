//! Who may sign what, as `ssh-keygen -Y verify` reads it: an `allowed_signers` file (ssh-keygen(1)).
//!
//! It is an extract of a verified authority. What it cannot say (thresholds, groups, whether a
//! security key was touched) is checked by `trust` and nowhere else.

use std::fmt;

use serde::Serialize;
use trust::{
    AccessRequest, AfterReview, Approval, Authority, Directory, Document, KeyStatus, Keyring, Lift,
    Login, Policy, PublicKey, Receipt, Review, Role, RunRequest, Status, Stop, Submission,
    Withdrawal, namespace,
};

/// A key, whose it is, and what it may sign. Its text is a line of `allowed_signers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AllowedSigner {
    /// A person, or a runner.
    pub(crate) principal: String,
    /// What it may sign.
    pub(crate) namespaces: Vec<String>,
    /// The key.
    pub(crate) key: PublicKey,
}

impl fmt::Display for AllowedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Principals and namespaces are made of characters that need no quoting.
        let namespaces = self.namespaces.join(",");
        write!(f, "{} namespaces=\"{namespaces}\" {}", self.principal, self.key)
    }
}

/// Everybody: the directory's active keys, the keyring's keys by role, the runners' keys.
pub(crate) fn of(authority: &Authority) -> Vec<AllowedSigner> {
    let mut all = Vec::new();
    for person in &authority.directory().people {
        for key in person.keys.iter().filter(|k| k.status == KeyStatus::Active) {
            let principal = person.id.to_string();
            all.push(AllowedSigner {
                principal,
                namespaces: statements(authority),
                key: key.key.clone(),
            });
        }
    }
    for holder in &authority.keyring().keys {
        let namespaces = roles(authority, &holder.person);
        if !namespaces.is_empty() {
            let (principal, key) = (holder.person.to_string(), holder.key.clone());
            all.push(AllowedSigner { principal, namespaces, key });
        }
    }
    for runner in &authority.policy().runners {
        let (principal, key) = (runner.name.to_string(), runner.key.clone());
        all.push(AllowedSigner { principal, namespaces: vec![name::<Receipt>(authority)], key });
    }
    all
}

/// The whole file.
pub(crate) fn file(authority: &Authority) -> String {
    of(authority).iter().map(|signer| format!("{signer}\n")).collect()
}

fn name<D: Document>(authority: &Authority) -> String {
    namespace::<D>(authority.trust_domain())
}

/// What people sign with keys of the directory.
fn statements(authority: &Authority) -> Vec<String> {
    vec![
        name::<Submission>(authority),
        name::<Review>(authority),
        name::<AccessRequest>(authority),
        name::<Approval>(authority),
        name::<RunRequest>(authority),
        name::<Withdrawal>(authority),
        name::<AfterReview>(authority),
        name::<Login>(authority),
    ]
}

/// What a person signs with keys of the keyring, by role.
fn roles(authority: &Authority, person: &domain::PersonId) -> Vec<String> {
    let of_role = [
        (Role::Root, name::<Keyring>(authority)),
        (Role::Directory, name::<Directory>(authority)),
        (Role::Policy, name::<Policy>(authority)),
        (Role::Stop, name::<Stop>(authority)),
        (Role::Lift, name::<Lift>(authority)),
        (Role::Status, name::<Status>(authority)),
    ];
    let holds = |role| authority.keyring().role(role).is_some_and(|r| r.people.contains(person));
    of_role.into_iter().filter(|(role, _)| holds(*role)).map(|(_, name)| name).collect()
}
