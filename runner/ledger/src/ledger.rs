//! The ledger as its users hold it: open, append, wait, read, prove.
//!
//! A [`Ledger`] is a handle that is cheap to clone; the last one to go writes what is left and
//! releases the directory. Opening reads the whole journal, rebuilds the tree from it, and refuses
//! damage, another log's file, a second process, and a journal that is behind its own checkpoint.
//! Neighbours: [`crate::writer`] writes, [`crate::journal`] reads, [`crate::evidence`] verifies
//! the same files without a key.

mod open;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use domain::{Clock, Digest, Entropy, RunId};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::entry::{Entry, Position, StoredEntry};
use crate::evidence::LogProof;
use crate::frame::{Damage, HEADER_BYTES, Header};
use crate::merkle::Tree;
use crate::note::{LogKey, VerifierKey};
use crate::writer::{AppendError, Poisoned, Shared};

pub use open::{OpenError, Recovered};

/// What a ledger is opened with.
pub struct Options {
    /// The ledger's own directory; made if it is missing.
    pub dir: PathBuf,
    /// Signs checkpoints; its name is the log's.
    pub key: LogKey,
    /// Time of the entries.
    pub clock: Arc<dyn Clock>,
    /// Keys of the commitments.
    pub entropy: Arc<dyn Entropy>,
}

/// A handle on an open ledger.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    key: LogKey,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    file: File,
    writer: Option<JoinHandle<()>>,
    /// Held until everything else is gone: fields drop in order.
    _lock: File,
}

/// Whether the ledger takes entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Serving,
    /// It does not, and will not before a restart.
    Poisoned(Poisoned),
}

/// Why something cannot be read or proved.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No such entry, or not yet durable.
    #[error("the log has no durable entry {index}: it has {size}")]
    NotThere {
        /// The index, or the size of the tree, that was asked for.
        index: u64,
        /// Durable entries.
        size: u64,
    },
    /// The file cannot be read.
    #[error("cannot read entry {index} of the journal")]
    Io {
        /// The entry's index.
        index: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The file was changed under the open ledger.
    #[error("entry {index} of the journal is damaged")]
    Damaged {
        /// The entry's index.
        index: u64,
        /// What is wrong.
        source: Damage,
    },
    /// The checkpoint cannot be made.
    #[error("the checkpoint cannot be signed")]
    Checkpoint(#[from] CheckpointError),
}

/// Why an anchored checkpoint is not one of this log's past.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// It is not a checkpoint signed by this log's key.
    #[error("the checkpoint is not one of this log")]
    Checkpoint(#[from] CheckpointError),
    /// It is another log's.
    #[error("the checkpoint is of log {0}")]
    OtherLog(String),
    /// It covers more entries than there are: the journal was cut or restored.
    #[error("the journal has {size} entries, the checkpoint covers {anchored}: state was lost")]
    Behind {
        /// Entries in the journal.
        size: u64,
        /// Entries that the checkpoint covers.
        anchored: u64,
    },
    /// The same size and another root: history was rewritten.
    #[error("the journal's first {0} entries are not the ones that the checkpoint covers")]
    Rewritten(u64),
}

impl Ledger {
    /// Records an entry without waiting: it is in order behind all earlier ones, and durable soon.
    ///
    /// # Errors
    /// When it is not recorded; the caller must then not do what it wanted to record.
    pub fn append(&self, entry: Entry) -> Result<Position, AppendError> {
        // An all-zero key would read as erased; the odds are 2^-256, the check is one comparison.
        let mut key = [0; 32];
        while key == [0; 32] {
            self.inner.entropy.fill(&mut key);
        }
        self.inner.shared.append(entry, key, self.inner.clock.now_ms())
    }

    /// Returns when the entry, and with it every earlier one, survives a power cut.
    ///
    /// # Errors
    /// When that will not happen.
    pub async fn barrier(&self, position: Position) -> Result<(), AppendError> {
        self.inner.shared.barrier(position).await
    }

    /// [`Ledger::append`], then [`Ledger::barrier`].
    ///
    /// # Errors
    /// As these. After a barrier's error the entry may or may not be there at the next start.
    pub async fn append_durable(&self, entry: Entry) -> Result<Position, AppendError> {
        let position = self.append(entry)?;
        self.barrier(position).await?;
        Ok(position)
    }

    /// Whether entries are taken.
    #[must_use]
    pub fn health(&self) -> Health {
        self.inner.shared.progress().poison.map_or(Health::Serving, Health::Poisoned)
    }

    /// Number of durable entries. Reads and proofs see these only.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.inner.shared.progress().durable
    }

    /// The public key that verifies this log's checkpoints; its name is the log's.
    #[must_use]
    pub fn vkey(&self) -> &VerifierKey {
        self.inner.key.verifier()
    }

    /// Time of the newest entry, in milliseconds since the Unix epoch: no clock may be before it.
    #[must_use]
    pub fn newest_at_ms(&self) -> u64 {
        self.inner.shared.lock().at_ms
    }

    /// The runs that have started and not ended, sorted.
    #[must_use]
    pub fn open_runs(&self) -> Vec<RunId> {
        self.inner.shared.lock().chains.open_runs()
    }

    /// Reads a durable entry and checks it as at opening.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub fn entry(&self, position: Position) -> Result<StoredEntry, ReadError> {
        self.inner.entry(position)
    }

    /// The signed checkpoint over all durable entries. It is saved to the directory a little
    /// later, so that a restart notices a journal that was cut.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn checkpoint(&self) -> Result<String, ReadError> {
        Ok(self.checkpoint_at(self.size())?.1)
    }

    /// The proof that `position` is in the log, complete with leaf and signed checkpoint.
    ///
    /// # Errors
    /// When the entry is not there or cannot be read.
    pub fn proof(&self, position: Position) -> Result<LogProof, ReadError> {
        let entry = self.entry(position)?;
        let (size, checkpoint) = self.checkpoint_at(self.size())?;
        let inclusion = self.inclusion(position, size)?;
        // A leaf is JSON that serde_json wrote, so it is UTF-8.
        let leaf = String::from_utf8_lossy(&entry.leaf_bytes).into_owned();
        Ok(LogProof { index: position.index(), leaf, inclusion, checkpoint })
    }

    /// The inclusion proof of an entry in the tree of the first `size` entries.
    ///
    /// # Errors
    /// [`ReadError::NotThere`] when there is no such durable entry or tree.
    pub fn inclusion(&self, position: Position, size: u64) -> Result<Vec<Digest>, ReadError> {
        self.prove(size, |tree| tree.inclusion(position.index(), size))
    }

    /// The proof that the tree of `old` entries is a prefix of that of `new`.
    ///
    /// # Errors
    /// [`ReadError::NotThere`] when the log is smaller than `new`, or `new` than `old`.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>, ReadError> {
        self.prove(new, |tree| tree.consistency(old, new))
    }

    /// Checks that a checkpoint which somebody kept is one of this log's past.
    ///
    /// # Errors
    /// When it is not: state was lost, restored or rewritten, and must not be built upon.
    pub fn check_anchor(&self, checkpoint: &str) -> Result<Checkpoint, AnchorError> {
        check_anchor(checkpoint, self.vkey(), &self.inner.shared.lock().tree)
    }

    fn prove(
        &self,
        size: u64,
        of: impl FnOnce(&Tree) -> Option<Vec<Digest>>,
    ) -> Result<Vec<Digest>, ReadError> {
        let durable = self.size();
        let not_there = ReadError::NotThere { index: size, size: durable };
        if size > durable {
            return Err(not_there);
        }
        of(&self.inner.shared.lock().tree).ok_or(not_there)
    }

    fn checkpoint_at(&self, size: u64) -> Result<(u64, String), ReadError> {
        let mut state = self.inner.shared.lock();
        // Another thread may have signed a newer one by now; it serves as well.
        if let Some((signed, text)) = state.signed.as_ref().filter(|(signed, _)| *signed >= size) {
            return Ok((*signed, text.clone()));
        }
        let root = state.tree.root_at(size).ok_or(ReadError::NotThere { index: size, size })?;
        let origin = self.vkey().name().clone();
        let text = Checkpoint { origin, size, root }.sign(&self.inner.key)?.to_string();
        state.signed = Some((size, text.clone()));
        drop(state);
        self.inner.shared.wake();
        Ok((size, text))
    }
}

