//! The authority: one keyring, directory and policy that belong together, checked once and then
//! asked about everything else.
//!
//! It starts from what the runner (or a trust file) has pinned, never from what arrived with an
//! order. Versions only go forward: the newest seen are a parameter, kept by `executor`.

use std::collections::BTreeSet;

use domain::{PersonId, RunnerName, TargetId, Timestamp, TrustDomain};

use crate::document::{Document, DocumentError, Problem, Salt, VersionRef, read_unverified};
use crate::documents::{
    Directory, Keyring, Login, Person, Policy, PolicyTarget, Receipt, Role, Stop,
};
use crate::envelope::Envelope;
use crate::key::PublicKey;
use crate::verify::{self, KeyBook, Verified};

/// What is trusted before anything is read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    /// The audience of every signature.
    pub trust_domain: TrustDomain,
    /// The keyring.
    pub keyring: VersionRef,
}

/// The newest versions that this party has accepted; `None` before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Of the directory.
    pub directory: Option<VersionRef>,
    /// Of the policy.
    pub policy: Option<VersionRef>,
}

/// Why keyring, directory and policy are not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// One of the documents is refused.
    #[error("{0}")]
    Document(DocumentError),
    /// Another keyring than the pinned one.
    #[error(
        "the keyring is version {} ({}), the pinned one is version {} ({}); fetch the pinned one, \
         or enrol again", got.version, got.digest, want.version, want.digest
    )]
    Keyring {
        /// The pinned one.
        want: VersionRef,
        /// What arrived.
        got: VersionRef,
    },
    /// A directory or policy made for another keyring.
    #[error("the {0} is bound to another keyring; have it signed again for the current one")]
    Unbound(&'static str),
    /// An older version than one seen before, or another text under the same version.
    #[error(
        "the {doc} is version {} ({}), but version {} ({}) has been seen; fetch the newest",
        got.version, got.digest, seen.version, seen.digest
    )]
    Rollback {
        /// Which document.
        doc: &'static str,
        /// The newest seen.
        seen: VersionRef,
        /// What arrived.
        got: VersionRef,
    },
    /// A key that two people have, once keyring and directory are put together.
    #[error(
        "{0} has a key in the keyring that the directory gives to {1}; people are counted, so a key has one holder"
    )]
    KeyShared(PersonId, PersonId),
    /// A role held by a service or agent: its owner could count twice.
    #[error(
        "{0} holds the role `{1}` and is no human in the directory; people are counted, so give the role to its owner"
    )]
    HolderNotHuman(PersonId, Role),
    /// A policy below a floor of the keyring.
    #[error(
        "target {target} needs {policy} {what}, the keyring's floor is {floor}; raise it in the policy"
    )]
    Floor {
        /// The target.
        target: TargetId,
        /// `reviews` or `approvals`.
        what: &'static str,
        /// What the policy says.
        policy: u32,
        /// What the keyring says.
        floor: u32,
    },
}

/// Keyring, directory and policy, verified and bound to one another.
#[derive(Debug, Clone)]
pub struct Authority {
    trust_domain: TrustDomain,
    keyring: Verified<Keyring>,
    directory: Verified<Directory>,
    policy: Verified<Policy>,
    book: KeyBook,
}

impl Authority {
    /// Verifies the three against the pin and the newest versions seen.
    ///
    /// # Errors
    /// Which document is wrong, and what to do.
    pub fn establish(
        keyring: &Envelope,
        directory: &Envelope,
        policy: &Envelope,
        pinned: &Pinned,
        seen: &Seen,
        now: Timestamp,
    ) -> Result<Self, AuthorityError> {
        let domain = &pinned.trust_domain;
        let keyring = pinned_keyring(keyring, pinned, now)?;
        let doc = keyring.doc();
        let directory: Verified<Directory> =
            verify::threshold(directory, domain, doc, Role::Directory)
                .and_then(|d| d.live(now))
                .map_err(AuthorityError::Document)?;
        let policy: Verified<Policy> = verify::threshold(policy, domain, doc, Role::Policy)
            .and_then(|p| p.live(now))
            .map_err(AuthorityError::Document)?;
        for (name, bound) in
            [("directory", directory.doc().keyring), ("policy", policy.doc().keyring)]
        {
            if bound != pinned.keyring {
                return Err(AuthorityError::Unbound(name));
            }
        }
        forward("directory", seen.directory, version(&directory, directory.doc().version))?;
        forward("policy", seen.policy, version(&policy, policy.doc().version))?;
        one_holder_a_key(doc, directory.doc())?;
        humans_hold_roles(doc, directory.doc())?;
        above_floors(doc, policy.doc())?;
        let book = KeyBook::of(directory.doc());
        Ok(Self { trust_domain: domain.clone(), keyring, directory, policy, book })
    }

    /// The audience.
    #[must_use]
    pub const fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// The keyring.
    #[must_use]
    pub const fn keyring(&self) -> &Keyring {
        self.keyring.doc()
    }

    /// The directory.
    #[must_use]
    pub const fn directory(&self) -> &Directory {
        self.directory.doc()
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        self.policy.doc()
    }

    /// Version and digest of the keyring.
    #[must_use]
    pub fn keyring_ref(&self) -> VersionRef {
        version(&self.keyring, self.keyring.doc().version)
    }

    /// Version and digest of the directory.
    #[must_use]
    pub fn directory_ref(&self) -> VersionRef {
        version(&self.directory, self.directory.doc().version)
    }

    /// Version and digest of the policy.
    #[must_use]
    pub fn policy_ref(&self) -> VersionRef {
        version(&self.policy, self.policy.doc().version)
    }

