//! The run's part of the projection: what the runner's entries say about each run.
//!
//! A row is usually there before the runner's first entry, as `queued`; when the store was lost it is
//! made again from the order that the runner recorded with the start. A denied run that never got
//! further cannot be made again: the ledger keeps the denial, not the order.

use domain::{Denial, Outcome, RunId, RunState};
use ledger::{Event, StoredEntry};
use serde::Deserialize;
use store::{Document, DocumentKind, Run, RunEnd, StoreError, Tx};
use trust::{AccessRequest, ChainDocuments, Envelope, Receipt, RunRequest};

use crate::AppError;
use crate::project::settled;

/// What is read of the runner's note beside a run's start; its other fields are in the documents.
#[derive(Deserialize)]
struct StartNote {
    documents: ChainDocuments,
}

pub(crate) async fn project_run(tx: &mut Tx, entry: &StoredEntry) -> Result<(), AppError> {
    let index = entry.position.index();
    let at_ms = entry.leaf.at_ms;
    match &entry.leaf.event {
        Event::RunStarted { run, .. } => run_started(tx, entry, run).await,
        Event::RunFinished { run, outcome, recording, .. } => {
            let receipt = entry.payload().and_then(receipt);
            let end = RunEnd {
                outcome: *outcome,
                at_ms,
                denial: None,
                receipt: receipt.as_ref().map(|(r, _)| r.header.id.clone()),
                recording: Some(*recording),
                result: receipt.as_ref().and_then(|(r, _)| r.output),
            };
            if let Some((receipt, document)) = receipt {
                let document =
                    Document { revision: Some(receipt.revision), created_ms: at_ms, ..document };
                settled(index, tx.insert_document(&document).await)?;
            }
            moved(index, tx.end_run(run, &end).await)
        }
        Event::RunLost { run } => {
            let end = end_without_proof(Outcome::Lost, at_ms, None);
            moved(index, tx.end_run(run, &end).await)
        }
        Event::RunDenied { run } => {
            // Only a queued run is denied: an order that repeats a live run's id must not end it.
            if tx.run(run).await?.is_none_or(|r| r.state != RunState::Queued) {
                return Ok(());
            }
            let denial: Option<Denial> =
                entry.payload().and_then(|p| serde_json::from_slice(p).ok());
            let end = end_without_proof(Outcome::Denied, at_ms, denial);
            moved(index, tx.end_run(run, &end).await)
        }
        Event::LogOpened { .. }
        | Event::SubmissionAccepted { .. }
        | Event::ReviewAccepted { .. }
        | Event::RequestAccepted { .. }
        | Event::ApprovalAccepted { .. }
        | Event::StopAccepted { .. }
        | Event::RejectionAccepted { .. }
        | Event::LiftAccepted { .. }
        | Event::WithdrawalAccepted { .. }
        | Event::AfterReviewAccepted { .. }
        | Event::KeyringAdopted { .. }
        | Event::DirectoryAdopted { .. }
        | Event::PolicyAdopted { .. }
        | Event::CallIntent { .. }
        | Event::CallOutcome { .. }
        | Event::OutputReleased { .. }
        | Event::RunRead { .. }
        | Event::CatalogRead { .. }
        | Event::PlanRead { .. } => Ok(()),
    }
}

async fn run_started(tx: &mut Tx, entry: &StoredEntry, run: &RunId) -> Result<(), AppError> {
    let (index, at_ms) = (entry.position.index(), entry.leaf.at_ms);
    let unreadable = || AppError::EntryUnreadable { index, what: "run's start" };
    let known = tx.run(run).await?.is_some();
    let Some(payload) = entry.payload() else {
        return if known { moved(index, tx.start_run(run, at_ms).await) } else { Ok(()) };
    };
    let note: StartNote = serde_json::from_slice(payload).map_err(|_| unreadable())?;
    let documents = note.documents;
    let request: RunRequest =
        trust::read_unverified(&documents.run_request).map_err(|_| unreadable())?;
    let access = documents.access_request.as_ref();
    let access = access.and_then(|e| trust::read_unverified::<AccessRequest>(e).ok());
    let access = access.map(|a| a.header.id);
    let document = Document {
        kind: DocumentKind::RunRequest,
        id: request.header.id.to_string(),
        digest: documents.run_request.payload_digest(),
        envelope: documents.run_request.to_json().map_err(|_| unreadable())?,
        revision: Some(request.revision),
        request: access.clone(),
        person: Some(request.caller.clone()),
        created_ms: at_ms,
    };
    settled(index, insert_order(tx, &document).await)?;
    if !known {
        tx.insert_run(&queued(&request, document.digest, access, at_ms)).await?;
    }
    moved(index, tx.start_run(run, at_ms).await)
}

/// A run request's id is its signer's choice, and nobody has compared it with those on file. One that
/// is taken must not keep the order of a run away from those who may read the run: such an order is
/// on file under the digest of its payload.
async fn insert_order(tx: &mut Tx, order: &Document) -> Result<(), StoreError> {
    match tx.insert_document(order).await {
        Err(StoreError::Conflict { existing, .. }) if existing != order.digest => {
            let id = order.digest.to_string();
            tx.insert_document(&Document { id, ..order.clone() }).await
        }
        other => other,
    }
}

/// The row of a run that waits.
pub(crate) fn queued(
    request: &RunRequest,
    digest: domain::Digest,
    access: Option<domain::RequestId>,
    at_ms: u64,
) -> Run {
    Run {
        id: request.run.clone(),
        run_request: digest,
        request: access,
        caller: request.caller.clone(),
        revision: request.revision,
        state: RunState::Queued,
        queued_ms: at_ms,
        started_ms: None,
        ended_ms: None,
        denial: None,
        receipt: None,
        recording: None,
        result: None,
    }
}

/// An end of which nothing but itself is known.
pub(crate) fn end_without_proof(outcome: Outcome, at_ms: u64, denial: Option<Denial>) -> RunEnd {
    RunEnd { outcome, at_ms, denial, receipt: None, recording: None, result: None }
}

/// A move that the stored state does not allow, or of a run whose start is not known any more, says
/// that the row had been closed otherwise; the ledger keeps what happened.
fn moved(index: u64, done: Result<(), StoreError>) -> Result<(), AppError> {
    match done {
        Err(e @ (StoreError::Move { .. } | StoreError::Absent { .. })) => {
            tracing::warn!(ledger.index = index, problem = %e, "a run's row stays as it is");
            Ok(())
        }
        other => Ok(other?),
    }
}

/// The receipt in a last entry's payload; `None` when it was erased or the run had none.
fn receipt(payload: &[u8]) -> Option<(Receipt, Document)> {
    let envelope = Envelope::from_json(payload).ok()?;
    let receipt: Receipt = trust::read_unverified(&envelope).ok()?;
    let document = Document {
        kind: DocumentKind::Receipt,
        id: receipt.header.id.to_string(),
        digest: envelope.payload_digest(),
        envelope: payload.to_owned(),
        revision: None,
        request: None,
        person: None,
        created_ms: 0,
    };
    Some((receipt, document))
}
