//! From ledger entries to rows: the only way in which documents, revisions and run states get into
//! the store. The happy path and recovery call the same function, so a crash between ledger and
//! store, or a lost store, is repaired by doing what would have been done.
//!
//! Entries were verified when they were accepted and are not verified again. An erased payload leaves
//! a tombstone: a row with id and digest and an empty envelope.

use std::collections::BTreeSet;

use domain::{Digest, PersonId, RequestId};
use executor::Together;
use ledger::{Event, Position, StoredEntry};
use store::{Document, DocumentKind, Revision, RevisionFile, StoreError, Tx};
use trust::{
    AccessRequest, AfterReview, Approval, Directory, Document as Signed, Envelope, Keyring, Review,
    Stop, Submission, Withdrawal,
};

use crate::adopted::active_keys;
use crate::audit::audit_entry;
use crate::project_runs::project_run;
use crate::{App, AppError};

/// Entries of one transaction: a store that is built anew from a long ledger keeps its log short.
const PROJECTED_AT_ONCE_MAX: u64 = 1_000;

/// A document whose columns are known: id, digest and kind come from the entry, the rest from its
/// payload.
struct Row {
    kind: DocumentKind,
    id: String,
    digest: Digest,
    revision: Option<Digest>,
    request: Option<RequestId>,
    person: Option<PersonId>,
}

impl App {
    /// Projects every entry that is durable and not yet projected, in order, and anchors the newest
    /// checkpoint. Many entries go in one transaction, so that who waited meanwhile finds it done.
    ///
    /// If we die before a commit, the next start does its entries again. If an entry fails, none of
    /// its transaction is projected, and the next call tries again.
    pub(crate) async fn project(&self) -> Result<(), AppError> {
        let mut projected = self.projected.lock().await;
        let size = self.ledger.size();
        while *projected < size {
            let (mut tx, next) = self.store.project().await?;
            let until = size.min(next.saturating_add(PROJECTED_AT_ONCE_MAX));
            for index in next..until {
                let entry = self.ledger.entry(Position::from_index(index))?;
                tx.entry(index);
                self.project_entry(&mut tx, &entry).await?;
                audit_entry(&mut tx, &entry).await?;
            }
            tx.settle(until, &self.newest_anchor()?).await?;
            tx.commit().await?;
            *projected = until;
            self.settled.send_replace(until);
        }
        Ok(())
    }

    /// The newest checkpoint, for the store to keep: a ledger that is cut or restored later is noticed.
    fn newest_anchor(&self) -> Result<store::Anchor, AppError> {
        let checkpoint = self.ledger.checkpoint()?;
        let size =
            ledger::Checkpoint::parse(&checkpoint).map_err(|e| AppError::Log(e.into()))?.0.size;
        Ok(store::Anchor { size, checkpoint })
    }

    async fn project_entry(&self, tx: &mut Tx, entry: &StoredEntry) -> Result<(), AppError> {
        match &entry.leaf.event {
            Event::LogOpened { .. }
            | Event::CallIntent { .. }
            | Event::CallOutcome { .. }
            | Event::OutputReleased { .. }
            | Event::RunRead { .. }
            | Event::CatalogRead { .. }
            | Event::PlanRead { .. } => Ok(()),
            Event::RunDenied { .. }
            | Event::RunStarted { .. }
            | Event::RunFinished { .. }
            | Event::RunLost { .. } => project_run(tx, entry).await,
            Event::StopAccepted { .. } => {
                self.revoke_stopped(tx, entry).await?;
                self.project_document(tx, entry).await
            }
            Event::DirectoryAdopted { .. } => {
                self.revoke_inactive(tx, entry).await?;
                self.project_document(tx, entry).await
            }
            Event::KeyringAdopted { .. } => self.project_keyring(tx, entry).await,
            Event::SubmissionAccepted { .. }
            | Event::RejectionAccepted { .. }
            | Event::LiftAccepted { .. }
            | Event::WithdrawalAccepted { .. }
            | Event::AfterReviewAccepted { .. }
            | Event::ReviewAccepted { .. }
            | Event::RequestAccepted { .. }
            | Event::ApprovalAccepted { .. }
            | Event::PolicyAdopted { .. } => self.project_document(tx, entry).await,
        }
    }

    async fn project_document(&self, tx: &mut Tx, entry: &StoredEntry) -> Result<(), AppError> {
        let Some(row) = row(entry)? else {
            return Ok(());
        };
        if let (DocumentKind::Submission, Some(digest)) = (row.kind, row.revision)
            && let Some((revision, files)) = self.new_revision(tx, entry, &digest).await?
        {
            settled(entry.position.index(), tx.insert_revision(&revision, &files).await)?;
        }
        insert(tx, entry, row, entry.payload().unwrap_or_default()).await
    }

