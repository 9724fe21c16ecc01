//! Tables as scripts build them, and the mistakes that must not reach a reader.

use serde::Serialize;

use super::table;
use crate::{Error, Value};

#[derive(Serialize)]
struct Row {
    zone: &'static str,
    orders: u64,
    oldest: Option<String>,
    tags: Vec<&'static str>,
}

fn row(oldest: Option<&str>) -> Row {
    Row { zone: "north", orders: 3, oldest: oldest.map(Into::into), tags: vec!["a"] }
}

#[test]
fn fields_become_columns_in_their_order_and_types_come_from_the_first_value() {
    let (name, columns, rows) = table("t").rows([row(None), row(Some("monday"))]).finish().unwrap();
    let columns: Vec<_> = columns.iter().map(|c| format!("{} {}", c.name, c.type_name)).collect();
    assert_eq!(name, "t");
    assert_eq!(columns, ["zone text", "orders int64", "oldest text", "tags json"]);
    assert_eq!(rows[0][2], Value::Null);
    assert_eq!(rows[1][3], Value::Json(r#"["a"]"#.into()));
}

#[test]
fn an_empty_table_still_has_the_columns_that_were_named() {
    let (_, columns, rows) =
        table("t").columns(["zone", "orders"]).rows(Vec::<Row>::new()).finish().unwrap();
    assert_eq!((columns.len(), rows.len()), (2, 0));
    assert_eq!(columns[0].type_name, "null");
}

#[test]
fn numbers_above_the_signed_range_stay_exact() {
    let (_, _, rows) = table("t").rows([Row { orders: u64::MAX, ..row(None) }]).finish().unwrap();
    assert_eq!(rows[0][1], Value::Decimal("18446744073709551615".into()));
}

#[track_caller]
fn refused(table: super::Table, words: &str) {
    let Err(Error::Invalid(message)) = table.finish() else { panic!("the table was taken") };
    assert!(message.contains(words), "{message}");
}

#[test]
fn a_row_of_another_length_is_refused() {
    let short = table("t").column("a").column("b").row([1_i64, 2]).row([1_i64]);
    refused(short, "table t: a row has 1 cells where 2 columns are");
}

#[test]
fn a_struct_with_other_fields_is_refused() {
    refused(table("t").column("zone").rows([row(None)]), "fields zone, orders, oldest, tags");
}

#[test]
fn something_without_fields_is_refused() {
    refused(table("t").rows([7_u8]), "not a number");
    refused(table("t").rows([("a", 1)]), "not a tuple");
}
