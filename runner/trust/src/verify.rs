//! Whose signatures count: from an envelope to a [`Verified`] document.
//!
//! One rule a kind of signer ([`crate::SignedBy`]): the named person by an active key of the
//! directory, a holder or a threshold of a role by keys of the keyring, a runner by its key of the
//! policy. Every signature in an envelope is verified; one that fails refuses the whole envelope.
//! The authority that holds the keys is in [`crate::authority`].

mod roles;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{Digest, PersonId, Timestamp, TrustDomain};

use crate::document::{
    Document, DocumentError, Problem, SignedBy, error, namespace, read_unverified,
};
use crate::documents::{Directory, KeyClaim, KeyStatus, Keyring};
use crate::envelope::Envelope;
use crate::key::{Fingerprint, PublicKey};
use crate::sshsig::{Sshsig, SshsigError};

pub use roles::{SoFar, signed_so_far};
pub(crate) use roles::{
    first_keyring, holding, next_keyring, stopped, threshold, unstopped, unstopped_threshold,
};

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The person, or the runner's name.
    pub name: String,
    /// With which key.
    pub key: Fingerprint,
}

/// A document whose signatures are verified and whose signers are the right ones. Only this crate
/// makes one. Its window is **not** judged: see [`Verified::live`].
#[derive(Debug, Clone)]
pub struct Verified<D> {
    doc: D,
    digest: Digest,
    signers: Vec<Signer>,
}

impl<D: Document> Verified<D> {
    /// The document.
    #[must_use]
    pub const fn doc(&self) -> &D {
        &self.doc
    }

    /// The document, by value.
    #[must_use]
    pub fn into_doc(self) -> D {
        self.doc
    }

    /// The digest of its payload: its identity.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Who signed, at least one.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// Itself, when `now` lies in its window.
    ///
    /// # Errors
    /// Says when it is valid.
    pub fn live(self, now: Timestamp) -> Result<Self, DocumentError> {
        if self.doc.window().contains(now) {
            return Ok(self);
        }
        Err(error::<D>(Problem::Window(self.doc.window(), now)))
    }
}

#[derive(Debug, Clone)]
struct Held {
    person: PersonId,
    status: KeyStatus,
}

/// Keys of the directory by fingerprint; a key has one holder ([`Directory`] checks that).
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyBook {
    keys: BTreeMap<Fingerprint, Held>,
    pub(crate) fitting: Arc<Fitting>,
}

impl KeyBook {
    pub(crate) fn of(directory: &Directory) -> Self {
        let mut keys = BTreeMap::new();
        for p in &directory.people {
            for k in &p.keys {
                let held = Held { person: p.id.clone(), status: k.status };
                keys.insert(k.key.fingerprint(), held);
            }
        }
        Self { keys, fitting: Arc::default() }
    }

    fn active(&self, key: &Fingerprint) -> Result<&PersonId, Problem> {
        let held = self.keys.get(key).ok_or_else(|| Problem::UnknownKey(key.clone()))?;
        let status = match held.status {
            KeyStatus::Active => return Ok(&held.person),
            KeyStatus::Retired => "retired",
            KeyStatus::Compromised => "compromised",
        };
        Err(Problem::KeyNotActive(key.clone(), status))
    }
}

/// Signatures that were found to fit, so that the reviews of a script are not verified by arithmetic
/// at each of its runs. An entry is the digest of everything that went into the check, and says
/// nothing about whose the key is or whether it still counts: that is judged every time.
#[derive(Debug, Default)]
pub(crate) struct Fitting(Mutex<HashSet<Digest>>);

/// Signatures remembered, 32 bytes each; beyond it all are forgotten.
const FITTING_MAX: usize = 8192;

impl Fitting {
    fn verify(&self, s: &Sshsig, namespace: &str, hash: &[u8; 64]) -> Result<(), SshsigError> {
        // The namespace has no NUL and the hash has one length, so no two checks have one text.
        let checked = [namespace.as_bytes(), &[0], hash, &s.to_blob()].concat();
        let id = Digest::of(&checked);
        // Changed by single insertions, so a panic elsewhere leaves it whole.
        let fitting = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if fitting().contains(&id) {
            return Ok(());
        }
        s.verify_hash(namespace, hash)?;
        let mut fitting = fitting();
        if fitting.len() >= FITTING_MAX {
            fitting.clear();
        }
        fitting.insert(id);
        Ok(())
    }
}

