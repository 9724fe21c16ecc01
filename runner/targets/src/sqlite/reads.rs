//! What a query reads, found out without its target: the real compiler is asked, over empty tables of the
//! granted names.
//!
//! Advice for people who read a query before anybody runs it. A view of the target is a table here, so what
//! it reads in turn is not told; the rules are those of [`super::grants`], which count again at the target.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::hooks::{AuthAction, Authorization};

use super::open::Open;
use super::statement::{self, failure};
use super::{Hidden, TableReads, text};
use crate::TargetError;

/// Names of tables with the columns that were asked for, lower case.
type Asked = BTreeMap<String, BTreeSet<String>>;

/// What a query comes to, as far as its tokens and the compiler tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The tables and columns that it reads, of those that are granted.
    pub reads: Vec<TableReads>,
    /// The names that it gives its result columns.
    pub columns: Vec<String>,
    /// The functions that it calls, lower case.
    pub calls: BTreeSet<String>,
    /// Whether any condition can leave rows out. One that is always true is one, too.
    pub has_condition: bool,
    /// At most so many rows, where it ends with LIMIT and a number.
    pub rows_max: Option<u64>,
}

/// The tables and columns that a query with `params` parameters reads, of those that are granted, and with
/// their row filters; `recursion` is whether it may recurse.
///
/// # Errors
/// As the target would refuse it; the detail has the compiler's words, which quote no data here.
pub fn reads(
    sql: &str,
    params: usize,
    granted: &[TableReads],
    recursion: bool,
) -> Result<Vec<TableReads>, TargetError> {
    outline(sql, params, granted, recursion).map(|outline| outline.reads)
}

/// What a query with `params` parameters comes to.
///
/// # Errors
/// As [`reads`].
pub fn outline(
    sql: &str,
    params: usize,
    granted: &[TableReads],
    recursion: bool,
) -> Result<Outline, TargetError> {
    let reading = text::read(sql, params)?;
    let open = Open::empty(granted, recursion)?;
    let grants = open.grants()?;
    statement::check_using(&grants, &reading)?;
    let asked: Arc<Mutex<Asked>> = Arc::default();
    let called: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let (rules, notes, calls) = (grants, Arc::clone(&asked), Arc::clone(&called));
    let authorizer = move |context: rusqlite::hooks::AuthContext<'_>| {
        let verdict = rules.authorize(&context);
        if let AuthAction::Function { function_name } = context.action {
            let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.insert(function_name.to_ascii_lowercase());
        }
        if let (Authorization::Allow, AuthAction::Read { table_name, column_name }) =
            (verdict, context.action)
        {
            // Below our views every column of theirs is asked for, whether a query wants it or not.
            if context.database_name == Some("temp") || column_name.is_empty() {
                let mut asked = notes.lock().unwrap_or_else(PoisonError::into_inner);
                let columns = asked.entry(table_name.to_ascii_lowercase()).or_default();
                columns.insert(column_name.to_ascii_lowercase());
            }
        }
        verdict
    };
    open.conn.authorizer(Some(authorizer)).map_err(failure)?;
    let prepared = statement::prepare(&open.conn, sql).map_err(|e| open.told(e, &reading))?;
    let columns = prepared.column_names().into_iter().map(str::to_owned).collect();
    drop(prepared);
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    let none = BTreeSet::new();
    let of_table = |table: &TableReads| {
        let name = table.table.to_ascii_lowercase();
        // Joining by USING asks for nothing, not even whether there is such a table.
        let joined = !reading.using.is_empty() && reading.names.contains(&name);
        let columns = asked.get(&name).or_else(|| joined.then_some(&none))?;
        let is_read = |c: &&String| {
            let column = c.to_ascii_lowercase();
            columns.contains(&column) || reading.using.contains(&column)
        };
        let columns = table.columns.iter().filter(is_read).cloned().collect();
        let hidden = Hidden { filter: table.hidden.filter.clone(), ..Hidden::default() };
        Some(TableReads { table: table.table.clone(), columns, hidden })
    };
    let reads = granted.iter().filter_map(of_table).collect();
    let calls = called.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (has_condition, rows_max) = (reading.has_condition, reading.limit);
    Ok(Outline { reads, columns, calls, has_condition, rows_max })
}
