//! Login: challenges that are taken once, and sessions whose tokens are stored only as digests.

use domain::{Digest, PersonId, SessionId};
use sqlx::sqlite::SqliteRow;

use crate::row::{Reader, int};
use crate::{LIST_ROWS_MAX, Store, StoreError, Tx, sql};

/// Challenges open at a time; anybody may ask for one, so the table needs an end.
pub const CHALLENGES_OPEN_MAX: u32 = 10_000;

/// One login challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The random part; its key.
    pub nonce: String,
    /// The origin that the client dialled.
    pub origin: String,
    /// Who wants to log in.
    pub person: PersonId,
    /// When it ends, Unix milliseconds.
    pub expires_ms: u64,
}

/// One login session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The digest of its token; the token itself is never stored.
    pub token_hash: Digest,
    /// Who logged in.
    pub person: PersonId,
    /// The key that signed the challenge.
    pub key_fingerprint: String,
    /// When it began, Unix milliseconds.
    pub created_ms: u64,
    /// When it ends, Unix milliseconds.
    pub expires_ms: u64,
}

impl Store {
    /// Keeps a challenge, and forgets those that ended before `now_ms`.
    ///
    /// # Errors
    /// [`StoreError::Full`] when [`CHALLENGES_OPEN_MAX`] are open.
    pub async fn put_challenge(
        &self,
        challenge: &Challenge,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let now = int(now_ms, "a time")?;
        sqlx::query(sql::PURGE_CHALLENGES).bind(now).execute(&mut *tx.inner).await?;
        let done = sqlx::query(sql::INSERT_CHALLENGE)
            .bind(&challenge.nonce)
            .bind(&challenge.origin)
            .bind(challenge.person.as_str())
            .bind(int(challenge.expires_ms, "a time")?)
            .bind(CHALLENGES_OPEN_MAX)
            .execute(&mut *tx.inner)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Full { what: "open challenges", max: CHALLENGES_OPEN_MAX });
        }
        tx.commit().await
    }

    /// Takes a live challenge away: of any number of takers one gets it, the others get `None`.
    ///
    /// # Errors
    /// When the database fails or the row is corrupt.
    pub async fn take_challenge(
        &self,
        nonce: &str,
        now_ms: u64,
    ) -> Result<Option<Challenge>, StoreError> {
        let query = sqlx::query(sql::TAKE_CHALLENGE).bind(nonce).bind(int(now_ms, "a time")?);
        let Some(row) = query.fetch_optional(&self.writes).await? else {
            return Ok(None);
        };
        let row = Reader::new(&row, "challenges", "nonce")?;
        Ok(Some(Challenge {
            nonce: row.text("nonce")?,
            origin: row.text("origin")?,
            person: row.parse("person")?,
            expires_ms: row.number("expires_ms")?,
        }))
    }

    /// Keeps a session, and forgets those that ended before it began.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when id or token exist.
    pub async fn insert_session(&self, session: &Session) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let now = int(session.created_ms, "a time")?;
        sqlx::query(sql::PURGE_SESSIONS).bind(now).execute(&mut *tx.inner).await?;
        let done = sqlx::query(sql::INSERT_SESSION)
            .bind(session.id.as_str())
            .bind(session.token_hash.to_string())
            .bind(session.person.as_str())
            .bind(&session.key_fingerprint)
            .bind(now)
            .bind(int(session.expires_ms, "a time")?)
            .execute(&mut *tx.inner)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Exists { what: "session", key: session.id.to_string() });
        }
        tx.commit().await
    }

    /// The session with this token's digest, unless it has ended or is revoked.
    ///
    /// # Errors
    /// When the database fails or the row is corrupt.
    pub async fn live_session(
        &self,
        token_hash: &Digest,
        now_ms: u64,
    ) -> Result<Option<Session>, StoreError> {
        let query = sqlx::query(sql::LIVE_SESSION)
            .bind(token_hash.to_string())
            .bind(int(now_ms, "a time")?);
        let Some(row) = query.fetch_optional(&self.reads).await? else {
            return Ok(None);
        };
        session(&row).map(Some)
    }

    /// Sessions that were opened after this one, whoever's and whether or not they have ended, in their
    /// order.
    ///
    /// # Errors
    /// When the database fails or a row is corrupt.
    pub async fn sessions_after(
        &self,
        created_ms: u64,
        id: &str,
        rows_max: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let query = sqlx::query(sql::SESSIONS_AFTER).bind(int(created_ms, "a time")?).bind(id);
        query.bind(rows_max).fetch_all(&self.reads).await?.iter().map(session).collect()
    }

    /// Whether a session has neither ended nor is revoked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_is_live(&self, id: &SessionId, now_ms: u64) -> Result<bool, StoreError> {
        let query = sqlx::query_scalar::<_, i64>(sql::SESSION_IS_LIVE).bind(id.as_str());
        Ok(query.bind(int(now_ms, "a time")?).fetch_one(&self.reads).await? == 1)
    }

    /// The live sessions of a person, newest first, at most [`LIST_ROWS_MAX`].
    ///
    /// # Errors
    /// When the database fails or a row is corrupt.
    pub async fn sessions_of(
        &self,
        person: &PersonId,
        now_ms: u64,
    ) -> Result<Vec<Session>, StoreError> {
        let query = sqlx::query(sql::SESSIONS_OF).bind(person.as_str());
        let query = query.bind(int(now_ms, "a time")?).bind(LIST_ROWS_MAX);
        query.fetch_all(&self.reads).await?.iter().map(session).collect()
    }

    /// Revokes one session of a person; one that is revoked already stays as it is. `None` when the
    /// person has no such session.
    ///
    /// # Errors
    /// When the database fails or the row is corrupt.
    pub async fn revoke_session(
        &self,
        id: &SessionId,
        person: &PersonId,
        now_ms: u64,
    ) -> Result<Option<Session>, StoreError> {
        let query = sqlx::query(sql::REVOKE_SESSION).bind(id.as_str()).bind(person.as_str());
        let query = query.bind(int(now_ms, "a time")?);
        query.fetch_optional(&self.writes).await?.as_ref().map(session).transpose()
    }
}

