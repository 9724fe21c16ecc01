//! The runner: one process's executor over its own state, ledger, sandbox and connectors.
//!
//! [`Runner`] is all that the control plane may ask of it, also when both live in one process: orders
//! and what is accepted besides ([`crate::accept`]) go in as bytes and are parsed and verified here.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::{Clock, Digest, Entropy, PersonId, RunId, RunnerName, TargetId, Timestamp};
use ledger::{AppendError, Entry, Event as Logged, Health, Ledger, Recovered};
use sandbox::{Cancel, Sandbox};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use trust::{Authority, Envelope, PublicKey, SecretKey};

use crate::accept::RestsOn;
use crate::adopt::Adopted;
use crate::bundle::Bundles;
use crate::catalog::NoCatalog;
use crate::events::{Ended, RunEvent};
use crate::hash_secret::{HashSecret, SecretError};
use crate::order::OrderReader;
use crate::plan::NoPlan;
use crate::ports::{Blobs, Connectors};
use crate::recording_file::complete_path;
use crate::state::{RunnerState, StateError};

/// Events that wait for a slow reader before the run waits too.
const EVENTS_WAITING_MAX: usize = 64;

pub use crate::accept::NotAccepted;
pub use crate::adopt::{AdoptError, AuthorityDocuments};

/// What the control plane may ask of a runner. Whoever calls it is believed in nothing: it can
/// withhold service, but not make the runner execute or read what people did not sign.
#[async_trait]
pub trait Runner: Send + Sync {
    /// Executes an order once. `run` is only the label under which a denial of an unreadable order is
    /// reported; the signed run request decides. The stream ends with [`RunEvent::Ended`]; dropping it
    /// does not stop the run.
    async fn start(&self, run: RunId, order: Vec<u8>) -> ReceiverStream<RunEvent>;

    /// Takes a signed document from any channel that is no part of one order: a stop, a lift, a
    /// rejecting review, a withdrawal, an after-review, a status. It is in force at once, ends the live
    /// runs that it is against, and is recorded. Accepting the same document twice is harmless.
    ///
    /// # Errors
    /// When it is not valid; or when it is in force now, but a restart would forget it.
    async fn accept(&self, envelope: Vec<u8>) -> Result<(), NotAccepted>;

    /// Adopts keyring, directory and policy that follow what is in force ([`AuthorityDocuments`] as
    /// JSON): verified against the pin, recorded, and from then on what every order is judged by. Live
    /// runs go on. Adopting what is in force again is harmless.
    ///
    /// # Errors
    /// When they are not acceptable, or the adoption cannot be recorded.
    async fn adopt(&self, documents: Vec<u8>) -> Result<(), AdoptError>;

    /// Cancels a live run; false when there is none with this id.
    fn cancel(&self, run: &RunId) -> bool;

    /// The complete recording of a run. Its release was recorded with the run's output.
    ///
    /// # Errors
    /// When the file cannot be read.
    async fn recording(&self, run: &RunId) -> io::Result<Option<Vec<u8>>>;

    /// The catalog of a target as JSON ([`domain::analysis::Catalog`]): names and types of what policy
    /// grants there, for whoever reviews queries. That `reader` gets it is recorded before.
    ///
    /// # Errors
    /// When the target is not to be reached now, does not answer, or the reading cannot be recorded.
    async fn catalog(&self, target: &TargetId, reader: &PersonId) -> Result<Vec<u8>, NoCatalog>;

    /// What a target's planner expects of a revision's queries, as JSON ([`domain::plan::Plan`]); `order` is
    /// a [`crate::PlanOrder`] as JSON. Recorded before.
    ///
    /// # Errors
    /// When whoever signed may not ask, the target is not to be reached now, or does not answer.
    async fn plan(&self, order: Vec<u8>) -> Result<Vec<u8>, NoPlan>;

    /// What it counts with besides an order, for advice.
    fn state(&self) -> &RunnerState;

    /// Its name, and the key of its receipts: a policy without them is none that it adopts.
    fn identity(&self) -> (&RunnerName, &PublicKey);

    /// Why no run can be recorded, and therefore started; `None` when all is well.
    fn not_ready(&self) -> Option<String>;
}