    /// The rows of a revision that is submitted for the first time, read from its blobs.
    async fn new_revision(
        &self,
        tx: &mut Tx,
        entry: &StoredEntry,
        digest: &Digest,
    ) -> Result<Option<(Revision, Vec<RevisionFile>)>, AppError> {
        if tx.has_revision(digest).await? {
            return Ok(None);
        }
        let submission: Submission = read(entry)?;
        let Some(index) = self.blobs.get(digest).await? else {
            tracing::error!(revision = %digest, "the files of a submitted revision are gone; submit it again");
            return Ok(None);
        };
        let listed = domain::BundleIndex::parse(&index);
        let listed = listed.map_err(|e| AppError::Bundle(e.to_string()))?;
        let mut files = Vec::new();
        for (path, digest) in listed.files() {
            let size = tokio::fs::metadata(self.blobs.path(digest)).await.map_or(0, |m| m.len());
            files.push(RevisionFile { path: path.clone(), digest: *digest, size_bytes: size });
        }
        let summary = match listed.get(domain::bundle::MANIFEST_PATH) {
            Some(digest) => self.blobs.get(digest).await?,
            None => None,
        };
        let summary = summary.and_then(|bytes| domain::Manifest::parse(&bytes).ok());
        let revision = Revision {
            digest: *digest,
            script: submission.script,
            version: submission.version,
            summary: summary.map(|m| m.summary).unwrap_or_default(),
            index,
            uploader: submission.author,
            created_ms: entry.leaf.at_ms,
        };
        Ok(Some((revision, files)))
    }

    /// A keyring is recorded together with what was adopted with it, which has entries of its own.
    async fn project_keyring(&self, tx: &mut Tx, entry: &StoredEntry) -> Result<(), AppError> {
        let index = entry.position.index();
        let unreadable = || AppError::EntryUnreadable { index, what: Keyring::DOC };
        let Event::KeyringAdopted { id, document, .. } = &entry.leaf.event else {
            return Ok(());
        };
        let envelope = match entry.payload() {
            None => Vec::new(),
            Some(payload) => {
                let together = Together::parse(payload).map_err(|_| unreadable())?;
                let keyring = together.keyring().ok_or_else(unreadable)?;
                keyring.to_json().map_err(|_| unreadable())?
            }
        };
        let (kind, id) = (DocumentKind::Keyring, id.to_string());
        let row = Row { kind, id, digest: *document, revision: None, request: None, person: None };
        insert(tx, entry, row, &envelope).await
    }

    /// Who is not in a new directory, or whose key is not active there, loses their sessions.
    async fn revoke_inactive(&self, tx: &mut Tx, entry: &StoredEntry) -> Result<(), AppError> {
        if entry.payload().is_none() {
            return Ok(());
        }
        let directory: Directory = read(entry)?;
        let active: BTreeSet<(PersonId, String)> = active_keys(&directory).collect();
        let is_active =
            |person: &PersonId, key: &str| active.contains(&(person.clone(), key.to_owned()));
        tx.revoke_inactive(is_active, entry.leaf.at_ms).await?;
        self.revoked.send_replace(());
        Ok(())
    }

    /// A stopped person or key loses its sessions, and so do the services and agents that the person
    /// answers for.
    async fn revoke_stopped(&self, tx: &mut Tx, entry: &StoredEntry) -> Result<(), AppError> {
        use domain::decide::StopSubject;
        if entry.payload().is_none() {
            return Ok(());
        }
        let stop: Stop = read(entry)?;
        match &stop.subject {
            StopSubject::Person(person) => {
                tx.revoke_person(person, entry.leaf.at_ms).await?;
                for other in &self.adopted().authority.directory().people {
                    if other.counted() == person {
                        tx.revoke_person(&other.id, entry.leaf.at_ms).await?;
                    }
                }
            }
            StopSubject::Key(fingerprint) => {
                tx.revoke_key(fingerprint, entry.leaf.at_ms).await?;
            }
            StopSubject::Revision(_)
            | StopSubject::Request(_)
            | StopSubject::Target(_)
            | StopSubject::Everything => {}
        }
        self.revoked.send_replace(());
        Ok(())
    }
}

