//! The bytes of one entry in the journal file.
//!
//! ```text
//! header   u32 LE  length of the leaf
//!          u32 LE  length of the payload
//!          [32]    leaf hash, as in the tree
//!          [8]     check: the first bytes of SHA-256(u64 LE index ‖ the 40 bytes before)
//! leaf     JSON
//! key      [32]    the commitment's key  } zero when erased
//! payload          the appender's bytes  } zero when erased
//! ```
//! The header's check tells a damaged length from a frame that was cut off; the leaf is covered by
//! its hash, key and payload by the leaf's commitment. So every byte is covered, and overwriting
//! key and payload with zeros leaves a valid frame: that is how a payload is erased.
//! This module knows no files; [`crate::journal`] does.

#[cfg(test)]
mod tests;

use domain::Digest;
use sha2::{Digest as _, Sha256};

use crate::chain::ChainError;
use crate::entry::{
    LEAF_BYTES_MAX, Leaf, LeafError, Opening, PAYLOAD_BYTES_MAX, Position, StoredEntry,
};
use crate::merkle::leaf_hash;

/// Bytes of a frame's header.
pub const HEADER_BYTES: usize = 48;

const CHECKED_BYTES: usize = 40;
const KEY_BYTES: usize = 32;

const _: () = assert!(LEAF_BYTES_MAX + PAYLOAD_BYTES_MAX < u32::MAX as usize);

/// What is wrong with a frame.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// The header is not one, or belongs to another index.
    #[error("the frame's header is damaged or out of place")]
    Header,
    /// The frame has other bytes than its header announces.
    #[error("the frame's length is not the one in its header")]
    Length,
    /// The leaf is not the one that was hashed.
    #[error("the leaf was changed")]
    LeafHash,
    /// The leaf has the right hash and the wrong content.
    #[error("the leaf is invalid")]
    Leaf(#[from] LeafError),
    /// Key or payload is neither what the leaf commits to nor erased.
    #[error("the payload was changed")]
    Payload,
    /// The leaf does not continue its run's chain.
    #[error("the run's chain is broken")]
    Chain(#[from] ChainError),
    /// The log does not begin with its own opening, or was opened as another.
    #[error("the entry says that this is another log, or the log's opening is missing")]
    OtherLog,
    /// The leaf is older than the one before.
    #[error("time runs backwards")]
    Time,
}

/// A header whose check holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    leaf_len: usize,
    payload_len: usize,
    leaf_hash: Digest,
}

impl Header {
    /// Reads the header of the frame with this index.
    ///
    /// # Errors
    /// [`Damage::Header`] when its check does not hold or a length is above its limit.
    pub fn parse(index: u64, bytes: &[u8; HEADER_BYTES]) -> Result<Self, Damage> {
        let (checked, check) = bytes.split_at(CHECKED_BYTES);
        if check_of(index, checked) != check {
            return Err(Damage::Header);
        }
        let length = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
        };
        let (leaf_len, payload_len) = (length(0), length(4));
        if leaf_len > LEAF_BYTES_MAX || payload_len > PAYLOAD_BYTES_MAX {
            return Err(Damage::Header);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(&bytes[8..CHECKED_BYTES]);
        Ok(Self { leaf_len, payload_len, leaf_hash: Digest::from_bytes(hash) })
    }

    /// Bytes of the frame after its header.
    #[must_use]
    pub const fn body_len(&self) -> usize {
        self.leaf_len + KEY_BYTES + self.payload_len
    }

    /// Reads what follows the header.
    ///
    /// # Errors
    /// When leaf, key or payload is not what was written, and not erased either.
    pub fn body(&self, index: u64, bytes: &[u8]) -> Result<StoredEntry, Damage> {
        if bytes.len() != self.body_len() {
            return Err(Damage::Length);
        }
        let (leaf_bytes, rest) = bytes.split_at(self.leaf_len);
        if leaf_hash(leaf_bytes) != self.leaf_hash {
            return Err(Damage::LeafHash);
        }
        let leaf = Leaf::parse(leaf_bytes)?;
        let (key, payload) = rest.split_first_chunk::<KEY_BYTES>().ok_or(Damage::Length)?;
        if leaf.len != payload.len() as u64 {
            return Err(Damage::Length);
        }
        let opening = if rest.iter().all(|b| *b == 0) {
            None
        } else {
            let opening = Opening { key: *key, payload: payload.to_vec() };
            if !leaf.is_opened_by(&opening) {
                return Err(Damage::Payload);
            }
            Some(opening)
        };
        let position = Position::from_index(index);
        Ok(StoredEntry { position, leaf, leaf_bytes: leaf_bytes.to_vec(), opening })
    }
}

/// Appends the frame of one entry to `out`. The lengths are within their limits: the writer
/// refuses others before it gives out a position.
#[expect(clippy::cast_possible_truncation, reason = "both limits are below 2^32, asserted above")]
pub fn encode(index: u64, leaf: &[u8], leaf_hash: &Digest, opening: &Opening, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&(leaf.len() as u32).to_le_bytes());
    out.extend_from_slice(&(opening.payload.len() as u32).to_le_bytes());
    out.extend_from_slice(leaf_hash.as_bytes());
    let check = check_of(index, &out[start..]);
    out.extend_from_slice(&check);
    out.extend_from_slice(leaf);
    out.extend_from_slice(&opening.key);
    out.extend_from_slice(&opening.payload);
}

fn check_of(index: u64, checked: &[u8]) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(index.to_le_bytes());
    hash.update(checked);
    let hash: [u8; 32] = hash.finalize().into();
    let mut check = [0; 8];
    check.copy_from_slice(&hash[..8]);
    check
}
