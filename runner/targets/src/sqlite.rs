//! SQLite targets.
//!
//! Layers, each written as if the others had failed:
//! 1. [`text`]: one statement, `$n` parameters, no joins that the authorizer cannot see;
//! 2. [`open`]: a read-only handle, `query_only`, defensive settings, low engine limits, identity;
//! 3. [`views`]: the file is attached under a name that no statement can know; a granted table is a
//!    view of its granted columns, so `*` means these and `USING` compares these; in it a masked
//!    column is the [`mask`], and the row filter is fenced by LIMIT;
//! 4. [`grants`]: default-deny authorizer over the real compiler's reads and functions;
//! 5. [`bytecode`]: what the compiled program opens, compared with the grants a second time;
//! 6. [`statement`]: read-only check, time limit, cancellation, caps.
//!
//! No name of a schema means anything to a query: `main` is empty.
//!
//! WAL databases: SQLite needs the `-shm` file beside the database. A reader that finds none makes
//! it, so the runner's user needs write permission on the directory, or the database must be open
//! in its application while scripts run. A snapshot (backup or `VACUUM INTO`) has no such need and
//! is the better target. In rollback-journal mode a reader delays a writer's commit for as long as
//! a statement runs: keep `statement_ms_max` low.
//!
//! Timestamps: SQLite has no such type. A parameter of type `timestamptz` arrives as RFC 3339 text;
//! write `datetime($1)` to compare it with columns in SQLite's own form.

mod bytecode;
mod catalog;
mod filter;
mod grants;
mod mask;
mod names;
mod open;
mod reads;
mod session;
mod statement;
mod syntax;
mod text;
mod value;
mod views;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use domain::analysis::Catalog;
use domain::plan::Expected;
use domain::{Column, Mask, ParamType, QueryAnalysis, QueryName};

use crate::{Connector, HashKeys, Session, TargetError};

pub use filter::{Filter, FilterError};
pub use reads::{Outline, outline, reads};
pub use text::{NESTING_MAX, SQL_BYTES_MAX, gate};

/// One table or view and the columns of it that queries may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableReads {
    /// Its name. For a view, what it reads must be granted as well, without masks and row filters.
    pub table: String,
    /// Its visible columns; at least one.
    pub columns: Vec<String>,
    /// What is hidden of it.
    pub hidden: Hidden,
}

impl TableReads {
    /// A table of which every row and every listed column is shown.
    #[must_use]
    pub fn plain(table: &str, columns: Vec<String>) -> Self {
        Self { table: table.to_owned(), columns, hidden: Hidden::default() }
    }
}

/// What is hidden of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hidden {
    /// Masks, by names of its visible columns.
    pub masks: BTreeMap<String, Mask>,
    /// Which of its rows exist; all without one.
    pub filter: Option<Filter>,
    /// Columns that policy denies by name. They are not visible; a refusal says why.
    pub denied: BTreeSet<String>,
}

/// A SQLite target as policy and configuration describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteSpec {
    /// The database file; absolute.
    pub path: PathBuf,
    /// `PRAGMA application_id` of the file: its identity, checked before every statement.
    pub application_id: i32,
    /// The only tables and columns that any query can see.
    pub reads: Vec<TableReads>,
    /// What hashed columns are hashed with.
    pub keys: HashKeys,
    /// Milliseconds that one statement may take.
    pub statement_ms_max: u64,
}

/// What a target is and gives to queries, found without running any script's SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// As found in the file.
    pub application_id: i32,
    /// Each granted table with its visible columns and their declared types.
    pub tables: Vec<(String, Vec<Column>)>,
    /// Tables and views that no query can see.
    pub hidden_tables: usize,
}

/// Opens the target, compares its identity and its schema with the description, and says what
/// queries can reach. Blocks on file access.
///
/// # Errors
/// As [`Connector::open_session`].
pub fn check(spec: &SqliteSpec) -> Result<Reach, TargetError> {
    let open = open::open(spec)?;
    open.reach().map_err(|e| open.nameless(e))
}

/// Opens sessions on one SQLite target.
#[derive(Debug, Clone)]
pub struct SqliteConnector {
    spec: SqliteSpec,
}

impl SqliteConnector {
    /// A connector; nothing is opened yet.
    #[must_use]
    pub fn new(spec: SqliteSpec) -> Self {
        Self { spec }
    }
}

/// What a query that reads these tables comes to, by a catalog that has at least them.
#[must_use]
pub fn analyse(name: QueryName, reads: &[TableReads], catalog: &Catalog) -> QueryAnalysis {
    let columns = |t: &TableReads| {
        let shape = catalog.relations.iter().find(|r| r.name.eq_ignore_ascii_case(&t.table));
        // As the file writes them; policy may write them otherwise.
        let named = shape.into_iter().flat_map(|r| &r.columns).map(|c| &c.name);
        let is_read = |name: &&String| t.columns.iter().any(|c| c.eq_ignore_ascii_case(name));
        named.filter(is_read).cloned().collect()
    };
    let reads = reads.iter().map(|t| (t.table.clone(), columns(t))).collect();
    QueryAnalysis::of(name, catalog, &reads, &BTreeSet::new())
}

#[async_trait::async_trait]
impl Connector for SqliteConnector {
    async fn open_session(&self) -> Result<Box<dyn Session>, TargetError> {
        Ok(Box::new(session::SqliteSession::start(self.spec.clone()).await?))
    }

    async fn catalog(&self) -> Result<Catalog, TargetError> {
        let spec = self.spec.clone();
        let read = move || {
            let open = open::open(&spec)?;
            catalog::read(&open, &spec.reads).map_err(|e| open.nameless(e))
        };
        tokio::task::spawn_blocking(read).await.map_err(|_| TargetError::SessionLost)?
    }

    async fn plan(&self, sql: &str, params: &[ParamType]) -> Result<Option<Expected>, TargetError> {
        reads(sql, params.len(), &self.spec.reads)?;
        Ok(None)
    }
}
