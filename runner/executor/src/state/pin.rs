//! The pin: which trust domain and keyring a runner believes at all. A small file beside the ledger,
//! written at enrolment, and moved forward along successions.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use trust::{Pinned, VersionRef};

use super::StateError;

const PIN_FILE: &str = "pinned.json";

/// Enrols a runner: writes which trust domain and keyring it believes.
///
/// # Errors
/// When it is enrolled already, or the directory cannot be written.
pub fn enrol(dir: &Path, pinned: &Pinned) -> Result<(), StateError> {
    let path = dir.join(PIN_FILE);
    if path.exists() {
        return Err(StateError::AlreadyEnrolled(path));
    }
    // If we die before it is there, the runner is not enrolled and `init` starts over.
    write(dir, pinned)
}

/// Writes the pin; the old one or the new one is there whenever we die.
pub(crate) fn write(dir: &Path, pinned: &Pinned) -> Result<(), StateError> {
    let path = dir.join(PIN_FILE);
    let io = |source| StateError::Io { path: path.clone(), source };
    let partial = dir.join("pinned.json.partial");
    let mut file = File::create(&partial).map_err(io)?;
    file.write_all(&crate::host::json(pinned)).and_then(|()| file.sync_all()).map_err(io)?;
    std::fs::rename(&partial, &path).map_err(io)?;
    File::open(dir).and_then(|d| d.sync_all()).map_err(io)
}

pub(super) fn read(dir: &Path) -> Result<Pinned, StateError> {
    let path = dir.join(PIN_FILE);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(StateError::NotEnrolled(path));
        }
        Err(source) => return Err(StateError::Io { path, source }),
    };
    serde_json::from_slice(&bytes).map_err(|source| StateError::Malformed { path, source })
}

/// Brings the pin to the newest keyring that the ledger says was adopted: a crash between that entry
/// and the file is repaired. The succession was verified before the entry was made.
pub(super) fn catch_up(
    dir: &Path,
    pinned: Pinned,
    adopted: Option<VersionRef>,
) -> Result<Pinned, StateError> {
    match adopted {
        Some(adopted) if adopted.version > pinned.keyring.version => {
            let moved = Pinned { keyring: adopted, ..pinned };
            write(dir, &moved)?;
            Ok(moved)
        }
        Some(adopted) if adopted.version == pinned.keyring.version && adopted != pinned.keyring => {
            Err(StateError::PinDiffers(pinned.keyring, adopted))
        }
        _ => Ok(pinned),
    }
}
