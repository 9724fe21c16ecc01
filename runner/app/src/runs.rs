//! Runs for people: who may read them, waiting, cancelling, results, recordings, shutdown.
//!
//! What a run did and left is read by its caller, and by those whom the policy of *every* target of the
//! run names as readers. Anybody else who has its id learns whose it is, where it is, and who may read
//! it; for whatever else they ask, it does not exist. Each reading is recorded ([`crate::reads`]).

use std::time::Duration;

use domain::{GroupName, RunId, TargetId};
use ledger::RunPart;
use store::{Run, RunFilter};
use trust::{Role, RunRequest};

use crate::advice::unverified;
use crate::login::Who;
use crate::queue::Place;
use crate::{App, AppError};

/// How long cancelled runs have to end at shutdown. A run notices within a second.
const CANCELLED_S_MAX: u64 = 5;

/// A run as one person may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStatus {
    /// The run; to those who may not read it, without what it says about data.
    pub run: Run,
    /// Whether the person may read what it left.
    pub may_read: bool,
    /// Who may besides its caller: who is in one of the groups of each. None of a run that never
    /// started, which read nothing.
    pub readers: Vec<Readers>,
    /// Where it waits, if it does.
    pub place: Option<Place>,
}

/// The readers of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readers {
    /// The target.
    pub target: TargetId,
    /// Groups that may read what was read from it; none when the policy has no such target any more.
    pub groups: Vec<GroupName>,
}

impl App {
    /// A run that this person may read.
    pub(crate) async fn readable_run(&self, who: &Who, id: &RunId) -> Result<Run, AppError> {
        let run = self.store.run(id).await?;
        if let Some(run) = run
            && self.may_read(who, &run).await?
        {
            return Ok(run);
        }
        Err(AppError::NotFound(format!("run {id} that you may read")))
    }

    async fn may_read(&self, who: &Who, run: &Run) -> Result<bool, AppError> {
        Ok(self.answers_for(who, run) || self.is_reader(who, &self.readers(run).await?))
    }

    /// Who may read a run besides its caller. Only a run that started has its request on file, and only
    /// such a run read anything.
    async fn readers(&self, run: &Run) -> Result<Vec<Readers>, AppError> {
        let document = self.store.document_by_digest(&run.run_request).await?;
        let request = document.and_then(|d| unverified::<RunRequest>(&d));
        let adopted = self.adopted();
        let of = |target: TargetId| {
            let named = adopted.authority.target(&target);
            Readers { groups: named.map(|t| t.readers.clone()).unwrap_or_default(), target }
        };
        Ok(request.into_iter().flat_map(|r| r.pairs).map(|p| of(p.target)).collect())
    }

    fn is_reader(&self, who: &Who, readers: &[Readers]) -> bool {
        let groups = self.groups(&who.person);
        let reads = |r: &Readers| r.groups.iter().any(|g| groups.contains(g));
        !readers.is_empty() && readers.iter().all(reads)
    }

    /// Whether a run is the person's own, or one of their service or agent, which they answer for.
    pub(crate) fn answers_for(&self, who: &Who, run: &Run) -> bool {
        run.caller == who.person || self.counted(&run.caller) == who.person
    }

    /// A run as this person may know it.
    async fn run_status(&self, who: &Who, id: &RunId) -> Result<RunStatus, AppError> {
        let run = self.store.run(id).await?;
        let run = run.ok_or_else(|| AppError::NotFound(format!("run {id}")))?;
        let readers = self.readers(&run).await?;
        let may_read = self.answers_for(who, &run) || self.is_reader(who, &readers);
        let run = if may_read { run } else { outline(run) };
        Ok(RunStatus { run, may_read, readers, place: self.live.place(id) })
    }

