//! The component of scripts that are only SQL: it opens each query of the run once and shows its rows
//! as a table of the query's name.
//!
//! Its bytes do not depend on the script, so that reviewers know it by its digest (`released.txt`)
//! and read nothing but the queries. It therefore passes no parameter: all of them come from the
//! approved input, by `from` in the manifest. The input itself it does not look at.

use borescope::{Error, Result, log, progress, queries, query, table};
use serde::Serialize;

#[derive(Serialize)]
struct Output {
    queries: Vec<Shown>,
}

/// What became of one query.
#[derive(Serialize)]
struct Shown {
    name: String,
    rows: usize,
    /// False when a limit of the query ended its result: there is more.
    complete: bool,
}

#[borescope::script]
fn run() -> Result<Output> {
    let names = queries();
    let mut shown = Vec::with_capacity(names.len());
    for (done, name) in names.iter().enumerate() {
        progress(percent(done, names.len()), format!("query {name}"));
        shown.push(show(name)?);
    }
    Ok(Output { queries: shown })
}

/// Runs one query and shows what it returns, as far as its limits let it.
fn show(name: &str) -> Result<Shown> {
    let failed = |e: Error| Error::script(format!("query {name}: {e}"));
    let cursor = query(name).open().map_err(failed)?;
    let columns: Vec<String> = cursor.columns().iter().map(|c| c.name.clone()).collect();
    let mut found = table(name).columns(columns.iter().map(String::as_str));
    let (mut rows, mut complete) = (0, true);
    for row in cursor.values() {
        match row {
            Ok(cells) => {
                found = found.row(cells);
                rows += 1;
            }
            // The rows so far are an answer too; say that they are not all of them.
            Err(e) if e.limit().is_some() => {
                log::warn(format!("query {name}: only the first {rows} rows are shown: {e}"));
                complete = false;
                break;
            }
            Err(e) => return Err(failed(e)),
        }
    }
    found.emit()?;
    Ok(Shown { name: name.to_owned(), rows, complete })
}

fn percent(done: usize, all: usize) -> u8 {
    u8::try_from(done * 100 / all.max(1)).unwrap_or(100)
}
