//! Idempotency keys: a retried call gets the first one's answer instead of a second effect.
//!
//! A key is scoped to person and route, and bound to the digest of the body. Answers are forgotten
//! by age, and one person's by number, so that the table has an end.

use domain::{Digest, PersonId};

use crate::row::{Reader, int};
use crate::{Store, StoreError, Tx, sql};

/// Answers that are kept for one person; the oldest go first.
pub const KEYS_PER_PERSON_MAX: u32 = 1_000;
/// Bytes of an answer that is kept: every answer to a POST is far smaller.
pub const RESPONSE_BYTES_MAX: usize = 64 << 10;

/// Whose key, where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Who calls.
    pub person: PersonId,
    /// Method and route pattern, as `POST /v1/runs`.
    pub route: String,
    /// The client's key, 1 to 128 characters.
    pub key: String,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The key is new: do the work, then complete or abandon it.
    New,
    /// The first call is still at work.
    AtWork,
    /// The first call has answered.
    Answered {
        /// HTTP status.
        status: u16,
        /// The body.
        response: Vec<u8>,
    },
    /// The key came with another body before.
    OtherBody,
}

impl Store {
    /// Claims a key for a body. Answers older than `keep_ms` before `now_ms` are forgotten.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim(
        &self,
        key: &IdempotencyKey,
        body: &Digest,
        now_ms: u64,
        keep_ms: u64,
    ) -> Result<Claim, StoreError> {
        let mut tx = self.begin().await?;
        let oldest = int(now_ms.saturating_sub(keep_ms), "a time")?;
        sqlx::query(sql::PURGE_IDEMPOTENCY).bind(oldest).execute(&mut *tx.inner).await?;
        sqlx::query(sql::EVICT_IDEMPOTENCY)
            .bind(key.person.as_str())
            .bind(KEYS_PER_PERSON_MAX)
            .execute(&mut *tx.inner)
            .await?;
        let done = sqlx::query(sql::CLAIM)
            .bind(key.person.as_str())
            .bind(&key.route)
            .bind(&key.key)
            .bind(body.to_string())
            .bind(int(now_ms, "a time")?)
            .execute(&mut *tx.inner)
            .await?;
        if done.rows_affected() == 1 {
            tx.commit().await?;
            return Ok(Claim::New);
        }
        let row = sqlx::query(sql::CLAIMED)
            .bind(key.person.as_str())
            .bind(&key.route)
            .bind(&key.key)
            .fetch_one(&mut *tx.inner)
            .await?;
        tx.commit().await?;
        let row = Reader::new(&row, "idempotency", "key")?;
        if row.parse::<Digest>("body_digest")? != *body {
            return Ok(Claim::OtherBody);
        }
        Ok(match row.number_opt("status")?.and_then(|s| u16::try_from(s).ok()) {
            None => Claim::AtWork,
            Some(status) => Claim::Answered { status, response: row.bytes("response")? },
        })
    }

    /// Stores the answer of a claimed call.
    ///
    /// # Errors
    /// As [`Tx::complete`].
    pub async fn complete(
        &self,
        key: &IdempotencyKey,
        status: u16,
        response: &[u8],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        tx.complete(key, status, response).await?;
        tx.commit().await
    }

    /// Gives a claimed key back: the call had no effect, and may be made again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn abandon(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        let query =
            sqlx::query(sql::ABANDON).bind(key.person.as_str()).bind(&key.route).bind(&key.key);
        query.execute(&self.writes).await?;
        Ok(())
    }
}

impl Tx {
    /// Stores the answer of a claimed call.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when the key is not claimed or has its answer.
    pub async fn complete(
        &mut self,
        key: &IdempotencyKey,
        status: u16,
        response: &[u8],
    ) -> Result<(), StoreError> {
        let done = sqlx::query(sql::COMPLETE)
            .bind(key.person.as_str())
            .bind(&key.route)
            .bind(&key.key)
            .bind(status)
            .bind(response)
            .execute(&mut *self.inner)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Absent { what: "idempotency key", key: key.key.clone() });
        }
        Ok(())
    }
}
