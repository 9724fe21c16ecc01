//! What people may read besides runs: scripts, revisions, documents, targets, the log.
//!
//! Everybody in the directory may read these; what belongs to a run is in [`crate::runs`].

use domain::{BundleIndex, BundlePath, Digest, RunId};
use ledger::{LogProof, Position};
use store::{Document, DocumentKind, Reference, Revision, RevisionFile};
use trust::{Document as Signed, Envelope, Keyring, PolicyTarget, Receipt, RunRequest};

use crate::advice::unverified;
use crate::login::Who;
use crate::{App, AppError};

/// A revision with its files and what people said about it.
#[derive(Debug, Clone)]
pub struct RevisionStatus {
    /// The revision.
    pub revision: Revision,
    /// Its files.
    pub files: Vec<RevisionFile>,
    /// Submissions and reviews of it.
    pub documents: Vec<Document>,
}

impl App {
    /// All submitted revisions, newest first within a script.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn scripts(&self) -> Result<Vec<Revision>, AppError> {
        Ok(self.store.revisions(None).await?)
    }

    /// One submitted revision.
    ///
    /// # Errors
    /// When there is none.
    pub async fn revision(&self, digest: &Digest) -> Result<RevisionStatus, AppError> {
        let absent = || AppError::NotFound(format!("revision {digest}"));
        let revision = self.store.revision(digest).await?.ok_or_else(absent)?;
        let files = self.store.files(digest).await?;
        // By kind: each run of it adds two documents, which nobody looks for here.
        let mut said = self.store.documents_of_revision(DocumentKind::Submission, digest).await?;
        said.extend(self.store.documents_of_revision(DocumentKind::Review, digest).await?);
        said.retain(|d| !is_tombstone(d));
        Ok(RevisionStatus { revision, files, documents: said })
    }

    /// The bytes of one file of a revision that was submitted, or uploaded to be submitted elsewhere; the
    /// reader hashes them.
    ///
    /// # Errors
    /// When there is none.
    pub async fn file(&self, revision: &Digest, path: &BundlePath) -> Result<Vec<u8>, AppError> {
        let absent = || AppError::NotFound(format!("file {path} of {revision}"));
        let submitted = self.store.revision(revision).await?;
        if submitted.is_none() && !self.blobs.is_uploaded(revision).await? {
            return Err(absent());
        }
        let digest = match submitted {
            Some(row) if path.as_str() == domain::bundle::INDEX_PATH => return Ok(row.index),
            Some(_) => self.store.file(revision, path).await?.map(|file| file.digest),
            None if path.as_str() == domain::bundle::INDEX_PATH => Some(*revision),
            None => {
                let index = self.blobs.get(revision).await?.ok_or_else(absent)?;
                BundleIndex::parse(&index).ok().and_then(|index| index.get(path.as_str()).copied())
            }
        };
        self.blobs.get(&digest.ok_or_else(absent)?).await?.ok_or_else(absent)
    }

    /// A document by its id or the digest of its payload. What belongs to a run is shown only to
    /// those who may see the run.
    ///
    /// # Errors
    /// When there is none that this person may see, or its content was erased.
    pub async fn document(&self, who: &Who, reference: &Reference) -> Result<Document, AppError> {
        let absent = || AppError::NotFound(format!("document {reference}"));
        let found = self.store.document_by_reference(reference).await?;
        let document = found.filter(|d| !is_tombstone(d)).ok_or_else(absent)?;
        if let Some(run) = run_of(&document) {
            self.readable_run(who, &run).await.map_err(|e| match e {
                AppError::NotFound(_) => absent(),
                other => other,
            })?;
        }
        Ok(document)
    }

    /// The keyring, directory or policy in force.
    ///
    /// # Errors
    /// Never in practice: they were read when they were adopted.
    pub fn in_force(&self, kind: DocumentKind) -> Result<Document, AppError> {
        let adopted = self.adopted();
        let (authority, documents) = (&adopted.authority, &adopted.documents);
        let (id, envelope): (String, &Envelope) = match kind {
            DocumentKind::Keyring => {
                let newest = documents.successors.last().unwrap_or(&documents.keyring);
                (authority.keyring().header.id.to_string(), newest)
            }
            DocumentKind::Directory => {
                (authority.directory().header.id.to_string(), &documents.directory)
            }
            DocumentKind::Policy => (authority.policy().header.id.to_string(), &documents.policy),
            DocumentKind::Submission
            | DocumentKind::Review
            | DocumentKind::AccessRequest
            | DocumentKind::Approval
            | DocumentKind::RunRequest
            | DocumentKind::Stop
            | DocumentKind::Lift
            | DocumentKind::Withdrawal
            | DocumentKind::AfterReview
            | DocumentKind::Receipt => {
                return Err(AppError::NotFound(format!("{} in force", kind.code())));
            }
        };
        configured(kind, id, envelope)
    }

    /// Every keyring from the first that this server knows to the one in force.
    ///
    /// # Errors
    /// Never in practice: they were read when they were adopted.
    pub fn keyrings(&self) -> Result<Vec<Document>, AppError> {
        let adopted = self.adopted();
        let documents = &adopted.documents;
        let all = [&documents.keyring].into_iter().chain(&documents.successors);
        let one = |envelope: &Envelope| {
            let read: Keyring = trust::read_unverified(envelope)
                .map_err(|e| AppError::document(Keyring::DOC, e.problem.to_string()))?;
            configured(DocumentKind::Keyring, read.header.id.to_string(), envelope)
        };
        all.map(one).collect()
    }

    /// The policy's targets.
    #[must_use]
    pub fn targets(&self) -> Vec<PolicyTarget> {
        self.adopted().authority.policy().targets.clone()
    }

    /// The log's newest signed checkpoint.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn checkpoint(&self) -> Result<String, AppError> {
        Ok(self.ledger.checkpoint()?)
    }

    /// That entry `index` is in the log of `size` entries; the checkpoint is the newest.
    ///
    /// # Errors
    /// When there is no such entry or size.
    pub fn proof(&self, index: u64, size: u64) -> Result<LogProof, AppError> {
        if index >= size || size > self.ledger.size() {
            return Err(AppError::NotFound(format!("entry {index} in the log of {size} entries")));
        }
        let position = Position::from_index(index);
        let proof = self.ledger.proof(position)?;
        let inclusion = self.ledger.inclusion(position, size)?;
        Ok(LogProof { inclusion, ..proof })
    }

    /// That the log of `old` entries is the beginning of that of `new`.
    ///
    /// # Errors
    /// When the log is smaller than `new`, or `new` than `old`.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>, AppError> {
        if old > new || new > self.ledger.size() {
            let what = format!("log of {new} entries that continues one of {old}");
            return Err(AppError::NotFound(what));
        }
        Ok(self.ledger.consistency(old, new)?)
    }

    /// At most `count` leaves from index `from` on.
    ///
    /// # Errors
    /// When `count` is not between 1 and 256, there is no entry `from`, or the log cannot be read.
    pub fn leaves(&self, from: u64, count: u64) -> Result<Leaves, AppError> {
        let size = self.ledger.size();
        if !(1..=LEAVES_MAX).contains(&count) {
            let problem = format!("`count` is not between 1 and {LEAVES_MAX}");
            return Err(AppError::BadRequest(problem));
        }
        if from >= size {
            return Err(AppError::NotFound(format!("leaf {from} in the log of {size} entries")));
        }
        let end = from.saturating_add(count).min(size);
        let mut leaves = Vec::new();
        for index in from..end {
            let entry = self.ledger.entry(Position::from_index(index))?;
            // A leaf is JSON that the ledger wrote, so it is UTF-8.
            leaves.push(String::from_utf8_lossy(&entry.leaf_bytes).into_owned());
        }
        Ok(Leaves { from, size, leaves })
    }
}

