//! The runner: one process's executor over its own state, ledger, sandbox and connectors.
//!
//! [`Runner`] is all that the control plane may ask of it, also when both live in one process: orders
//! and stops go in as bytes and are parsed and verified here.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::decide::StopSubject;
use domain::{Clock, Digest, Entropy, RunId, RunnerName};
use ledger::{AppendError, Entry, Event as Logged, Health, Ledger, Recovered};
use sandbox::{Cancel, Sandbox};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use trust::{Authority, Envelope, SecretKey};

use crate::adopt::Adopted;
use crate::bundle::Bundles;
use crate::events::{Ended, RunEvent};
use crate::host::json;
use crate::ports::{Blobs, Connectors};
use crate::recording_file::complete_path;
use crate::state::{RunnerState, StateError};

/// Events that wait for a slow reader before the run waits too.
const EVENTS_WAITING_MAX: usize = 64;

pub use crate::adopt::{AdoptError, AuthorityDocuments};

/// What the control plane may ask of a runner. Whoever calls it is believed in nothing: it can
/// withhold service, but not make the runner execute or read what people did not sign.
#[async_trait]
pub trait Runner: Send + Sync {
    /// Executes an order once. `run` is only the label under which a denial of an unreadable order is
    /// reported; the signed run request decides. The stream ends with [`RunEvent::Ended`]; dropping it
    /// does not stop the run.
    async fn start(&self, run: RunId, order: Vec<u8>) -> ReceiverStream<RunEvent>;

    /// Takes a signed stop from any channel, ends live runs that depend on what it bans, and records
    /// it. Accepting the same stop twice is harmless.
    ///
    /// # Errors
    /// When it is not a valid stop; or when it is in force now, but a restart would forget it.
    async fn stop(&self, envelope: Vec<u8>) -> Result<(), StopRefused>;

    /// Cancels a live run; false when there is none with this id.
    fn cancel(&self, run: &RunId) -> bool;

    /// The complete recording of a run. Its release was recorded with the run's output.
    ///
    /// # Errors
    /// When the file cannot be read.
    async fn recording(&self, run: &RunId) -> io::Result<Option<Vec<u8>>>;

    /// Why no run can be recorded, and therefore started; `None` when all is well.
    fn not_ready(&self) -> Option<String>;
}

/// Why a stop is not in force.
#[derive(Debug, thiserror::Error)]
pub enum StopRefused {
    /// Not an envelope.
    #[error("the stop cannot be read")]
    Malformed(#[source] trust::EnvelopeError),
    /// Malformed, falsely signed, or by somebody who does not hold the role.
    #[error("the stop is not valid")]
    Invalid(#[from] trust::DocumentError),
    /// No documents have been adopted yet, so nobody's signature can be checked.
    #[error("this runner has not adopted a keyring, directory and policy yet")]
    NoAuthority,
    /// It cannot be recorded.
    #[error(
        "the stop is in force until this runner restarts, but cannot be recorded; send it again"
    )]
    NotRecorded(#[from] AppendError),
    /// The runner shuts down.
    #[error("the runner is shutting down; send the stop again")]
    Interrupted,
}

/// What a runner is opened with.
pub struct RunnerOptions {
    /// Its own directory: the pin, recordings.
    pub dir: PathBuf,
    /// Its name in the policy.
    pub name: RunnerName,
    /// Signs receipts.
    pub key: SecretKey,
    /// Its open ledger, and the entries that were there before.
    pub ledger: (Ledger, Recovered),
    /// The sandbox.
    pub sandbox: Sandbox,
    /// Ways to targets.
    pub connectors: Arc<dyn Connectors>,
    /// Files and inputs by digest.
    pub blobs: Arc<dyn Blobs>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids, seeds and salts.
    pub entropy: Arc<dyn Entropy>,
    /// Runs at a time; more wait.
    pub concurrent_runs_max: usize,
}

/// Why a runner cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// Its state is unusable.
    #[error("the runner's state cannot be used")]
    State(#[from] StateError),
    /// Its directory is unusable.
    #[error("{} cannot be used", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Interrupted runs cannot be closed.
    #[error("the runs that a crash interrupted cannot be closed in the log")]
    NotRecorded(#[from] AppendError),
}

/// The runner of this process.
#[derive(Clone)]
pub struct LocalRunner {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) dir: PathBuf,
    pub(crate) name: RunnerName,
    pub(crate) key: SecretKey,
    pub(crate) state: RunnerState,
    pub(crate) ledger: Ledger,
    pub(crate) sandbox: Sandbox,
    pub(crate) connectors: Arc<dyn Connectors>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) bundles: Bundles,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) slots: Semaphore,
    /// One adoption at a time: versions only go forward.
    pub(crate) adopting: tokio::sync::Mutex<()>,
    live: Mutex<BTreeMap<RunId, Live>>,
    pub(crate) adopted: Mutex<Option<Adopted>>,
}

