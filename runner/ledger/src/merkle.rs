//! The Merkle tree of RFC 6962 / RFC 9162 over leaf hashes.
//!
//! It appends, gives the root at any past size, and proves inclusion and consistency; the
//! verifying half is in [`proof`] and needs no tree. It keeps every complete subtree's hash in
//! memory (64 bytes a leaf) and knows nothing of entries, files or signatures.
//! Neighbours: [`crate::checkpoint`] signs a root, [`crate::journal`] feeds the leaves.

pub mod proof;
#[cfg(test)]
mod tests;

use domain::Digest;
use sha2::{Digest as _, Sha256};

/// The hash of a leaf's bytes: `SHA-256(0x00 ‖ leaf)` (RFC 9162 section 2.1.1).
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(leaf);
    Digest::from_bytes(hash.finalize().into())
}

/// The hash of an inner node: `SHA-256(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left.as_bytes());
    hash.update(right.as_bytes());
    Digest::from_bytes(hash.finalize().into())
}

/// The tree. `levels[k][i]` is the root of the complete subtree over the leaves
/// `i·2^k .. (i+1)·2^k`; only complete subtrees are kept, so nothing is ever rewritten.
#[derive(Debug, Default, Clone)]
pub struct Tree {
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Appends one leaf hash; amortised two hashes.
    pub fn push(&mut self, leaf: Digest) {
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let row = &mut self.levels[level];
            row.push(hash);
            if row.len() % 2 == 1 {
                return;
            }
            hash = node_hash(&row[row.len() - 2], &row[row.len() - 1]);
        }
    }

    /// The leaf hash at `index`, or `None` beyond the end.
    #[must_use]
    pub fn leaf(&self, index: u64) -> Option<Digest> {
        self.levels.first()?.get(usize::try_from(index).ok()?).copied()
    }

    /// The root over the first `size` leaves, or `None` when the tree is smaller. The root of no
    /// leaves is the hash of nothing.
    #[must_use]
    pub fn root_at(&self, size: u64) -> Option<Digest> {
        if size > self.size() {
            return None;
        }
        Some(if size == 0 { Digest::of(b"") } else { self.subtree(0, size) })
    }

    /// The inclusion proof of leaf `index` in the tree of the first `size` leaves, or `None` when
    /// there is no such leaf or tree.
    #[must_use]
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Digest>> {
        if index >= size || size > self.size() {
            return None;
        }
        let (mut begin, mut end) = (0, size);
        let mut path = Vec::new();
        while end - begin > 1 {
            let split = begin + largest_power_below(end - begin);
            if index < split {
                path.push(self.subtree(split, end));
                end = split;
            } else {
                path.push(self.subtree(begin, split));
                begin = split;
            }
        }
        path.reverse();
        Some(path)
    }

    /// The proof that the tree of the first `old` leaves is a prefix of that of the first `new`,
    /// or `None` when `old > new` or the tree is smaller than `new`. It is empty for `old = 0` and
    /// for `old = new`.
    #[must_use]
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<Digest>> {
        if old > new || new > self.size() {
            return None;
        }
        let mut path = Vec::new();
        if old == 0 || old == new {
            return Some(path);
        }
        let (mut begin, mut end) = (0, new);
        // The verifier knows the old root, so a subtree that *is* the old tree is left out.
        while end != old {
            let split = begin + largest_power_below(end - begin);
            if old <= split {
                path.push(self.subtree(split, end));
                end = split;
            } else {
                path.push(self.subtree(begin, split));
                begin = split;
            }
        }
        if begin != 0 {
            path.push(self.subtree(begin, end));
        }
        path.reverse();
        Some(path)
    }

    /// The root of the leaves `begin..end`. Callers pass `begin < end <= size` with `begin` a
    /// multiple of the next power of two of the length, as the recursion of the RFC yields them.
    fn subtree(&self, begin: u64, end: u64) -> Digest {
        let len = end - begin;
        if len.is_power_of_two() {
            let level = len.trailing_zeros() as usize;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the leaf is in memory, so its index fits usize"
            )]
            return self.levels[level][(begin >> level) as usize];
        }
        let split = begin + largest_power_below(len);
        node_hash(&self.subtree(begin, split), &self.subtree(split, end))
    }
}

/// The largest power of two that is smaller than `n`, for `n > 1`.
pub(crate) const fn largest_power_below(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}
