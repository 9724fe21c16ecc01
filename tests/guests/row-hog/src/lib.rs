//! Reads on until each limit of its query says no, and reports what it was told: limits of a query
//! are values, and the script decides what to make of them.

use borescope::{Result, query};
use serde::Serialize;

#[derive(Serialize)]
struct Output {
    rows: usize,
    /// What ended the first call.
    rows_limit: String,
    /// What the second and third calls were told.
    later_calls: Vec<String>,
}

#[borescope::script]
fn run() -> Result<Output> {
    let (rows, rows_limit) = drain()?;
    let mut later_calls = Vec::new();
    for _ in 0..2 {
        later_calls.push(match drain() {
            Ok((rows, told)) => format!("{rows} rows, then {told}"),
            Err(error) => error.to_string(),
        });
    }
    Ok(Output {
        rows,
        rows_limit,
        later_calls,
    })
}

fn drain() -> Result<(usize, String)> {
    let mut rows = 0;
    for row in query("orders").open()?.values() {
        match row {
            Ok(_) => rows += 1,
            Err(error) => return Ok((rows, error.to_string())),
        }
    }
    Ok((rows, "the end".to_owned()))
}