/// The columns of a document's row; `None` for events that carry no document. Of an erased document
/// only what the event says is known.
fn row(entry: &StoredEntry) -> Result<Option<Row>, AppError> {
    let (kind, id, digest) = match &entry.leaf.event {
        Event::SubmissionAccepted { id, document } => {
            (DocumentKind::Submission, id.to_string(), document)
        }
        Event::ReviewAccepted { id, document } | Event::RejectionAccepted { id, document } => {
            (DocumentKind::Review, id.to_string(), document)
        }
        Event::RequestAccepted { id, document } => {
            (DocumentKind::AccessRequest, id.to_string(), document)
        }
        Event::ApprovalAccepted { id, document } => {
            (DocumentKind::Approval, id.to_string(), document)
        }
        Event::StopAccepted { id, document } => (DocumentKind::Stop, id.to_string(), document),
        Event::LiftAccepted { id, document } => (DocumentKind::Lift, id.to_string(), document),
        Event::WithdrawalAccepted { id, document } => {
            (DocumentKind::Withdrawal, id.to_string(), document)
        }
        Event::AfterReviewAccepted { id, document, .. } => {
            (DocumentKind::AfterReview, id.to_string(), document)
        }
        Event::DirectoryAdopted { id, document, .. } => {
            (DocumentKind::Directory, id.to_string(), document)
        }
        Event::PolicyAdopted { id, document, .. } => {
            (DocumentKind::Policy, id.to_string(), document)
        }
        Event::LogOpened { .. }
        | Event::KeyringAdopted { .. }
        | Event::RunDenied { .. }
        | Event::RunStarted { .. }
        | Event::CallIntent { .. }
        | Event::CallOutcome { .. }
        | Event::OutputReleased { .. }
        | Event::RunFinished { .. }
        | Event::RunLost { .. }
        | Event::RunRead { .. }
        | Event::CatalogRead { .. }
        | Event::PlanRead { .. } => return Ok(None),
    };
    let plain = Row { kind, id, digest: *digest, revision: None, request: None, person: None };
    if entry.payload().is_none() {
        return Ok(Some(plain));
    }
    columns(entry, plain).map(Some)
}

/// The columns that come from the document itself.
fn columns(entry: &StoredEntry, row: Row) -> Result<Row, AppError> {
    Ok(match row.kind {
        DocumentKind::Submission => {
            let d: Submission = read(entry)?;
            Row { revision: Some(d.revision), person: Some(d.author), ..row }
        }
        DocumentKind::Review => {
            let d: Review = read(entry)?;
            Row { revision: Some(d.revision), person: Some(d.reviewer), ..row }
        }
        DocumentKind::AccessRequest => {
            let d: AccessRequest = read(entry)?;
            let request = Some(d.header.id);
            Row { request, revision: Some(d.revision), person: Some(d.caller), ..row }
        }
        DocumentKind::Approval => {
            let d: Approval = read(entry)?;
            Row { request: Some(d.request_id), person: Some(d.approver), ..row }
        }
        DocumentKind::Stop => {
            let d: Stop = read(entry)?;
            Row { person: Some(d.by), ..row }
        }
        DocumentKind::Withdrawal => {
            let d: Withdrawal = read(entry)?;
            Row { revision: Some(d.revision), person: Some(d.reviewer), ..row }
        }
        DocumentKind::AfterReview => {
            let d: AfterReview = read(entry)?;
            Row { request: Some(d.request_id), person: Some(d.reviewer), ..row }
        }
        DocumentKind::Lift
        | DocumentKind::RunRequest
        | DocumentKind::Keyring
        | DocumentKind::Directory
        | DocumentKind::Policy
        | DocumentKind::Receipt => row,
    })
}

async fn insert(
    tx: &mut Tx,
    entry: &StoredEntry,
    row: Row,
    envelope: &[u8],
) -> Result<(), AppError> {
    let document = Document {
        kind: row.kind,
        id: row.id,
        digest: row.digest,
        envelope: envelope.to_owned(),
        revision: row.revision,
        request: row.request,
        person: row.person,
        created_ms: entry.leaf.at_ms,
    };
    settled(entry.position.index(), tx.insert_document(&document).await)
}

/// A row that is there already is what projecting again, or the same revision from a second author,
/// looks like. Another row under the same name cannot come from `App`, which checks before it
/// appends; the first one stays, and the operator hears of it.
pub(crate) fn settled(index: u64, done: Result<(), StoreError>) -> Result<(), AppError> {
    match done {
        Err(e @ StoreError::Conflict { .. }) => {
            tracing::warn!(ledger.index = index, problem = %e, "an entry's row exists and stays as it is");
            Ok(())
        }
        other => Ok(other?),
    }
}

/// The document in an entry's payload.
pub(crate) fn read<D: Signed>(entry: &StoredEntry) -> Result<D, AppError> {
    let unreadable = || AppError::EntryUnreadable { index: entry.position.index(), what: D::DOC };
    let envelope = entry.payload().ok_or_else(unreadable)?;
    let envelope = Envelope::from_json(envelope).map_err(|_| unreadable())?;
    trust::read_unverified(&envelope).map_err(|_| unreadable())
}
