//! Opening: lock, recover, compare with the saved checkpoint, cut a torn tail, record the opening.
//!
//! Nothing is written before everything has been read and found sound.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::checkpoint::Checkpoint;
use crate::entry::{Entry, Event, Position, StoredEntry};
use crate::journal::{CHECKPOINT_FILE, JOURNAL_FILE, JournalError, Scan, first_line};
use crate::storage::{FileStorage, Storage, replace};
use crate::writer::{AppendError, Shared, State};

use super::{AnchorError, Inner, Ledger, Options, ReadError, check_anchor};

/// Why a ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{} is in use by another process: stop that one first", dir.display())]
    InUse {
        /// The ledger's directory.
        dir: PathBuf,
    },
    /// The journal cannot be read, or is damaged.
    #[error("the journal cannot be used")]
    Journal(#[from] JournalError),
    /// The journal is another log's.
    #[error("the journal is of log {found}, the key of log {expected}")]
    OtherLog {
        /// The log that the file names.
        found: String,
        /// The log that the key names.
        expected: String,
    },
    /// The journal is not the one that the saved checkpoint covers.
    #[error(
        "the journal does not continue its own checkpoint: re-enrol this runner under a new key"
    )]
    Anchor(#[from] AnchorError),
    /// The opening itself cannot be recorded.
    #[error("the first entry cannot be recorded")]
    Append(#[from] AppendError),
    /// The disk refuses the first write.
    #[error("the journal cannot be written")]
    Storage(#[source] io::Error),
    /// The system gives no thread.
    #[error("the writer thread cannot be started")]
    Thread(#[source] io::Error),
}

/// The entries that were there before this opening, read one by one, oldest first. It keeps the
/// ledger open.
pub struct Recovered {
    inner: Arc<Inner>,
    next: u64,
    size: u64,
    /// Bytes of an incomplete last frame that were cut off.
    pub torn_bytes: u64,
}

impl Iterator for Recovered {
    type Item = Result<StoredEntry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.size {
            return None;
        }
        let entry = self.inner.entry(Position::from_index(self.next));
        self.next += 1;
        Some(entry)
    }
}

impl Ledger {
    /// Opens the ledger in `options.dir`, making it if there is none, and records the opening.
    ///
    /// # Errors
    /// When anything about directory, lock, journal or checkpoint is not as it should be. Nothing
    /// is repaired but a torn tail.
    pub fn open(options: Options) -> Result<(Self, Recovered), OpenError> {
        Self::open_with(options, |file| Box::new(file))
    }

    /// [`Ledger::open`] over another storage, which wraps the file: how tests make a disk fail.
    /// What the wrapper drops or keeps is what a reader of the file sees.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_with(
        options: Options,
        wrap: impl FnOnce(FileStorage) -> Box<dyn Storage>,
    ) -> Result<(Self, Recovered), OpenError> {
        let Options { dir, key, clock, entropy } = options;
        let lock = lock(&dir)?;
        let journal = dir.join(JOURNAL_FILE);
        let anchor = saved_checkpoint(&dir)?;
        if !journal.exists() {
            if let Some(anchor) = &anchor {
                let (checkpoint, _) = Checkpoint::parse(anchor).map_err(AnchorError::from)?;
                return Err(AnchorError::Behind { size: 0, anchored: checkpoint.size }.into());
            }
            // If we die before this returns, there is no journal, and the next open makes one.
            replace(&dir, JOURNAL_FILE, first_line(key.verifier().name()).as_bytes())
                .map_err(JournalError::io("create", &journal))?;
        }
        let mut scan = Scan::open(&journal)?;
        if scan.origin != *key.verifier().name() {
            let (found, expected) = (scan.origin.to_string(), key.verifier().name().to_string());
            return Err(OpenError::OtherLog { found, expected });
        }
        let mut offsets = vec![scan.offset()];
        while scan.next_entry()?.is_some() {
            offsets.push(scan.offset());
        }
        let anchored = anchor.map(|text| check_anchor(&text, key.verifier(), &scan.tree));
        let saved = anchored.transpose()?.map_or(0, |checkpoint| checkpoint.size);

        let (size, torn_bytes) = (scan.tree.size(), scan.torn_bytes());
        let file = File::open(&journal).map_err(JournalError::io("open", &journal))?;
        if torn_bytes > 0 {
            cut(&journal, scan.offset())?;
        }
        let at_ms = scan.at_ms();
        let Scan { tree, chains, .. } = scan;
        let state = State { tree, chains, offsets, at_ms, saved, ..State::default() };
        let shared = Arc::new(Shared::new(dir, state));
        let mut storage = wrap(FileStorage::open(&journal)?);
        // What the last process wrote and did not sync becomes durable with our own first entry;
        // until then nobody can read it through us.
        storage.sync().map_err(OpenError::Storage)?;
        let worker = Arc::clone(&shared);
        let writer = std::thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || worker.run(&mut *storage))
            .map_err(OpenError::Thread)?;
        let writer = Some(writer);
        let inner = Arc::new(Inner { shared, key, clock, entropy, file, writer, _lock: lock });
        let ledger = Self { inner: Arc::clone(&inner) };
        let log = ledger.vkey().name().clone();
        ledger.append(Entry::new(Event::LogOpened { log, torn_bytes }, Vec::new()))?;
        Ok((ledger, Recovered { inner, next: 0, size, torn_bytes }))
    }
}

/// Takes the directory for this process; the system releases it when the process dies.
fn lock(dir: &Path) -> Result<File, OpenError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(dir).map_err(JournalError::io("create", dir))?;
    let path = dir.join("lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.map_err(JournalError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(e)) => Err(JournalError::io("lock", &path)(e).into()),
    }
}

fn saved_checkpoint(dir: &Path) -> Result<Option<String>, OpenError> {
    let path = dir.join(CHECKPOINT_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(JournalError::io("read", &path)(e).into()),
    }
}

/// Cuts a torn tail. If we die on the way, it is still torn and cut at the next open.
fn cut(journal: &Path, len: u64) -> Result<(), OpenError> {
    let file = OpenOptions::new().write(true).open(journal);
    let file = file.map_err(JournalError::io("open", journal))?;
    file.set_len(len).map_err(JournalError::io("cut the torn end of", journal))?;
    Ok(file.sync_all().map_err(JournalError::io("sync", journal))?)
}