/// Parses, checks the audience, verifies every signature; whose they are comes next.
pub(crate) fn opened<D: Document>(
    envelope: &Envelope,
    domain: &TrustDomain,
    fitting: &Fitting,
) -> Result<D, DocumentError> {
    let doc: D = read_unverified(envelope)?;
    if doc.trust_domain() != domain {
        let (want, got) = (domain.clone(), doc.trust_domain().clone());
        return Err(error::<D>(Problem::TrustDomain { want, got }));
    }
    let namespace = namespace::<D>(domain);
    let hash = envelope.hash();
    for signature in envelope.signatures() {
        let fits = fitting.verify(signature, &namespace, &hash);
        fits.map_err(|e| error::<D>(Problem::Signature(e)))?;
    }
    Ok(doc)
}

/// A document of one person, verified against the directory; `stopped` keys are refused.
pub(crate) fn person<D: Document>(
    envelope: &Envelope,
    domain: &TrustDomain,
    book: &KeyBook,
    keyring: &Keyring,
    stopped: &BTreeSet<String>,
) -> Result<Verified<D>, DocumentError> {
    let doc: D = opened(envelope, domain, &book.fitting)?;
    let signer = one_signer(envelope, &doc, book, keyring).map_err(|p| error::<D>(p))?;
    if stopped.contains(signer.key.as_str()) {
        return Err(error::<D>(Problem::KeyStopped(signer.key)));
    }
    Ok(Verified { doc, digest: envelope.payload_digest(), signers: vec![signer] })
}

fn one_signer<D: Document>(
    envelope: &Envelope,
    doc: &D,
    book: &KeyBook,
    keyring: &Keyring,
) -> Result<Signer, Problem> {
    let [signature] = envelope.signatures() else {
        return Err(Problem::SignatureCount(envelope.signatures().len()));
    };
    let key = signature.key().fingerprint();
    let (named, holder) = match doc.signed_by() {
        SignedBy::Person(named) => (named, book.active(&key)?),
        SignedBy::Holder(named, role) => {
            let holder = holder(keyring, signature.key())?;
            if !keyring.role(role).is_some_and(|r| r.people.contains(holder)) {
                return Err(Problem::NoRole { person: holder.clone(), role });
            }
            (named, holder)
        }
        SignedBy::Role(role) => {
            return Err(Problem::Threshold { role, want: 1, got: 0 });
        }
        SignedBy::Runner(name) => return Err(wrong_signer(name, &key)),
        SignedBy::Key(named) => return Err(wrong_signer(&named.fingerprint(), &key)),
    };
    if named != holder {
        return Err(wrong_signer(named, holder));
    }
    Ok(Signer { name: holder.to_string(), key })
}

fn holder<'k>(keyring: &'k Keyring, key: &PublicKey) -> Result<&'k PersonId, Problem> {
    keyring.holder(key).ok_or_else(|| Problem::UnknownKey(key.fingerprint()))
}

fn wrong_signer(named: &impl fmt::Display, signed: &impl fmt::Display) -> Problem {
    Problem::Signer { named: named.to_string(), signed: signed.to_string() }
}

/// A key claim: signed by the very key that it is about, by nobody known.
///
/// # Errors
/// What is wrong with it.
pub fn verify_key_claim(
    envelope: &Envelope,
    domain: &TrustDomain,
) -> Result<Verified<KeyClaim>, DocumentError> {
    let doc: KeyClaim = opened(envelope, domain, &Fitting::default())?;
    let [signature] = envelope.signatures() else {
        return Err(error::<KeyClaim>(Problem::SignatureCount(envelope.signatures().len())));
    };
    let key = signature.key().fingerprint();
    if *signature.key() != doc.key {
        return Err(error::<KeyClaim>(wrong_signer(&doc.key.fingerprint(), &key)));
    }
    let signers = vec![Signer { name: doc.person.to_string(), key }];
    Ok(Verified { doc, digest: envelope.payload_digest(), signers })
}

/// A document of a runner, verified against its one key.
pub(crate) fn runner<D: Document>(
    envelope: &Envelope,
    domain: &TrustDomain,
    key_of: impl FnOnce(&str) -> Option<PublicKey>,
) -> Result<Verified<D>, DocumentError> {
    let doc: D = opened(envelope, domain, &Fitting::default())?;
    let digest = envelope.payload_digest();
    let signed = || -> Result<Signer, Problem> {
        let [signature] = envelope.signatures() else {
            return Err(Problem::SignatureCount(envelope.signatures().len()));
        };
        let key = signature.key().fingerprint();
        let SignedBy::Runner(name) = doc.signed_by() else {
            return Err(wrong_signer(&"no runner", &key));
        };
        if key_of(name.as_str()).as_ref() != Some(signature.key()) {
            return Err(wrong_signer(&format!("runner {name}"), &key));
        }
        Ok(Signer { name: name.to_string(), key })
    };
    let signer = signed().map_err(|p| error::<D>(p))?;
    Ok(Verified { doc, digest, signers: vec![signer] })
}

#[cfg(test)]
mod tests;
