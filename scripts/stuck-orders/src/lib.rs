//! Orders that customers paid for and that nobody shipped, grouped by the step where they stopped.
//!
//! The query says what is there of each order's way to the door; `reason` says which step is
//! missing; the tables say whom to call. The script reads no name, no address and no e-mail.

mod reason;

use std::collections::BTreeMap;

use borescope::{Result, log, progress, query, table};
use serde::{Deserialize, Serialize};

use reason::{Reason, StuckOrder};

/// Rows of one batch; 20 calls of it are the query's `rows_total_max`.
const BATCH_ROWS: usize = 250;

#[derive(Deserialize)]
struct Input {
    /// The host checks the schema; the window itself goes straight into the query (`from`).
    samples: Option<usize>,
}

#[derive(Serialize)]
struct Output {
    stuck: usize,
    reasons: BTreeMap<Reason, usize>,
    /// False when a limit of the query ended the search: there are more.
    complete: bool,
}

#[derive(Serialize)]
struct ReasonRow {
    reason: Reason,
    orders: usize,
    value_cents: i64,
    oldest_paid_at: String,
    what_to_do: &'static str,
}

#[derive(Serialize)]
struct SampleRow<'a> {
    reason: Reason,
    order: &'a str,
    paid_at: &'a str,
    carrier: Option<&'a str>,
    last_event: String,
}

#[derive(Deserialize)]
struct Event {
    at: String,
    kind: String,
    detail: String,
}

#[borescope::script]
fn run(input: Input) -> Result<Output> {
    progress(0, "looking for orders paid and not shipped");
    let (orders, complete) = stuck_orders()?;
    let groups = by_reason(&orders);
    emit_reasons(&groups)?;
    progress(60, format!("{} stuck orders; reading what last happened", orders.len()));
    emit_samples(&groups, input.samples.unwrap_or(3))?;
    Ok(Output {
        stuck: orders.len(),
        reasons: groups.iter().map(|(reason, orders)| (*reason, orders.len())).collect(),
        complete,
    })
}

/// All stuck orders in the approved window, and whether these really are all.
fn stuck_orders() -> Result<(Vec<StuckOrder>, bool)> {
    let mut orders: Vec<StuckOrder> = Vec::new();
    loop {
        let batch = query("stuck")
            .param("after_order", orders.last().map_or(0, |o| o.id))
            .param("batch", i64::try_from(BATCH_ROWS)?)
            .all::<StuckOrder>();
        match batch {
            Ok(batch) => {
                let last = batch.len() < BATCH_ROWS;
                orders.extend(batch);
                if last {
                    return Ok((orders, true));
                }
            }
            // Five thousand stuck orders are an answer too; say that it is not all of them.
            Err(e) if e.limit().is_some() => {
                log::warn(format!("only the first {} stuck orders are shown: {e}", orders.len()));
                return Ok((orders, false));
            }
            Err(e) => return Err(e),
        }
    }
}

fn by_reason(orders: &[StuckOrder]) -> BTreeMap<Reason, Vec<&StuckOrder>> {
    let mut groups: BTreeMap<Reason, Vec<&StuckOrder>> = BTreeMap::new();
    for order in orders {
        groups.entry(order.reason()).or_default().push(order);
    }
    groups
}

fn emit_reasons(groups: &BTreeMap<Reason, Vec<&StuckOrder>>) -> Result<()> {
    let rows = groups.iter().map(|(reason, orders)| ReasonRow {
        reason: *reason,
        orders: orders.len(),
        value_cents: orders.iter().map(|o| o.total_cents).sum(),
        oldest_paid_at: orders.iter().map(|o| o.paid_at.as_str()).min().unwrap_or("").to_owned(),
        what_to_do: reason.what_to_do(),
    });
    table("reasons")
        .columns(["reason", "orders", "value_cents", "oldest_paid_at", "what_to_do"])
        .rows(rows)
        .emit()
}

fn emit_samples(groups: &BTreeMap<Reason, Vec<&StuckOrder>>, samples: usize) -> Result<()> {
    let mut rows = Vec::new();
    for (reason, orders) in groups {
        for order in orders.iter().take(samples) {
            let event = query("last-event").param("order_id", order.id).first::<Event>()?;
            rows.push(SampleRow {
                reason: *reason,
                order: &order.number,
                paid_at: &order.paid_at,
                carrier: order.carrier.as_deref(),
                last_event: event.map_or_else(
                    || "nothing recorded".to_owned(),
                    |e| format!("{} {}: {}", e.at, e.kind, e.detail),
                ),
            });
        }
    }
    table("samples")
        .columns(["reason", "order", "paid_at", "carrier", "last_event"])
        .rows(rows)
        .emit()
}
