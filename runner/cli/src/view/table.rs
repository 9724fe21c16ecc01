//! Tables of results and of lists, drawn with thin rules.

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table as Drawn,
    TableStyle, Width,
};
use domain::Table;
use domain::display::{neutralise, shorten};

use super::cells::{cell, is_number};
use crate::out::width;

/// Rows of a result that are shown; `show RUN --table` has all of them.
pub(crate) const ROWS_SHOWN_MAX: usize = 50;

/// Characters of a table's or column's name that are shown.
const NAME_CHARS_MAX: usize = 200;

/// Only a line under the header: what is copied out of it stays readable.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));

/// Columns between two columns.
const GAP: u16 = 2;
/// Columns of a date; the time goes below it.
const DATE: u16 = 10;
/// Long text gets at least so many columns.
const LONG_MIN: u16 = 12;

/// A result's table as lines: its name, its first rows, and how many there are. It leaves `indent`
/// columns free; `all` is the command that gives every row.
pub(crate) fn result(
    table: &Table,
    rows_max: usize,
    indent: u16,
    all: Option<&str>,
) -> Vec<String> {
    let mut drawn = empty(indent);
    drawn.set_header(table.columns.iter().map(|c| name(&c.name)));
    for row in table.rows.iter().take(rows_max) {
        drawn.add_row(row.iter().map(|value| {
            let text = Cell::new(cell(value));
            if is_number(value) { text.set_alignment(CellAlignment::Right) } else { text }
        }));
    }
    fit(&mut drawn);
    let total = table.rows.len();
    let mut out = vec![format!("{} ({})", name(&table.name), super::count(total as u64, "row"))];
    out.extend(lines(&drawn));
    if total > rows_max {
        let all = all.map_or_else(String::new, |all| format!(": {all}"));
        out.push(format!("… and {} more{all}", super::number((total - rows_max) as u64)));
    }
    out
}

/// A name that a script chose.
fn name(text: &str) -> String {
    shorten(&neutralise(text), NAME_CHARS_MAX)
}

fn lines(drawn: &Drawn) -> Vec<String> {
    drawn.trim_fmt().lines().map(str::to_owned).collect()
}

/// A list with a header, as lines; the texts are neutralised here.
pub(crate) fn list<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let mut drawn = empty(0);
    drawn.set_header(header);
    for row in rows {
        drawn.add_row(row.iter().map(|text| neutralise(text)));
    }
    fit(&mut drawn);
    lines(&drawn)
}

/// A list whose last column is what to type. It is there to be copied, so where it does not fit beside
/// the others it has a line of its own.
pub(crate) fn actions(header: [&str; 4], rows: &[[String; 4]]) -> Vec<String> {
    let wide = list(header, rows);
    let whole = |lines: &[String]| lines.len() == rows.len() + 2;
    if whole(&wide) {
        return wide;
    }
    let [what, which, whose, _] = header;
    let others: Vec<_> =
        rows.iter().map(|[a, b, c, _]| [a.clone(), b.clone(), c.clone()]).collect();
    let mut lines = list([what, which, whose], &others);
    if !whole(&lines) {
        return wide;
    }
    let rest = lines.split_off(lines.len() - rows.len());
    for (line, [.., next]) in rest.into_iter().zip(rows) {
        lines.extend([line, format!("  {}", neutralise(next))]);
    }
    lines
}

/// Where a table is too wide: points in time break after the date, and short columns stay on one
/// line, so that only long text is broken.
fn fit(drawn: &mut Drawn) {
    let mut widths = drawn.column_max_content_widths();
    for column in drawn.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    let mut left = drawn.width().unwrap_or_default();
    let whole: u16 = widths.iter().map(|w| w.saturating_add(GAP)).sum();
    if whole <= left {
        return;
    }
    for (i, width) in widths.iter_mut().enumerate() {
        if is_time(drawn, i) && *width > DATE {
            let header = drawn.column_cells_with_header_iter(i).next().flatten();
            let header = header.map_or(0, |cell| cell.content().chars().count());
            *width = DATE.max(u16::try_from(header).unwrap_or(DATE)).min(*width);
            if let Some(column) = drawn.column_mut(i) {
                column.set_delimiter('T');
            }
        }
    }
    let mut order: Vec<usize> = (0..widths.len()).collect();
    order.sort_by_key(|i| widths[*i]);
    for (done, i) in order.iter().enumerate() {
        let others = u16::try_from(order.len() - done - 1).unwrap_or(u16::MAX);
        let taken = widths[*i].saturating_add(GAP);
        let rest = left.saturating_sub(taken);
        if taken > left || rest < others.saturating_mul(LONG_MIN + GAP) {
            break;
        }
        if let Some(column) = drawn.column_mut(*i) {
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(taken)));
        }
        left = rest;
    }
}

/// Whether all cells of a column are points in time, as `2026-10-06T15:33:22Z`.
fn is_time(drawn: &Drawn, column: usize) -> bool {
    let is_time =
        |text: &str| text.len() == 20 && text.as_bytes()[10] == b'T' && text.ends_with('Z');
    drawn.column_cells_iter(column).all(|cell| cell.is_some_and(|cell| is_time(&cell.content())))
}

fn empty(indent: u16) -> Drawn {
    let mut drawn = Drawn::new();
    drawn.load_style(STYLE);
    drawn.set_content_arrangement(ContentArrangement::Dynamic);
    // On a terminal the table takes its width; a file gets what an 80-column terminal shows.
    let width = drawn.width().unwrap_or(u16::try_from(width()).unwrap_or(u16::MAX));
    drawn.set_width(width.saturating_sub(indent));
    drawn
}

#[cfg(test)]
mod tests;
