//! Who starts next, of the runs that wait. Pure: what is known of each run, and how many may execute.
//!
//! There are ordinary slots, slots that only emergencies take, and room on each target. An emergency
//! comes before ordinary runs and finds one place more on its targets, so that no number of ordinary
//! runs, hung or many, keeps it from starting. Nobody overtakes on a target; whoever waits for one does
//! not hold up runs on others.

use std::collections::{BTreeMap, BTreeSet};

use domain::TargetId;

/// In which line a run waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Line {
    /// In that of verified emergencies.
    Emergency,
    /// As everybody.
    Ordinary,
}

/// What a run executes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// One for everybody.
    Ordinary,
    /// One that is kept for emergencies.
    Kept,
}

/// A run that executes or waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Queued {
    pub(crate) line: Line,
    pub(crate) targets: BTreeSet<TargetId>,
    /// The order in which it came.
    pub(crate) arrival: u64,
    /// What it executes in; `None` while it waits.
    pub(crate) slot: Option<Slot>,
}

/// Where a run waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// 1 for the next one.
    pub place: u64,
    /// Runs that execute now: on the target, or at all.
    pub running: u64,
    /// The target that it waits for; `None` when it waits for a slot.
    pub target: Option<TargetId>,
}

/// How many runs execute at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) ordinary: usize,
    pub(crate) kept: usize,
    /// On each target; one that is not there has no limit of its own.
    pub(crate) on_target: BTreeMap<TargetId, usize>,
}

impl Room {
    fn on(&self, target: &TargetId, line: Line) -> usize {
        let most = self.on_target.get(target).copied().unwrap_or(usize::MAX);
        most.saturating_add(usize::from(line == Line::Emergency))
    }

    /// Which of the waiting runs start now, each with its slot.
    pub(crate) fn starters<'q, K: Clone>(
        &self,
        all: impl Iterator<Item = (&'q K, &'q Queued)> + Clone,
    ) -> Vec<(K, Slot)>
    where
        K: 'q,
    {
        let in_slot = |slot| all.clone().filter(|(_, q)| q.slot == Some(slot)).count();
        let mut ordinary = self.ordinary.saturating_sub(in_slot(Slot::Ordinary));
        let mut kept = self.kept.saturating_sub(in_slot(Slot::Kept));
        let mut on: BTreeMap<&TargetId, usize> = BTreeMap::new();
        for target in all.clone().filter(|(_, q)| q.slot.is_some()).flat_map(|(_, q)| &q.targets) {
            *on.entry(target).or_default() += 1;
        }
        let mut waiting: Vec<_> = all.filter(|(_, q)| q.slot.is_none()).collect();
        waiting.sort_unstable_by_key(|(_, q)| (q.line, q.arrival));
        let mut starters = Vec::new();
        for (key, run) in waiting {
            let fits = |t: &TargetId| on.get(t).copied().unwrap_or(0) < self.on(t, run.line);
            if run.targets.iter().all(fits) {
                // While an ordinary one is free, those that are kept stay free for the next emergency.
                if ordinary > 0 {
                    ordinary -= 1;
                    starters.push((key.clone(), Slot::Ordinary));
                } else if kept > 0 && run.line == Line::Emergency {
                    kept -= 1;
                    starters.push((key.clone(), Slot::Kept));
                }
            }
            // Started or not, it is before whoever comes later on its targets.
            for target in &run.targets {
                *on.entry(target).or_default() += 1;
            }
        }
        starters
    }

    /// Where a run waits; `None` when it does not.
    pub(crate) fn place<'q>(
        &self,
        run: &Queued,
        all: impl Iterator<Item = &'q Queued> + Clone,
    ) -> Option<Place> {
        if run.slot.is_some() {
            return None;
        }
        let is_before =
            |q: &&Queued| q.slot.is_none() && q.line == run.line && q.arrival < run.arrival;
        let busy = |target: &TargetId| {
            let there = all.clone().filter(|q| q.targets.contains(target));
            let ahead = there.clone().filter(is_before).count();
            let running = there.filter(|q| q.slot.is_some()).count();
            (running + ahead >= self.on(target, run.line)).then(|| Place {
                place: ahead as u64 + 1,
                running: running as u64,
                target: Some(target.clone()),
            })
        };
        let at_targets = run.targets.iter().filter_map(busy).max_by_key(|place| place.place);
        Some(at_targets.unwrap_or_else(|| Place {
            place: all.clone().filter(is_before).count() as u64 + 1,
            running: all.filter(|q| q.slot.is_some()).count() as u64,
            target: None,
        }))
    }
}

#[cfg(test)]
mod tests;
