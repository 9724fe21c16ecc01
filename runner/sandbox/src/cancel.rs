//! The token by which somebody outside ends a run.

use std::sync::Arc;

use tokio::sync::watch;

/// Cancels the runs that were given a clone of it; once cancelled, it stays so.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<watch::Sender<bool>>);

impl Cancel {
    /// A token that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Ends the runs at their next yield, or in the host call that they are waiting for.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Whether [`Self::cancel`] was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when [`Self::cancel`] has been called.
    pub(crate) async fn cancelled(&self) {
        let mut changes = self.0.subscribe();
        // It errs only when the sender is gone, and `self` holds it.
        let _ = changes.wait_for(|cancelled| *cancelled).await;
    }
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}
