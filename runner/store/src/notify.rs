//! How far webhooks have been told what is in the ledger.

use sqlx::sqlite::SqliteRow;

use crate::row::{Reader, int};
use crate::{Store, StoreError, sql};

impl Store {
    /// The ledger entry that a webhook is told next; `None` for one that was never told anything.
    ///
    /// # Errors
    /// When the database fails or the row is corrupt.
    pub async fn told_until(&self, hook: &str) -> Result<Option<u64>, StoreError> {
        let query = sqlx::query(sql::TOLD_UNTIL).bind(hook);
        query.fetch_optional(&self.reads).await?.as_ref().map(next).transpose()
    }

    /// Keeps that a webhook was told everything below ledger entry `next`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn told(&self, hook: &str, next: u64) -> Result<(), StoreError> {
        let query = sqlx::query(sql::TOLD).bind(hook).bind(int(next, "a ledger index")?);
        query.execute(&self.writes).await?;
        Ok(())
    }
}

fn next(row: &SqliteRow) -> Result<u64, StoreError> {
    Reader::new(row, "notify", "hook")?.number("next")
}
