//! The one way by which bytes derived from guest or target leave the runner: record, barrier, send.
//!
//! Nothing else in this crate sends a run event that carries such bytes.

use domain::RunId;
use ledger::{AppendError, Entry, Event as Logged, Ledger, Position};
use tokio::sync::mpsc;

use crate::events::RunEvent;

/// Releases of one run.
pub(crate) struct Release<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) run: &'a RunId,
}

impl Release<'_> {
    /// Records that `bytes` bytes leave (the note is the entry's payload), appends `closing` when the
    /// run ends with it, waits until all of it is durable, and only then makes and sends the event.
    ///
    /// A receiver that is gone is no error: the record stands, the caller can ask later.
    ///
    /// # Errors
    /// When it is not recorded; then nothing was sent.
    pub(crate) async fn send(
        &self,
        bytes: u64,
        note: Vec<u8>,
        closing: Option<Entry>,
        events: &mpsc::Sender<RunEvent>,
        event: impl FnOnce(Position) -> RunEvent,
    ) -> Result<(), AppendError> {
        let released = Logged::OutputReleased { run: self.run.clone(), bytes };
        let mut last = self.ledger.append(Entry::new(released, note))?;
        if let Some(closing) = closing {
            last = self.ledger.append(closing)?;
        }
        // If we die before this returns, nothing has left; after it, the log says that it may have.
        self.ledger.barrier(last).await?;
        drop(events.send(event(last)).await);
        Ok(())
    }
}