/// A document in force, as the store would have it.
fn configured(kind: DocumentKind, id: String, envelope: &Envelope) -> Result<Document, AppError> {
    let bytes = envelope.to_json();
    Ok(Document {
        kind,
        id,
        digest: envelope.payload_digest(),
        envelope: bytes.map_err(|e| AppError::document(kind.code(), e.to_string()))?,
        revision: None,
        request: None,
        person: None,
        created_ms: 0,
    })
}

/// Leaves that one call gives: a leaf has at most 4 KiB, so the answer stays below 1 MiB.
pub(crate) const LEAVES_MAX: u64 = 256;

/// Leaves of the log, as hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaves {
    /// The index of the first one.
    pub from: u64,
    /// Durable entries of the log.
    pub size: u64,
    /// In order.
    pub leaves: Vec<String>,
}

/// An erased document keeps id and digest.
pub(crate) fn is_tombstone(document: &Document) -> bool {
    document.envelope.is_empty()
}

/// The run that a document belongs to.
fn run_of(document: &Document) -> Option<RunId> {
    match document.kind {
        DocumentKind::RunRequest => Some(unverified::<RunRequest>(document)?.run),
        DocumentKind::Receipt => Some(unverified::<Receipt>(document)?.run),
        DocumentKind::Submission
        | DocumentKind::Review
        | DocumentKind::AccessRequest
        | DocumentKind::Approval
        | DocumentKind::Stop
        | DocumentKind::Lift
        | DocumentKind::Withdrawal
        | DocumentKind::AfterReview
        | DocumentKind::Keyring
        | DocumentKind::Directory
        | DocumentKind::Policy => None,
    }
}
