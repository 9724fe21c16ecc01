//! What queries see instead of the file: for each granted table a view under its own name, over an
//! inner view under a random one, which alone may read the table and compute masks.
//!
//! Two of them, because the authorizer knows a reader by name: if the file's columns were read for
//! whoever is called `users`, a CTE of that name would read them too.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use domain::Column;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, Error};

use super::filter;
use super::mask::Masker;
use super::names::Names;
use super::statement::failure;
use super::{Filter, TableReads};
use crate::{HashKeys, TargetError};

/// A granted table in a session. Names are lower case, as SQLite compares them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct View {
    /// The table, and the outer view.
    pub(super) table: String,
    /// The inner view.
    pub(super) inner: String,
    /// The columns that queries may see.
    pub(super) columns: BTreeSet<String>,
    /// The columns that the inner view reads: these, and what the row filter names.
    pub(super) inside: BTreeSet<String>,
    /// The columns that anybody sees as they are, in every row.
    pub(super) raw: BTreeSet<String>,
    /// The functions that compute its masks.
    pub(super) masks: BTreeSet<String>,
    /// Whether some rows are hidden.
    pub(super) is_filtered: bool,
}

/// Makes the views of granted tables.
pub(super) struct Maker<'a> {
    pub(super) conn: &'a Connection,
    pub(super) names: &'a Names,
    pub(super) keys: &'a HashKeys,
}

impl Maker<'_> {
    /// Makes those of the `n`-th one, which has the columns `all`.
    pub(super) fn make(
        &self,
        n: usize,
        reads: &TableReads,
        all: &[Column],
    ) -> Result<View, TargetError> {
        let (inner, table) = (self.names.inner(n), ident(&reads.table));
        let mut view = View {
            table: lower(&reads.table),
            inner: inner.clone(),
            is_filtered: reads.hidden.filter.is_some(),
            ..View::default()
        };
        let mut shown = Vec::new();
        let granted = |c: &&Column| reads.columns.iter().any(|r| r.eq_ignore_ascii_case(&c.name));
        // In the table's order, which `*` keeps.
        for (i, column) in all.iter().filter(granted).enumerate() {
            let (name, key) = (ident(&column.name), lower(&column.name));
            let mask =
                reads.hidden.masks.iter().find(|(c, _)| c.eq_ignore_ascii_case(&column.name));
            match mask {
                None => {
                    shown.push(format!("t.{name}"));
                    view.raw.insert(key.clone());
                }
                Some((_, mask)) => {
                    let function = self.names.mask(n, i);
                    self.register(&function, Masker::new(mask, self.keys)).map_err(failure)?;
                    shown.push(format!("{function}(t.{name}) AS {name}"));
                    view.masks.insert(function);
                }
            }
            view.columns.insert(key);
        }
        view.inside.clone_from(&view.columns);
        let mut only = String::new();
        if let Some(filter) = &reads.hidden.filter {
            view.inside.extend(self.columns_of(filter, reads)?);
            view.raw.clear();
            // The fence: without a LIMIT, SQLite computes a query's conditions on hidden rows, too.
            only = format!(" WHERE {} LIMIT -1", filter.sql());
        }
        let listed: Vec<String> =
            all.iter().filter(granted).map(|c| format!("t.{}", ident(&c.name))).collect();
        // Every name says whose it is, so that no CTE of a statement takes its place.
        self.conn
            .execute_batch(&format!(
                "CREATE TEMP VIEW {inner} AS SELECT {} FROM {}.{table} AS t{only};
                 CREATE TEMP VIEW {table} AS SELECT {} FROM temp.{inner} AS t;",
                shown.join(", "),
                self.names.schema(),
                listed.join(", ")
            ))
            .map_err(failure)?;
        Ok(view)
    }

    fn register(&self, function: &str, masker: Masker) -> rusqlite::Result<()> {
        let compute = move |context: &Context<'_>| {
            masker.apply(context.get_raw(0)).map_err(|e| Error::UserFunctionError(e.into()))
        };
        // Innocuous, so that a view may call it; the authorizer lets its own view only.
        let flags = FunctionFlags::SQLITE_UTF8
            | FunctionFlags::SQLITE_DETERMINISTIC
            | FunctionFlags::SQLITE_INNOCUOUS;
        self.conn.create_scalar_function(function, 1, flags, compute)
    }

    /// The columns that a row filter names; nothing but its table's.
    fn columns_of(&self, filter: &Filter, reads: &TableReads) -> Result<Vec<String>, TargetError> {
        let columns: Arc<Mutex<Vec<String>>> = Arc::default();
        let (notes, table) = (Arc::clone(&columns), reads.table.clone());
        let schema = self.names.schema();
        let rules = move |asked: AuthContext<'_>| {
            let allowed = match asked.action {
                // What a view of the file reads in turn is judged with each statement.
                _ if asked.accessor.is_some() => true,
                AuthAction::Select => true,
                AuthAction::Function { function_name } => filter::may_call(function_name),
                AuthAction::Read { table_name, column_name } => {
                    let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
                    notes.push(lower(column_name));
                    asked.database_name == Some(&*schema) && table.eq_ignore_ascii_case(table_name)
                }
                _ => false,
            };
            if allowed { Authorization::Allow } else { Authorization::Deny }
        };
        let sql = format!(
            "SELECT 1 FROM {}.{} AS t WHERE {}",
            self.names.schema(),
            ident(&reads.table),
            filter.sql()
        );
        self.conn.authorizer(Some(rules)).map_err(failure)?;
        let compiled = self.conn.prepare(&sql).map(drop);
        let none = None::<fn(AuthContext<'_>) -> Authorization>;
        self.conn.authorizer(none).map_err(failure)?;
        compiled.map_err(|e| {
            let words = failure(e);
            let words = words.detail().unwrap_or_default();
            let problem = format!(
                "the row filter of {} names something other than its columns and functions that cannot \
                 fail on a row: {}",
                reads.table,
                self.names.hide(words)
            );
            TargetError::Config { problem }
        })?;
        let columns = columns.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(columns.clone())
    }
}

pub(super) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn lower(name: &str) -> String {
    name.to_ascii_lowercase()
}