    /// The runs that this person may see, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn runs(&self, who: &Who) -> Result<Vec<Run>, AppError> {
        // One's own by themselves: however many others run, these stay to be found.
        let mine = RunFilter { caller: Some(who.person.clone()), ..RunFilter::default() };
        let mut seen = self.store.runs(&mine).await?;
        for run in self.store.runs(&RunFilter::default()).await? {
            if run.caller != who.person && self.may_read(who, &run).await? {
                seen.push(run);
            }
        }
        seen.sort_by(|a, b| (b.queued_ms, &b.id).cmp(&(a.queued_ms, &a.id)));
        seen.truncate(store::LIST_ROWS_MAX as usize);
        Ok(seen)
    }

    /// Waits until a run has ended, at most `wait_s` seconds and never longer than the server's
    /// limit; returns it as it is then.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is none.
    pub async fn wait(&self, who: &Who, id: &RunId, wait_s: u64) -> Result<RunStatus, AppError> {
        let now = self.run_status(who, id).await?;
        if wait_s == 0 {
            return Ok(now);
        }
        if let Some(mut ended) = self.live.ended(id) {
            let wait = Duration::from_secs(wait_s.min(self.limits.wait_s_max));
            // Over or not, the row says how it is.
            drop(tokio::time::timeout(wait, ended.wait_for(|e| *e)).await);
        }
        self.run_status(who, id).await
    }

    /// Cancels a run: its caller may, whoever answers for the caller, and who holds the role `stop`. One that has ended stays as it
    /// is.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also when there is one that the person may not see.
    pub async fn cancel(&self, who: &Who, id: &RunId) -> Result<Run, AppError> {
        let may_stop = self.holds(who, Role::Stop);
        let run = match self.store.run(id).await? {
            Some(run) if may_stop || self.answers_for(who, &run) => run,
            Some(_) | None => {
                let run = self.readable_run(who, id).await?;
                return Err(AppError::Forbidden {
                    what: format!("{} may not cancel {}", who.person, run.id),
                    help: "ask its caller, or somebody who may stop",
                });
            }
        };
        if self.live.cancel(id) {
            tracing::info!(run.id = %id, person = %who.person, "run is cancelled");
        }
        Ok(run)
    }

    /// A run's output, byte for byte as its receipt names it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it left none, or the person may not read it;
    /// [`AppError::ReadOnly`] when the reading cannot be recorded.
    pub async fn result(&self, who: &Who, id: &RunId) -> Result<Vec<u8>, AppError> {
        let run = self.readable_run(who, id).await?;
        let bytes = match &run.result {
            Some(digest) => self.blobs.get(digest).await?,
            None => None,
        };
        let bytes = bytes.ok_or_else(|| {
            AppError::NotFound(format!("result of {id}: it is {}", run.state.code()))
        })?;
        self.reads(who, id, RunPart::Result).await?;
        Ok(bytes)
    }

    /// A run's recording.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it has none that may leave, or the person may not read it;
    /// [`AppError::ReadOnly`] when the reading cannot be recorded.
    pub async fn recording(&self, who: &Who, id: &RunId) -> Result<Vec<u8>, AppError> {
        let run = self.readable_run(who, id).await?;
        let absent =
            || AppError::NotFound(format!("recording of {id}: it is {}", run.state.code()));
        // Released only together with the run's last entry, which puts its digest into the row.
        run.recording.ok_or_else(absent)?;
        let bytes = self.runner.recording(id).await.map_err(AppError::Recording)?;
        let bytes = bytes.ok_or_else(absent)?;
        self.reads(who, id, RunPart::Recording).await?;
        Ok(bytes)
    }

    /// Takes no new work, gives live runs `seconds` to end, then cancels them.
    pub async fn drain(&self, seconds: u64) {
        self.live.close();
        let grace = Duration::from_secs(seconds);
        if tokio::time::timeout(grace, self.live.none_left()).await.is_err() {
            tracing::warn!("runs are cancelled: the server is stopping");
            self.live.cancel_all();
            let grace = Duration::from_secs(CANCELLED_S_MAX);
            drop(tokio::time::timeout(grace, self.live.none_left()).await);
        }
    }
}

/// What anybody may know of a run whose id they have: whose it is and where it is. Neither what it read
/// nor the digests of that, by which somebody could try what it was.
fn outline(run: Run) -> Run {
    Run { denial: None, recording: None, result: None, ..run }
}
