//! RunnerState: what a runner remembers by itself and never takes from the control plane.
//!
//! Uses, run ids, stops and the newest document versions are entries of its own ledger; at start they
//! are read back from there. The pin (which keyring to believe at all) is a small file beside it,
//! written when the runner is enrolled. A state that is lost or older than the anchored checkpoint
//! means: refuse, until the runner is enrolled again under a new key.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::decide::StopSubject;
use domain::{Digest, RunId};
use ledger::{Event, ReadError, Recovered, StoredEntry};
use trust::{Envelope, InForce, Negative, Pinned, Seen, Stop, VersionRef, read_unverified};

const PIN_FILE: &str = "pinned.json";

/// Why a runner's state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// There is no pin.
    #[error("{} is missing: this runner is not enrolled; run `borescope init`", .0.display())]
    NotEnrolled(PathBuf),
    /// There is one already.
    #[error("{} exists: this runner is enrolled already", .0.display())]
    AlreadyEnrolled(PathBuf),
    /// The pin cannot be read or written.
    #[error("{} cannot be used", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The pin is malformed.
    #[error("{} is malformed; restore it from the enrolment", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where.
        source: serde_json::Error,
    },
    /// An entry of the ledger cannot be read back.
    #[error("the ledger cannot be read back")]
    Ledger(#[from] ReadError),
    /// A stop's payload is gone or malformed, so that nobody knows what is stopped.
    #[error("entry {0} is a stop that cannot be read; a runner does not start without its stops")]
    StopUnreadable(u64),
}

/// What a runner remembers.
#[derive(Debug)]
pub struct RunnerState {
    pinned: Pinned,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    runs: BTreeSet<RunId>,
    uses: BTreeMap<Digest, BTreeSet<u64>>,
    in_force: InForce,
    /// Stops that are in the log, by the digest of their payload.
    recorded_stops: BTreeSet<Digest>,
    newest: Seen,
    /// Recordings that were released, by run.
    released: BTreeMap<RunId, Digest>,
}

/// Enrols a runner: writes which trust domain and keyring it believes.
///
/// # Errors
/// When it is enrolled already, or the directory cannot be written.
pub fn enrol(dir: &Path, pinned: &Pinned) -> Result<(), StateError> {
    let path = dir.join(PIN_FILE);
    if path.exists() {
        return Err(StateError::AlreadyEnrolled(path));
    }
    let io = |source| StateError::Io { path: path.clone(), source };
    let partial = dir.join("pinned.json.partial");
    let mut file = File::create(&partial).map_err(io)?;
    // If we die before the rename, the runner is not enrolled and `init` starts over.
    file.write_all(&crate::host::json(pinned)).and_then(|()| file.sync_all()).map_err(io)?;
    std::fs::rename(&partial, &path).map_err(io)?;
    File::open(dir).and_then(|d| d.sync_all()).map_err(io)
}

