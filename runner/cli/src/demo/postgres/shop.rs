//! The sample shop as a script for `psql`: schema, the rows of the SQLite shop, indexes.

use std::fmt::Write as _;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};

/// Tables in the order in which their foreign keys allow to fill them.
const TABLES: &[&str] =
    &["customers", "orders", "payments", "stock_reservations", "shipments", "events"];

/// The script.
pub(super) fn script(sqlite: &Path) -> anyhow::Result<String> {
    let db = Connection::open_with_flags(sqlite, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut text = format!("BEGIN;\n{}", include_str!("schema.sql"));
    for table in TABLES {
        writeln!(text, "COPY {table} FROM stdin;")?;
        rows(&db, table, &mut text)?;
        text.push_str("\\.\n");
    }
    text.push_str(include_str!("../shop/indexes.sql"));
    text.push_str("COMMIT;\nANALYZE;\n");
    Ok(text)
}

/// The rows of one table in COPY's text format.
fn rows(db: &Connection, table: &str, out: &mut String) -> anyhow::Result<()> {
    let mut statement = db.prepare(&format!("SELECT * FROM {table} ORDER BY id"))?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            if column > 0 {
                out.push('\t');
            }
            cell(row, column, out)?;
        }
        out.push('\n');
    }
    Ok(())
}

fn cell(row: &Row<'_>, column: usize, out: &mut String) -> anyhow::Result<()> {
    match row.get_ref(column)? {
        ValueRef::Null => out.push_str("\\N"),
        ValueRef::Integer(number) => write!(out, "{number}")?,
        ValueRef::Text(text) => {
            for c in std::str::from_utf8(text)?.chars() {
                match c {
                    '\\' => out.push_str("\\\\"),
                    '\t' => out.push_str("\\t"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    c => out.push(c),
                }
            }
        }
        other => anyhow::bail!("the sample shop has no column of type {}", other.data_type()),
    }
    Ok(())
}
