//! Proposals of keyring, directory and policy, with the signatures that they have so far. They are no
//! authority: what is adopted is a document ([`crate::Document`]), projected from the ledger.

use domain::{Digest, PersonId};
use sqlx::sqlite::SqliteRow;

use crate::row::{Reader, int};
use crate::{Store, StoreError, sql};

/// Proposals at a time, of whatever state: each is at most a directory, and people sign them one by
/// one.
pub const PROPOSALS_MAX: u32 = 32;

/// One proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The digest of its payload.
    pub digest: Digest,
    /// Who handed it in.
    pub proposed_by: PersonId,
    /// The envelope, with all signatures so far.
    pub envelope: Vec<u8>,
    /// When it came, Unix milliseconds.
    pub created_ms: u64,
    /// When it is forgotten, Unix milliseconds.
    pub expires_ms: u64,
}

impl Store {
    /// Keeps a proposal, or the further signatures of one, and forgets those that ended before
    /// `now_ms`.
    ///
    /// # Errors
    /// [`StoreError::Full`] when there are [`PROPOSALS_MAX`].
    pub async fn put_proposal(&self, proposal: &Proposal, now_ms: u64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let now = int(now_ms, "a time")?;
        sqlx::query(sql::PURGE_PROPOSALS).bind(now).execute(&mut *tx.inner).await?;
        let done = sqlx::query(sql::PUT_PROPOSAL)
            .bind(proposal.digest.to_string())
            .bind(proposal.proposed_by.as_str())
            .bind(&proposal.envelope)
            .bind(int(proposal.created_ms, "a time")?)
            .bind(int(proposal.expires_ms, "a time")?)
            .bind(PROPOSALS_MAX)
            .execute(&mut *tx.inner)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Full { what: "proposals", max: PROPOSALS_MAX });
        }
        tx.commit().await
    }

    /// Every proposal that has not ended, newest first.
    ///
    /// # Errors
    /// When the database fails or a row is corrupt.
    pub async fn proposals(&self, now_ms: u64) -> Result<Vec<Proposal>, StoreError> {
        let query = sqlx::query(sql::PROPOSALS).bind(int(now_ms, "a time")?);
        query.fetch_all(&self.reads).await?.iter().map(proposal).collect()
    }

    /// Forgets a proposal; false when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_proposal(&self, digest: &Digest) -> Result<bool, StoreError> {
        let query = sqlx::query(sql::DROP_PROPOSAL).bind(digest.to_string());
        Ok(query.execute(&self.writes).await?.rows_affected() > 0)
    }
}

fn proposal(row: &SqliteRow) -> Result<Proposal, StoreError> {
    let row = Reader::new(row, "proposals", "digest")?;
    Ok(Proposal {
        digest: row.parse("digest")?,
        proposed_by: row.parse("proposed_by")?,
        envelope: row.bytes("envelope")?,
        created_ms: row.number("created_ms")?,
        expires_ms: row.number("expires_ms")?,
    })
}
