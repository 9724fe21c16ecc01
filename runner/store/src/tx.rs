//! Transactions: consumed by `commit`, rolled back otherwise.

use sqlx::{Sqlite, Transaction};

use crate::row::int;
use crate::{Store, StoreError, sql};

/// One write transaction. Dropped without [`Tx::commit`], it leaves nothing behind.
#[derive(Debug)]
#[must_use = "a transaction that is not committed is rolled back"]
pub struct Tx {
    pub(crate) inner: Transaction<'static, Sqlite>,
    ledger_index: Option<u64>,
}

impl Store {
    /// Begins a transaction that projects no ledger entry; it cannot write documents or revisions.
    ///
    /// # Errors
    /// When the database fails or another writer holds it too long.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        // IMMEDIATE: two writers queue at the start instead of failing in the middle.
        let inner = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Tx { inner, ledger_index: None })
    }

    /// Begins the projection of the ledger's entry `ledger_index`; `None` when it has been projected.
    /// The mark and the rows commit together, so that a crash between ledger and store is repaired by
    /// projecting again, and entries may be projected in any order.
    ///
    /// # Errors
    /// As [`Store::begin`].
    pub async fn project(&self, ledger_index: u64) -> Result<Option<Tx>, StoreError> {
        let mut tx = self.begin().await?;
        let index = int(ledger_index, "a ledger index")?;
        let done = sqlx::query(sql::APPLY).bind(index).execute(&mut *tx.inner).await?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        tx.ledger_index = Some(ledger_index);
        Ok(Some(tx))
    }
}

impl Tx {
    /// Commits. On an error nothing, or everything, is on disk; for a projection, projecting again
    /// finds out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.inner.commit().await?)
    }

    /// The index that `what` is stored with.
    pub(crate) fn ledger_index(&self, what: &'static str) -> Result<i64, StoreError> {
        let index = self.ledger_index.ok_or(StoreError::NoLedgerEntry { what })?;
        int(index, "a ledger index")
    }
}
