//! The journal file: a line that names format and log, then one frame an entry.
//!
//! Reading tells apart three ends: a clean one; a *torn tail*, which is an incomplete last frame or
//! a tail of zeros, as a crash leaves it, whose entry nobody was ever told is durable; and damage,
//! which is everything else and never repaired silently. Frames, chains, times and commitments are
//! all checked, so a journal that reads to its end is sound.
//! Neighbours: [`crate::frame`] for the bytes, [`crate::storage`] for appending,
//! [`crate::writer`] for who may.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use crate::chain::Chains;
use crate::entry::{Event, StoredEntry};
use crate::frame::{Damage, HEADER_BYTES, Header};
use crate::merkle::Tree;
use crate::note::Origin;

/// The journal's name in its directory.
pub const JOURNAL_FILE: &str = "journal";

/// The newest checkpoint's name in the directory.
pub const CHECKPOINT_FILE: &str = "checkpoint";

/// First words of the file; the log's name and a newline follow.
const FORMAT: &str = "borescope-journal v1 ";

/// Bytes of the first line: format, a log's name (128), newline.
const FIRST_LINE_BYTES_MAX: usize = 150;

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The first line is not a journal's.
    #[error("{} is not a journal of this version", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// A complete frame is damaged, or something follows an incomplete one.
    #[error(
        "{} is damaged in entry {index}, at byte {offset}: restore the file from a copy; nothing was changed",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Index of the damaged entry.
        index: u64,
        /// Where its frame begins, in bytes from the start of the file.
        offset: u64,
        /// What is wrong.
        source: Damage,
    },
}

impl JournalError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}

/// The first line of a log's journal.
#[must_use]
pub fn first_line(origin: &Origin) -> String {
    format!("{FORMAT}{origin}\n")
}

/// Reads a journal from its beginning and checks everything on the way.
#[derive(Debug)]
pub struct Scan {
    path: PathBuf,
    reader: BufReader<File>,
    /// Length of the file when the scan began.
    len: u64,
    offset: u64,
    at_ms: u64,
    /// The log that the file names.
    pub origin: Origin,
    /// Tree over the leaves read so far.
    pub tree: Tree,
    /// Chains of the runs read so far.
    pub chains: Chains,
}

impl Scan {
    /// Opens the journal at `path`.
    ///
    /// # Errors
    /// When it cannot be read or its first line is not a journal's.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file = File::open(path).map_err(JournalError::io("open", path))?;
        let len = file.metadata().map_err(JournalError::io("read", path))?.len();
        let mut reader = BufReader::with_capacity(1 << 20, file);
        let not_a_journal = || JournalError::NotAJournal { path: path.to_owned() };
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            let mut byte = [0];
            reader.read_exact(&mut byte).map_err(|_| not_a_journal())?;
            line.push(byte[0]);
            if line.len() > FIRST_LINE_BYTES_MAX {
                return Err(not_a_journal());
            }
        }
        let origin = std::str::from_utf8(&line)
            .ok()
            .and_then(|l| l.strip_suffix('\n')?.strip_prefix(FORMAT))
            .and_then(|name| name.parse().ok())
            .ok_or_else(not_a_journal)?;
        Ok(Self {
            path: path.to_owned(),
            reader,
            len,
            offset: line.len() as u64,
            at_ms: 0,
            origin,
            tree: Tree::new(),
            chains: Chains::default(),
        })
    }

    /// The next entry, or `None` at a clean end or a torn tail.
    ///
    /// # Errors
    /// On damage, with its place; reading on makes no sense then.
    pub fn next_entry(&mut self) -> Result<Option<StoredEntry>, JournalError> {
        let index = self.tree.size();
        let left = self.len - self.offset;
        if left < HEADER_BYTES as u64 {
            return Ok(None);
        }
        let mut header = [0; HEADER_BYTES];
        self.read(&mut header)?;
        let header = match Header::parse(index, &header) {
            Ok(header) => header,
            // Some file systems leave zeros where a write had not arrived before a power cut.
            Err(_) if header == [0; HEADER_BYTES] && self.rest_is_zero()? => return Ok(None),
            Err(damage) => return Err(self.corrupt(damage)),
        };
        let body_len = header.body_len() as u64;
        if left < HEADER_BYTES as u64 + body_len {
            return Ok(None);
        }
        let mut body = vec![0; header.body_len()];
        self.read(&mut body)?;
        let entry = header.body(index, &body).map_err(|damage| self.corrupt(damage))?;
        self.take(&entry).map_err(|damage| self.corrupt(damage))?;
        self.offset += HEADER_BYTES as u64 + body_len;
        Ok(Some(entry))
    }

    /// Where the next frame begins: after the last call returned `None`, the end of the sound part.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes behind the sound part.
    #[must_use]
    pub const fn torn_bytes(&self) -> u64 {
        self.len - self.offset
    }

    /// Time of the newest entry read, in milliseconds since the Unix epoch.
    #[must_use]
    pub const fn at_ms(&self) -> u64 {
        self.at_ms
    }

    fn take(&mut self, entry: &StoredEntry) -> Result<(), Damage> {
        match &entry.leaf.event {
            Event::LogOpened { log, .. } if *log == self.origin => {}
            Event::LogOpened { .. } => return Err(Damage::OtherLog),
            _ if self.tree.size() == 0 => return Err(Damage::OtherLog),
            _ => {}
        }
        let hash = entry.leaf_hash();
        self.chains.check(&entry.leaf.event, entry.leaf.link.as_ref(), hash)?;
        if entry.leaf.at_ms < self.at_ms {
            return Err(Damage::Time);
        }
        self.at_ms = entry.leaf.at_ms;
        self.tree.push(hash);
        Ok(())
    }

    fn read(&mut self, out: &mut [u8]) -> Result<(), JournalError> {
        self.reader.read_exact(out).map_err(JournalError::io("read", &self.path))
    }

    fn rest_is_zero(&mut self) -> Result<bool, JournalError> {
        let mut chunk = [0; 4096];
        loop {
            match self.reader.read(&mut chunk).map_err(JournalError::io("read", &self.path))? {
                0 => return Ok(true),
                n if chunk[..n].iter().any(|b| *b != 0) => return Ok(false),
                _ => {}
            }
        }
    }

    fn corrupt(&self, source: Damage) -> JournalError {
        let index = self.tree.size();
        JournalError::Corrupt { path: self.path.clone(), index, offset: self.offset, source }
    }
}
