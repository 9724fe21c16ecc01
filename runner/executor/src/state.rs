//! RunnerState: what a runner remembers by itself and never takes from the control plane.
//!
//! Uses, run ids, what was said against runs, what emergencies owe and the newest document versions are
//! entries of its own ledger; at start they are read back from there ([`memory`]). The pin is a small
//! file beside it ([`pin`]). The newest status is in memory only: it lives for minutes, and a runner
//! that starts anew may as well be told anew. A state that is lost or older than the anchored
//! checkpoint means: refuse, until the runner is enrolled again under a new key.

mod memory;
mod on_disk;
mod pin;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::decide::{SelfServeRun, StopSubject};
use domain::{Digest, Pair, PersonId, RunId};
use ledger::{ReadError, Recovered};
use trust::{Authority, InForce, Negative, OwedAfterReview, Pinned, Seen, VersionRef};

use crate::adopt::AuthorityDocuments;
use crate::status::KeptStatus;
use memory::Memory;
pub(crate) use memory::{Claim, ServedTo};
pub use on_disk::adopted_on_disk;
pub use pin::enrol;
pub(crate) use pin::write as write_pin;

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
    /// The pin and the ledger are of different histories.
    #[error(
        "the pin names keyring version {} {}, the ledger adopted {} of that version; enrol again",
        .0.version, .0.digest, .1.digest
    )]
    PinDiffers(VersionRef, VersionRef),
    /// An entry of the ledger cannot be read back.
    #[error("the ledger cannot be read back")]
    Ledger(#[from] ReadError),
    /// The journal cannot be read.
    #[error("the ledger cannot be read")]
    Journal(#[from] ledger::journal::JournalError),
    /// The payload of something that was said against runs is gone or malformed, so that nobody knows
    /// what is barred.
    #[error("entry {0} is a {1} that cannot be read; a runner does not start without its {1}s")]
    Unreadable(u64, &'static str),
    /// A keyring, directory or policy that was adopted, or that the runner was founded with.
    #[error("a {0} that is, or was, in force cannot be read; restore it from a backup")]
    NotReadable(&'static str),
    /// Nobody knows any more who broke the glass, and nobody has looked at it.
    #[error(
        "entry {0} is the start of an emergency that cannot be read, and nobody has looked at it"
    )]
    EmergencyUnreadable(u64),
}

/// What a runner remembers.
#[derive(Debug)]
pub struct RunnerState {
    pinned: Mutex<Pinned>,
    memory: Mutex<Memory>,
    status: Mutex<Option<KeptStatus>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind them is changed by steps that do not panic, so a panic elsewhere leaves it whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RunnerState {
    /// Reads the pin in `dir` and everything else back from the ledger.
    ///
    /// # Errors
    /// When anything is missing or unreadable: a runner that forgot something does not start.
    pub fn recover(dir: &Path, recovered: Recovered) -> Result<Self, StateError> {
        let pinned = pin::read(dir)?;
        let memory = Memory::recover(recovered)?;
        let pinned = pin::catch_up(dir, pinned, memory.newest().keyring)?;
        Ok(Self {
            pinned: Mutex::new(pinned),
            memory: Mutex::new(memory),
            status: Mutex::default(),
        })
    }

    /// What this runner believes at all.
    #[must_use]
    pub fn pinned(&self) -> Pinned {
        lock(&self.pinned).clone()
    }

    /// Believes a newer keyring; its file is there already.
    pub(crate) fn pin_moved(&self, pinned: Pinned) {
        *lock(&self.pinned) = pinned;
    }

    /// Stops in force.
    #[must_use]
    pub fn stops(&self) -> Vec<StopSubject> {
        lock(&self.memory).in_force().stops().map(|(_, subject)| subject.clone()).collect()
    }

    /// Everything that was said against runs.
    #[must_use]
    pub fn in_force(&self) -> InForce {
        lock(&self.memory).in_force().clone()
    }

    /// The newest versions adopted.
    #[must_use]
    pub fn newest(&self) -> Seen {
        lock(&self.memory).newest()
    }

    /// Keyring, directory and policy as they were adopted last, as far as the log has them; the rest, and
    /// what is newer, is `founding`'s. Nothing of it is believed yet.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn documents(
        &self,
        founding: &AuthorityDocuments,
    ) -> Result<AuthorityDocuments, StateError> {
        lock(&self.memory).documents().newest(founding)
    }

    /// Whether a run id has been spent.
    #[must_use]
    pub fn is_spent(&self, run: &RunId) -> bool {
        lock(&self.memory).is_spent(run)
    }

    /// The uses of an access request that have been spent.
    #[must_use]
    pub fn uses_spent(&self, request: &Digest) -> Vec<u64> {
        lock(&self.memory).uses_spent(request)
    }

    /// Runs of a revision that a person started without an approval, on the targets of `pairs`, in the
    /// last day at least.
    #[must_use]
    pub fn self_serve_runs(
        &self,
        caller: &PersonId,
        revision: &Digest,
        pairs: &[Pair],
    ) -> Vec<SelfServeRun> {
        let targets = pairs.iter().map(|p| p.target.clone()).collect();
        let about = ServedTo { caller: caller.clone(), revision: *revision, targets };
        lock(&self.memory).self_serve_runs(&about)
    }

    /// Emergencies that somebody still has to look at.
    #[must_use]
    pub fn owed(&self) -> Vec<OwedAfterReview> {
        lock(&self.memory).owed().to_vec()
    }

    /// Takes a run id and what else a start takes in memory; false when any of it is spent. The caller
    /// records it before anything runs, and never gives it back.
    pub(crate) fn spend(&self, run: &RunId, claim: &Claim, at_ms: u64) -> bool {
        lock(&self.memory).spend(run, claim, at_ms)
    }

    /// Puts what was said in force at once; whether it is in the log comes after.
    pub(crate) fn apply(&self, negative: Negative) {
        lock(&self.memory).apply(negative);
    }

    /// Whether a document is in the log.
    pub(crate) fn is_recorded(&self, document: &Digest) -> bool {
        lock(&self.memory).is_recorded(document)
    }

    pub(crate) fn recorded(&self, document: Digest) {
        lock(&self.memory).recorded(document);
    }

    /// Somebody has looked at what was done under an access request: whether with it nothing is owed
    /// any more. `None` when nothing was.
    pub(crate) fn looked(
        &self,
        request: &Digest,
        reviewer: &PersonId,
        authority: &Authority,
    ) -> Option<bool> {
        lock(&self.memory).looked(request, reviewer, authority)
    }

    /// The digest of a run's recording, once its release is durable.
    #[must_use]
    pub fn released(&self, run: &RunId) -> Option<Digest> {
        lock(&self.memory).released(run)
    }

    pub(crate) fn release(&self, run: &RunId, recording: Digest) {
        lock(&self.memory).release(run, recording);
    }

    pub(crate) fn adopt(&self, seen: Seen) {
        lock(&self.memory).adopt(seen);
    }

    /// The newest status that came since the start.
    pub(crate) fn status(&self) -> Option<KeptStatus> {
        lock(&self.status).clone()
    }

    /// Keeps a status unless a newer one is kept.
    pub(crate) fn keep_status(&self, status: KeptStatus) {
        let mut kept = lock(&self.status);
        if kept.as_ref().is_none_or(|k| status.replaces(k)) {
            *kept = Some(status);
        }
    }
}