impl Inner {
    fn entry(&self, position: Position) -> Result<StoredEntry, ReadError> {
        let index = position.index();
        let size = self.shared.progress().durable;
        let frame = usize::try_from(index).ok().filter(|_| index < size);
        let bounds = frame.and_then(|i| {
            let state = self.shared.lock();
            Some((*state.offsets.get(i)?, *state.offsets.get(i + 1)?))
        });
        let (start, end) = bounds.ok_or(ReadError::NotThere { index, size })?;
        let damaged = |source| ReadError::Damaged { index, source };
        let len = usize::try_from(end - start).map_err(|_| damaged(Damage::Length))?;
        let mut bytes = vec![0; len];
        self.file
            .read_exact_at(&mut bytes, start)
            .map_err(|source| ReadError::Io { index, source })?;
        let (header, body) =
            bytes.split_first_chunk::<HEADER_BYTES>().ok_or_else(|| damaged(Damage::Length))?;
        Header::parse(index, header).and_then(|h| h.body(index, body)).map_err(damaged)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(writer) = self.writer.take() {
            // A panic of the writer has been reported by the thread itself; nothing depends on it.
            drop(writer.join());
        }
    }
}

fn check_anchor(
    checkpoint: &str,
    key: &VerifierKey,
    tree: &Tree,
) -> Result<Checkpoint, AnchorError> {
    let (checkpoint, note) = Checkpoint::parse(checkpoint)?;
    note.verify(key).map_err(CheckpointError::from)?;
    if checkpoint.origin != *key.name() {
        return Err(AnchorError::OtherLog(checkpoint.origin.to_string()));
    }
    match tree.root_at(checkpoint.size) {
        None => Err(AnchorError::Behind { size: tree.size(), anchored: checkpoint.size }),
        Some(root) if root != checkpoint.root => Err(AnchorError::Rewritten(checkpoint.size)),
        Some(_) => Ok(checkpoint),
    }
}
