//! Blast radius in plain words, for people who need not know SQL well.
//!
//! Names that a query makes up are quoted unless they are plain, and have no blanks: no name begins a line
//! or ends a sentence here.

use domain::display::{neutralise, shorten};
use domain::{QueryName, Scope};

use crate::dossier::Dossier;
use crate::out::{Out, Style, hang, hang_at, width};
use crate::view::revision::Told;
use crate::view::{bytes, count, number};

use super::touches::{Column, Limit, Made, Returned, Table, TableRows, Touches};
use super::{Blast, OfQuery, Outcome, Script, Totals};

/// Characters of a name that a query makes up.
const NAME_CHARS_MAX: usize = 64;
/// Functions that put many values into one cell, so that a number of rows says little.
const COLLECTING: [&str; 12] = [
    "array_agg",
    "group_concat",
    "json_agg",
    "json_group_array",
    "json_group_object",
    "json_object_agg",
    "jsonb_agg",
    "jsonb_group_array",
    "jsonb_group_object",
    "jsonb_object_agg",
    "range_agg",
    "string_agg",
];

/// Each query's lines.
pub(crate) fn of_queries(blast: &Blast, out: Out) -> Told {
    blast.queries.iter().map(|query| (query.name.clone(), of_query(query, out))).collect()
}

fn of_query(query: &OfQuery, out: Out) -> Vec<String> {
    let mut lines = Vec::new();
    if !query.unused.is_empty() {
        let unused = query.unused.join(", ");
        let what = format!("its text does not use {unused}: what is passed there changes nothing");
        lines.extend(hang_at(6, "  ", &out.style(Style::Warn, &what), width()));
    }
    if query.on.is_empty() {
        let what = "it is not within the ceiling, so it would not run";
        lines.extend(hang_at(6, "  ", what, width()));
    }
    for on in &query.on {
        let targets: Vec<&str> = on.targets.iter().map(AsRef::as_ref).collect();
        let place = format!("on {}: ", targets.join(", "));
        match &on.outcome {
            Outcome::Refused { refused } => {
                let what = format!("{place}would be refused: {}", neutralise(refused));
                lines.extend(hang_at(6, "  ", &out.style(Style::Bad, &what), width()));
            }
            Outcome::Reaches(reach) => {
                lines.extend(hang_at(6, "  ", &format!("{place}{}", reads(reach)), width()));
                lines.extend(more(reach, out));
            }
        }
    }
    lines
}

fn reads(reach: &Touches) -> String {
    if reach.tables.is_empty() {
        return "reads no table".to_owned();
    }
    let tables: Vec<String> = reach.tables.iter().map(table).collect();
    format!("reads {}", tables.join("; "))
}

fn table(table: &Table) -> String {
    let filter = table.filter.as_ref();
    let only = filter.map_or_else(String::new, |f| format!(", only rows with {}", neutralise(f)));
    let name = neutralise(&table.table);
    if table.columns.is_empty() {
        return format!("{name} (its rows are counted){only}");
    }
    let column = |Column { name, mask, raw }: &Column| match mask {
        None => neutralise(name),
        Some(_) if *raw => format!("{} (RAW, WITHOUT ITS MASK)", neutralise(name)),
        Some(mask) => format!("{} (masked: {})", neutralise(name), neutralise(mask)),
    };
    let columns: Vec<String> = table.columns.iter().map(column).collect();
    format!("{name}: {}{only}", columns.join(", "))
}

/// Which rows, what comes back, how much, and by which functions.
fn more(reach: &Touches, out: Out) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |label: &str, what: &str| lines.extend(hang(label, what, width()));
    let rows = rows(reach, out);
    if !rows.is_empty() {
        say("    rows    ", &rows);
    }
    say("    returns ", &returns(reach));
    say("    at most ", &at_most(reach));
    if !reach.calls.is_empty() {
        say("    calls   ", &calls(reach, out));
    }
    lines
}

