//! The golden file's form: a section for each operation, a line for each row.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::rows::{COLUMNS, Cell};

/// Characters of a row's name, and of a cell.
const NAME_CHARS: usize = 60;
const CELL_CHARS: usize = 9;
/// Characters of a line that has no cells.
const LINE_CHARS: usize = 160;

const HEAD: &str = "\
Who may do what: every operation, called over HTTP by everybody. Columns are relations to one script:
alice and ada submitted it, bob reviewed it, cleo asks to run it, vera approved that; rhea is in the
group that reads results; otto owns the agent bot and the service ci; all of these but rhea are in the
one group that may run, review and approve. mallory is enrolled and in no group. carol holds every role
of the keyring and is in no group. nobody has no token and no key that anybody knows.

A cell is the HTTP status; `ran` and `no` are runs, which succeeded or were denied. Codes, and rules of
denials, are at the end of the line; letters tell several of them apart. `active key; second key: …`
means that both give the same line.
";

/// One operation.
pub(super) struct Section {
    name: String,
    rows: Vec<Row>,
}

struct Row {
    about: String,
    ways: Vec<String>,
    cells: Vec<Cell>,
}

impl Section {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), rows: Vec::new() }
    }

    /// Adds a row, or one more way to the row about the same with the same cells.
    pub(super) fn add(&mut self, about: &str, how: &str, cells: Vec<Cell>) {
        let same = |row: &&mut Row| row.about == about && row.cells == cells && !how.is_empty();
        match self.rows.iter_mut().find(same) {
            Some(row) => row.ways.push(how.to_owned()),
            None => {
                let ways = vec![how.to_owned()];
                self.rows.push(Row { about: about.to_owned(), ways, cells });
            }
        }
    }

    /// Cells in which the server failed.
    pub(super) fn failures(&self) -> Vec<String> {
        let failed = |row: &Row| row.cells.iter().any(|cell| cell.status >= 500);
        let rows = self.rows.iter().filter(|row| failed(row));
        rows.map(|row| format!("{}: {}", self.name, row.about)).collect()
    }
}

/// What a cell shows, before letters tell different codes apart.
fn base(cell: &Cell) -> String {
    match cell.what.as_str() {
        "succeeded" => "ran".to_owned(),
        what if what.starts_with("denied ") => "no".to_owned(),
        _ => cell.status.to_string(),
    }
}

/// The shown cells, and what they stand for.
fn shown(cells: &[Cell]) -> (Vec<String>, String) {
    let mut codes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for cell in cells {
        let whats = codes.entry(base(cell)).or_default();
        if !whats.contains(&cell.what.as_str()) {
            whats.push(&cell.what);
        }
    }
    let letter = |at: usize| char::from(b'a' + u8::try_from(at).unwrap_or(25));
    let name = |base: &str, what: &str| match &codes[base][..] {
        [_] => base.to_owned(),
        several => {
            let at = several.iter().position(|w| *w == what).unwrap_or(0);
            format!("{base}{}", letter(at))
        }
    };
    let cells = cells.iter().map(|cell| name(&base(cell), &cell.what)).collect();
    let mut legend = String::new();
    for (base, whats) in &codes {
        for what in whats.iter().filter(|what| !what.is_empty() && **what != "succeeded") {
            let plain = what.strip_prefix("denied ").unwrap_or(what);
            let _ = write!(legend, "  {} {plain}", name(base, what));
        }
    }
    (cells, legend)
}

fn line(out: &mut String, name: &str, cells: &[String], legend: &str) {
    let mut text = format!("{name:<NAME_CHARS$}");
    if name.chars().count() >= NAME_CHARS {
        text.push(' ');
    }
    for cell in cells {
        let _ = write!(text, "{cell:<CELL_CHARS$}");
    }
    text.push_str(legend);
    out.push_str(text.trim_end());
    out.push('\n');
}

/// A name over as many lines as it needs.
fn folded(out: &mut String, name: &str) {
    let mut written = 0;
    for part in name.split_inclusive("; ") {
        if written > 0 && written + part.len() > LINE_CHARS {
            out.truncate(out.trim_end().len());
            out.push_str("\n  ");
            written = 2;
        }
        out.push_str(part);
        written += part.len();
    }
    out.push('\n');
}

pub(super) fn render(sections: &[Section]) -> String {
    let mut out = HEAD.to_owned();
    let relations: Vec<String> = COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for section in sections {
        out.push('\n');
        line(&mut out, &section.name, &relations, "");
        for row in &section.rows {
            let (cells, legend) = shown(&row.cells);
            let ways = row.ways.join("; ");
            let name = match (row.about.as_str(), ways.as_str()) {
                (about, "") => format!("  {about}"),
                ("", ways) => format!("  {ways}"),
                (about, ways) => format!("  {about}, {ways}"),
            };
            // A long name has its cells on a line of their own.
            if name.chars().count() >= NAME_CHARS {
                folded(&mut out, &name);
                line(&mut out, "", &cells, &legend);
            } else {
                line(&mut out, &name, &cells, &legend);
            }
        }
    }
    out
}
