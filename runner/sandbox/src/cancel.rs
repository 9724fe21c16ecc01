//! The token by which somebody outside ends a run.

use std::sync::Arc;

use domain::{LimitName, Outcome};
use tokio::sync::watch;

/// Ends the runs that were given a clone of it; the first word stays.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<watch::Sender<Option<Outcome>>>);

impl Cancel {
    /// A token that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Ends the runs at their next yield, or in the host call that they are waiting for.
    pub fn cancel(&self) {
        self.end(Outcome::Cancelled);
    }

    /// As [`Self::cancel`], because their time is over.
    pub fn expire(&self) {
        self.end(Outcome::LimitExceeded { limit: LimitName::Wall });
    }

    fn end(&self, outcome: Outcome) {
        self.0.send_if_modified(|said| {
            let first = said.is_none();
            said.get_or_insert(outcome);
            first
        });
    }

    /// Whether the runs are to end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Returns when the runs are to end, and how.
    pub(crate) async fn cancelled(&self) -> Outcome {
        let mut changes = self.0.subscribe();
        // It errs only when the sender is gone, and `self` holds it.
        let said = changes.wait_for(Option::is_some).await;
        said.ok().and_then(|said| *said).unwrap_or(Outcome::Cancelled)
    }
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}