    /// What to remember as the newest seen.
    #[must_use]
    pub fn seen(&self) -> Seen {
        Seen { directory: Some(self.directory_ref()), policy: Some(self.policy_ref()) }
    }

    /// Whether all three are valid at `now`; an authority outlives its making.
    ///
    /// # Errors
    /// Which of them is not.
    pub fn live(&self, now: Timestamp) -> Result<(), DocumentError> {
        fn one<D: Document>(d: &Verified<D>, now: Timestamp) -> Result<(), DocumentError> {
            let window = d.doc().window();
            if window.contains(now) {
                return Ok(());
            }
            Err(crate::document::error::<D>(Problem::Window(window, now)))
        }
        one(&self.keyring, now)?;
        one(&self.directory, now)?;
        one(&self.policy, now)
    }

    /// A person of the directory.
    #[must_use]
    pub fn person(&self, id: &PersonId) -> Option<&Person> {
        self.directory().people.iter().find(|p| p.id == *id)
    }

    /// A target of the policy.
    #[must_use]
    pub fn target(&self, id: &TargetId) -> Option<&PolicyTarget> {
        self.policy().target(id)
    }

    /// The key that signs a runner's receipts.
    #[must_use]
    pub fn runner_key(&self, name: &RunnerName) -> Option<&PublicKey> {
        self.policy().runner(name).map(|r| &r.key)
    }

    /// Verifies a document of one person: submission, review, access request, approval, run request,
    /// stop. `stopped` holds fingerprints of stopped keys. The window is not judged.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify<D: Document>(
        &self,
        envelope: &Envelope,
        stopped: &BTreeSet<String>,
    ) -> Result<Verified<D>, DocumentError> {
        verify::person(envelope, &self.trust_domain, &self.book, self.keyring(), stopped)
    }

    /// Verifies a stop. It is in force whatever its window says, and a stop signed by a key that is
    /// itself stopped still stops: banning more is the safe side.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify_stop(&self, envelope: &Envelope) -> Result<Verified<Stop>, DocumentError> {
        self.verify(envelope, &BTreeSet::new())
    }

    /// Verifies a receipt against the runner's key of the policy.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify_receipt(&self, envelope: &Envelope) -> Result<Verified<Receipt>, DocumentError> {
        verify::runner(envelope, &self.trust_domain, |name| {
            let runner = self.policy().runners.iter().find(|r| r.name.as_str() == name);
            runner.map(|r| r.key.clone())
        })
    }

    /// Verifies the answer to a login challenge.
    ///
    /// # Errors
    /// Another signer, origin or nonce, or too late.
    pub fn verify_login(
        &self,
        envelope: &Envelope,
        origin: &str,
        nonce: &Salt,
        stopped: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<Verified<Login>, DocumentError> {
        let login: Verified<Login> = self.verify(envelope, stopped)?.live(now)?;
        let wrong = |name: &str, what: &str| {
            Err(crate::document::error::<Login>(crate::document::field(name, what)))
        };
        if login.doc().origin != origin {
            return wrong("origin", "is another server's; log in to this one");
        }
        if login.doc().nonce != *nonce {
            return wrong("nonce", "is not this challenge's; log in again");
        }
        Ok(login)
    }
}

fn version<D: Document>(d: &Verified<D>, version: u64) -> VersionRef {
    VersionRef { version, digest: d.digest() }
}

/// The pin comes first: nothing of a keyring is believed before its digest fits.
fn pinned_keyring(
    envelope: &Envelope,
    pinned: &Pinned,
    now: Timestamp,
) -> Result<Verified<Keyring>, AuthorityError> {
    let claimed: Keyring = read_unverified(envelope).map_err(AuthorityError::Document)?;
    let got = VersionRef { version: claimed.version, digest: envelope.payload_digest() };
    if got != pinned.keyring {
        return Err(AuthorityError::Keyring { want: pinned.keyring, got });
    }
    verify::threshold(envelope, &pinned.trust_domain, &claimed, Role::Root)
        .and_then(|k| k.live(now))
        .map_err(AuthorityError::Document)
}

fn forward(
    doc: &'static str,
    seen: Option<VersionRef>,
    got: VersionRef,
) -> Result<(), AuthorityError> {
    match seen {
        Some(seen)
            if got.version < seen.version || (got.version == seen.version && got != seen) =>
        {
            Err(AuthorityError::Rollback { doc, seen, got })
        }
        _ => Ok(()),
    }
}

fn one_holder_a_key(keyring: &Keyring, directory: &Directory) -> Result<(), AuthorityError> {
    for p in &directory.people {
        for k in &p.keys {
            if let Some(other) =
                keyring.holder_of_material(&k.key).filter(|holder| **holder != p.id)
            {
                return Err(AuthorityError::KeyShared(other.clone(), p.id.clone()));
            }
        }
    }
    Ok(())
}

fn humans_hold_roles(keyring: &Keyring, directory: &Directory) -> Result<(), AuthorityError> {
    for rule in &keyring.roles {
        for holder in &rule.people {
            let listed = directory.people.iter().find(|p| p.id == *holder);
            if listed.is_some_and(|p| !p.is_human()) {
                return Err(AuthorityError::HolderNotHuman(holder.clone(), rule.role));
            }
        }
    }
    Ok(())
}

fn above_floors(keyring: &Keyring, policy: &Policy) -> Result<(), AuthorityError> {
    let floors = keyring.floors;
    for t in &policy.targets {
        for (what, policy, floor) in [
            ("reviews", t.reviews.required, floors.reviews_required),
            ("approvals", t.approvals.required, floors.approvals_required),
        ] {
            if policy < floor {
                return Err(AuthorityError::Floor { target: t.id.clone(), what, policy, floor });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
