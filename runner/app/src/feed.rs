//! A run's released events, one by one, while it goes on.
//!
//! A feed holds one page of events and a place in the run, nothing else: what is not asked for stays
//! in the store. Every event comes once and in order, from any place on, for as long as the session
//! that asked is open.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::RunId;
use ledger::RunPart;
use store::RunEvent;
use tokio::sync::watch;

use crate::login::Who;
use crate::{App, AppError};

/// Events of one page.
const PAGE_EVENTS_MAX: u32 = 32;

/// The events of one run from some number on.
pub struct Feed {
    app: Arc<App>,
    run: RunId,
    /// The number of the event after the last one of `page`.
    next_seq: u64,
    page: VecDeque<RunEvent>,
    who: Who,
    /// Whether that session has to be looked up again.
    revoked: watch::Receiver<()>,
}

impl App {
    /// A run's released events from number `from_seq` on, until the run is over.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when the person may not read the run; when somebody reads another's and it
    /// cannot be recorded.
    pub async fn feed(
        self: &Arc<Self>,
        who: &Who,
        id: &RunId,
        from_seq: u64,
    ) -> Result<Feed, AppError> {
        let run = self.readable_run(who, id).await?;
        // What leaves for the caller while it goes on is in the run's own chain.
        if !self.answers_for(who, &run) {
            self.reads(who, id, RunPart::Progress).await?;
        }
        let (app, run, who) = (Arc::clone(self), id.clone(), who.clone());
        let mut revoked = self.revoked.subscribe();
        // It may have been revoked after it was looked up and before this.
        revoked.mark_changed();
        Ok(Feed { app, run, next_seq: from_seq, page: VecDeque::new(), who, revoked })
    }
}

impl Feed {
    /// The next event; waits for it while the run is live. `None` when there will be no more.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] when the session is over, [`AppError::NotFound`] when its person may not
    /// see the run any more, and when the store fails.
    pub async fn next(&mut self) -> Result<Option<RunEvent>, AppError> {
        loop {
            self.still_open().await?;
            if let Some(event) = self.page.pop_front() {
                return Ok(Some(event));
            }
            // Before the page is read: an event that is stored in between is told afterwards.
            let told = self.app.live.told(&self.run);
            self.page = self.read().await?.into();
            if !self.page.is_empty() {
                continue;
            }
            match told {
                None => return Ok(None),
                // An error says that the run is over; the next round reads what came last.
                Some(mut told) => tokio::select! {
                    told = told.changed() => drop(told),
                    revoked = self.revoked.changed() => {
                        drop(revoked);
                        self.revoked.mark_changed();
                    }
                },
            }
        }
    }

    /// Fails when the session is over, or its person may not see the run any more. The store is asked
    /// only after something was revoked.
    async fn still_open(&mut self) -> Result<(), AppError> {
        let late = self.app.clock.now_ms() >= self.who.expires_ms;
        if late || self.revoked.has_changed().unwrap_or(true) {
            self.revoked.mark_unchanged();
            self.app.still_open(&self.who).await?;
            self.app.readable_run(&self.who, &self.run).await?;
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<Vec<RunEvent>, AppError> {
        let page = self.app.store.events(&self.run, self.next_seq, PAGE_EVENTS_MAX).await?;
        if let Some(last) = page.last() {
            self.next_seq = last.seq.saturating_add(1);
        }
        Ok(page)
    }
}
