//! What queries see instead of the file: for each granted table a view under its own name, over an
//! inner view under a random one, which alone may read the table.
//!
//! Two of them, because the authorizer knows a reader by name: if the file's columns were read for
//! whoever is called `users`, a CTE of that name would read them too.

use std::collections::BTreeSet;

use domain::Column;
use rusqlite::Connection;

use super::TableReads;
use super::names::Names;
use super::statement::failure;
use crate::TargetError;

/// A granted table in a session. Names are lower case, as SQLite compares them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    /// The table, and the outer view.
    pub(super) table: String,
    /// The inner view.
    pub(super) inner: String,
    /// The columns that queries may see.
    pub(super) columns: BTreeSet<String>,
}

/// Makes the views of the `n`-th granted table, which has the columns `all`.
pub(super) fn make(
    conn: &Connection,
    names: &Names,
    n: usize,
    reads: &TableReads,
    all: &[Column],
) -> Result<View, TargetError> {
    let granted = |c: &&Column| reads.columns.iter().any(|r| r.eq_ignore_ascii_case(&c.name));
    // In the table's order, which `*` keeps.
    let columns: Vec<&Column> = all.iter().filter(granted).collect();
    let listed: Vec<String> = columns.iter().map(|c| format!("t.{}", ident(&c.name))).collect();
    let (listed, inner, table) = (listed.join(", "), names.inner(n), ident(&reads.table));
    // Every name says whose it is, so that no CTE of a statement takes its place.
    conn.execute_batch(&format!(
        "CREATE TEMP VIEW {inner} AS SELECT {listed} FROM {}.{table} AS t;
         CREATE TEMP VIEW {table} AS SELECT {listed} FROM temp.{inner} AS t;",
        names.schema()
    ))
    .map_err(failure)?;
    Ok(View {
        table: reads.table.to_ascii_lowercase(),
        inner,
        columns: columns.iter().map(|c| c.name.to_ascii_lowercase()).collect(),
    })
}

pub(super) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
