//! The sample production database `shop`: 50,000 orders of 120 days, some of them in trouble.
//!
//! Deterministic: a small generator with a fixed seed, and times before a fixed day; no clock, no
//! entropy. What goes wrong with an order is decided in `fate`; what that leaves in the tables is
//! decided in `rows`. Nothing here knows of runners or scripts: it is just somebody's shop.
//! A `mod.rs`, so that the tests can take the module by its path.

mod fate;
mod random;
mod rows;
#[cfg(test)]
mod tests;

use std::path::Path;

use rusqlite::Connection;

/// 2026-11-23T00:00:00Z in seconds: everything in the shop happened before.
const END: i64 = 1_795_392_000;
/// `SHOP`, by which the policy recognises the database.
pub(crate) const APPLICATION_ID: i64 = 0x5348_4F50;
/// What the policy lets queries read. Names, e-mail addresses and phone numbers of customers are not
/// there: no script can see them, whatever is reviewed and approved.
pub(crate) const READS: &[(&str, &[&str])] = &[
    ("customers", &["id", "country", "created_at"]),
    (
        "orders",
        &[
            "id",
            "number",
            "customer_id",
            "status",
            "currency",
            "total_cents",
            "placed_at",
            "paid_at",
            "shipped_at",
            "cancelled_at",
        ],
    ),
    (
        "payments",
        &[
            "id",
            "order_id",
            "kind",
            "state",
            "amount_cents",
            "currency",
            "provider_ref",
            "created_at",
        ],
    ),
    (
        "stock_reservations",
        &["id", "order_id", "sku", "quantity", "warehouse", "reserved_at", "released_at"],
    ),
    (
        "shipments",
        &["id", "order_id", "carrier", "created_at", "label_at", "first_scan_at", "delivered_at"],
    ),
    ("events", &["id", "order_id", "at", "kind", "detail"]),
];
/// Orders in the shop, `SO-100001` to `SO-150000`.
const ORDERS: i64 = 50_000;
/// Customers, each with about four orders.
const CUSTOMERS: i64 = 12_000;
/// The first order is this long before [`END`].
const PERIOD_SECONDS: i64 = 120 * DAY;
const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// Creates the database at a path where no file is yet, in one transaction.
///
/// # Errors
/// If the file exists with tables in it, or cannot be written.
pub(crate) fn create(path: &Path) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    // A half-made sample is thrown away, so nothing has to survive a crash here.
    connection.pragma_update(None, "synchronous", "OFF")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(include_str!("schema.sql"))?;
    rows::fill(&transaction)?;
    transaction.execute_batch(include_str!("indexes.sql"))?;
    transaction.commit()
}

/// When an order was placed, before the minutes that chance adds.
const fn placed_at(order: i64) -> i64 {
    END - PERIOD_SECONDS + order * (PERIOD_SECONDS / ORDERS)
}
