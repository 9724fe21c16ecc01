//! What can go wrong in the store, and whose fault it is.

use domain::Digest;
use domain::run::IllegalMove;

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite or its file failed: the operator's disk, or a bug of ours.
    #[error("the store's database failed; check its disk and permissions")]
    Database(#[source] sqlx::Error),
    /// The schema cannot be brought to this version: an applied migration was edited or is unknown.
    #[error(
        "the store's schema is not this program's; start the version that wrote it, or restore the database"
    )]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// A stored row does not parse: somebody edited the database.
    #[error(
        "the row {key} of {table} is corrupt: {column} {problem}; restore the database, or delete it to rebuild it from the ledger"
    )]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: String,
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The name is taken by something else.
    #[error("{what} {key} exists with digest {existing}")]
    Conflict {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        key: String,
        /// The digest of what has the name now.
        existing: Digest,
    },
    /// There is one already, and it has no digest to compare.
    #[error("{what} {key} exists")]
    Exists {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        key: String,
    },
    /// A write found nothing to change.
    #[error("there is no {what} {key}")]
    Absent {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        key: String,
    },
    /// A named limit is reached; the caller may retry later.
    #[error("there are {max} {what} already; try again in a minute")]
    Full {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        max: u32,
    },
    /// A run would make a move that no run makes.
    #[error("run {run} does not move")]
    Move {
        /// The run.
        run: String,
        /// Which move.
        source: IllegalMove,
    },
    /// A bug of ours: a document or revision is written only as the projection of a ledger entry.
    #[error("{what} is written without a ledger entry; append to the ledger first")]
    NoLedgerEntry {
        /// What was to be written.
        what: &'static str,
    },
    /// A bug of ours, or a second process: the mark in the ledger only goes forward.
    #[error(
        "the store has more than {size} entries or a newer checkpoint than that of {anchor}; one process owns it"
    )]
    Backwards {
        /// The size that was to be settled.
        size: u64,
        /// The size that the checkpoint covers.
        anchor: u64,
    },
    /// The store knows entries that the ledger does not have: rows without an entry.
    #[error(
        "the store projects {applied} ledger entries, the ledger has {ledger}: the ledger was cut or is another one; restore it"
    )]
    AheadOfLedger {
        /// One more than the highest projected index.
        applied: u64,
        /// The ledger's size.
        ledger: u64,
    },
    /// A value that SQLite's 64-bit integers do not hold.
    #[error("{what} is too large for the store")]
    TooLarge {
        /// Which value.
        what: &'static str,
    },
}

impl From<sqlx::Error> for StoreError {
    fn from(e: sqlx::Error) -> Self {
        Self::Database(e)
    }
}
