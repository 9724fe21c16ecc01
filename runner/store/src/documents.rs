//! Signed documents as the bytes that came, with the columns that lists search by.
//!
//! The columns are conveniences that `app` filled after verifying; who must be sure parses the
//! envelope.

mod kind;

use std::fmt;
use std::str::FromStr;

use domain::{Digest, ParseError, PersonId, RequestId};
use sqlx::sqlite::SqliteRow;

use crate::row::{Reader, int};
use crate::{LIST_ROWS_MAX, Store, StoreError, Tx, sql};

pub use self::kind::DocumentKind;

/// One stored document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Which document.
    pub kind: DocumentKind,
    /// Its id, with the prefix of its kind.
    pub id: String,
    /// The digest of its payload: what other documents refer to.
    pub digest: Digest,
    /// The envelope, byte for byte.
    pub envelope: Vec<u8>,
    /// The revision that it is about.
    pub revision: Option<Digest>,
    /// The access request that it is, or is about.
    pub request: Option<RequestId>,
    /// Who signed it, when one person did.
    pub person: Option<PersonId>,
    /// When it came, Unix milliseconds.
    pub created_ms: u64,
}

/// How people and programs refer to a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// By its id: the prefix of its kind, an underscore, a UUID.
    Id(String),
    /// By the digest of its payload.
    Digest(Digest),
}

impl FromStr for Reference {
    type Err = ParseError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        if let Ok(digest) = s.parse() {
            return Ok(Self::Digest(digest));
        }
        let is_id = s.split_once('_').is_some_and(|(kind, uuid)| {
            (2..=4).contains(&kind.len())
                && kind.bytes().all(|b| b.is_ascii_lowercase())
                && uuid.len() == 36
                && uuid.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
        });
        if is_id {
            return Ok(Self::Id(s.to_owned()));
        }
        Err(ParseError::new("document", s, "a document's id, or the digest of its payload"))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => f.write_str(id),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

/// Which ledger entry put a document into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentEntry {
    /// Which document.
    pub kind: DocumentKind,
    /// The digest of its payload.
    pub digest: Digest,
    /// The index of the entry.
    pub index: u64,
}

/// Which documents to list; `None` means any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this kind.
    pub kind: Option<DocumentKind>,
    /// About this revision.
    pub revision: Option<Digest>,
    /// About this access request.
    pub request: Option<RequestId>,
    /// Signed by this person.
    pub person: Option<PersonId>,
}

impl Filter {
    /// The statement that finds them by the best index.
    pub(crate) const fn statement(&self) -> &'static str {
        match (self.kind.is_some(), self.revision.is_some(), self.request.is_some()) {
            (true, _, true) => sql::DOCUMENTS_OF_REQUEST_AND_KIND,
            (true, true, false) => sql::DOCUMENTS_OF_REVISION_AND_KIND,
            (true, false, false) => sql::DOCUMENTS_OF_KIND,
            (false, true, _) => sql::DOCUMENTS_OF_REVISION,
            (false, false, _) => sql::DOCUMENTS,
        }
    }
}

impl Tx {
    /// Inserts a document.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when its id or digest exists; it carries the digest stored under the
    /// id (equal to this one's when the same document came twice).
    /// [`StoreError::NoLedgerEntry`] outside a projection.
    pub async fn insert_document(&mut self, document: &Document) -> Result<(), StoreError> {
        let done = sqlx::query(sql::INSERT_DOCUMENT)
            .bind(&document.id)
            .bind(document.kind.code())
            .bind(document.digest.to_string())
            .bind(&document.envelope[..])
            .bind(document.revision.map(|d| d.to_string()))
            .bind(document.request.as_ref().map(RequestId::as_str))
            .bind(document.person.as_ref().map(PersonId::as_str))
            .bind(int(document.created_ms, "a time")?)
            .bind(self.ledger_index("a document")?)
            .execute(&mut *self.inner)
            .await?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        let row = sqlx::query(sql::DOCUMENT)
            .bind(&document.id)
            .bind(document.digest.to_string())
            .fetch_one(&mut *self.inner)
            .await?;
        let existing = read(&row)?;
        Err(StoreError::Conflict {
            what: existing.kind.code(),
            key: existing.id,
            existing: existing.digest,
        })
    }

    /// One document by the digest of its payload, as this transaction leaves it.
    ///
    /// # Errors
    /// As [`Store::document`].
    pub async fn document_by_digest(
        &mut self,
        digest: &Digest,
    ) -> Result<Option<Document>, StoreError> {
        let query = sqlx::query(sql::DOCUMENT).bind(None::<String>).bind(digest.to_string());
        query.fetch_optional(&mut *self.inner).await?.as_ref().map(read).transpose()
    }
}

impl Store {
    /// One document by its id.
    ///
    /// # Errors
    /// When the database fails or the row is corrupt; so for all reads.
    pub async fn document(&self, id: &str) -> Result<Option<Document>, StoreError> {
        let query = sqlx::query(sql::DOCUMENT).bind(id).bind(None::<String>);
        query.fetch_optional(&self.reads).await?.as_ref().map(read).transpose()
    }

    /// One document by the digest of its payload.
    ///
    /// # Errors
    /// As [`Store::document`].
    pub async fn document_by_digest(
        &self,
        digest: &Digest,
    ) -> Result<Option<Document>, StoreError> {
        let query = sqlx::query(sql::DOCUMENT).bind(None::<String>).bind(digest.to_string());
        query.fetch_optional(&self.reads).await?.as_ref().map(read).transpose()
    }

    /// One document by its id or the digest of its payload.
    ///
    /// # Errors
    /// As [`Store::document`].
    pub async fn document_by_reference(
        &self,
        reference: &Reference,
    ) -> Result<Option<Document>, StoreError> {
        match reference {
            Reference::Id(id) => self.document(id).await,
            Reference::Digest(digest) => self.document_by_digest(digest).await,
        }
    }

