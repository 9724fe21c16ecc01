//! The recording of one run as a file of the runner: written as the run goes, renamed when whole.
//!
//! `<run>.partial` belongs to a run that is under way or died; `<run>.rec` is complete and durable.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use domain::{Digest, RunId};
use sandbox::recording::{Event, MAGIC, encode_frame};
use sha2::{Digest as _, Sha256};

/// Bytes of one recording before the run's end. A script can write into it with refused calls, which
/// cost it little. What follows is bounded by the limits on output.
const CALLS_BYTES_MAX: u64 = 512 << 20;

/// A recording under way.
pub(crate) struct RecordingFile {
    dir: PathBuf,
    run: RunId,
    file: BufWriter<File>,
    hasher: Sha256,
    bytes: u64,
    calls_bytes_max: u64,
}

/// Why a recording does not take an event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// It is as large as it may be; it still takes the events of the run's end.
    #[error("the recording reached its limit of {0} bytes")]
    Full(u64),
    /// It cannot be written.
    #[error("the recording cannot be written")]
    Io(#[from] io::Error),
}

/// A recording that is complete and durable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recorded {
    pub(crate) digest: Digest,
    pub(crate) bytes: u64,
}

/// Where a run's complete recording is.
pub(crate) fn complete_path(dir: &Path, run: &RunId) -> PathBuf {
    dir.join(format!("{run}.rec"))
}

fn partial_path(dir: &Path, run: &RunId) -> PathBuf {
    dir.join(format!("{run}.partial"))
}

impl RecordingFile {
    /// Begins the recording of `run`; a run has one, so a file that is there is an error.
    pub(crate) fn create(dir: &Path, run: &RunId) -> io::Result<Self> {
        let file = File::options().write(true).create_new(true).open(partial_path(dir, run))?;
        let mut this = Self {
            dir: dir.to_owned(),
            run: run.clone(),
            file: BufWriter::new(file),
            hasher: Sha256::new(),
            bytes: 0,
            calls_bytes_max: CALLS_BYTES_MAX,
        };
        this.write(&MAGIC)?;
        Ok(this)
    }

    /// Adds an event.
    pub(crate) fn add(&mut self, event: &Event) -> Result<(), RecordError> {
        let frame = encode_frame(event);
        let size = self.bytes.saturating_add(frame.len() as u64);
        if size > self.calls_bytes_max && !event.is_of_end() {
            return Err(RecordError::Full(self.calls_bytes_max));
        }
        Ok(self.write(&frame)?)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Makes the recording durable under its final name.
    pub(crate) fn complete(mut self) -> io::Result<Recorded> {
        self.file.flush()?;
        // If we die before the rename, the file is a partial one of a run that will be closed as
        // lost; after it, the recording is whole whether or not the log's last entry is there.
        self.file.get_ref().sync_all()?;
        std::fs::rename(partial_path(&self.dir, &self.run), complete_path(&self.dir, &self.run))?;
        File::open(&self.dir)?.sync_all()?;
        let digest = Digest::from_bytes(self.hasher.finalize().into());
        Ok(Recorded { digest, bytes: self.bytes })
    }
}

#[cfg(test)]
mod tests;
