//! The runs of this process that have not ended: queue, cancellation, waiting, drain.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{Outcome, RunId};
use tokio::sync::{Semaphore, watch};

use crate::status::{OUTCOMES, place};

/// Runs that wait or execute.
pub(crate) struct LiveRuns {
    runs: Mutex<BTreeMap<RunId, Live>>,
    closing: AtomicBool,
    /// One for each run that executes; the others wait for one.
    pub(crate) slots: Arc<Semaphore>,
    /// How many there are, for those who wait for none.
    count: watch::Sender<usize>,
    /// How many have ended, by outcome.
    ended: [AtomicU64; OUTCOMES.len()],
}

struct Live {
    cancel: watch::Sender<bool>,
    /// Changes with every event that is listed.
    told: watch::Sender<()>,
    done: watch::Receiver<bool>,
}

/// What the task that drives a run holds; dropping it ends the run's listing.
pub(crate) struct Listed<'a> {
    all: &'a LiveRuns,
    run: RunId,
    done: watch::Sender<bool>,
    cancel: watch::Receiver<bool>,
}

impl Listed<'_> {
    /// Returns when somebody asked for the run's end.
    pub(crate) async fn cancelled(&self) {
        // The sender is listed for as long as this is, so waiting cannot fail.
        drop(self.cancel.clone().wait_for(|c| *c).await);
    }
}

impl LiveRuns {
    pub(crate) fn new(concurrent_runs_max: usize) -> Self {
        Self {
            runs: Mutex::default(),
            closing: AtomicBool::new(false),
            slots: Arc::new(Semaphore::new(concurrent_runs_max.max(1))),
            count: watch::Sender::new(0),
            ended: Default::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RunId, Live>> {
        // Changed by single insertions and removals only, so a panic leaves it whole.
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists a run; `None` when `max` are listed, or this one is.
    pub(crate) fn list(&self, run: &RunId, max: usize) -> Option<Listed<'_>> {
        let mut runs = self.lock();
        if runs.len() >= max || runs.contains_key(run) {
            return None;
        }
        let (cancel, cancelled) = watch::channel(false);
        let (done, ended) = watch::channel(false);
        runs.insert(run.clone(), Live { cancel, told: watch::Sender::new(()), done: ended });
        self.count.send_replace(runs.len());
        Some(Listed { all: self, run: run.clone(), done, cancel: cancelled })
    }

    /// Asks for the end of a run; false when it is not live.
    pub(crate) fn cancel(&self, run: &RunId) -> bool {
        self.lock().get(run).map(|l| l.cancel.send_replace(true)).is_some()
    }

    /// Something to wait on for the end of a run; `None` when it is not live.
    pub(crate) fn ended(&self, run: &RunId) -> Option<watch::Receiver<bool>> {
        self.lock().get(run).map(|l| l.done.clone())
    }

    /// Something that changes with every event of a run that is listed from now on, and closes with
    /// the run; `None` when it is not live.
    pub(crate) fn told(&self, run: &RunId) -> Option<watch::Receiver<()>> {
        self.lock().get(run).map(|l| l.told.subscribe())
    }

    /// Tells those who follow a run that an event is listed.
    pub(crate) fn tell(&self, run: &RunId) {
        if let Some(live) = self.lock().get(run) {
            live.told.send_replace(());
        }
    }

    /// How many runs wait or execute.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Counts a run that ended.
    pub(crate) fn count_end(&self, outcome: Outcome) {
        self.ended[place(outcome)].fetch_add(1, Ordering::Relaxed);
    }

    /// How many runs have ended, by the outcome's code.
    pub(crate) fn ended_by_outcome(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.ended.iter().map(|n| n.load(Ordering::Relaxed));
        OUTCOMES.into_iter().zip(counts).collect()
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    pub(crate) fn cancel_all(&self) {
        for live in self.lock().values() {
            live.cancel.send_replace(true);
        }
    }

    /// Returns when no run is live.
    pub(crate) async fn none_left(&self) {
        // The sender is `self`, so waiting cannot fail.
        drop(self.count.subscribe().wait_for(|n| *n == 0).await);
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        let mut runs = self.all.lock();
        runs.remove(&self.run);
        self.all.count.send_replace(runs.len());
        drop(runs);
        self.done.send_replace(true);
    }
}