struct Live {
    cancel: Cancel,
    depends_on: Vec<StopSubject>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Both maps are changed by single insertions and removals, so a panic leaves them whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LocalRunner {
    /// Opens the runner: reads its state back, and closes the runs that a crash interrupted.
    ///
    /// # Errors
    /// When anything that it must remember is missing or unreadable.
    pub async fn open(options: RunnerOptions) -> Result<Self, RunnerError> {
        let recordings = options.dir.join("recordings");
        std::fs::create_dir_all(&recordings)
            .map_err(|source| RunnerError::Io { path: recordings.clone(), source })?;
        let (ledger, recovered) = options.ledger;
        let state = RunnerState::recover(&options.dir, recovered)?;
        // If we die in between, the runs that are left open are closed at the next start.
        for run in ledger.open_runs() {
            tracing::warn!(run.id = %run, "run was interrupted and is closed as lost");
            ledger.append_durable(Entry::new(Logged::RunLost { run }, Vec::new())).await?;
        }
        let inner = Inner {
            dir: options.dir,
            name: options.name,
            key: options.key,
            state,
            ledger,
            sandbox: options.sandbox,
            connectors: options.connectors,
            blobs: options.blobs,
            bundles: Bundles::default(),
            clock: options.clock,
            entropy: options.entropy,
            slots: Semaphore::new(options.concurrent_runs_max),
            adopting: tokio::sync::Mutex::default(),
            live: Mutex::default(),
            adopted: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The ledger, for the control plane's own entries and for proofs. In one process both share it.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// What this runner remembers.
    #[must_use]
    pub fn state(&self) -> &RunnerState {
        &self.inner.state
    }

    /// The sandbox, for replays.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.inner.sandbox
    }

    /// Verifies keyring, directory and policy against the pin and adopts newer versions.
    ///
    /// # Errors
    /// When they are not acceptable or the adoption cannot be recorded.
    pub async fn adopt(
        &self,
        documents: &AuthorityDocuments,
    ) -> Result<Arc<Authority>, AdoptError> {
        self.inner.adopt(documents).await
    }
}

impl Inner {
    pub(crate) fn recordings(&self) -> PathBuf {
        self.dir.join("recordings")
    }

    /// Lists a run as live; it is cancelled at once if something that it depends on is stopped by now.
    pub(crate) fn enlist(&self, run: &RunId, depends_on: Vec<StopSubject>) -> Cancel {
        let cancel = Cancel::new();
        let live = Live { cancel: cancel.clone(), depends_on };
        let mut map = lock(&self.live);
        // A stop that came between decision and here is in the state; one that comes later finds
        // the run in the map.
        if self.state.stops().iter().any(|s| live.depends_on.contains(s)) {
            cancel.cancel();
        }
        map.insert(run.clone(), live);
        cancel
    }

    pub(crate) fn discharge(&self, run: &RunId) {
        lock(&self.live).remove(run);
    }

    /// Puts a verified stop in force, ends the live runs that depend on it, and then records it. In
    /// this order: a log that cannot write must not keep a run alive.
    pub(crate) async fn accept_stop(&self, envelope: &Envelope) -> Result<(), StopRefused> {
        let authority = lock(&self.adopted).as_ref().map(|a| Arc::clone(&a.authority));
        let authority = authority.ok_or(StopRefused::NoAuthority)?;
        let stop = authority.verify_stop(envelope)?;
        self.state.stop((&stop).into());
        let stop = stop.into_doc();
        for (run, live) in lock(&self.live).iter() {
            if live.depends_on.contains(&stop.subject) {
                tracing::warn!(run.id = %run, stop = %stop.subject, "live run is stopped");
                live.cancel.cancel();
            }
        }
        let document = envelope.payload_digest();
        if self.state.is_stop_recorded(&document) {
            return Ok(());
        }
        let event = Logged::StopAccepted { id: stop.header.id.clone(), document };
        // If we die before the entry is durable, whoever sent the stop has no answer and sends it again.
        self.ledger.append_durable(Entry::new(event, json(envelope))).await?;
        self.state.stop_recorded(document);
        Ok(())
    }
}

/// Reads the complete recording of a run.
fn read_recording(dir: &Path, run: &RunId) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(complete_path(dir, run)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

#[async_trait]
impl Runner for LocalRunner {
    async fn start(&self, run: RunId, order: Vec<u8>) -> ReceiverStream<RunEvent> {
        let (events, receiver) = mpsc::channel(EVENTS_WAITING_MAX);
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move {
            let ended: Option<Ended> = crate::execute::execute(&inner, run, &order, &events).await;
            if let Some(ended) = ended {
                drop(events.send(RunEvent::Ended(Box::new(ended))).await);
            }
        });
        ReceiverStream::new(receiver)
    }

    async fn stop(&self, envelope: Vec<u8>) -> Result<(), StopRefused> {
        let envelope = Envelope::from_json(&envelope).map_err(StopRefused::Malformed)?;
        let inner = Arc::clone(&self.inner);
        // A task of its own: a caller that goes away does not leave a stop half accepted.
        let accepted = tokio::spawn(async move { inner.accept_stop(&envelope).await });
        accepted.await.map_err(|_| StopRefused::Interrupted)?
    }

    fn cancel(&self, run: &RunId) -> bool {
        let live = lock(&self.inner.live);
        live.get(run).inspect(|l| l.cancel.cancel()).is_some()
    }

    async fn recording(&self, run: &RunId) -> io::Result<Option<Vec<u8>>> {
        // A file that is complete but whose release is not durable has not left, and stays.
        let Some(released) = self.inner.state.released(run) else {
            return Ok(None);
        };
        let (dir, run) = (self.inner.recordings(), run.clone());
        let read = tokio::task::spawn_blocking(move || read_recording(&dir, &run));
        match read.await.map_err(io::Error::other)?? {
            Some(bytes) if Digest::of(&bytes) != released => {
                let problem = "the recording is not the one that was released";
                Err(io::Error::new(io::ErrorKind::InvalidData, problem))
            }
            bytes => Ok(bytes),
        }
    }

    fn not_ready(&self) -> Option<String> {
        match self.inner.ledger.health() {
            Health::Serving => None,
            Health::Poisoned(reason) => Some(format!("the log does not take entries: {reason}")),
        }
    }
}
