//! What happened, for search: rows that `app` makes from ledger entries, and that can be made again.

use domain::{PersonId, RunId};
use sqlx::sqlite::SqliteRow;

use crate::row::{Reader, int};
use crate::{Store, StoreError, Tx, sql};

/// One event of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// The ledger entry.
    pub index: u64,
    /// When, Unix milliseconds.
    pub at_ms: u64,
    /// The kind of event, as the ledger's leaves name it.
    pub kind: String,
    /// Who did it, when one person did.
    pub person: Option<PersonId>,
    /// The run that it belongs to.
    pub run: Option<RunId>,
    /// What it is about: ids, digests and names.
    pub subjects: Vec<String>,
}

/// Which events to list; `None` means any.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Done by this person.
    pub person: Option<PersonId>,
    /// Of this kind.
    pub kind: Option<String>,
    /// About this, exactly.
    pub subject: Option<String>,
    /// Not before, Unix milliseconds.
    pub from_ms: Option<u64>,
    /// Before, Unix milliseconds.
    pub until_ms: Option<u64>,
    /// Below this ledger index: the next page.
    pub before: Option<u64>,
}

impl Tx {
    /// Adds an event; one that is there stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_audit(&mut self, event: &AuditRow) -> Result<(), StoreError> {
        let index = int(event.index, "a ledger index")?;
        let subjects = serde_json::to_string(&event.subjects);
        let subjects = subjects.map_err(|_| StoreError::TooLarge { what: "an audit event" })?;
        let done = sqlx::query(sql::INSERT_AUDIT)
            .bind(index)
            .bind(int(event.at_ms, "a time")?)
            .bind(&event.kind)
            .bind(event.person.as_ref().map(PersonId::as_str))
            .bind(event.run.as_ref().map(RunId::as_str))
            .bind(subjects)
            .execute(&mut *self.inner)
            .await?;
        if done.rows_affected() == 1 {
            for subject in &event.subjects {
                let query = sqlx::query(sql::INSERT_AUDIT_SUBJECT).bind(subject).bind(index);
                query.execute(&mut *self.inner).await?;
            }
        }
        Ok(())
    }
}

impl Store {
    /// The events that match, newest first, at most `rows_max`.
    ///
    /// # Errors
    /// When the database fails, a row is corrupt, or a bound is more than SQLite counts.
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        rows_max: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let bound = |n: Option<u64>, what| n.map(|n| int(n, what)).transpose();
        let query = sqlx::query(sql::AUDIT)
            .bind(filter.person.as_ref().map(PersonId::as_str))
            .bind(&filter.kind)
            .bind(&filter.subject)
            .bind(bound(filter.from_ms, "a time")?)
            .bind(bound(filter.until_ms, "a time")?)
            .bind(bound(filter.before, "a ledger index")?)
            .bind(rows_max);
        query.fetch_all(&self.reads).await?.iter().map(read).collect()
    }
}

fn read(row: &SqliteRow) -> Result<AuditRow, StoreError> {
    let row = Reader::new(row, "audit", "key")?;
    Ok(AuditRow {
        index: row.number("ledger_index")?,
        at_ms: row.number("at_ms")?,
        kind: row.text("kind")?,
        person: row.parse_opt("person")?,
        run: row.parse_opt("run")?,
        subjects: row.json("subjects")?,
    })
}
