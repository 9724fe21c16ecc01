//! The durable file below the writer, as a port: the one place where a disk can fail.
//!
//! Tests wrap [`FileStorage`] to make it fail in every way a disk does. Reading is not part of it:
//! a broken disk that still reads is exactly the case where reads go on.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::journal::JournalError;

/// Where frames go.
///
/// One writer thread calls it, never concurrently. After any error it is not called again: what the
/// failed call left behind is unknown, and a second `sync` that succeeds says nothing about the
/// first. Whoever controls it can lose unacknowledged entries and refuse service; it cannot forge
/// leaves that a checkpoint already covers.
pub trait Storage: Send {
    /// Appends `bytes` at the end. On return they may still be lost by a power cut.
    ///
    /// # Errors
    /// When not all bytes were taken; some may have been.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything appended so far survive a power cut.
    ///
    /// # Errors
    /// When that is not certain.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that is appended to, and `fdatasync`.
#[derive(Debug)]
pub struct FileStorage {
    file: File,
}

impl FileStorage {
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        let file = OpenOptions::new().append(true).open(path);
        Ok(Self { file: file.map_err(JournalError::io("open for appending", path))? })
    }
}

impl Storage for FileStorage {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Replaces `dir/name` as a whole: after a crash the file has its old content or the new one.
pub(crate) fn replace(dir: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let temporary = dir.join(format!("{name}.new"));
    let mut options = OpenOptions::new();
    // Only the runner's own user reads a ledger: payloads hold production data.
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(content)?;
    // If we die before this returns, the old file stands; the temporary one is overwritten later.
    file.sync_all()?;
    std::fs::rename(&temporary, dir.join(name))?;
    // If we die before this returns, either file stands; both are whole.
    File::open(dir)?.sync_all()
}