/// Which rows of each table; nothing where it is not known.
fn rows(reach: &Touches, out: Out) -> String {
    let names = |rows: fn(&TableRows) -> bool| {
        let fits = reach.tables.iter().filter(|table| rows(&table.rows));
        fits.map(|table| neutralise(&table.table)).collect::<Vec<_>>()
    };
    let mut said = Vec::new();
    let every = names(|rows| *rows == TableRows::Every);
    if !every.is_empty() {
        let every = format!("no condition leaves out any row of {}", every.join(", "));
        said.push(out.style(Style::Warn, &format!("{every}: all may be read")));
    }
    if !reach.apart.is_empty() {
        let apart: Vec<String> = reach.apart.iter().map(|table| neutralise(table)).collect();
        let apart = match apart.as_slice() {
            [one] => format!("no condition joins {one} with what stands beside it"),
            more => format!("no condition joins {} with one another", more.join(", ")),
        };
        let what = format!("{apart}: every row may meet every other");
        said.push(out.style(Style::Warn, &what));
    }
    for table in &reach.tables {
        if let TableRows::By(columns) = &table.rows {
            let columns: Vec<String> = columns.iter().map(|c| neutralise(c)).collect();
            let name = neutralise(&table.table);
            said.push(format!("of {name} by conditions that name {}", columns.join(", ")));
        }
    }
    let joined = names(|rows| *rows == TableRows::Joined);
    if !joined.is_empty() {
        said.push(format!("of {} by a join or a condition around", joined.join(", ")));
    }
    said.join("; ")
}

/// The result columns; neighbours of one table are told together.
fn returns(reach: &Touches) -> String {
    let only_counts = reach.returns.iter().all(|r| r.made == Some(Made::Counted));
    let mut said: Vec<(Option<&str>, Vec<String>)> = Vec::new();
    for column in &reach.returns {
        let (of, what) = returned(column, reach);
        match said.last_mut() {
            Some((known, list)) if *known == of => list.push(what),
            _ => said.push((of, vec![what])),
        }
    }
    let group = |(of, list): (Option<&str>, Vec<String>)| {
        let of = of.map_or_else(String::new, |table| format!("{}: ", neutralise(table)));
        format!("{of}{}", list.join(", "))
    };
    let all: Vec<String> = said.into_iter().map(group).collect();
    let all = all.join("; ");
    if only_counts && !reach.returns.is_empty() {
        return format!("counts only: {all}");
    }
    all
}

/// A result column, with the table whose column it is under its own name.
fn returned<'r>(column: &'r Returned, reach: &Touches) -> (Option<&'r str>, String) {
    let name = made_up(&column.name);
    let Some(made) = column.made else { return (None, name) };
    let mark = |(table, column): &(String, String)| {
        let table = reach.tables.iter().find(|t| t.table == *table);
        let column = table.and_then(|t| t.columns.iter().find(|c| c.name == *column));
        match column {
            Some(column) if column.raw => Some("RAW"),
            Some(column) if column.mask.is_some() => Some("masked"),
            _ => None,
        }
    };
    if let (Made::AsIs, [only]) = (made, column.from.as_slice())
        && only.1 == column.name
    {
        let mark = mark(only).map_or_else(String::new, |mark| format!(" ({mark})"));
        return (Some(&only.0), format!("{name}{mark}"));
    }
    let source = |source: &(String, String)| {
        let (table, column) = source;
        let mark = mark(source).map_or_else(String::new, |mark| format!(" {mark}"));
        format!("{}.{}{mark}", neutralise(table), neutralise(column))
    };
    let sources: Vec<String> = column.from.iter().map(source).collect();
    let sources = sources.join(", ");
    let how = match (made, sources.is_empty()) {
        (Made::AsIs | Made::Computed, true) => "from no column".to_owned(),
        (Made::AsIs, false) => format!("is {sources}"),
        (Made::Computed, false) => format!("computed from {sources}"),
        (Made::Counted, true) => "a count".to_owned(),
        (Made::Counted, false) => format!("a count by {sources}"),
    };
    (None, format!("{name} ({how})"))
}

fn at_most(reach: &Touches) -> String {
    let Touches { limit, rows_call_max, calls_max, rows_max, bytes_max, .. } = reach;
    let call = match limit {
        Limit::Param(n) => format!("as many rows a call as ${n} says"),
        Limit::None | Limit::AtMost(_) => format!("{} a call", count(*rows_call_max, "row")),
    };
    let calls = count(*calls_max, "call");
    format!("{call}; {} and {} a run, in {calls}", count(*rows_max, "row"), bytes(*bytes_max))
}