    /// The documents that match, newest first, at most [`LIST_ROWS_MAX`].
    ///
    /// # Errors
    /// As [`Store::document`].
    pub async fn documents(&self, filter: &Filter) -> Result<Vec<Document>, StoreError> {
        self.list(filter, LIST_ROWS_MAX.into()).await
    }

    /// All documents that match, newest first. For kinds whose number is bounded elsewhere, and where
    /// one that is left out would be a fault: spent uses.
    ///
    /// # Errors
    /// As [`Store::document`].
    pub async fn documents_all(&self, filter: &Filter) -> Result<Vec<Document>, StoreError> {
        self.list(filter, i64::MAX).await
    }

    /// The documents of a kind about a revision, at most [`LIST_ROWS_MAX`]: the newest of each person,
    /// then the second newest of each, and so on. Whoever signs a thousand hides nobody else's.
    ///
    /// # Errors
    /// As [`Store::document`].
    pub async fn documents_of_revision(
        &self,
        kind: DocumentKind,
        revision: &Digest,
    ) -> Result<Vec<Document>, StoreError> {
        self.fairly(sql::DOCUMENTS_OF_REVISION_FAIRLY, kind, &revision.to_string()).await
    }

    /// The documents of a kind about an access request, as [`Store::documents_of_revision`].
    ///
    /// # Errors
    /// As [`Store::document`].
    pub async fn documents_of_request(
        &self,
        kind: DocumentKind,
        request: &RequestId,
    ) -> Result<Vec<Document>, StoreError> {
        self.fairly(sql::DOCUMENTS_OF_REQUEST_FAIRLY, kind, request.as_str()).await
    }

    async fn fairly(
        &self,
        statement: &'static str,
        kind: DocumentKind,
        about: &str,
    ) -> Result<Vec<Document>, StoreError> {
        let query = sqlx::query(statement).bind(about).bind(kind.code()).bind(LIST_ROWS_MAX);
        query.fetch_all(&self.reads).await?.iter().map(read).collect()
    }

    /// The newest document of a kind before ledger entry `index`: the keyring, directory or policy that
    /// was in force then.
    ///
    /// # Errors
    /// As [`Store::document`].
    pub async fn document_before(
        &self,
        kind: DocumentKind,
        index: u64,
    ) -> Result<Option<Document>, StoreError> {
        let query = sqlx::query(sql::DOCUMENT_BEFORE).bind(kind.code());
        let query = query.bind(int(index, "a ledger index")?);
        query.fetch_optional(&self.reads).await?.as_ref().map(read).transpose()
    }

    /// The ledger entry of the document with this payload digest.
    ///
    /// # Errors
    /// As [`Store::document`].
    pub async fn document_entry(
        &self,
        digest: &Digest,
    ) -> Result<Option<DocumentEntry>, StoreError> {
        let query = sqlx::query(sql::DOCUMENT_ENTRY).bind(digest.to_string());
        query.fetch_optional(&self.reads).await?.as_ref().map(read_entry).transpose()
    }

    /// The ledger entries of all documents from index `from` on, in order, at most
    /// [`LIST_ROWS_MAX`].
    ///
    /// # Errors
    /// As [`Store::document`].
    pub async fn document_entries(&self, from: u64) -> Result<Vec<DocumentEntry>, StoreError> {
        let query = sqlx::query(sql::DOCUMENT_ENTRIES)
            .bind(int(from, "a ledger index")?)
            .bind(LIST_ROWS_MAX);
        query.fetch_all(&self.reads).await?.iter().map(read_entry).collect()
    }

    /// Stops, lifts, withdrawals and reviews of ledger entries from `from` on, in their order, at most
    /// `rows_max`; and the entry after the last of them.
    ///
    /// # Errors
    /// As [`Store::document`].
    pub async fn documents_against(
        &self,
        from: u64,
        rows_max: u32,
    ) -> Result<(Vec<Document>, u64), StoreError> {
        let query =
            sqlx::query(sql::DOCUMENTS_AGAINST).bind(int(from, "a ledger index")?).bind(rows_max);
        let rows = query.fetch_all(&self.reads).await?;
        let next = match rows.last() {
            Some(last) => read_entry(last)?.index.saturating_add(1),
            None => from,
        };
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, next))
    }

    async fn list(&self, filter: &Filter, rows_max: i64) -> Result<Vec<Document>, StoreError> {
        let query = sqlx::query(filter.statement())
            .bind(filter.kind.map(DocumentKind::code))
            .bind(filter.revision.map(|d| d.to_string()))
            .bind(filter.request.as_ref().map(RequestId::as_str))
            .bind(filter.person.as_ref().map(PersonId::as_str))
            .bind(rows_max);
        query.fetch_all(&self.reads).await?.iter().map(read).collect()
    }
}

fn read_entry(row: &SqliteRow) -> Result<DocumentEntry, StoreError> {
    let row = Reader::new(row, "documents", "id")?;
    Ok(DocumentEntry {
        kind: row.parse("kind")?,
        digest: row.parse("digest")?,
        index: row.number("ledger_index")?,
    })
}

fn read(row: &SqliteRow) -> Result<Document, StoreError> {
    let row = Reader::new(row, "documents", "id")?;
    Ok(Document {
        kind: row.parse("kind")?,
        id: row.text("id")?,
        digest: row.parse("digest")?,
        envelope: row.bytes("envelope")?,
        revision: row.parse_opt("revision")?,
        request: row.parse_opt("request")?,
        person: row.parse_opt("person")?,
        created_ms: row.number("created_ms")?,
    })
}
