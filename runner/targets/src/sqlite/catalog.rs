//! The file's schema as an analysis has it. SQLite has no functions of users and no types, so a table is
//! its columns with what they were declared as, and a view is the text of all views: any of them may be
//! what it rests on. The tables below it are granted, so queries that read them say what they are.

use domain::Digest;
use domain::analysis::{Catalog, ColumnShape, RelationKind, RelationShape};

use super::TableReads;
use super::open::Open;
use super::statement::failure;
use crate::TargetError;

/// What the schema has of `reads`: all their columns. A table that is not there is left out.
///
/// # Errors
/// As a statement of ours.
pub(super) fn read(open: &Open, reads: &[TableReads]) -> Result<Catalog, TargetError> {
    let mut relations = Vec::new();
    for TableReads { table, .. } in reads {
        relations.extend(relation(open, table)?);
    }
    relations.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Catalog { relations, functions: Vec::new() })
}

fn relation(open: &Open, table: &str) -> Result<Option<RelationShape>, TargetError> {
    let columns = open.columns(table)?;
    if columns.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT type FROM {}.sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')",
        open.names.schema()
    );
    let kind = open.conn.query_row(&sql, [table], |row| row.get::<_, String>(0));
    let is_view = kind.map_err(failure)? == "view";
    let shape =
        |c: domain::Column| ColumnShape { name: c.name, db_type: c.db_type, definition: None };
    Ok(Some(RelationShape {
        name: table.to_owned(),
        kind: if is_view { RelationKind::View } else { RelationKind::Table },
        definition: if is_view { Some(texts(open)?) } else { None },
        row_security: None,
        columns: columns.into_iter().map(shape).collect(),
    }))
}

/// Of the text of every view.
fn texts(open: &Open) -> Result<Digest, TargetError> {
    let sql = format!(
        "SELECT name, coalesce(sql, '') FROM {}.sqlite_schema WHERE type = 'view' ORDER BY name",
        open.names.schema()
    );
    let mut statement = open.conn.prepare(&sql).map_err(failure)?;
    let mut rows = statement.query([]).map_err(failure)?;
    let mut all: Vec<[String; 2]> = Vec::new();
    while let Some(row) = rows.next().map_err(failure)? {
        let text = |at| row.get::<_, String>(at).map_err(failure);
        all.push([text(0)?, text(1)?]);
    }
    // Quoted, so that no text can pass for the end of another.
    Ok(Digest::of(format!("{all:?}").as_bytes()))
}
