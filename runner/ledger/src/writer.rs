//! The one durable writer: a thread that turns many appends into one write and one `fdatasync`.
//!
//! An append is given its place under the lock and waits in memory; the thread writes whatever has
//! gathered, syncs when somebody waits for it (or when nobody has asked for a while), and only then
//! moves `durable` on. After the first error nothing is ever acknowledged again: see [`Poisoned`].
//! It does not decide what may be appended, beyond run chains and sizes.
//! Neighbours: [`crate::ledger`] is the handle that callers hold, [`crate::storage`] is the disk.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Digest;
use tokio::sync::watch;

use crate::chain::{ChainError, Chains};
use crate::entry::{Entry, Leaf, LeafError, Opening, PAYLOAD_BYTES_MAX, Position};
use crate::frame;
use crate::journal::CHECKPOINT_FILE;
use crate::merkle::{Tree, leaf_hash};
use crate::storage::{self, Storage};

/// Bytes that wait for the disk. Beyond it a disk has been stuck for seconds, and memory is not
/// where evidence should pile up.
pub const PENDING_BYTES_MAX: usize = 256 << 20;

/// Milliseconds after which an entry that nobody waits for is synced, and a checkpoint saved.
const IDLE_MS_MAX: u64 = 20;

/// Entries after which a checkpoint is saved although the log is busy: a restart then notices at
/// the latest that this many entries went missing.
const UNSAVED_ENTRIES_MAX: u64 = 4096;

const _: () = assert!(PENDING_BYTES_MAX > PAYLOAD_BYTES_MAX);

/// The ledger is out of service: a write failed, so nobody knows what the disk holds. Reads work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger takes no more entries: {reason}; repair the disk or free space, then restart")]
pub struct Poisoned {
    /// What failed, and what the system said.
    pub reason: Arc<str>,
}

/// Why an entry was not recorded. After any of these the caller must not go on.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// See [`Poisoned`].
    #[error(transparent)]
    Poisoned(#[from] Poisoned),
    /// The event has no place in its run's chain.
    #[error("the entry has no place in the log")]
    Chain(#[from] ChainError),
    /// Leaf beyond its limit.
    #[error("the entry's public part cannot be recorded")]
    Leaf(#[from] LeafError),
    /// Payload beyond its limit.
    #[error("the payload has {0} bytes, more than {PAYLOAD_BYTES_MAX}")]
    PayloadTooLong(usize),
    /// The disk is behind by [`PENDING_BYTES_MAX`].
    #[error("the disk is too slow: {0} bytes wait for it; try again later")]
    Backlog(usize),
    /// A barrier for an entry that does not exist.
    #[error("there is no entry {0} to wait for")]
    NoSuchEntry(Position),
}

/// What waiters watch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    /// Entries that a power cut cannot take away.
    pub(crate) durable: u64,
    pub(crate) poison: Option<Poisoned>,
}

/// Everything that appends change.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) tree: Tree,
    pub(crate) chains: Chains,
    /// Where each frame begins, in bytes; one more than there are frames.
    pub(crate) offsets: Vec<u64>,
    pub(crate) at_ms: u64,
    /// The newest signed checkpoint: its size and text.
    pub(crate) signed: Option<(u64, String)>,
    /// Size of the checkpoint in the file.
    pub(crate) saved: u64,
    pub(crate) pending: Vec<u8>,
    /// Entries that somebody waits for.
    pub(crate) wanted: u64,
    pub(crate) closing: bool,
}

/// State, and the two ways to learn of its changes.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    state: Mutex<State>,
    work: Condvar,
    progress: watch::Sender<Progress>,
}

/// What the thread does next, outside the lock.
struct Batch {
    size: u64,
    sync: bool,
    checkpoint: Option<(u64, String)>,
    last: bool,
}

impl Shared {
    pub(crate) fn new(dir: PathBuf, state: State) -> Self {
        let progress = Progress { durable: state.tree.size(), poison: None };
        let (work, progress) = (Condvar::new(), watch::Sender::new(progress));
        Self { dir, state: Mutex::new(state), work, progress }
    }

    /// A thread that panicked under the lock has at worst appended an entry that is not yet
    /// written; the state is sound.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    /// Gives the entry its place. `opening` carries a fresh key.
    pub(crate) fn append(
        &self,
        entry: Entry,
        key: [u8; 32],
        now_ms: u64,
    ) -> Result<Position, AppendError> {
        if entry.payload.len() > PAYLOAD_BYTES_MAX {
            return Err(AppendError::PayloadTooLong(entry.payload.len()));
        }
        let opening = Opening { key, payload: entry.payload };
        // The expensive part, the payload's commitment, happens before the lock.
        let leaf = Leaf::new(now_ms, entry.event, None, &opening);
        let mut state = self.lock();
        if let Some(poison) = self.progress().poison {
            return Err(poison.into());
        }
        if state.pending.len() + opening.payload.len() > PENDING_BYTES_MAX {
            return Err(AppendError::Backlog(state.pending.len()));
        }
        let position = state.place(leaf, &opening)?;
        drop(state);
        self.work.notify_one();
        Ok(position)
    }

