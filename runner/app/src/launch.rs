//! Launching: from a signed run request to a run that the runner has taken, denied or lost.
//!
//! Nothing is decided here: whatever can be handed to the runner is handed to it, and the runner's
//! denial is the recorded one. Only what cannot become a row (another person's request, bytes that are
//! no run request, an input that is not there) is refused before.

mod line;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::{Digest, Outcome, Pair, PersonId, RequestId, RunId, RunState};
use executor::{AuthorityDocuments, Ended, RunEvent, RunOrder};
use store::{Document, Run};
use tokio_stream::StreamExt as _;
use trust::chain::DOCUMENTS_MAX;
use trust::{ChainDocuments, Document as Signed, Envelope, Problem, RunRequest};

use crate::adopted::Adopted;
use crate::advice::Carried;
use crate::documents::{Came, is_mine};
use crate::live::Listed;
use crate::login::Who;
use crate::project_runs::{end_without_proof, queued};
use crate::queue::Line;
use crate::quota::Kind;
use crate::{App, AppError, chain};

/// Bytes that an input costs at least: a file of any size takes a block, and there is one for each.
pub(crate) const INPUT_COSTS_MIN: u64 = 4096;

/// How often a cancellation is repeated until the runner has the run.
const CANCEL_REPEAT: Duration = Duration::from_millis(20);

/// A run that is prepared within so many milliseconds found its component compiled.
const PREPARED_MS_MAX: u64 = 100;

/// An order, and what it takes to make it again.
struct Ordered {
    bytes: Vec<u8>,
    request: RunRequest,
    run_request: Envelope,
    access: Option<RequestId>,
    made_of: Arc<Adopted>,
}

impl App {
    /// Keeps an input's exact bytes and returns their digest.
    ///
    /// # Errors
    /// When it is too large or cannot be stored.
    pub async fn input(&self, who: &Who, bytes: &[u8]) -> Result<Digest, AppError> {
        self.writable()?;
        if bytes.is_empty() {
            let problem = "the body is empty; an input is JSON, so it has a byte at least";
            return Err(AppError::BadRequest(problem.to_owned()));
        }
        let max = domain::schema::INPUT_BYTES_MAX;
        if bytes.len() > max {
            return Err(AppError::TooLarge { what: "the input".to_owned(), bytes_max: max as u64 });
        }
        self.quotas.take(
            &who.person,
            Kind::UploadBytes,
            (bytes.len() as u64).max(INPUT_COSTS_MIN),
            self.clock.now_ms(),
        )?;
        Ok(self.blobs.put(bytes).await?)
    }

    /// Accepts a signed run request and starts the run as soon as there is a slot. The same run
    /// request sent twice is the same run.
    ///
    /// # Errors
    /// When it cannot become a run at all; a denial is a run that ended.
    pub async fn launch(
        self: &Arc<Self>,
        who: &Who,
        envelope: &[u8],
        input: Option<&[u8]>,
    ) -> Result<Run, AppError> {
        self.writable()?;
        let came = Came::parse(RunRequest::DOC, envelope)?;
        let request: RunRequest = trust::read_unverified(&came.envelope)
            .map_err(|e| AppError::document(RunRequest::DOC, e.problem.to_string()))?;
        is_mine(RunRequest::DOC, &request.caller, who)?;
        let digest = came.envelope.payload_digest();
        if let Some(run) = self.store.run(&request.run).await? {
            return same_run(run, digest);
        }
        self.quotas.has_some(&who.person, Kind::CompileMs, self.clock.now_ms())?;
        self.has_input(who, &request, input).await?;
        let line = self.line(&request, &came.envelope).await?;
        let ordered = self.order(request, came.envelope).await?;
        self.enqueue(digest, ordered, line).await
    }

    async fn has_input(
        &self,
        who: &Who,
        request: &RunRequest,
        input: Option<&[u8]>,
    ) -> Result<(), AppError> {
        let Some(input) = input else {
            if self.blobs.has(&request.input).await? {
                return Ok(());
            }
            let problem = "the input of the run request is not here; send it along".to_owned();
            return Err(AppError::BadRequest(problem));
        };
        let got = Digest::of(input);
        if got != request.input {
            let wanted = request.input;
            let problem = format!("the input is {got}, and the run request is signed for {wanted}");
            return Err(AppError::BadRequest(problem));
        }
        self.input(who, input).await.map(drop)
    }

