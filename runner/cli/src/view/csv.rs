//! A result's table as CSV (RFC 4180), for spreadsheets and scripts.
//!
//! A cell never begins a formula when a spreadsheet opens the file: text that would gets an apostrophe
//! in front, unless it is a number. Control, escape and bidi characters are written visibly, a line
//! break in a cell as `\n`, so that a row is one line. Exactly what the script gave is in `--json`.

use domain::display::neutralise;
use domain::{Table, Value};

/// What begins a formula in some spreadsheet, the full-width forms included.
const FORMULAS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// The table's header and rows, each without its line end.
pub(crate) fn lines(table: &Table) -> impl Iterator<Item = String> + '_ {
    let header = line(table.columns.iter().map(|c| text(&c.name)));
    std::iter::once(header).chain(table.rows.iter().map(|row| line(row.iter().map(cell))))
}

fn line(cells: impl Iterator<Item = String>) -> String {
    cells.map(|cell| quoted(&cell)).collect::<Vec<_>>().join(",")
}

fn quoted(cell: &str) -> String {
    // A semicolon separates cells where commas are decimal points.
    if cell.contains(['"', ',', ';']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Boolean(b) => b.to_string(),
        Value::Int64(n) => n.to_string(),
        Value::Float64(n) => text(&n.to_string()),
        Value::Bytes(b) => hex::encode(b),
        Value::Decimal(s)
        | Value::Text(s)
        | Value::Uuid(s)
        | Value::Timestamp(s)
        | Value::Temporal(s)
        | Value::Json(s)
        | Value::Other(_, s) => text(s),
    }
}

/// Text that somebody else wrote.
fn text(text: &str) -> String {
    let shown = neutralise(text);
    if text.starts_with(FORMULAS) && !is_number(text) { format!("'{shown}") } else { shown }
}

/// Digits, point, sign and exponent only, and all together a number.
fn is_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || ".+-eE".contains(c)) && text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests;