fn calls(reach: &Touches, out: Out) -> String {
    let is_collecting = |name: &&String| COLLECTING.contains(&name.as_str());
    let all: Vec<&str> = reach.calls.iter().map(String::as_str).collect();
    let collecting: Vec<&str> =
        reach.calls.iter().filter(is_collecting).map(String::as_str).collect();
    let plural = if all.len() == 1 { "" } else { "s" };
    let all = format!("the function{plural} {}", neutralise(&all.join(", ")));
    if collecting.is_empty() {
        return all;
    }
    let verb = if collecting.len() == 1 { "puts" } else { "put" };
    let what = format!("{} {verb} many values into one cell", collecting.join(", "));
    format!("{all}; {}", out.style(Style::Warn, &what))
}

/// All queries together.
pub(crate) fn totals(blast: &Blast, out: Out) -> Vec<String> {
    let t = &blast.totals;
    let mut lines = hang("in all  ", &in_all(t), width());
    let mut more = |what: String| lines.extend(hang("        ", &what, width()));
    if !t.refused.is_empty() {
        let names: Vec<&str> = t.refused.iter().map(QueryName::as_str).collect();
        more(out.style(Style::Bad, &format!("would be refused: {}", names.join(", "))));
    }
    if !t.every_row.is_empty() {
        let every = format!("may read every row of {}", list(t.every_row.iter()));
        more(out.style(Style::Warn, &every));
    }
    more(amount(t));
    match raw(t) {
        Some(raw) => more(out.style(Style::Warn, &raw)),
        None => more("no masked column is read raw".to_owned()),
    }
    lines
}

/// What a script's queries can do within a scope, in short, for a page about something else: lines with their
/// labels. `uses` is how often; `paint` makes text stand out.
pub(crate) fn in_short(
    dossier: &Dossier,
    scope: &Scope,
    uses: u64,
    paint: impl Fn(Style, &str) -> String,
) -> Vec<(&'static str, String)> {
    // A scope that lists something twice runs nowhere; that is told elsewhere.
    let Ok(asked) = scope.capabilities() else { return Vec::new() };
    let policy = dossier.authority.policy();
    let script = Script::of(&dossier.bundle);
    let t = &super::of(script, policy, &super::under(policy, &asked)).totals;
    let mut said = vec![("reads", in_all(t))];
    if !t.every_row.is_empty() {
        let every = format!("may read every row of {}", list(t.every_row.iter()));
        said.push(("", paint(Style::Warn, &every)));
    }
    said.extend(raw(t).map(|raw| ("", paint(Style::Warn, &raw))));
    let rows = count(t.rows_max.saturating_mul(uses), "row");
    let times =
        if uses == 1 { String::new() } else { format!("; {rows} in all {} uses", number(uses)) };
    said.push(("at most", format!("{}{times}", amount(t))));
    said
}

fn in_all(t: &Totals) -> String {
    let queries = match t.queries {
        1 => "1 query reads".to_owned(),
        n => format!("{} queries read", number(n)),
    };
    if t.tables.is_empty() {
        return format!("{queries} no table");
    }
    format!("{queries} {}: {}", count(t.tables.len() as u64, "table"), list(t.tables.keys()))
}

fn amount(t: &Totals) -> String {
    format!(
        "{} and {} a run, of which at most {} leave the sandbox",
        count(t.rows_max, "row"),
        bytes(t.bytes_max),
        bytes(t.output_bytes_max)
    )
}

fn raw(t: &Totals) -> Option<String> {
    (!t.raw.is_empty()).then(|| format!("RAW, WITHOUT THEIR MASKS: {}", list(t.raw.iter())))
}

fn list<'n>(names: impl Iterator<Item = &'n String>) -> String {
    names.map(|name| neutralise(name)).collect::<Vec<_>>().join(", ")
}

/// A name that a query makes up, in one word.
fn made_up(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    if !name.is_empty() && name.chars().all(is_plain) && name.len() <= NAME_CHARS_MAX {
        return name.to_owned();
    }
    let quoted = neutralise(&shorten(name, NAME_CHARS_MAX)).replace('"', "\"\"");
    format!("\"{}\"", quoted.replace(char::is_whitespace, "␣"))
}
