//! Transactions: consumed by `commit`, rolled back otherwise.

use sqlx::{Sqlite, Transaction};

use crate::meta::{Mark, read};
use crate::row::int;
use crate::{Anchor, Store, StoreError, sql};

/// One write transaction. Dropped without [`Tx::commit`], it leaves nothing behind.
#[derive(Debug)]
#[must_use = "a transaction that is not committed is rolled back"]
pub struct Tx {
    pub(crate) inner: Transaction<'static, Sqlite>,
    /// The ledger entry that is being projected.
    entry: Option<u64>,
}

impl Store {
    /// Begins a transaction that projects no ledger entry; it cannot write documents or revisions.
    /// Writers take turns here, in the order in which they come.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let inner = self.writes.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Tx { inner, entry: None })
    }

    /// Begins to project, and says which ledger entry is the next: every one below is projected. The
    /// mark moves with the rows ([`Tx::settle`]), so that a crash between ledger and store is repaired
    /// by projecting again.
    ///
    /// # Errors
    /// As [`Store::begin`].
    pub async fn project(&self) -> Result<(Tx, u64), StoreError> {
        let mut tx = self.begin().await?;
        let Mark { settled, .. } = read(&sqlx::query(sql::META).fetch_one(&mut *tx.inner).await?)?;
        Ok((tx, settled))
    }
}

impl Tx {
    /// What is written from here on projects the ledger's entry `index`.
    pub const fn entry(&mut self, index: u64) {
        self.entry = Some(index);
    }

    /// States that every entry below `size` is projected, and keeps the newest checkpoint.
    ///
    /// # Errors
    /// [`StoreError::Backwards`] when more is projected or anchored already; when the database fails.
    pub async fn settle(&mut self, size: u64, anchor: &Anchor) -> Result<(), StoreError> {
        let done = sqlx::query(sql::SETTLE)
            .bind(int(size, "a ledger size")?)
            .bind(int(anchor.size, "a checkpoint's size")?)
            .bind(&anchor.checkpoint)
            .execute(&mut *self.inner)
            .await?;
        match done.rows_affected() {
            1 => Ok(()),
            _ => Err(StoreError::Backwards { size, anchor: anchor.size }),
        }
    }

    /// Commits. On an error nothing, or everything, is on disk; [`Store::project`] finds out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.inner.commit().await?)
    }

    /// The index that `what` is stored with.
    pub(crate) fn ledger_index(&self, what: &'static str) -> Result<i64, StoreError> {
        let index = self.entry.ok_or(StoreError::NoLedgerEntry { what })?;
        int(index, "a ledger index")
    }
}
