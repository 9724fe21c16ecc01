//! From one keyring to the next: the roots of both say so, and nobody skips a version.
//!
//! What a keyring allows is in [`crate::documents::Keyring`]; which one is pinned is the caller's.

use domain::Timestamp;

use super::{AuthorityError, Pinned, Seen, version};
use crate::document::{VersionRef, read_unverified};
use crate::documents::Keyring;
use crate::envelope::Envelope;
use crate::verify::{self, Verified};

/// Keyrings that are walked from the pinned one; keyrings change rarely, and a pin moves along.
pub const SUCCESSORS_MAX: usize = 64;

/// The newest keyring of a list that holds the pinned one and what follows it. The pin comes first:
/// nothing of a keyring is believed before its digest fits. Versions in between may have expired; the
/// newest is judged by whoever relies on it.
///
/// # Errors
/// Another keyring than the pinned one, a gap, a fork, too few signatures, or an older one than seen.
pub fn newest_keyring(
    keyring: &Envelope,
    successors: &[Envelope],
    pinned: &Pinned,
    seen: &Seen,
) -> Result<Verified<Keyring>, AuthorityError> {
    if successors.len() > SUCCESSORS_MAX {
        return Err(AuthorityError::TooManyKeyrings(successors.len()));
    }
    let all = || [keyring].into_iter().chain(successors);
    let is_pinned = |k: &&Envelope| k.payload_digest() == pinned.keyring.digest;
    let mut rest = all().skip_while(|k| !is_pinned(k));
    let Some(first) = rest.next() else {
        let claimed: Keyring = read_unverified(keyring).map_err(AuthorityError::Document)?;
        let got = VersionRef { version: claimed.version, digest: keyring.payload_digest() };
        return Err(AuthorityError::Keyring { want: pinned.keyring, got });
    };
    let mut newest = pinned_keyring(first, pinned)?;
    not_another_history(&newest, seen)?;
    for next in rest {
        newest = follow(&newest, next)?;
        not_another_history(&newest, seen)?;
    }
    let got = version(&newest, newest.doc().version);
    match seen.keyring {
        Some(seen) if seen.version > got.version => {
            Err(AuthorityError::Rollback { doc: "keyring", seen, got })
        }
        _ => Ok(newest),
    }
}

/// The keyring that follows `current`: the next version, naming it as its predecessor, signed by the
/// roots of both, for the same trust domain, and valid now.
///
/// # Errors
/// What does not fit.
pub fn succeed(
    current: &Verified<Keyring>,
    next: &Envelope,
    now: Timestamp,
) -> Result<Verified<Keyring>, AuthorityError> {
    follow(current, next)?.live(now).map_err(AuthorityError::Document)
}

fn pinned_keyring(
    envelope: &Envelope,
    pinned: &Pinned,
) -> Result<Verified<Keyring>, AuthorityError> {
    let keyring =
        verify::first_keyring(envelope, &pinned.trust_domain).map_err(AuthorityError::Document)?;
    let got = version(&keyring, keyring.doc().version);
    if got != pinned.keyring {
        return Err(AuthorityError::Keyring { want: pinned.keyring, got });
    }
    Ok(keyring)
}

/// Roots of an old keyring, kept after they were retired, could make another history of the versions
/// that followed. Whoever has seen the true one does not believe it.
fn not_another_history(keyring: &Verified<Keyring>, seen: &Seen) -> Result<(), AuthorityError> {
    let got = version(keyring, keyring.doc().version);
    match seen.keyring {
        Some(seen) if seen.version == got.version && seen != got => {
            Err(AuthorityError::Rollback { doc: "keyring", seen, got })
        }
        _ => Ok(()),
    }
}

fn follow(
    current: &Verified<Keyring>,
    next: &Envelope,
) -> Result<Verified<Keyring>, AuthorityError> {
    let known = current.doc();
    let next = verify::next_keyring(next, &known.header.trust_domain, known)
        .map_err(AuthorityError::Document)?;
    let doc = next.doc();
    let wrong = |what| {
        let (current, next) = (known.version, doc.version);
        Err(AuthorityError::Succession { current, next, what })
    };
    if known.version.checked_add(1) != Some(doc.version) {
        return wrong("it is not the next version");
    }
    if doc.previous != Some(current.digest()) {
        return wrong("it names another predecessor");
    }
    Ok(next)
}

#[cfg(test)]
mod tests;
