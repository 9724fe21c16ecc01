//! One query on one target: what the target's gate lets it read, and what comes of it.

use std::collections::BTreeSet;

use app::chain;
use domain::manifest::{Engine, Query};
use domain::{ColumnPath, ParamType, QueryLimits};
use executor::ports::{postgres_reads, sqlite_reads};
use serde::Serialize;
use targets::postgres::gate::{self, Chosen, Facts, Gated, Grant, How};
use targets::sqlite;
use trust::PolicyTarget;

/// What a query can touch and return on a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Touches {
    /// What it reads.
    pub(crate) tables: Vec<Table>,
    /// Tables that nothing joins with the others.
    pub(crate) apart: BTreeSet<String>,
    /// Its result columns.
    pub(crate) returns: Vec<Returned>,
    /// The functions that it calls.
    pub(crate) calls: BTreeSet<String>,
    /// What its text says of the number of rows.
    pub(crate) limit: Limit,
    /// Rows that one call returns at most.
    pub(crate) rows_call_max: u64,
    /// Calls a run at most.
    pub(crate) calls_max: u64,
    /// Rows a run at most.
    pub(crate) rows_max: u64,
    /// Bytes of cells a run at most.
    pub(crate) bytes_max: u64,
}

/// A table that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Table {
    /// As policy names it.
    pub(crate) table: String,
    /// Its columns that are looked at; none: its rows are counted.
    pub(crate) columns: Vec<Column>,
    /// Policy's row filter.
    pub(crate) filter: Option<String>,
    /// Which of its rows.
    pub(crate) rows: TableRows,
}

/// A column that is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: String,
    /// Policy's mask, in words.
    pub(crate) mask: Option<String>,
    /// Whether it is read without that mask.
    pub(crate) raw: bool,
}

/// Which rows of a table a query looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TableRows {
    /// No condition is about them.
    Every,
    /// Conditions name these columns.
    By(BTreeSet<String>),
    /// Those that are joined with what conditions choose.
    Joined,
    /// It is not known.
    Unsaid,
}

/// A result column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Returned {
    /// The name that the query gives it.
    pub(crate) name: String,
    /// How it is made; `null`: not known.
    pub(crate) made: Option<Made>,
    /// Of which columns: table and column.
    pub(crate) from: Vec<(String, String)>,
}

/// How a result column is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Made {
    /// It is a column as the query sees it.
    AsIs,
    /// It is a number of rows or values.
    Counted,
    /// Anything else.
    Computed,
}

/// What a query's own LIMIT says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Limit {
    /// Nothing.
    None,
    /// At most so many rows.
    AtMost(u64),
    /// As many rows as the parameter of this number says.
    Param(u32),
}

/// What a query can do on a target, within limits; and the parameters that its text does not use.
///
/// # Errors
/// The target would not run it: the gate's words, which quote no data.
pub(crate) fn touches(
    query: &Query,
    text: &str,
    target: &PolicyTarget,
    unmasked: &BTreeSet<ColumnPath>,
    limits: &QueryLimits,
) -> Result<(Touches, Vec<String>), String> {
    let view = View { target, unmasked };
    let (mut touches, used) = match target.engine {
        Engine::Postgres => postgres(query, text, &view)?,
        Engine::Sqlite => (sqlite(query, text, &view)?, None),
    };
    let all = limits.rows_total_max;
    touches.rows_call_max = match touches.limit {
        Limit::AtMost(rows) => rows.min(all),
        Limit::None | Limit::Param(_) => all,
    };
    touches.calls_max = limits.calls_max;
    touches.rows_max = all.min(touches.rows_call_max.saturating_mul(limits.calls_max));
    touches.bytes_max = limits.bytes_total_max;
    let is_used = |at: u32| used.as_ref().is_none_or(|used| used.contains(&at));
    let params = (1..).zip(&query.params).filter(|(at, _)| !is_used(*at));
    Ok((touches, params.map(|(at, param)| format!("${at} {}", param.name)).collect()))
}

/// A target as a run sees it that reads these columns raw.
struct View<'a> {
    target: &'a PolicyTarget,
    unmasked: &'a BTreeSet<ColumnPath>,
}

