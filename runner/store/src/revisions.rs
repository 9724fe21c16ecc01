//! Revisions and the files of their bundles; the files' bytes are blobs.

use domain::{BundlePath, Digest, PersonId, ScriptName, ScriptVersion};
use sqlx::sqlite::SqliteRow;

use crate::row::{Reader, int};
use crate::{LIST_ROWS_MAX, Store, StoreError, Tx, sql};

/// One uploaded revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Its identity: the digest of `index`.
    pub digest: Digest,
    /// The script's name.
    pub script: ScriptName,
    /// The script's version.
    pub version: ScriptVersion,
    /// The manifest's summary, as its author wrote it.
    pub summary: String,
    /// `bundle.sha256`, byte for byte.
    pub index: Vec<u8>,
    /// Who uploaded it; authors are those who sign submissions.
    pub uploader: PersonId,
    /// When, Unix milliseconds.
    pub created_ms: u64,
}

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionFile {
    /// Its path inside the bundle.
    pub path: BundlePath,
    /// The blob that has its bytes.
    pub digest: Digest,
    /// Its size, bytes.
    pub size_bytes: u64,
}

impl Tx {
    /// Whether a revision is there, as this transaction leaves it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_revision(&mut self, digest: &Digest) -> Result<bool, StoreError> {
        let query = sqlx::query(sql::REVISION).bind(digest.to_string());
        Ok(query.fetch_optional(&mut *self.inner).await?.is_some())
    }

    /// Inserts a revision with its files. Their blobs must be durable before.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when script and version, or the digest, exist; it carries the digest
    /// that has them now. [`StoreError::NoLedgerEntry`] outside a projection.
    pub async fn insert_revision(
        &mut self,
        revision: &Revision,
        files: &[RevisionFile],
    ) -> Result<(), StoreError> {
        let digest = revision.digest.to_string();
        let done = sqlx::query(sql::INSERT_REVISION)
            .bind(&digest)
            .bind(revision.script.as_str())
            .bind(revision.version.as_str())
            .bind(&revision.summary)
            .bind(&revision.index[..])
            .bind(revision.uploader.as_str())
            .bind(int(revision.created_ms, "a time")?)
            .bind(self.ledger_index("a revision")?)
            .execute(&mut *self.inner)
            .await?;
        if done.rows_affected() == 0 {
            let row = sqlx::query(sql::REVISION_TAKEN)
                .bind(revision.script.as_str())
                .bind(revision.version.as_str())
                .bind(&digest)
                .fetch_one(&mut *self.inner)
                .await?;
            let key = format!("{}@{}", revision.script, revision.version);
            let existing = read(&row)?.digest;
            return Err(StoreError::Conflict { what: "revision", key, existing });
        }
        for file in files {
            sqlx::query(sql::INSERT_FILE)
                .bind(&digest)
                .bind(file.path.as_str())
                .bind(file.digest.to_string())
                .bind(int(file.size_bytes, "a file")?)
                .execute(&mut *self.inner)
                .await?;
        }
        Ok(())
    }
}

impl Store {
    /// One revision by its digest.
    ///
    /// # Errors
    /// When the database fails or the row is corrupt; so for all reads.
    pub async fn revision(&self, digest: &Digest) -> Result<Option<Revision>, StoreError> {
        let query = sqlx::query(sql::REVISION).bind(digest.to_string());
        query.fetch_optional(&self.reads).await?.as_ref().map(read).transpose()
    }

    /// One revision by its script's name and version.
    ///
    /// # Errors
    /// As [`Store::revision`].
    pub async fn revision_by_version(
        &self,
        script: &ScriptName,
        version: &ScriptVersion,
    ) -> Result<Option<Revision>, StoreError> {
        let query =
            sqlx::query(sql::REVISION_BY_VERSION).bind(script.as_str()).bind(version.as_str());
        query.fetch_optional(&self.reads).await?.as_ref().map(read).transpose()
    }

    /// Revisions by script, newest first, at most [`LIST_ROWS_MAX`]; of one script or of all.
    ///
    /// # Errors
    /// As [`Store::revision`].
    pub async fn revisions(
        &self,
        script: Option<&ScriptName>,
    ) -> Result<Vec<Revision>, StoreError> {
        let query =
            sqlx::query(sql::REVISIONS).bind(script.map(ScriptName::as_str)).bind(LIST_ROWS_MAX);
        query.fetch_all(&self.reads).await?.iter().map(read).collect()
    }

    /// The files of a revision by path; empty when there is no such revision.
    ///
    /// # Errors
    /// As [`Store::revision`].
    pub async fn files(&self, revision: &Digest) -> Result<Vec<RevisionFile>, StoreError> {
        let query = sqlx::query(sql::FILES).bind(revision.to_string());
        query.fetch_all(&self.reads).await?.iter().map(read_file).collect()
    }

    /// One file of a revision.
    ///
    /// # Errors
    /// As [`Store::revision`].
    pub async fn file(
        &self,
        revision: &Digest,
        path: &BundlePath,
    ) -> Result<Option<RevisionFile>, StoreError> {
        let query = sqlx::query(sql::FILE).bind(revision.to_string()).bind(path.as_str());
        query.fetch_optional(&self.reads).await?.as_ref().map(read_file).transpose()
    }
}

fn read(row: &SqliteRow) -> Result<Revision, StoreError> {
    let row = Reader::new(row, "revisions", "digest")?;
    Ok(Revision {
        digest: row.parse("digest")?,
        script: row.parse("script")?,
        version: row.parse("version")?,
        summary: row.text("summary")?,
        index: row.bytes("bundle_index")?,
        uploader: row.parse("uploader")?,
        created_ms: row.number("created_ms")?,
    })
}

fn read_file(row: &SqliteRow) -> Result<RevisionFile, StoreError> {
    let row = Reader::new(row, "files", "path")?;
    Ok(RevisionFile {
        path: row.parse("path")?,
        digest: row.parse("digest")?,
        size_bytes: row.number("size_bytes")?,
    })
}
