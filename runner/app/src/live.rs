//! The runs of this process that have not ended: queue, cancellation, waiting, drain.
//!
//! There are two lines. Ordinary runs wait for one of the ordinary slots. An emergency waits for one of
//! these or of those that are kept for emergencies, whichever is free first, so that no number of
//! ordinary runs, hung or many, keeps it from starting. In which line a run belongs is decided by
//! [`crate::launch`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{Outcome, RunId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::AppLimits;
use crate::status::{OUTCOMES, place};

/// Runs that wait or execute.
pub(crate) struct LiveRuns {
    runs: Mutex<BTreeMap<RunId, Live>>,
    closing: AtomicBool,
    /// One for each run that executes; the others wait for one.
    slots: Arc<Semaphore>,
    /// Those that only emergencies take.
    kept: Arc<Semaphore>,
    /// Runs of one line that wait or execute.
    open_max: usize,
    /// The number of the next run that comes.
    arrivals: AtomicU64,
    /// How many there are, for those who wait for none.
    count: watch::Sender<usize>,
    /// How many have ended, by outcome.
    ended: [AtomicU64; OUTCOMES.len()],
}

/// In which line a run waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// As everybody.
    Ordinary,
    /// In that of verified emergencies.
    Emergency,
}

/// Where a run waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// 1 for the next one of its line.
    pub place: u64,
    /// Runs that execute now.
    pub running: u64,
}

struct Live {
    line: Line,
    /// The order in which it came, while it waits for a slot.
    waits: Option<u64>,
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
    pub(crate) fn new(limits: &AppLimits) -> Self {
        Self {
            runs: Mutex::default(),
            closing: AtomicBool::new(false),
            slots: Arc::new(Semaphore::new(limits.concurrent_runs_max.max(1))),
            kept: Arc::new(Semaphore::new(limits.emergency_runs_max.max(1))),
            open_max: limits.open_runs_max,
            arrivals: AtomicU64::new(0),
            count: watch::Sender::new(0),
            ended: Default::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RunId, Live>> {
        // Changed by single insertions and removals only, so a panic leaves it whole.
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists a run; `None` when its line is full, or it is listed already.
    pub(crate) fn list(&self, run: &RunId, line: Line) -> Option<Listed<'_>> {
        let mut runs = self.lock();
        let open = runs.values().filter(|l| l.line == line).count();
        if open >= self.open_max || runs.contains_key(run) {
            return None;
        }
        let waits = Some(self.arrivals.fetch_add(1, Ordering::Relaxed));
        let (cancel, cancelled) = watch::channel(false);
        let (done, ended) = watch::channel(false);
        let told = watch::Sender::new(());
        runs.insert(run.clone(), Live { line, waits, cancel, told, done: ended });
        self.count.send_replace(runs.len());
        Some(Listed { all: self, run: run.clone(), done, cancel: cancelled })
    }

    /// Waits for a slot to execute in; `None` only when there will be none any more.
    pub(crate) async fn slot(&self, run: &RunId, line: Line) -> Option<OwnedSemaphorePermit> {
        let ordinary = Arc::clone(&self.slots).acquire_owned();
        let slot = match line {
            Line::Ordinary => ordinary.await,
            Line::Emergency => tokio::select! {
                // While an ordinary one is free, those that are kept stay free for the next emergency.
                biased;
                slot = ordinary => slot,
                slot = Arc::clone(&self.kept).acquire_owned() => slot,
            },
        };
        if let Some(live) = self.lock().get_mut(run) {
            live.waits = None;
        }
        slot.ok()
    }

    /// Where a run waits; `None` when it does not.
    pub(crate) fn place(&self, run: &RunId) -> Option<Place> {
        let runs = self.lock();
        let Live { line, waits: Some(mine), .. } = runs.get(run)? else {
            return None;
        };
        let is_before = |l: &&Live| l.line == *line && l.waits.is_some_and(|other| other < *mine);
        let before = runs.values().filter(is_before).count() as u64;
        let running = runs.values().filter(|l| l.waits.is_none()).count() as u64;
        Some(Place { place: before + 1, running })
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
