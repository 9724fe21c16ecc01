//! A script that reaches for more than was reviewed, and reports what it was told.
//!
//! Errors are values: the script goes on after each refusal, and its last, honest call works.

use borescope::{Result, query};
use serde::Serialize;

#[derive(Serialize)]
struct Output {
    /// A query that is not in the bundle.
    unknown_query: String,
    /// A parameter that the host fills from the approved input.
    other_order: String,
    /// A parameter that the query does not have.
    unknown_param: String,
    /// Rows of the call as it was reviewed.
    honest_rows: usize,
}

#[borescope::script]
fn run() -> Result<Output> {
    let told = |call: borescope::Query| match call.open() {
        Ok(_) => "allowed".to_owned(),
        Err(error) => error.to_string(),
    };
    Ok(Output {
        unknown_query: told(query("customer-emails")),
        other_order: told(query("one-order").param("order_number", "SO-100001")),
        unknown_param: told(query("one-order").param("limit", 1_000_000_i64)),
        honest_rows: query("one-order")
            .open()?
            .values()
            .collect::<Result<Vec<_>>>()?
            .len(),
    })
}
