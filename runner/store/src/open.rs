//! Opening the database: settings, migrations, the refusal to start on a strange schema.

use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::{StoreError, sql};

/// Embedded at build; an applied migration is never edited, only followed by another.
static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// Connections that only read, beside the one that writes.
const READERS_MAX: u32 = 8;
/// How long a writer waits for another process, as a backup; longer means that the disk hangs.
const BUSY_MS_MAX: u64 = 5_000;

/// The control plane's state. Cheap to clone; all clones share its connections.
///
/// SQLite lets one connection write at a time, and makes the others sleep and try again. So there is
/// one: who wants to write waits for it in turn, woken when it is free.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) reads: SqlitePool,
    pub(crate) writes: SqlitePool,
}

impl Store {
    /// Opens or creates the database at `path` and brings it to this program's schema.
    ///
    /// `synchronous=NORMAL` with WAL: a power cut may take the last commits, never a part of one and
    /// never an earlier one before a later one. What it takes is projected again from the ledger,
    /// which syncs for itself; a lost session logs in again, a lost idempotency key meets the
    /// ledger's own uniqueness, and a challenge that reappears expires within its minute.
    ///
    /// # Errors
    /// When the file cannot be opened, or an applied migration was edited or is unknown.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_millis(BUSY_MS_MAX))
            .pragma("trusted_schema", "OFF");
        let pool = |max| SqlitePoolOptions::new().max_connections(max);
        let writes = pool(1).connect_with(options.clone()).await?;
        MIGRATIONS.run(&writes).await.map_err(StoreError::Migration)?;
        // One process owns the database: a call that was at work when it died will not answer.
        sqlx::query(sql::ABANDON_ALL).execute(&writes).await?;
        let reads = pool(READERS_MAX).connect_with(options.pragma("query_only", "ON")).await?;
        Ok(Self { reads, writes })
    }

    /// Whether the database answers; for readiness.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query(sql::META).fetch_one(&self.reads).await?;
        Ok(())
    }

    /// Closes all connections; the last one writes the WAL back.
    pub async fn close(&self) {
        self.reads.close().await;
        self.writes.close().await;
    }
}
