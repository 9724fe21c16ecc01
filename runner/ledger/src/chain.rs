//! The chain of each run's leaves, so that one run's completeness is provable on its own.
//!
//! Each leaf names its number in the run and the hash of the run's previous leaf; the closing leaf
//! adds the count. The same [`Chains`] makes the links when an entry is appended and checks them
//! when a journal is read, so the two cannot disagree. It knows nothing of files.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use domain::{Digest, RunId};
use serde::{Deserialize, Serialize};

use crate::entry::Event;

/// A leaf's place in its run's chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Number in the run, from 0.
    pub n: u64,
    /// Hash of the run's previous leaf; all zero for the first.
    pub prev: Digest,
    /// In the closing leaf only: how many leaves the run has, this one included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// Why an event has no place in its run's chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A second start.
    #[error("{0} is in the log already: a run id is spent once")]
    Spent(RunId),
    /// An event of a run that never started, or that has ended.
    #[error("{0} is not running")]
    NotRunning(RunId),
    /// A stored link is not the one that belongs there.
    #[error("a leaf of {0} is missing, repeated or out of order")]
    Broken(RunId),
}

/// The state of every run's chain. About 150 bytes a run.
#[derive(Debug, Default)]
pub struct Chains {
    runs: HashMap<RunId, Chain>,
}

#[derive(Debug)]
struct Chain {
    leaves: u64,
    head: Digest,
    open: bool,
}

impl Chains {
    /// The link that belongs to `event` now; `None` when it is in no chain.
    ///
    /// # Errors
    /// When a run starts twice, or does anything before its start or after its end.
    pub fn link(&self, event: &Event) -> Result<Option<Link>, ChainError> {
        let Some(run) = event.chained_run() else {
            return Ok(None);
        };
        let (n, prev) = match (self.runs.get(run), event.opens_run()) {
            (None, true) => (0, Digest::from_bytes([0; 32])),
            (Some(_), true) => return Err(ChainError::Spent(run.clone())),
            (Some(chain), false) if chain.open => (chain.leaves, chain.head),
            (_, false) => return Err(ChainError::NotRunning(run.clone())),
        };
        Ok(Some(Link { n, prev, count: event.closes_run().then_some(n + 1) }))
    }

    /// Takes over an event whose leaf has this hash. Called with what [`Chains::link`] allowed.
    pub fn advance(&mut self, event: &Event, leaf_hash: Digest) {
        let Some(run) = event.chained_run() else {
            return;
        };
        let leaves = self.runs.get(run).map_or(0, |c| c.leaves) + 1;
        let chain = Chain { leaves, head: leaf_hash, open: !event.closes_run() };
        self.runs.insert(run.clone(), chain);
    }

    /// Checks a stored link and takes its event over.
    ///
    /// # Errors
    /// As [`Chains::link`], or [`ChainError::Broken`] when another link belongs there.
    pub fn check(
        &mut self,
        event: &Event,
        link: Option<&Link>,
        leaf_hash: Digest,
    ) -> Result<(), ChainError> {
        let expected = self.link(event)?;
        if let (Some(run), true) = (event.chained_run(), expected.as_ref() != link) {
            return Err(ChainError::Broken(run.clone()));
        }
        self.advance(event, leaf_hash);
        Ok(())
    }

    /// The runs that have started and not ended, sorted.
    #[must_use]
    pub fn open_runs(&self) -> Vec<RunId> {
        let mut open: Vec<RunId> =
            self.runs.iter().filter(|(_, c)| c.open).map(|(run, _)| run.clone()).collect();
        open.sort_unstable();
        open
    }

    /// How many runs have started.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs.len() as u64
    }
}
