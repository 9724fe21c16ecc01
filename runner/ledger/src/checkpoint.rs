//! Checkpoints (C2SP tlog-checkpoint): a log's name, size and root in a signed note.
//!
//! A checkpoint is what anchors, receipts and witnesses hold on to. Extension lines are refused:
//! our logs write none. Neighbours: [`crate::note`] for the signatures, [`crate::merkle`] for what
//! the root means.

#[cfg(test)]
mod tests;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Digest;

use crate::note::{LogKey, Note, NoteError, Origin};

/// A log's size and root at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log.
    pub origin: Origin,
    /// Number of leaves.
    pub size: u64,
    /// Root over these leaves.
    pub root: Digest,
}

/// Why a note is not a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note itself.
    #[error("the checkpoint is not a valid note")]
    Note(#[from] NoteError),
    /// The signed text is not three lines of name, size and root.
    #[error("not a checkpoint: {0}")]
    Malformed(&'static str),
}

impl Checkpoint {
    /// Parses the signed text of a note: exactly name, size without leading zeros, and root.
    ///
    /// # Errors
    /// When it is anything else, extension lines included.
    pub fn parse_body(body: &str) -> Result<Self, CheckpointError> {
        let malformed = CheckpointError::Malformed;
        let lines: Vec<&str> = body.split('\n').collect();
        let [origin, size, root, ""] = lines[..] else {
            return Err(malformed("expected exactly the lines name, size and root"));
        };
        let parsed = Self {
            origin: origin.parse().map_err(|_| malformed("the log's name"))?,
            size: size.parse().map_err(|_| malformed("the size"))?,
            root: STANDARD
                .decode(root)
                .ok()
                .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
                .map(Digest::from_bytes)
                .ok_or(malformed("the root is 32 bytes in base64"))?,
        };
        // One text per value: `+3` and `03` parse as 3 and are refused here.
        if parsed.to_string() == body { Ok(parsed) } else { Err(malformed("the size")) }
    }

    /// Parses a whole signed checkpoint. Its signatures are not verified yet.
    ///
    /// # Errors
    /// When note or text is malformed.
    pub fn parse(text: &str) -> Result<(Self, Note), CheckpointError> {
        let note = Note::parse(text)?;
        Ok((Self::parse_body(note.body())?, note))
    }

    /// Signs this checkpoint.
    ///
    /// # Errors
    /// When `key` is another log's: a log's checkpoint carries its own key's name.
    pub fn sign(&self, key: &LogKey) -> Result<Note, CheckpointError> {
        if *key.verifier().name() != self.origin {
            return Err(CheckpointError::Malformed("the key's name is not the log's"));
        }
        Ok(Note::sign(&self.to_string(), key)?)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = STANDARD.encode(self.root.as_bytes());
        writeln!(f, "{}\n{}\n{root}", self.origin, self.size)
    }
}