    /// The order: documents out of the store, as they came. What is said against runs, its ends and
    /// after-reviews the runner has from the moment in which they were filed.
    async fn order(&self, request: RunRequest, run_request: Envelope) -> Result<Ordered, AppError> {
        let made_of = self.adopted();
        let access = match &request.request {
            Some(digest) => Some(self.named(digest).await?),
            None => None,
        };
        let id = access.as_ref().map(|named| named.access.header.id.clone());
        let belongs = self.belongs(&request.revision, id.as_ref()).await?;
        let Carried { submissions, reviews, approvals } = self.carried(&belongs);
        let documents = ChainDocuments {
            run_request: run_request.clone(),
            access_request: access.map(|named| named.envelope),
            approvals,
            submissions,
            reviews,
            stops: Vec::new(),
            lifts: Vec::new(),
            withdrawals: Vec::new(),
            after_reviews: Vec::new(),
            status: self.newest_status().filter(|_| self.is_prod(&request.pairs)),
            base: self.base_of(&request.revision, &request.pairs).await?,
        };
        let AuthorityDocuments { keyring, successors, directory, policy } =
            made_of.documents.clone();
        let order = RunOrder { v: 1, keyring, successors, directory, policy, documents };
        Ok(Ordered { bytes: order.to_bytes(), request, run_request, access: id, made_of })
    }

    /// The order of a run whose turn has come. People may have adopted other documents while it waited;
    /// a runner takes no older ones.
    async fn newest_order(&self, ordered: Ordered) -> Vec<u8> {
        if Arc::ptr_eq(&ordered.made_of, &self.adopted()) {
            return ordered.bytes;
        }
        match self.order(ordered.request, ordered.run_request).await {
            Ok(again) => again.bytes,
            Err(e) => {
                tracing::error!(error = %chain(&e), "an order is not renewed, and the runner denies it");
                ordered.bytes
            }
        }
    }

    fn is_prod(&self, pairs: &[Pair]) -> bool {
        pairs.iter().any(|p| self.adopted().authority.target(&p.target).is_some_and(|t| t.prod))
    }

    /// The newest documents whose keys may still sign and whose time is not over. The runner refuses
    /// an order with any other, so that those who left would block everybody else; a document that is
    /// wrong in another way goes along and is refused by the runner, recorded.
    pub(crate) fn usable<D: Signed>(
        &self,
        documents: &[Document],
        stopped: &BTreeSet<String>,
    ) -> Vec<Envelope> {
        let now = self.clock.now();
        let adopted = self.adopted();
        let counts = |envelope: &Envelope| match adopted.authority.verify::<D>(envelope, stopped) {
            Ok(verified) => verified.doc().window().contains(now),
            Err(e) => !matches!(
                e.problem,
                Problem::UnknownKey(_) | Problem::KeyNotActive(..) | Problem::KeyStopped(_)
            ),
        };
        let parsed = documents.iter().filter_map(|d| Envelope::from_json(&d.envelope).ok());
        parsed.filter(counts).take(DOCUMENTS_MAX).collect()
    }

    /// Makes the row and the task that drives the run.
    async fn enqueue(
        self: &Arc<Self>,
        digest: Digest,
        ordered: Ordered,
        line: Line,
    ) -> Result<Run, AppError> {
        let access = ordered.access.clone();
        let run = queued(&ordered.request, digest, access, self.clock.now_ms());
        let (app, id, caller) = (Arc::clone(self), run.id.clone(), run.caller.clone());
        let max = self.limits.open_runs_max;
        let (listed, is_listed) = tokio::sync::oneshot::channel();
        let (row_is_there, go) = tokio::sync::oneshot::channel::<()>();
        // The task lists the run itself, because the listing ends with the task, however it ends.
        tokio::spawn(async move {
            let targets = ordered.request.pairs.iter().map(|pair| pair.target.clone()).collect();
            let Some(entry) = app.live.list(&id, line, targets) else {
                return;
            };
            // Whoever asked may be gone; then the row is never made, and `go` fails.
            let _ = listed.send(());
            if go.await.is_ok() {
                app.drive(&id, &caller, ordered, entry).await;
            }
        });
        if is_listed.await.is_err() {
            return Err(AppError::Busy { what: "the queue of runs", max: max as u64 });
        }
        // If we die after this, the row is open without a task; the next start closes it as lost.
        let mut tx = self.store.begin().await?;
        match tx.insert_run(&run).await {
            Ok(()) => tx.commit().await?,
            Err(store::StoreError::Exists { .. }) => {
                drop(tx);
                let other = self.store.run(&run.id).await?;
                return same_run(other.ok_or(AppError::Stopping)?, digest);
            }
            Err(e) => return Err(e.into()),
        }
        let _ = row_is_there.send(());
        Ok(run)
    }

