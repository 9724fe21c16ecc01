//! Orders that were paid and are not shipped, by status: how many, worth how much, since when.
//!
//! The query finds them; this adds them up. Nothing in here can write, or read anything else.

use std::collections::BTreeMap;

use borescope::{Result, log, query, table};
use serde::{Deserialize, Serialize};

/// The most rows that are asked for; the query's `rows_total_max` allows no more.
const ROWS_MAX: i64 = 500;

/// What somebody types; input.schema.json is checked before. `since` goes straight into the query.
#[derive(Deserialize)]
struct Input {
    samples: Option<usize>,
}

/// The answer, beside the tables.
#[derive(Serialize)]
struct Output {
    late: usize,
    total_cents: i64,
}

/// A row of queries/NAME.sql: a field for each column that is used.
#[derive(Deserialize)]
struct Order {
    number: String,
    status: String,
    total_cents: i64,
    paid_at: String,
}

/// A row of the table that is shown: its fields are the columns.
#[derive(Serialize)]
struct Group<'a> {
    status: &'a str,
    orders: usize,
    total_cents: i64,
    oldest: Option<&'a str>,
    samples: String,
}

#[borescope::script]
fn run(input: Input) -> Result<Output> {
    let orders: Vec<Order> = query("NAME").param("most", ROWS_MAX).all()?;
    log::info(format!("{} late orders", orders.len()));
    let samples = input.samples.unwrap_or(3);
    table("late").rows(groups(&orders, samples)).emit()?;
    Ok(Output { late: orders.len(), total_cents: orders.iter().map(|o| o.total_cents).sum() })
}

/// One for each status, with the numbers of its oldest orders.
fn groups(orders: &[Order], samples: usize) -> Vec<Group<'_>> {
    let mut by_status: BTreeMap<&str, Vec<&Order>> = BTreeMap::new();
    for order in orders {
        by_status.entry(&order.status).or_default().push(order);
    }
    by_status.into_iter().map(|(status, orders)| group(status, &orders, samples)).collect()
}

fn group<'a>(status: &'a str, orders: &[&'a Order], samples: usize) -> Group<'a> {
    let numbers: Vec<&str> = orders.iter().take(samples).map(|o| o.number.as_str()).collect();
    Group {
        status,
        orders: orders.len(),
        total_cents: orders.iter().map(|o| o.total_cents).sum(),
        oldest: orders.first().map(|o| o.paid_at.as_str()),
        samples: numbers.join(" "),
    }
}