impl Tx {
    /// Revokes every session that a key opened; returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_key(&mut self, fingerprint: &str, now_ms: u64) -> Result<u64, StoreError> {
        self.revoke(sql::REVOKE_KEY, fingerprint, now_ms).await
    }

    /// Revokes every session of a person; returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_person(
        &mut self,
        person: &PersonId,
        now_ms: u64,
    ) -> Result<u64, StoreError> {
        self.revoke(sql::REVOKE_PERSON, person.as_str(), now_ms).await
    }

    /// Revokes every session whose key is no longer its person's, as `is_active` says; returns how
    /// many.
    ///
    /// # Errors
    /// When the database fails or a row is corrupt.
    pub async fn revoke_inactive(
        &mut self,
        is_active: impl Fn(&PersonId, &str) -> bool,
        now_ms: u64,
    ) -> Result<u64, StoreError> {
        let mut revoked = 0;
        for row in sqlx::query(sql::SESSION_KEYS).fetch_all(&mut *self.inner).await? {
            let row = Reader::new(&row, "sessions", "person")?;
            let (person, key): (PersonId, _) = (row.parse("person")?, row.text("key_fingerprint")?);
            if !is_active(&person, &key) {
                let query = sqlx::query(sql::REVOKE_KEY_OF).bind(person.as_str()).bind(key);
                let query = query.bind(int(now_ms, "a time")?);
                revoked += query.execute(&mut *self.inner).await?.rows_affected();
            }
        }
        Ok(revoked)
    }

    async fn revoke(
        &mut self,
        statement: &'static str,
        of: &str,
        now_ms: u64,
    ) -> Result<u64, StoreError> {
        let query = sqlx::query(statement).bind(of).bind(int(now_ms, "a time")?);
        Ok(query.execute(&mut *self.inner).await?.rows_affected())
    }
}

fn session(row: &SqliteRow) -> Result<Session, StoreError> {
    let row = Reader::new(row, "sessions", "id")?;
    Ok(Session {
        id: row.parse("id")?,
        token_hash: row.parse("token_hash")?,
        person: row.parse("person")?,
        key_fingerprint: row.text("key_fingerprint")?,
        created_ms: row.number("created_ms")?,
        expires_ms: row.number("expires_ms")?,
    })
}
