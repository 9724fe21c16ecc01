//! Everything that happened to one order, or to all orders of one customer, in order of time.
//!
//! The shortest useful script: both queries take what they need from the approved input, so there
//! is nothing for the script to choose. Whoever approved order SO-100042 approved just that.

use borescope::{Error, Result, query, table};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Input {
    order: Option<String>,
    customer: Option<i64>,
}

#[derive(Serialize)]
struct Output {
    orders: usize,
    steps: usize,
    last_step: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Order {
    number: String,
    status: String,
    currency: String,
    total_cents: i64,
    placed_at: String,
}

#[derive(Serialize, Deserialize)]
struct Step {
    at: String,
    order: String,
    source: String,
    what: String,
    detail: Option<String>,
}

#[borescope::script]
fn run(input: Input) -> Result<Output> {
    // A schema of the subset cannot say 'exactly one of'.
    if input.order.is_some() == input.customer.is_some() {
        return Err(Error::invalid("give either an order or a customer"));
    }
    let orders = query("orders").all::<Order>()?;
    if orders.is_empty() {
        return Err(Error::script("there is no such order, or the customer has none"));
    }
    let steps = query("timeline").all::<Step>()?;
    table("orders").rows(&orders).emit()?;
    table("timeline").rows(&steps).emit()?;
    Ok(Output {
        orders: orders.len(),
        steps: steps.len(),
        last_step: steps.last().map(|s| format!("{} {}: {}", s.at, s.source, s.what)),
    })
}
