//! The runs of this process that have not ended: queue, cancellation, waiting, drain.
//!
//! Which of those that wait starts next, [`crate::queue`] says; in which line a run belongs is decided by
//! [`crate::launch`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{Outcome, RunId, TargetId};
use tokio::sync::watch;

use crate::AppLimits;
use crate::queue::{Line, Place, Queued, Room};
use crate::status::{OUTCOMES, place};

/// Runs that wait or execute.
pub(crate) struct LiveRuns {
    runs: Mutex<BTreeMap<RunId, Live>>,
    closing: AtomicBool,
    room: Room,
    /// Runs of one line that wait or execute.
    open_max: usize,
    /// The number of the next run that comes.
    arrivals: AtomicU64,
    /// How many there are, for those who wait for none.
    count: watch::Sender<usize>,
    /// How many have ended, by outcome.
    ended: [AtomicU64; OUTCOMES.len()],
}

struct Live {
    queued: Queued,
    /// Becomes true when it has a slot.
    start: watch::Sender<bool>,
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
    start: watch::Receiver<bool>,
    cancel: watch::Receiver<bool>,
}

impl Listed<'_> {
    /// Returns when the run has a slot to execute in, which it keeps for as long as it is listed.
    pub(crate) async fn started(&self) {
        // The sender is listed for as long as this is, so waiting cannot fail.
        drop(self.start.clone().wait_for(|start| *start).await);
    }

    /// Returns when somebody asked for the run's end.
    pub(crate) async fn cancelled(&self) {
        // The sender is listed for as long as this is, so waiting cannot fail.
        drop(self.cancel.clone().wait_for(|c| *c).await);
    }
}

impl LiveRuns {
    pub(crate) fn new(limits: &AppLimits, on_target: BTreeMap<TargetId, usize>) -> Self {
        let room = Room {
            ordinary: limits.concurrent_runs_max.max(1),
            kept: limits.emergency_runs_max.max(1),
            on_target: on_target.into_iter().map(|(target, max)| (target, max.max(1))).collect(),
        };
        Self {
            runs: Mutex::default(),
            closing: AtomicBool::new(false),
            room,
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
    pub(crate) fn list(
        &self,
        run: &RunId,
        line: Line,
        targets: BTreeSet<TargetId>,
    ) -> Option<Listed<'_>> {
        let mut runs = self.lock();
        let open = runs.values().filter(|l| l.queued.line == line).count();
        if open >= self.open_max || runs.contains_key(run) {
            return None;
        }
        let arrival = self.arrivals.fetch_add(1, Ordering::Relaxed);
        let queued = Queued { line, targets, arrival, slot: None };
        let (start, started) = watch::channel(false);
        let (cancel, cancelled) = watch::channel(false);
        let (done, ended) = watch::channel(false);
        let told = watch::Sender::new(());
        runs.insert(run.clone(), Live { queued, start, cancel, told, done: ended });
        self.count.send_replace(runs.len());
        self.start(&mut runs);
        Some(Listed { all: self, run: run.clone(), done, start: started, cancel: cancelled })
    }

    /// Gives slots to those whose turn it is.
    fn start(&self, runs: &mut BTreeMap<RunId, Live>) {
        let starters = self.room.starters(runs.iter().map(|(run, live)| (run, &live.queued)));
        for (run, slot) in starters {
            if let Some(live) = runs.get_mut(&run) {
                live.queued.slot = Some(slot);
                live.start.send_replace(true);
            }
        }
    }

    /// Where a run waits; `None` when it does not.
    pub(crate) fn place(&self, run: &RunId) -> Option<Place> {
        let runs = self.lock();
        self.room.place(&runs.get(run)?.queued, runs.values().map(|live| &live.queued))
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
        self.all.start(&mut runs);
        self.all.count.send_replace(runs.len());
        drop(runs);
        self.done.send_replace(true);
    }
}
