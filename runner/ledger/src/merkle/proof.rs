//! Verification of Merkle proofs, with nothing but hashes and sizes in hand.
//!
//! The algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2. A proof of the wrong length is refused
//! as such, before any hash is compared. Neighbour: [`super::Tree`] makes the proofs.

use domain::Digest;

use super::node_hash;

/// Why a proof does not prove what it claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The index lies outside the tree.
    #[error("leaf {index} is not in a tree of {size}")]
    OutsideTree {
        /// The claimed index.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// The older tree is larger than the newer one.
    #[error("a tree of {new} cannot extend one of {old}")]
    Shrunk {
        /// The older size.
        old: u64,
        /// The newer size.
        new: u64,
    },
    /// Too few or too many hashes for these sizes.
    #[error("the proof has the wrong number of hashes")]
    WrongLength,
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    OtherRoot,
}

/// Verifies that `leaf` is at `index` in the tree of `size` leaves with this `root`.
///
/// # Errors
/// When the proof does not show it.
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutsideTree { index, size });
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last, hash == *root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::OtherRoot),
        _ => Err(ProofError::WrongLength),
    }
}

/// Verifies that the tree of `old` leaves with `old_root` is a prefix of that of `new` leaves with
/// `new_root`.
///
/// # Errors
/// When the proof does not show it.
pub fn verify_consistency(
    old: u64,
    old_root: &Digest,
    new: u64,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Shrunk { old, new });
    }
    if old == 0 || old == new {
        // Nothing to show: the roots are the hash of nothing, or the same tree.
        let expected = if old == 0 { Digest::of(b"") } else { *new_root };
        return match (proof.is_empty(), *old_root == expected) {
            (false, _) => Err(ProofError::WrongLength),
            (true, false) => Err(ProofError::OtherRoot),
            (true, true) => Ok(()),
        };
    }
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let mut rest = proof.iter();
    // A complete old tree is itself the first node; the proof leaves it out.
    let seed = if node == 0 { *old_root } else { *rest.next().ok_or(ProofError::WrongLength)? };
    let (mut from_old, mut from_new) = (seed, seed);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if node & 1 == 1 || node == last {
            from_old = node_hash(sibling, &from_old);
            from_new = node_hash(sibling, &from_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            from_new = node_hash(&from_new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last, from_old == *old_root && from_new == *new_root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::OtherRoot),
        _ => Err(ProofError::WrongLength),
    }
}
