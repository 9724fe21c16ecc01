//! What the gate costs a query: from its text to the checked text that is sent, which includes two parses
//! and a thread; and what it costs once more in the same session, which keeps what has passed.

use domain::ParamType;
use targets::postgres::gate::{Grant, Passed, gate};
use targets::postgres::{Hidden, Mask, Relation};
use tokio::runtime::Runtime;

use super::Scale;
use super::stats::{Row, Samples, Unit, seconds};

/// A query of an index, and what somebody on call puts together.
const QUERIES: [(&str, &str); 2] = [
    ("one table", "SELECT id, status, total FROM shop.orders WHERE id = $1"),
    (
        "two CTEs, a join, a window",
        "WITH late AS (SELECT id, customer_id, total, placed_at FROM shop.orders \
             WHERE status = 'paid' AND placed_at < now() - interval '2 hours'), \
         sums AS (SELECT customer_id, count(*) AS n, sum(total) AS total FROM late GROUP BY customer_id) \
         SELECT c.id, c.email, l.id, s.n, s.total, \
             row_number() OVER (PARTITION BY c.id ORDER BY l.placed_at DESC) AS place \
         FROM late l JOIN shop.customers c ON c.id = l.customer_id \
         JOIN sums s ON s.customer_id = c.id \
         WHERE c.id = $1 OR lower(c.country) IN ('de', 'fr') ORDER BY s.total DESC LIMIT 100",
    ),
];

fn grant() -> Grant {
    let relation = |name: &str, columns: &[&str]| {
        Relation::plain("shop", name, columns.iter().map(|c| (*c).to_owned()).collect())
    };
    let mut customers = relation("customers", &["id", "country", "email"]);
    let masks = [("email".to_owned(), Mask::new(domain::Mask::Email))].into_iter().collect();
    customers.hidden = Hidden { masks, ..Hidden::default() };
    let orders = relation("orders", &["id", "customer_id", "status", "total", "placed_at"]);
    Grant::of(vec![customers, orders])
}

pub(super) fn run(_: &Runtime, scale: Scale) -> Vec<Row> {
    let grant = grant();
    let row = |(what, sql): (&str, &str)| {
        let mut samples = Samples::default();
        for _ in 0..scale.pick(2_000, 2) {
            let gated = || gate(sql, &[ParamType::Int8], &grant);
            samples.push(seconds(|| assert!(gated().is_ok(), "{what}: {:?}", gated())));
        }
        Row::alone(format!("gate of a query ({what})"), Unit::Seconds, samples)
    };
    let again = |(what, sql): (&str, &str)| {
        let mut passed = Passed::under(grant.clone());
        let mut samples = Samples::default();
        for _ in 0..=scale.pick(2_000, 2) {
            samples.push(seconds(|| assert!(passed.gate(sql, &[ParamType::Int8]).is_ok())));
        }
        Row::alone(
            format!("gate of a query, again in its session ({what})"),
            Unit::Seconds,
            samples,
        )
    };
    QUERIES.into_iter().map(row).chain(QUERIES.into_iter().map(again)).collect()
}
