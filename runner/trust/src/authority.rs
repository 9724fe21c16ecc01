//! The authority: one keyring, directory and policy that belong together, checked once and then
//! asked about everything else.
//!
//! It starts from what the runner (or a trust file) has pinned, never from what arrived with an
//! order. Versions only go forward: the newest seen are a parameter, kept by `executor`.

mod error;
mod proposal;
mod succession;

use std::collections::BTreeSet;

use domain::{Digest, PersonId, RunnerName, TargetId, Timestamp, TrustDomain};

pub use error::AuthorityError;
pub use proposal::{Lack, Named, Proposed, ProposedKeyring, ProposedKind, named};
pub use succession::{SUCCESSORS_MAX, newest_keyring, succeed};

use crate::document::{Document, DocumentError, Problem, Salt, VersionRef};
use crate::documents::{
    Directory, Keyring, Lift, Login, Person, Policy, PolicyTarget, Receipt, Role, Status, Stop,
    Withdrawal,
};
use crate::envelope::Envelope;
use crate::key::PublicKey;
use crate::negative::InForce;
use crate::verify::{self, KeyBook, Verified};

/// Trust domains that begin so are for one person.
pub(crate) const SOLO_PREFIX: &str = "solo/";

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
    /// Of the keyring; `None`: no newer one than the pinned.
    pub keyring: Option<VersionRef>,
    /// Of the directory.
    pub directory: Option<VersionRef>,
    /// Of the policy.
    pub policy: Option<VersionRef>,
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
    /// Verifies the three against the pin and the newest versions seen. `successors` are the keyrings
    /// that follow `keyring`, every version; those before the pinned one are skipped. Directory and
    /// policy belong to the newest.
    ///
    /// # Errors
    /// Which document is wrong, and what to do.
    pub fn establish(
        keyring: &Envelope,
        successors: &[Envelope],
        directory: &Envelope,
        policy: &Envelope,
        pinned: &Pinned,
        seen: &Seen,
        now: Timestamp,
    ) -> Result<Self, AuthorityError> {
        let domain = &pinned.trust_domain;
        let keyring = newest_keyring(keyring, successors, pinned, seen)?
            .live(now)
            .map_err(AuthorityError::Document)?;
        let doc = keyring.doc();
        let directory: Verified<Directory> =
            verify::threshold(directory, domain, doc, Role::Directory)
                .and_then(|d| d.live(now))
                .map_err(AuthorityError::Document)?;
        let policy: Verified<Policy> = verify::threshold(policy, domain, doc, Role::Policy)
            .and_then(|p| p.live(now))
            .map_err(AuthorityError::Document)?;
        let current = version(&keyring, doc.version);
        for (name, bound) in
            [("directory", directory.doc().keyring), ("policy", policy.doc().keyring)]
        {
            if bound != current {
                return Err(AuthorityError::Unbound(name));
            }
        }
        let (d, p) = (directory.doc(), policy.doc());
        forward("directory", seen.directory, version(&directory, d.version), d.previous)?;
        forward("policy", seen.policy, version(&policy, p.version), p.previous)?;
        one_holder_a_key(doc, d)?;
        humans_hold_roles(doc, d)?;
        above_floors(doc, p)?;
        let book = KeyBook::of(d);
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
        Seen {
            keyring: Some(self.keyring_ref()),
            directory: Some(self.directory_ref()),
            policy: Some(self.policy_ref()),
        }
    }

    /// What to pin from now on: the newest keyring. A pin only moves along successions.
    #[must_use]
    pub fn pin(&self) -> Pinned {
        Pinned { trust_domain: self.trust_domain.clone(), keyring: self.keyring_ref() }
    }

    /// The keyring as it was verified, to be succeeded.
    #[must_use]
    pub const fn verified_keyring(&self) -> &Verified<Keyring> {
        &self.keyring
    }

    /// Whether this is a trust domain in which one person may hold every role.
    #[must_use]
    pub fn is_solo(&self) -> bool {
        self.trust_domain.as_str().starts_with(SOLO_PREFIX)
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

    /// Verifies a lift by the role's threshold. Its window does not end it.
    ///
    /// # Errors
    /// What is wrong with it; also a signer who is stopped, and so cannot lift their own stop.
    pub fn verify_lift(
        &self,
        envelope: &Envelope,
        in_force: &InForce,
    ) -> Result<Verified<Lift>, DocumentError> {
        let (domain, keyring) = (&self.trust_domain, self.keyring());
        verify::unstopped_threshold(envelope, domain, keyring, Role::Lift, in_force, &self.book)
    }

    /// Verifies a reviewer's withdrawal of their rejection. Its window does not end it.
    ///
    /// # Errors
    /// What is wrong with it; also a reviewer who is stopped.
    pub fn verify_withdrawal(
        &self,
        envelope: &Envelope,
        in_force: &InForce,
    ) -> Result<Verified<Withdrawal>, DocumentError> {
        let withdrawal = self.verify(envelope, &BTreeSet::new())?;
        verify::unstopped(&withdrawal, in_force)?;
        Ok(withdrawal)
    }

    /// Verifies a status by the role's threshold; what it says is compared by `decide`.
    ///
    /// # Errors
    /// What is wrong with it; also a signer who is stopped.
    pub fn verify_status(
        &self,
        envelope: &Envelope,
        in_force: &InForce,
    ) -> Result<Verified<Status>, DocumentError> {
        let (domain, keyring) = (&self.trust_domain, self.keyring());
        verify::unstopped_threshold(envelope, domain, keyring, Role::Status, in_force, &self.book)
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

fn forward(
    doc: &'static str,
    seen: Option<VersionRef>,
    got: VersionRef,
    previous: Option<Digest>,
) -> Result<(), AuthorityError> {
    let Some(seen) = seen else { return Ok(()) };
    if got.version < seen.version || (got.version == seen.version && got != seen) {
        return Err(AuthorityError::Rollback { doc, seen, got });
    }
    // Versions in between may never have come here; the next one says what it follows.
    if seen.version.checked_add(1) == Some(got.version) && previous != Some(seen.digest) {
        return Err(AuthorityError::Fork { doc, seen, got });
    }
    Ok(())
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
        if t.self_serve.is_some() && !floors.self_serve {
            return Err(AuthorityError::SelfServe(t.id.clone()));
        }
        let emergency = t.break_glass.as_ref().map(|b| b.approvals.required);
        for (what, policy, floor) in [
            ("reviews", Some(t.reviews.required), floors.reviews_required),
            ("reviews of an unchanged script", t.reviews_unchanged, floors.reviews_required),
            ("approvals", Some(t.approvals.required), floors.approvals_required),
            ("approvals in an emergency", emergency, floors.break_glass_approvals_required),
        ] {
            if let Some(policy) = policy.filter(|n| *n < floor) {
                return Err(AuthorityError::Floor { target: t.id.clone(), what, policy, floor });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