    /// Waits until the entry is durable.
    pub(crate) async fn barrier(&self, position: Position) -> Result<(), AppendError> {
        let wanted = position.index() + 1;
        {
            let mut state = self.lock();
            if wanted > state.tree.size() {
                return Err(AppendError::NoSuchEntry(position));
            }
            state.wanted = state.wanted.max(wanted);
        }
        self.work.notify_one();
        let mut watcher = self.progress.subscribe();
        let done = watcher.wait_for(|p| p.durable >= wanted || p.poison.is_some()).await;
        match done.map(|p| p.clone()) {
            Ok(p) if p.durable >= wanted => Ok(()),
            Ok(Progress { poison: Some(poison), .. }) => Err(poison.into()),
            // The sender lives as long as `self`, so there is no other end of waiting.
            Ok(_) | Err(_) => Err(Poisoned { reason: "the writer is gone".into() }.into()),
        }
    }

    /// Tells the thread that there is something to do.
    pub(crate) fn wake(&self) {
        self.work.notify_one();
    }

    /// Lets the thread write and sync what is left, and end.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.work.notify_one();
    }

    /// The writer thread.
    pub(crate) fn run(&self, storage: &mut dyn Storage) {
        let mut bytes = Vec::new();
        loop {
            let batch = self.next_batch(&mut bytes);
            if let Err(reason) = self.execute(storage, &bytes, &batch) {
                // Whoever waits, and whoever comes later, is told; the disk is left alone.
                self.progress.send_modify(|p| {
                    p.poison = Some(Poisoned { reason: reason.into() });
                });
                return;
            }
            if batch.last {
                return;
            }
        }
    }

    /// Waits for work and takes it; `bytes` is the previous batch's buffer and becomes this one's.
    fn next_batch(&self, bytes: &mut Vec<u8>) -> Batch {
        let mut state = self.lock();
        let mut idle = false;
        loop {
            let durable = self.progress.borrow().durable;
            let waited_for = state.wanted > durable;
            if !state.pending.is_empty() || waited_for || state.closing || idle {
                bytes.clear();
                std::mem::swap(bytes, &mut state.pending);
                let size = state.tree.size();
                let sync = size > durable && (waited_for || state.closing || idle);
                let checkpoint = state.unsaved(idle || state.closing);
                return Batch { size, sync, checkpoint, last: state.closing };
            }
            let unfinished = state.tree.size() > durable || state.unsaved(true).is_some();
            if unfinished {
                let timeout = Duration::from_millis(IDLE_MS_MAX);
                let (guard, waited) =
                    self.work.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner);
                (state, idle) = (guard, waited.timed_out());
            } else {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn execute(
        &self,
        storage: &mut dyn Storage,
        bytes: &[u8],
        batch: &Batch,
    ) -> Result<(), String> {
        // If we die before the sync returns, the journal ends in any prefix of this batch, the last
        // frame perhaps torn. Nobody was told otherwise; the next open cuts the torn frame off.
        if !bytes.is_empty() {
            storage.append(bytes).map_err(|e| format!("writing the journal failed: {e}"))?;
        }
        if batch.sync {
            storage.sync().map_err(|e| format!("syncing the journal failed: {e}"))?;
            // If we die from here on, the entries are there at the next open.
            self.progress.send_modify(|p| p.durable = batch.size);
        }
        if let Some((size, text)) = &batch.checkpoint {
            // A checkpoint covers durable entries only, so the file is never ahead of the journal.
            storage::replace(&self.dir, CHECKPOINT_FILE, text.as_bytes())
                .map_err(|e| format!("saving the checkpoint failed: {e}"))?;
            self.lock().saved = *size;
        }
        Ok(())
    }
}

impl State {
    /// Places a leaf at the end: chain, tree, frame. All or nothing.
    fn place(&mut self, mut leaf: Leaf, opening: &Opening) -> Result<Position, AppendError> {
        leaf.link = self.chains.link(&leaf.event)?;
        leaf.at_ms = leaf.at_ms.max(self.at_ms);
        let bytes = leaf.to_bytes()?;
        // What could not be read back is not written.
        if bytes.len() > crate::entry::LEAF_BYTES_MAX {
            return Err(LeafError::TooLong(bytes.len()).into());
        }
        let hash: Digest = leaf_hash(&bytes);
        let index = self.tree.size();
        let before = self.pending.len();
        frame::encode(index, &bytes, &hash, opening, &mut self.pending);
        let frame_len = (self.pending.len() - before) as u64;
        let start = self.offsets.last().copied().unwrap_or(0);
        self.offsets.push(start + frame_len);
        self.chains.advance(&leaf.event, hash);
        self.at_ms = leaf.at_ms;
        self.tree.push(hash);
        Ok(Position::from_index(index))
    }

    /// The newest checkpoint if it should be saved now.
    fn unsaved(&self, at_leisure: bool) -> Option<(u64, String)> {
        self.signed
            .as_ref()
            .filter(|(size, _)| {
                *size > self.saved && (at_leisure || *size - self.saved >= UNSAVED_ENTRIES_MAX)
            })
            .cloned()
    }
}