impl View<'_> {
    fn table(&self, table: String, columns: Vec<String>, rows: TableRows) -> Table {
        let column = |name: String| {
            let mask = self.target.mask(&table, &name);
            let is_asked = |path: ColumnPath| self.unmasked.contains(&path);
            let raw = mask.is_some_and(|m| m.unmask && m.path().is_some_and(is_asked));
            Column { name, mask: mask.map(|m| m.mask.to_string()), raw }
        };
        let columns = columns.into_iter().map(column).collect();
        let filter = self.target.row_filter(&table).map(str::to_owned);
        Table { table, columns, filter, rows }
    }
}

fn postgres(
    query: &Query,
    text: &str,
    view: &View<'_>,
) -> Result<(Touches, Option<BTreeSet<u32>>), String> {
    let refused = |e: &dyn std::error::Error| format!("{}: {}", query.file, chain(e));
    let types: Vec<ParamType> = query.params.iter().map(|p| p.param_type).collect();
    let relations = postgres_reads(view.target, view.unmasked).map_err(|e| refused(&e))?;
    let gated = gate::gate(text, &types, &Grant { relations, recursion: view.target.recursion })
        .map_err(|e| refused(&e))?;
    let facts = gated.facts().map_err(|e| refused(&e))?;
    let Gated { reads, calls, .. } = gated;
    let table = |relation: gate::Relation| {
        let name = format!("{}.{}", relation.schema, relation.name);
        let rows = rows_of(&facts, &name);
        view.table(name, relation.columns, rows)
    };
    let tables = reads.into_iter().map(table).collect();
    let Facts { uses: _, apart, outputs, rows, params } = facts;
    let returned = |output: gate::Output| Returned {
        name: output.name,
        made: Some(match output.how {
            How::AsIs => Made::AsIs,
            How::Counted => Made::Counted,
            How::Computed => Made::Computed,
        }),
        from: output.sources.into_iter().map(|s| (s.relation, s.column)).collect(),
    };
    let limit = match rows {
        gate::Rows::Many => Limit::None,
        gate::Rows::AtMost(rows) => Limit::AtMost(rows),
        gate::Rows::Param(number) => Limit::Param(number),
    };
    let returns = outputs.into_iter().map(returned).collect();
    Ok((unlimited(tables, apart, returns, calls, limit), Some(params)))
}

/// Of a relation that is named in several places the most that any of them looks at.
fn rows_of(facts: &Facts, relation: &str) -> TableRows {
    let mut rows = TableRows::Unsaid;
    for place in facts.uses.iter().filter(|place| place.relation == relation) {
        rows = match (rows, &place.chosen) {
            (_, Chosen::Every) => return TableRows::Every,
            (TableRows::By(mut columns), Chosen::By(more)) => {
                columns.extend(more.iter().cloned());
                TableRows::By(columns)
            }
            (_, Chosen::By(columns)) => TableRows::By(columns.clone()),
            (TableRows::By(columns), Chosen::Elsewhere) => TableRows::By(columns),
            (_, Chosen::Elsewhere) => TableRows::Joined,
        };
    }
    rows
}

/// SQLite tells what is read, and says little of how.
fn sqlite(query: &Query, text: &str, view: &View<'_>) -> Result<Touches, String> {
    let granted = sqlite_reads(view.target, view.unmasked)
        .map_err(|e| format!("{}: {}", query.file, chain(&e)))?;
    let outline = sqlite::outline(text, query.params.len(), &granted, view.target.recursion);
    let outline = outline.map_err(|e| {
        let words = e.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        format!("{}: {}{words}", query.file, chain(&e))
    })?;
    let sqlite::Outline { reads, columns, calls, has_condition, rows_max } = outline;
    let rows = if has_condition { TableRows::Unsaid } else { TableRows::Every };
    let table = |t: sqlite::TableReads| view.table(t.table, t.columns, rows.clone());
    let tables = reads.into_iter().map(table).collect();
    let returned = |name: String| Returned { name, made: None, from: Vec::new() };
    let returns = columns.into_iter().map(returned).collect();
    let limit = rows_max.map_or(Limit::None, Limit::AtMost);
    Ok(unlimited(tables, BTreeSet::new(), returns, calls, limit))
}

fn unlimited(
    tables: Vec<Table>,
    apart: BTreeSet<String>,
    returns: Vec<Returned>,
    calls: BTreeSet<String>,
    limit: Limit,
) -> Touches {
    let (rows_call_max, calls_max, rows_max, bytes_max) = (0, 0, 0, 0);
    Touches { tables, apart, returns, calls, limit, rows_call_max, calls_max, rows_max, bytes_max }
}
