//! How far the projection is, and the newest checkpoint as an anchor.

use sqlx::sqlite::SqliteRow;

use crate::row::Reader;
use crate::{Store, StoreError, sql};

/// The newest signed checkpoint that this store has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The size of the log that it covers.
    pub size: u64,
    /// The signed note.
    pub checkpoint: String,
}

/// The store's mark in the ledger.
pub(crate) struct Mark {
    /// Every ledger entry below is projected.
    pub(crate) settled: u64,
    /// The newest checkpoint; `None` before the first.
    pub(crate) anchor: Option<Anchor>,
}

impl Store {
    /// Refuses a store that has projected entries which a ledger of `ledger_size` does not have.
    ///
    /// # Errors
    /// [`StoreError::AheadOfLedger`].
    pub async fn check_ledger(&self, ledger_size: u64) -> Result<(), StoreError> {
        let Mark { settled, anchor } = self.mark().await?;
        let applied = settled.max(anchor.map_or(0, |a| a.size));
        if applied > ledger_size {
            return Err(StoreError::AheadOfLedger { applied, ledger: ledger_size });
        }
        Ok(())
    }

    /// The newest checkpoint; `None` before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn anchor(&self) -> Result<Option<Anchor>, StoreError> {
        Ok(self.mark().await?.anchor)
    }

    async fn mark(&self) -> Result<Mark, StoreError> {
        read(&sqlx::query(sql::META).fetch_one(&self.reads).await?)
    }
}

pub(crate) fn read(row: &SqliteRow) -> Result<Mark, StoreError> {
    let row = Reader::new(row, "meta", "key")?;
    let checkpoint = row.text("anchor")?;
    let size = row.number("anchor_size")?;
    let anchor = (!checkpoint.is_empty()).then_some(Anchor { size, checkpoint });
    Ok(Mark { settled: row.number("settled")?, anchor })
}
