//! The recording of one run as a file of the runner: written as the run goes, renamed when whole.
//!
//! `<run>.partial` belongs to a run that is under way or died; `<run>.rec` is complete and durable.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use domain::{Digest, RunId};
use sandbox::recording::{Event, MAGIC, encode_frame};
use sha2::{Digest as _, Sha256};

/// Bytes of one recording. A script can write into it with refused calls, which cost it little.
const RECORDING_BYTES_MAX: u64 = 512 << 20;

/// A recording under way.
pub(crate) struct RecordingFile {
    dir: PathBuf,
    run: RunId,
    file: BufWriter<File>,
    hasher: Sha256,
    bytes: u64,
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
        let file = BufWriter::new(file);
        let mut this =
            Self { dir: dir.to_owned(), run: run.clone(), file, hasher: Sha256::new(), bytes: 0 };
        this.write(&MAGIC)?;
        Ok(this)
    }

    /// Adds an event.
    pub(crate) fn add(&mut self, event: &Event) -> io::Result<()> {
        self.write(&encode_frame(event))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.bytes.saturating_add(bytes.len() as u64) > RECORDING_BYTES_MAX {
            let problem = format!("the recording reached its limit of {RECORDING_BYTES_MAX} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
        }
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
