//! Keys that strangers claim, until somebody who may change the directory has looked at them. Anybody
//! may hand one in, so the table is bounded in all and for each network.

use domain::Digest;
use sqlx::sqlite::SqliteRow;

use crate::row::{Reader, int};
use crate::{Store, StoreError, sql};

/// Claims at a time; people look at each of them.
pub const KEY_CLAIMS_MAX: u32 = 200;
/// Claims of one network at a time: a team that joins from one office, and not all that there are.
pub const KEY_CLAIMS_PER_PEER_MAX: u32 = 20;

/// One key claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyClaim {
    /// The digest of its payload.
    pub digest: Digest,
    /// The key that it is about.
    pub key_fingerprint: String,
    /// The network that it came from.
    pub peer: String,
    /// The envelope, byte for byte.
    pub envelope: Vec<u8>,
    /// When it came, Unix milliseconds.
    pub created_ms: u64,
    /// When it is forgotten, Unix milliseconds.
    pub expires_ms: u64,
}

impl Store {
    /// Keeps a claim in place of an earlier one of the same key, and forgets those that have ended.
    ///
    /// # Errors
    /// [`StoreError::Full`] when there are too many, in all or of this network.
    pub async fn put_key_claim(&self, claim: &KeyClaim) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let now = int(claim.created_ms, "a time")?;
        sqlx::query(sql::PURGE_KEY_CLAIMS).bind(now).execute(&mut *tx.inner).await?;
        sqlx::query(sql::REPLACE_KEY_CLAIM)
            .bind(&claim.key_fingerprint)
            .execute(&mut *tx.inner)
            .await?;
        let done = sqlx::query(sql::INSERT_KEY_CLAIM)
            .bind(claim.digest.to_string())
            .bind(&claim.key_fingerprint)
            .bind(&claim.peer)
            .bind(&claim.envelope)
            .bind(now)
            .bind(int(claim.expires_ms, "a time")?)
            .bind(KEY_CLAIMS_MAX)
            .bind(KEY_CLAIMS_PER_PEER_MAX)
            .execute(&mut *tx.inner)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Full { what: "key claims", max: KEY_CLAIMS_MAX });
        }
        tx.commit().await
    }

    /// Every claim that has not ended, newest first.
    ///
    /// # Errors
    /// When the database fails or a row is corrupt.
    pub async fn key_claims(&self, now_ms: u64) -> Result<Vec<KeyClaim>, StoreError> {
        let query = sqlx::query(sql::KEY_CLAIMS).bind(int(now_ms, "a time")?);
        query.fetch_all(&self.reads).await?.iter().map(claim).collect()
    }

    /// Forgets a claim and returns it; `None` when there is none.
    ///
    /// # Errors
    /// When the database fails or the row is corrupt.
    pub async fn take_key_claim(&self, digest: &Digest) -> Result<Option<KeyClaim>, StoreError> {
        let query = sqlx::query(sql::TAKE_KEY_CLAIM).bind(digest.to_string());
        query.fetch_optional(&self.writes).await?.as_ref().map(claim).transpose()
    }
}

fn claim(row: &SqliteRow) -> Result<KeyClaim, StoreError> {
    let row = Reader::new(row, "key_claims", "digest")?;
    Ok(KeyClaim {
        digest: row.parse("digest")?,
        key_fingerprint: row.text("key_fingerprint")?,
        peer: row.text("peer")?,
        envelope: row.bytes("envelope")?,
        created_ms: row.number("created_ms")?,
        expires_ms: row.number("expires_ms")?,
    })
}
