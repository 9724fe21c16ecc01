//! The shop must have what the scripts look for, and the same tomorrow.

use std::path::PathBuf;

use rusqlite::Connection;

use super::{create, rows};

struct Shop {
    connection: Connection,
    folder: tempfile::TempDir,
}

fn shop() -> Shop {
    let folder = tempfile::tempdir().unwrap();
    create(&path(&folder)).unwrap();
    Shop { connection: Connection::open(path(&folder)).unwrap(), folder }
}

fn path(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("shop.db")
}

/// Rows of a script's query, cells joined by spaces; `$1` … are bound by name, as the runner does.
fn ask(shop: &Shop, sql: &str, params: &[&dyn rusqlite::ToSql]) -> Vec<String> {
    let mut statement = shop.connection.prepare(sql).unwrap();
    for (i, value) in params.iter().enumerate() {
        let at = statement.parameter_index(&format!("${}", i + 1)).unwrap().unwrap();
        statement.raw_bind_parameter(at, value).unwrap();
    }
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let cells = (0..columns).map(|i| match row.get_ref(i).unwrap() {
            rusqlite::types::ValueRef::Null => "-".to_owned(),
            rusqlite::types::ValueRef::Integer(n) => n.to_string(),
            rusqlite::types::ValueRef::Text(t) => String::from_utf8_lossy(t).into_owned(),
            other => format!("{other:?}"),
        });
        lines.push(cells.collect::<Vec<_>>().join(" "));
    }
    lines
}

const STUCK: &str = include_str!("../../../../../scripts/stuck-orders/queries/stuck.sql");
const LAST_EVENT: &str = include_str!("../../../../../scripts/stuck-orders/queries/last-event.sql");
const SUSPECTS: &str = include_str!("../../../../../scripts/payment-mismatch/queries/suspects.sql");
const PAYMENTS: &str = include_str!("../../../../../scripts/payment-mismatch/queries/payments.sql");
const ORDERS: &str = include_str!("../../../../../scripts/customer-timeline/queries/orders.sql");
const TIMELINE: &str =
    include_str!("../../../../../scripts/customer-timeline/queries/timeline.sql");

#[test]
fn two_shops_are_the_same_to_the_byte() {
    let (one, other) = (shop(), shop());
    let bytes = |shop: &Shop| std::fs::read(path(&shop.folder)).unwrap();
    assert!(bytes(&one) == bytes(&other), "the generator is not deterministic");
}

/// One shop for all of them: making it is what takes the time.
#[test]
fn the_scripts_find_their_cases() {
    let shop = shop();
    the_shop_is_as_large_as_promised_and_knows_its_name(&shop);
    stuck_orders_are_found_with_what_last_happened(&shop);
    payments_that_do_not_add_up_are_found(&shop);
    a_timeline_is_in_order_and_of_nobody_else(&shop);
}

fn the_shop_is_as_large_as_promised_and_knows_its_name(shop: &Shop) {
    let counts = "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM customers)";
    assert_eq!(ask(shop, counts, &[]), ["50000 12000"]);
    assert_eq!(ask(shop, "SELECT application_id FROM pragma_application_id", &[]), ["1397247824"]);
    let late = "SELECT count(*) FROM events WHERE at >= '2026-11-23T00:00:00Z'";
    assert_eq!(ask(shop, late, &[]), ["0"]);
}

fn stuck_orders_are_found_with_what_last_happened(shop: &Shop) {
    let (since, before) = ("2026-11-01T00:00:00Z", "2026-11-21T00:00:00Z");
    let all = ask(shop, STUCK, &[&since, &before, &None::<String>, &0_i64, &5_000_i64]);
    assert!((60..400).contains(&all.len()), "{} orders are stuck", all.len());
    let in_france = ask(shop, STUCK, &[&since, &before, &"FR", &0_i64, &5_000_i64]);
    assert!(!in_france.is_empty() && in_france.len() < all.len());
    let id = |line: &String| line.split(' ').next().unwrap().parse::<i64>().unwrap();
    let rest = ask(shop, STUCK, &[&since, &before, &None::<String>, &id(&all[9]), &3_i64]);
    assert_eq!(rest, all[10..13]);
    assert_eq!(ask(shop, LAST_EVENT, &[&id(&all[0])]).len(), 1);
}

fn payments_that_do_not_add_up_are_found(shop: &Shop) {
    let suspects = ask(shop, SUSPECTS, &[&"2026-11-01T00:00:00Z", &None::<String>]);
    assert!((10..100).contains(&suspects.len()), "{} suspects", suspects.len());
    let id: i64 = suspects[0].split(' ').next().unwrap().parse().unwrap();
    assert!(!ask(shop, PAYMENTS, &[&id]).is_empty());
    let none = ask(shop, SUSPECTS, &[&"2026-11-01T00:00:00Z", &"2026-11-01T00:00:00Z"]);
    assert!(none.is_empty());
}

fn a_timeline_is_in_order_and_of_nobody_else(shop: &Shop) {
    let none = || None::<String>;
    assert_eq!(ask(shop, ORDERS, &[&"SO-100042", &none()]).len(), 1);
    let steps = ask(shop, TIMELINE, &[&"SO-100042", &none()]);
    assert!(steps.len() >= 8, "{steps:#?}");
    assert!(steps.is_sorted_by_key(|line| line.split(' ').next().unwrap().to_owned()));
    assert!(steps.iter().all(|line| line.contains("SO-100042")));
    assert!(ask(shop, TIMELINE, &[&none(), &none()]).is_empty());
}

#[test]
fn days_come_out_of_seconds_with_their_leap_years() {
    assert_eq!(rows::time(0), "1970-01-01T00:00:00Z");
    assert_eq!(rows::time(951_782_400), "2000-02-29T00:00:00Z");
    assert_eq!(rows::time(super::END - 1), "2026-11-22T23:59:59Z");
}
