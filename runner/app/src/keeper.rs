//! What is in force, as somebody knows it who does not believe the control plane: the process that
//! holds the key of the role `status`, best on another host.
//!
//! It is told of stops by those who make them and hears of everything else from the control plane. What
//! bars is counted even when its signature cannot be checked any more, because it can only close
//! production; what ends a bar must be signed by those who may. So a control plane that hides a stop
//! gets a status that its runner does not share. Not here: HTTP (crates `server`, `cli`), signing.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::StatusId;
use tokio::sync::Notify;
use trust::{Authority, Document as Signed, Envelope, Header, InForce, Negative, Status, Stop};

use crate::documents::{Came, Filed};
use crate::{AppError, chain};

/// What may be kept; a team makes some a day.
const KEPT_MAX: usize = 100_000;

/// Why a keeper signs nothing.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// Its directory is unusable.
    #[error("{} cannot be used", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file in its directory is not what it wrote.
    #[error("{} is no document that bars or ends a bar; restore it, or remove it if it never was one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// More than it keeps.
    #[error("more than {KEPT_MAX} documents were said against runs; nothing is signed any more")]
    Full,
}

/// What a document of the control plane was to the keeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learned {
    /// It counts.
    Counts,
    /// It bars, although nobody can check who signed it; until this process ends.
    Unverified,
    /// It says nothing here.
    Ignored,
}

/// What is in force, as it is known here.
pub struct Keeper {
    dir: PathBuf,
    known: Mutex<InForce>,
    authority: Mutex<Option<Arc<Authority>>>,
    changed: Notify,
}

impl Keeper {
    /// Opens the directory, or makes it.
    ///
    /// # Errors
    /// When something in it cannot be read: a stop that was forgotten would not be missed.
    pub fn open(dir: &Path) -> Result<Self, KeeperError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| KeeperError::Io { path, source }
        };
        fs::create_dir_all(dir).map_err(failed(dir))?;
        let mut known = InForce::default();
        for entry in fs::read_dir(dir).map_err(failed(dir))? {
            let path = entry.map_err(failed(dir))?.path();
            if path.extension().is_some_and(|e| e == PARTIAL) {
                // Whoever sent it has no answer.
                continue;
            }
            let bytes = fs::read(&path).map_err(failed(&path))?;
            let damaged = || KeeperError::Damaged { path: path.clone() };
            let envelope = Envelope::from_json(&bytes).map_err(|_| damaged())?;
            let named = path.file_stem().is_some_and(|n| *n == *envelope.payload_digest().hex());
            let negative = said_by_anybody(&envelope).filter(|_| named).ok_or_else(damaged)?;
            known.apply(negative);
        }
        Ok(Self {
            dir: dir.to_owned(),
            known: Mutex::new(known),
            authority: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Believes this keyring, directory and policy from now on.
    pub fn follow(&self, authority: Arc<Authority>) {
        *lock(&self.authority) = Some(authority);
    }

    /// Takes a stop from whoever made it, before anybody else could lose it.
    ///
    /// # Errors
    /// What is wrong with it; [`AppError::ReadOnly`] when it cannot be kept.
    pub fn take(&self, bytes: &[u8]) -> Result<Filed, AppError> {
        let came = Came::parse(Stop::DOC, bytes)?;
        let authority = lock(&self.authority).clone();
        let authority = authority.ok_or_else(|| {
            AppError::ReadOnly(
                "this keeper has no keyring yet: it has not reached the server".to_owned(),
            )
        })?;
        let stop = authority.verify_stop(&came.envelope);
        let stop = stop.map_err(|e| AppError::document(Stop::DOC, e.problem.to_string()))?;
        let filed = Filed { id: stop.doc().header.id.to_string(), digest: stop.digest() };
        let kept = self.keep(&came.envelope, (&stop).into());
        kept.map_err(|e| AppError::ReadOnly(chain(&e)))?;
        self.changed.notify_one();
        Ok(filed)
    }

    /// Learns what the control plane has on file.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn learn(&self, envelope: &Envelope) -> Result<Learned, KeeperError> {
        let Some(authority) = lock(&self.authority).clone() else {
            return Ok(Learned::Ignored);
        };
        let said = Negative::verify(envelope, &authority, &lock(&self.known));
        if let Ok(said) = said {
            let kept = said.map(|negative| self.keep(envelope, negative)).transpose()?;
            return Ok(kept.map_or(Learned::Ignored, |()| Learned::Counts));
        }
        let bars = |n: &Negative| matches!(n, Negative::Stop(..) | Negative::Rejection(..));
        let Some(negative) = said_by_anybody(envelope).filter(bars) else {
            return Ok(Learned::Ignored);
        };
        let mut known = lock(&self.known);
        if known.knows(&negative) {
            return Ok(Learned::Counts);
        }
        has_room(&known)?;
        known.apply(negative);
        Ok(Learned::Unverified)
    }

    /// What a status would say now; `None` before [`Keeper::follow`].
    #[must_use]
    pub fn status_to_sign(&self, header: Header<StatusId>) -> Option<Status> {
        let authority = lock(&self.authority).clone()?;
        Some(Status {
            header,
            keyring: authority.keyring_ref(),
            directory: authority.directory_ref(),
            policy: authority.policy_ref(),
            stops: lock(&self.known).digest(),
        })
    }

    /// Resolves when a stop has come since the last call.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// First the file, then the effect: what is signed is never forgotten.
    fn keep(&self, envelope: &Envelope, negative: Negative) -> Result<(), KeeperError> {
        let mut known = lock(&self.known);
        let digest = envelope.payload_digest();
        let path = self.dir.join(format!("{}.json", digest.hex()));
        if known.knows(&negative) && path.exists() {
            return Ok(());
        }
        has_room(&known)?;
        write(&self.dir, &path, envelope).map_err(|source| KeeperError::Io { path, source })?;
        known.apply(negative);
        Ok(())
    }
}

/// The ending of a file that is not written wholly.
const PARTIAL: &str = "partial";

fn write(dir: &Path, path: &Path, envelope: &Envelope) -> io::Result<()> {
    let partial = path.with_extension(PARTIAL);
    let mut file = File::create(&partial)?;
    file.write_all(&envelope.to_json().map_err(io::Error::other)?)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    File::open(dir)?.sync_all()
}

fn said_by_anybody(envelope: &Envelope) -> Option<Negative> {
    Negative::read_unverified(envelope).ok().flatten()
}

fn has_room(known: &InForce) -> Result<(), KeeperError> {
    if known.said() < KEPT_MAX { Ok(()) } else { Err(KeeperError::Full) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Changed by single insertions and replacements, so a panic leaves it whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
