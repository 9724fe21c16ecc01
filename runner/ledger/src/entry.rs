//! What is recorded: an entry is an event and a payload; its leaf is what the tree hashes.
//!
//! A leaf holds only opaque ids, digests of salted documents, closed enums, numbers and a
//! commitment; never a person's name, a text or a value. These belong in the payload, which can be
//! erased: the commitment is keyed by 32 random bytes that are erased with it, so nobody can guess
//! what it was, and every proof stays valid.
//! Neighbours: [`crate::chain`] links the leaves of a run, [`crate::frame`] stores both parts.

mod event;
#[cfg(test)]
mod tests;

use std::fmt;

use domain::Digest;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::chain::Link;
use crate::merkle::leaf_hash;

pub use event::{CallStatus, Event, RunPart};

/// Bytes of a leaf. The largest that we write is below 700.
pub const LEAF_BYTES_MAX: usize = 4 << 10;

/// Bytes of a payload: the largest output that a run may release.
pub const PAYLOAD_BYTES_MAX: usize = 64 << 20;

/// The only version of leaves.
const VERSION: u8 = 1;

/// What a caller appends. Time, chain link and commitment are the ledger's to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The public part.
    pub event: Event,
    /// The erasable part, in the appender's own encoding.
    pub payload: Vec<u8>,
}

impl Entry {
    /// An entry.
    #[must_use]
    pub fn new(event: Event, payload: impl Into<Vec<u8>>) -> Self {
        Self { event, payload: payload.into() }
    }
}

/// An entry's place in the log, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(u64);

impl Position {
    /// The position with this index.
    #[must_use]
    pub const fn from_index(index: u64) -> Self {
        Self(index)
    }

    /// The leaf's index in the tree.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What opens a commitment: the payload and the key that was drawn for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    /// 32 random bytes, used for this payload only.
    pub key: [u8; 32],
    /// The payload.
    pub payload: Vec<u8>,
}

impl Opening {
    /// The commitment that this opens: `HMAC-SHA256(key, payload)`.
    #[must_use]
    pub fn commitment(&self) -> Commitment {
        // HMAC takes a key of any length; the fallback is a value that opens nothing.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            return Commitment([0; 32]);
        };
        mac.update(&self.payload);
        Commitment(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opening({} bytes)", self.payload.len())
    }
}

/// A keyed commitment to a payload, as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Commitment([u8; 32]);

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Serialize for Commitment {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Commitment {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

/// The part of an entry that the tree hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    v: u8,
    /// Milliseconds since the Unix epoch; never before the previous leaf's.
    #[serde(rename = "at")]
    pub at_ms: u64,
    /// What happened.
    pub event: Event,
    /// Its place in its run's chain; `None` for events outside a chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Commitment to the payload.
    #[serde(rename = "c")]
    pub commitment: Commitment,
    /// The payload's length in bytes.
    pub len: u64,
}

/// Why bytes are not a leaf.
#[derive(Debug, thiserror::Error)]
pub enum LeafError {
    /// Longer than [`LEAF_BYTES_MAX`].
    #[error("the leaf has {0} bytes, more than {LEAF_BYTES_MAX}")]
    TooLong(usize),
    /// Not the JSON of a leaf.
    #[error("the leaf is not one that this version knows")]
    Json(#[from] serde_json::Error),
    /// A version from the future.
    #[error("the leaf has version {0}: verify it with a newer borescope")]
    Version(u8),
    /// The same content in other bytes than ours: spaces, another order, a repeated field.
    #[error("the leaf is not written as this version writes leaves")]
    NotCanonical,
    /// A chain link where none belongs, or none where one does.
    #[error("the leaf's chain link does not fit its event")]
    Link,
}

impl Leaf {
    pub(crate) fn new(at_ms: u64, event: Event, link: Option<Link>, opening: &Opening) -> Self {
        let commitment = opening.commitment();
        let len = opening.payload.len() as u64;
        Self { v: VERSION, at_ms, event, link, commitment, len }
    }

    /// Parses the bytes of a leaf; a leaf has exactly one encoding.
    ///
    /// # Errors
    /// When they are anything but what this version writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, LeafError> {
        if bytes.len() > LEAF_BYTES_MAX {
            return Err(LeafError::TooLong(bytes.len()));
        }
        let leaf: Self = serde_json::from_slice(bytes)?;
        if leaf.v != VERSION {
            return Err(LeafError::Version(leaf.v));
        }
        if leaf.to_bytes()? != bytes {
            return Err(LeafError::NotCanonical);
        }
        let count_fits = |link: &Link| link.count.is_some() == leaf.event.closes_run();
        match (&leaf.link, leaf.event.chained_run()) {
            (None, None) => Ok(leaf),
            (Some(link), Some(_)) if count_fits(link) => Ok(leaf),
            _ => Err(LeafError::Link),
        }
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, LeafError> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Whether `opening` is what this leaf commits to.
    #[must_use]
    pub fn is_opened_by(&self, opening: &Opening) -> bool {
        self.len == opening.payload.len() as u64 && self.commitment == opening.commitment()
    }
}

/// An entry as the journal gives it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Where it is.
    pub position: Position,
    /// The leaf, parsed.
    pub leaf: Leaf,
    /// The leaf's bytes, as hashed.
    pub leaf_bytes: Vec<u8>,
    /// Payload and key; `None` when they have been erased.
    pub opening: Option<Opening>,
}

impl StoredEntry {
    /// The leaf's hash in the tree.
    #[must_use]
    pub fn leaf_hash(&self) -> Digest {
        leaf_hash(&self.leaf_bytes)
    }

    /// The payload; `None` when it has been erased.
    #[must_use]
    pub fn payload(&self) -> Option<&[u8]> {
        self.opening.as_ref().map(|o| &o.payload[..])
    }
}