impl RunnerState {
    /// Reads the pin in `dir` and everything else back from the ledger.
    ///
    /// # Errors
    /// When anything is missing or unreadable: a runner that forgot something does not start.
    pub fn recover(dir: &Path, recovered: Recovered) -> Result<Self, StateError> {
        let path = dir.join(PIN_FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(StateError::NotEnrolled(path));
            }
            Err(source) => return Err(StateError::Io { path, source }),
        };
        let pinned = serde_json::from_slice(&bytes)
            .map_err(|source| StateError::Malformed { path, source })?;
        let mut inner = Inner::default();
        for entry in recovered {
            inner.apply(&entry?)?;
        }
        Ok(Self { pinned, inner: Mutex::new(inner) })
    }

    /// What this runner believes at all.
    #[must_use]
    pub fn pinned(&self) -> &Pinned {
        &self.pinned
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change below is a single insertion, so a panic elsewhere leaves it whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops in force.
    #[must_use]
    pub fn stops(&self) -> Vec<StopSubject> {
        self.lock().in_force.stops().map(|(_, subject)| subject.clone()).collect()
    }

    /// Everything that was said against runs.
    #[must_use]
    pub fn in_force(&self) -> InForce {
        self.lock().in_force.clone()
    }

    /// The newest versions adopted.
    #[must_use]
    pub fn newest(&self) -> Seen {
        self.lock().newest
    }

    /// Whether a run id has been spent.
    #[must_use]
    pub fn is_spent(&self, run: &RunId) -> bool {
        self.lock().runs.contains(run)
    }

    /// The uses of an access request that have been spent.
    #[must_use]
    pub fn uses_spent(&self, request: &Digest) -> Vec<u64> {
        self.lock().uses.get(request).map(|u| u.iter().copied().collect()).unwrap_or_default()
    }

    /// Takes a use and a run id in memory; false when either is spent. The caller records it before
    /// anything runs, and never gives it back.
    pub(crate) fn spend(&self, run: &RunId, request: Digest, use_number: u64) -> bool {
        let mut inner = self.lock();
        if inner.runs.contains(run)
            || inner.uses.get(&request).is_some_and(|u| u.contains(&use_number))
        {
            return false;
        }
        inner.runs.insert(run.clone());
        inner.uses.entry(request).or_default().insert(use_number);
        true
    }

    /// Puts a stop in force at once; whether it is in the log comes after.
    pub(crate) fn stop(&self, stop: Negative) {
        self.lock().in_force.apply(stop);
    }

    pub(crate) fn is_stop_recorded(&self, document: &Digest) -> bool {
        self.lock().recorded_stops.contains(document)
    }

    pub(crate) fn stop_recorded(&self, document: Digest) {
        self.lock().recorded_stops.insert(document);
    }

    /// The digest of a run's recording, once its release is durable.
    #[must_use]
    pub fn released(&self, run: &RunId) -> Option<Digest> {
        self.lock().released.get(run).copied()
    }

    pub(crate) fn release(&self, run: &RunId, recording: Digest) {
        self.lock().released.insert(run.clone(), recording);
    }

    pub(crate) fn adopt(&self, seen: Seen) {
        let newest = &mut self.lock().newest;
        newest.keyring = newer(newest.keyring, seen.keyring);
        newest.directory = newer(newest.directory, seen.directory);
        newest.policy = newer(newest.policy, seen.policy);
    }
}

/// Versions only go forward, in whatever order they arrive.
fn newer(a: Option<VersionRef>, b: Option<VersionRef>) -> Option<VersionRef> {
    match (a, b) {
        (Some(a), Some(b)) if b.version <= a.version => Some(a),
        (a, b) => b.or(a),
    }
}

impl Inner {
    fn apply(&mut self, entry: &StoredEntry) -> Result<(), StateError> {
        match &entry.leaf.event {
            Event::RunStarted { run, request, use_number, .. } => {
                self.runs.insert(run.clone());
                self.uses.entry(*request).or_default().insert(*use_number);
            }
            Event::StopAccepted { .. } => {
                let unreadable = || StateError::StopUnreadable(entry.position.index());
                let payload = entry.payload().ok_or_else(unreadable)?;
                // It was verified when it was accepted; the journal's own checks cover it since.
                let envelope = Envelope::from_json(payload).map_err(|_| unreadable())?;
                let stop: Stop = read_unverified(&envelope).map_err(|_| unreadable())?;
                self.in_force.apply(Negative::Stop(envelope.payload_digest(), stop.subject));
                self.recorded_stops.insert(envelope.payload_digest());
            }
            Event::DirectoryAdopted { version, document, .. } => {
                let seen = VersionRef { version: *version, digest: *document };
                self.newest.directory = newer(self.newest.directory, Some(seen));
            }
            Event::PolicyAdopted { version, document, .. } => {
                let seen = VersionRef { version: *version, digest: *document };
                self.newest.policy = newer(self.newest.policy, Some(seen));
            }
            Event::RunFinished { run, recording, .. } => {
                self.released.insert(run.clone(), *recording);
            }
            Event::LogOpened { .. }
            | Event::SubmissionAccepted { .. }
            | Event::ReviewAccepted { .. }
            | Event::RequestAccepted { .. }
            | Event::ApprovalAccepted { .. }
            | Event::KeyringAdopted { .. }
            | Event::RunDenied { .. }
            | Event::CallIntent { .. }
            | Event::CallOutcome { .. }
            | Event::OutputReleased { .. }
            | Event::RunLost { .. } => {}
        }
        Ok(())
    }
}
