//! Runs for people: who may see them, waiting, cancelling, results, recordings, shutdown.
//!
//! A run is seen by its caller, and by those whom the policy of *every* target of the run names as
//! readers; for everybody else it does not exist.

use std::time::Duration;

use domain::{RunId, TargetId};
use store::{Run, RunFilter};
use trust::{Role, RunRequest};

use crate::advice::unverified;
use crate::login::Who;
use crate::{App, AppError};

/// How long cancelled runs have to end at shutdown. A run notices within a second.
const CANCELLED_S_MAX: u64 = 5;

impl App {
    /// A run that this person may see.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also when there is one that the person may not see.
    pub async fn run(&self, who: &Who, id: &RunId) -> Result<Run, AppError> {
        self.readable_run(who, id).await
    }

    pub(crate) async fn readable_run(&self, who: &Who, id: &RunId) -> Result<Run, AppError> {
        let run = self.store.run(id).await?;
        if let Some(run) = run
            && self.may_read(who, &run).await?
        {
            return Ok(run);
        }
        Err(AppError::NotFound(format!("run {id}")))
    }

    async fn may_read(&self, who: &Who, run: &Run) -> Result<bool, AppError> {
        if self.answers_for(who, run) {
            return Ok(true);
        }
        // Only a run that started has its request on file, and only such a run read anything.
        let Some(document) = self.store.document_by_digest(&run.run_request).await? else {
            return Ok(false);
        };
        let Some(request) = unverified::<RunRequest>(&document) else {
            return Ok(false);
        };
        let (adopted, groups) = (self.adopted(), self.groups(&who.person));
        let reads = |target: &TargetId| {
            adopted.authority.target(target).is_some_and(|t| t.is_read_by(&groups))
        };
        Ok(!request.pairs.is_empty() && request.pairs.iter().all(|p| reads(&p.target)))
    }

    /// Whether a run is the person's own, or one of their service or agent, which they answer for.
    fn answers_for(&self, who: &Who, run: &Run) -> bool {
        run.caller == who.person || self.counted(&run.caller) == who.person
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
    /// As [`App::run`].
    pub async fn wait(&self, who: &Who, id: &RunId, wait_s: u64) -> Result<Run, AppError> {
        self.readable_run(who, id).await?;
        if let Some(mut ended) = self.live.ended(id) {
            let wait = Duration::from_secs(wait_s.min(self.limits.wait_s_max));
            // Over or not, the row says how it is.
            drop(tokio::time::timeout(wait, ended.wait_for(|e| *e)).await);
        }
        self.readable_run(who, id).await
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
    /// As [`App::run`]; [`AppError::NotFound`] when it left none.
    pub async fn result(&self, who: &Who, id: &RunId) -> Result<Vec<u8>, AppError> {
        let run = self.readable_run(who, id).await?;
        let bytes = match &run.result {
            Some(digest) => self.blobs.get(digest).await?,
            None => None,
        };
        bytes.ok_or_else(|| {
            AppError::NotFound(format!("result of {id}: it is {}", run.state.code()))
        })
    }

    /// A run's recording.
    ///
    /// # Errors
    /// As [`App::run`]; [`AppError::NotFound`] when it has none that may leave.
    pub async fn recording(&self, who: &Who, id: &RunId) -> Result<Vec<u8>, AppError> {
        let run = self.readable_run(who, id).await?;
        let absent =
            || AppError::NotFound(format!("recording of {id}: it is {}", run.state.code()));
        // Released only together with the run's last entry, which puts its digest into the row.
        run.recording.ok_or_else(absent)?;
        let bytes = self.runner.recording(id).await.map_err(AppError::Recording)?;
        bytes.ok_or_else(absent)
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