    /// Waits for a slot, hands the order to the runner, and follows the run to its end.
    async fn drive(&self, run: &RunId, caller: &PersonId, ordered: Ordered, listed: Listed<'_>) {
        let starts = tokio::select! {
            () = listed.started() => true,
            () = listed.cancelled() => false,
        };
        if !starts {
            // It never reached the runner, so there is nothing to record.
            self.close_row(run, Outcome::Cancelled).await;
            return;
        }
        let order = self.newest_order(ordered).await;
        let ordered_ms = self.clock.now_ms();
        let mut events = self.runner.start(run.clone(), order).await;
        let mut preparing = true;
        let mut handed_over = false;
        loop {
            let cancel = async {
                listed.cancelled().await;
                // The runner does not have the run while it verifies; so this is repeated.
                while !self.runner.cancel(run) {
                    tokio::time::sleep(CANCEL_REPEAT).await;
                }
            };
            let event = tokio::select! {
                event = events.next() => event,
                () = cancel, if !handed_over => {
                    handed_over = true;
                    continue;
                }
            };
            match event {
                Some(event) => {
                    if std::mem::take(&mut preparing) {
                        // Verified and compiled, or refused: what came before was for this person.
                        let now_ms = self.clock.now_ms();
                        let took_ms = now_ms.saturating_sub(ordered_ms);
                        if took_ms > PREPARED_MS_MAX {
                            self.quotas.charge(caller, Kind::CompileMs, took_ms, now_ms);
                        }
                    }
                    self.follow(run, event).await;
                }
                None => break,
            }
        }
        // After a real end the row has moved already and this changes nothing.
        self.close_row(run, Outcome::Lost).await;
    }

    async fn follow(&self, run: &RunId, event: RunEvent) {
        let told = match &event {
            RunEvent::Started { started_at_ms } => {
                serde_json::json!({ "event": "started", "started_at_ms": started_at_ms })
            }
            RunEvent::Progress { percent, note } => {
                serde_json::json!({ "event": "progress", "percent": percent, "note": note })
            }
            RunEvent::Ended(ended) => {
                serde_json::json!({ "event": "ended", "outcome": ended.outcome, "denial": ended.denial })
            }
        };
        let outcome = match &event {
            RunEvent::Ended(ended) => Some(ended.outcome),
            RunEvent::Started { .. } | RunEvent::Progress { .. } => None,
        };
        let kept = match event {
            RunEvent::Started { .. } => self.project().await,
            RunEvent::Progress { .. } => Ok(()),
            RunEvent::Ended(ended) => self.keep_end(run, *ended).await,
        };
        if let Err(e) = kept {
            // The runner has recorded it: the next projection, at the latest the next start, repairs.
            tracing::error!(run.id = %run, error = %chain(&e), "a run's event is not in the store yet");
        }
        self.tell(run, &told, outcome).await;
    }

    /// Lists a released event, and counts the last one.
    async fn tell(&self, run: &RunId, told: &serde_json::Value, outcome: Option<Outcome>) {
        let at_ms = self.clock.now_ms();
        if let Err(e) = self.store.append_event(run, at_ms, &told.to_string()).await {
            tracing::error!(run.id = %run, error = %chain(&e), "a run's event is not listed");
        }
        self.live.tell(run);
        if let Some(outcome) = outcome {
            self.live.count_end(outcome);
        }
    }

    /// Keeps what a run left. The output first: a row that names it finds it.
    async fn keep_end(&self, run: &RunId, ended: Ended) -> Result<(), AppError> {
        if let Some(output) = &ended.output {
            self.blobs.put(output.as_bytes()).await?;
        }
        self.project().await?;
        let row = self.store.run(run).await?;
        if row.is_some_and(|r| matches!(r.state, RunState::Ended { .. })) {
            return Ok(());
        }
        // No entry closed it: the log takes none any more, and this is all that will be known.
        let mut tx = self.store.begin().await?;
        let end = end_without_proof(ended.outcome, self.clock.now_ms(), ended.denial);
        tx.end_run(run, &end).await?;
        Ok(tx.commit().await?)
    }

    /// Ends a row that is still open.
    async fn close_row(&self, run: &RunId, outcome: Outcome) {
        let closed = async {
            let row = self.store.run(run).await?;
            if row.is_none_or(|r| matches!(r.state, RunState::Ended { .. })) {
                return Ok(false);
            }
            let mut tx = self.store.begin().await?;
            tx.end_run(run, &end_without_proof(outcome, self.clock.now_ms(), None)).await?;
            tx.commit().await.map(|()| true)
        };
        match closed.await {
            Ok(false) => {}
            Ok(true) => {
                let told =
                    serde_json::json!({ "event": "ended", "outcome": outcome, "denial": null });
                self.tell(run, &told, Some(outcome)).await;
            }
            Err(e) => {
                tracing::error!(run.id = %run, error = %chain(&e), "a run's row cannot be closed");
            }
        }
    }
}

/// A run id belongs to one run request.
fn same_run(run: Run, digest: Digest) -> Result<Run, AppError> {
    if run.run_request == digest {
        Ok(run)
    } else {
        Err(AppError::Conflict { what: run.id.to_string(), existing: run.run_request })
    }
}