/// What a runner is opened with.
pub struct RunnerOptions {
    /// Its own directory: the pin, recordings, the secret of hashed columns.
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
    /// Its secret is unusable.
    #[error("the secret of hashed columns cannot be used")]
    Secret(#[from] SecretError),
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
    pub(crate) hash_secret: HashSecret,
    pub(crate) ledger: Ledger,
    pub(crate) sandbox: Sandbox,
    pub(crate) connectors: Arc<dyn Connectors>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) orders: OrderReader,
    pub(crate) bundles: Bundles,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) slots: Semaphore,
    /// One adoption at a time: versions only go forward.
    pub(crate) adopting: tokio::sync::Mutex<()>,
    /// One catalog or plan at a time, whoever asks.
    pub(crate) asking_for_others: tokio::sync::Mutex<()>,
    pub(crate) live: Mutex<BTreeMap<RunId, Live>>,
    pub(crate) adopted: Mutex<Option<Adopted>>,
}

pub(crate) struct Live {
    pub(crate) cancel: Cancel,
    pub(crate) rests_on: RestsOn,
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
        let hash_secret = HashSecret::open(&options.dir, &*options.entropy)?;
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
            hash_secret,
            ledger,
            sandbox: options.sandbox,
            connectors: options.connectors,
            blobs: options.blobs,
            orders: OrderReader::default(),
            bundles: Bundles::default(),
            clock: options.clock,
            entropy: options.entropy,
            slots: Semaphore::new(options.concurrent_runs_max),
            adopting: tokio::sync::Mutex::default(),
            asking_for_others: tokio::sync::Mutex::default(),
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

    /// The highest time that can be trusted, in milliseconds since the Unix epoch: the clock's, or the
    /// newest entry's, when the clock was set back since.
    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.now_ms().max(self.ledger.newest_at_ms())
    }

    /// [`Self::now_ms`], as documents carry it.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix_s(i64::try_from(self.now_ms() / 1000).unwrap_or(i64::MAX))
    }

    /// Lists a run as live; it is cancelled at once if something is against it by now.
    pub(crate) fn enlist(&self, run: &RunId, rests_on: RestsOn) -> Cancel {
        let cancel = Cancel::new();
        let mut map = lock(&self.live);
        // What came between decision and here is in the state; what comes later finds the run in the
        // map.
        if self.bars()(&rests_on) {
            cancel.cancel();
        }
        map.insert(run.clone(), Live { cancel: cancel.clone(), rests_on });
        cancel
    }

    pub(crate) fn discharge(&self, run: &RunId) {
        lock(&self.live).remove(run);
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

    async fn accept(&self, envelope: Vec<u8>) -> Result<(), NotAccepted> {
        let envelope = Envelope::from_json(&envelope).map_err(NotAccepted::Malformed)?;
        let inner = Arc::clone(&self.inner);
        // A task of its own: a caller that goes away does not leave a stop half accepted.
        let accepted = tokio::spawn(async move { inner.accept(&envelope).await });
        accepted.await.map_err(|_| NotAccepted::Interrupted)?
    }

    async fn adopt(&self, documents: Vec<u8>) -> Result<(), AdoptError> {
        let documents: AuthorityDocuments =
            serde_json::from_slice(&documents).map_err(AdoptError::Malformed)?;
        let inner = Arc::clone(&self.inner);
        // A task of its own: a caller that goes away does not leave an adoption half recorded.
        let adopted = tokio::spawn(async move { inner.adopt(&documents).await });
        adopted.await.map_err(|_| AdoptError::Interrupted)?.map(drop)
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

    async fn catalog(&self, target: &TargetId, reader: &PersonId) -> Result<Vec<u8>, NoCatalog> {
        crate::catalog::catalog(&self.inner, target, reader).await
    }

    async fn plan(&self, order: Vec<u8>) -> Result<Vec<u8>, NoPlan> {
        crate::plan::plan(&self.inner, order).await
    }

    fn state(&self) -> &RunnerState {
        &self.inner.state
    }

    fn identity(&self) -> (&RunnerName, &PublicKey) {
        (&self.inner.name, self.inner.key.public())
    }

    fn not_ready(&self) -> Option<String> {
        match self.inner.ledger.health() {
            Health::Serving => None,
            Health::Poisoned(reason) => Some(format!("the log does not take entries: {reason}")),
        }
    }
}
