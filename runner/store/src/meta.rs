//! How far the projection is, and the newest checkpoint as an anchor.

use crate::row::{Reader, int};
use crate::{Store, StoreError, sql};

/// The newest signed checkpoint that this store has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The size of the log that it covers.
    pub size: u64,
    /// The signed note.
    pub checkpoint: String,
}

impl Store {
    /// Every ledger entry below this index is projected; at start the caller offers the later ones
    /// to [`Store::project`] again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn applied(&self) -> Result<u64, StoreError> {
        let row = sqlx::query(sql::META).fetch_one(&self.pool).await?;
        Reader::new(&row, "meta", "key")?.number("settled")
    }

    /// Refuses a store that has projected entries which a ledger of `ledger_size` does not have.
    ///
    /// # Errors
    /// [`StoreError::AheadOfLedger`].
    pub async fn check_ledger(&self, ledger_size: u64) -> Result<(), StoreError> {
        let row = sqlx::query(sql::APPLIED_HIGHEST).fetch_one(&self.pool).await?;
        let next = Reader::new(&row, "applied", "key")?.number("next")?;
        let anchored = self.anchor().await?.map_or(0, |a| a.size);
        let applied = next.max(self.applied().await?).max(anchored);
        if applied > ledger_size {
            return Err(StoreError::AheadOfLedger { applied, ledger: ledger_size });
        }
        Ok(())
    }

    /// States that every entry below `size` is projected, or has nothing to project. Call it only
    /// when no projection of an earlier entry is outstanding.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(&self, size: u64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let size = int(size, "a ledger size")?;
        // No row: a larger size has been settled, and stays.
        sqlx::query(sql::SETTLE).bind(size).execute(&mut *tx.inner).await?;
        sqlx::query(sql::FORGET_APPLIED).execute(&mut *tx.inner).await?;
        tx.commit().await
    }

    /// The newest checkpoint; `None` before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn anchor(&self) -> Result<Option<Anchor>, StoreError> {
        let row = sqlx::query(sql::META).fetch_one(&self.pool).await?;
        let row = Reader::new(&row, "meta", "key")?;
        let checkpoint = row.text("anchor")?;
        let size = row.number("anchor_size")?;
        Ok((!checkpoint.is_empty()).then_some(Anchor { size, checkpoint }))
    }

    /// Keeps `anchor` unless a larger one is kept; returns whether it did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_anchor(&self, anchor: &Anchor) -> Result<bool, StoreError> {
        let done = sqlx::query(sql::SET_ANCHOR)
            .bind(int(anchor.size, "a checkpoint's size")?)
            .bind(&anchor.checkpoint)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
