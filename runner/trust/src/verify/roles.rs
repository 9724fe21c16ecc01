//! Documents of a role: as many people as the keyring asks for, and of a keyring the roots of both.
//!
//! Documents of one person are in [`super`].

use std::collections::BTreeSet;

use domain::decide::StopSubject;
use domain::{PersonId, TrustDomain};

use super::{Fitting, KeyBook, Signer, Verified, holder, opened};
use crate::document::{Document, DocumentError, Problem, SignedBy, error};
use crate::documents::{Keyring, Role};
use crate::envelope::Envelope;
use crate::key::PublicKey;
use crate::negative::InForce;

/// A document of a role's threshold, verified against `keyring`. Counts people, not signatures.
pub(crate) fn threshold<D: Document>(
    envelope: &Envelope,
    domain: &TrustDomain,
    keyring: &Keyring,
    role: Role,
) -> Result<Verified<D>, DocumentError> {
    let doc: D = opened(envelope, domain, &Fitting::default())?;
    let signers = threshold_signers(envelope, keyring, role).map_err(|p| error::<D>(p))?;
    Ok(Verified { doc, digest: envelope.payload_digest(), signers })
}

/// The same for what is said while stops are in force: nobody who is stopped says it.
pub(crate) fn unstopped_threshold<D: Document>(
    envelope: &Envelope,
    domain: &TrustDomain,
    keyring: &Keyring,
    role: Role,
    in_force: &InForce,
    book: &KeyBook,
) -> Result<Verified<D>, DocumentError> {
    let doc: D = opened(envelope, domain, &book.fitting)?;
    let signers = threshold_signers(envelope, keyring, role).map_err(|p| error::<D>(p))?;
    let verified = Verified { doc, digest: envelope.payload_digest(), signers };
    unstopped(&verified, in_force)?;
    Ok(verified)
}

/// Whether neither a signer nor their key is stopped.
pub(crate) fn unstopped<D: Document>(
    verified: &Verified<D>,
    in_force: &InForce,
) -> Result<(), DocumentError> {
    let mut signers = verified.signers().iter();
    match signers.find_map(|signer| stopped(signer, in_force)) {
        Some(problem) => Err(error::<D>(problem)),
        None => Ok(()),
    }
}

/// What is stopped about a signer, if anything is.
pub(crate) fn stopped(signer: &Signer, in_force: &InForce) -> Option<Problem> {
    in_force.stops().find_map(|(_, subject)| match subject {
        StopSubject::Key(key) if *key == signer.key.as_str() => {
            Some(Problem::KeyStopped(signer.key.clone()))
        }
        StopSubject::Person(person) if person.as_str() == signer.name => {
            Some(Problem::PersonStopped(person.clone()))
        }
        _ => None,
    })
}

fn threshold_signers(
    envelope: &Envelope,
    keyring: &Keyring,
    role: Role,
) -> Result<Vec<Signer>, Problem> {
    let mut signers = Vec::new();
    for signature in envelope.signatures() {
        signers.push(holding(keyring, role, signature.key())?);
    }
    reached(keyring, role, &signers)?;
    Ok(signers)
}

/// The holder of a role whose key this is.
pub(crate) fn holding(keyring: &Keyring, role: Role, key: &PublicKey) -> Result<Signer, Problem> {
    let person = holder(keyring, key)?;
    if !keyring.role(role).is_some_and(|r| r.people.contains(person)) {
        return Err(Problem::NoRole { person: person.clone(), role });
    }
    Ok(Signer { name: person.to_string(), key: key.fingerprint() })
}

/// Whether these signers are as many people as the role needs.
fn reached(keyring: &Keyring, role: Role, signers: &[Signer]) -> Result<(), Problem> {
    let people: BTreeSet<&str> = signers.iter().map(|s| s.name.as_str()).collect();
    let want = keyring.role(role).map_or(u32::MAX, |r| r.threshold);
    if people.len() < want as usize {
        return Err(Problem::Threshold { role, want, got: people.len() });
    }
    Ok(())
}

/// The first keyring that somebody believes: signed by its own roots. One that followed another is
/// signed by the other's roots as well, who may be nobody here any more; they are not counted.
pub(crate) fn first_keyring(
    envelope: &Envelope,
    domain: &TrustDomain,
) -> Result<Verified<Keyring>, DocumentError> {
    let doc: Keyring = opened(envelope, domain, &Fitting::default())?;
    let own = || {
        let all = envelope.signatures().iter().map(|s| holding(&doc, Role::Root, s.key()));
        let signers: Vec<Signer> = if doc.version == 1 {
            all.collect::<Result<_, _>>()?
        } else {
            all.filter_map(Result::ok).collect()
        };
        reached(&doc, Role::Root, &signers)?;
        Ok(signers)
    };
    let signers = own().map_err(|p: Problem| error::<Keyring>(p))?;
    Ok(Verified { doc, digest: envelope.payload_digest(), signers })
}

/// A keyring that may follow `current`: signed by the roots of both, each threshold counted by its
/// own keyring. Which version it has to be is [`crate::authority::succeed`]'s.
pub(crate) fn next_keyring(
    envelope: &Envelope,
    domain: &TrustDomain,
    current: &Keyring,
) -> Result<Verified<Keyring>, DocumentError> {
    let doc: Keyring = opened(envelope, domain, &Fitting::default())?;
    let signers = both_roots(envelope, current, &doc).map_err(error::<Keyring>)?;
    Ok(Verified { doc, digest: envelope.payload_digest(), signers })
}

fn both_roots(
    envelope: &Envelope,
    current: &Keyring,
    next: &Keyring,
) -> Result<Vec<Signer>, Problem> {
    let (mut old, mut new, mut signers) = (Vec::new(), Vec::new(), Vec::new());
    for signature in envelope.signatures() {
        let before = holding(current, Role::Root, signature.key());
        let after = holding(next, Role::Root, signature.key());
        signers.push(match (&before, &after) {
            (_, Ok(signer)) | (Ok(signer), Err(_)) => signer.clone(),
            (Err(_), Err(problem)) => return Err(problem.clone()),
        });
        old.extend(before);
        new.extend(after);
    }
    reached(current, Role::Root, &old)?;
    reached(next, Role::Root, &new)?;
    Ok(signers)
}

/// How far a document of a role has come on its way from one signer to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoFar {
    /// Holders of the role who have signed, each once.
    pub signed: Vec<PersonId>,
    /// People who still have to.
    pub missing: usize,
}

/// Who has signed a document of a role so far. Every signature is verified; one by somebody without
/// the role is left out here and refuses the document in the end. For a keyring that follows another one, ask once with each of the two.
///
/// # Errors
/// What is wrong with it; too few signatures are not an error here.
pub fn signed_so_far<D: Document>(
    envelope: &Envelope,
    domain: &TrustDomain,
    keyring: &Keyring,
) -> Result<SoFar, DocumentError> {
    let doc: D = opened(envelope, domain, &Fitting::default())?;
    let SignedBy::Role(role) = doc.signed_by() else {
        return Err(error::<D>(Problem::OneSigner));
    };
    let people: BTreeSet<&PersonId> = envelope
        .signatures()
        .iter()
        .filter_map(|s| keyring.holder(s.key()))
        .filter(|p| keyring.role(role).is_some_and(|r| r.people.contains(*p)))
        .collect();
    let want = keyring.role(role).map_or(usize::MAX, |r| r.threshold as usize);
    let missing = want.saturating_sub(people.len());
    Ok(SoFar { signed: people.into_iter().cloned().collect(), missing })
}
