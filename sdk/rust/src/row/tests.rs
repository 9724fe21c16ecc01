//! Rows that production really returns, and rows that must not slip through.

use serde::Deserialize;

use super::from_cells;
use crate::{Column, Error, Result, Value};

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Captured,
    Refunded,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Payment {
    id: i64,
    amount: String,
    test: bool,
    state: State,
    note: Option<String>,
    weight: f64,
}

fn row(cells: &[(&str, Value)]) -> Result<Payment> {
    let columns: Vec<Column> =
        cells.iter().map(|(n, _)| Column { name: (*n).into(), type_name: "x".into() }).collect();
    from_cells(&columns, cells.iter().map(|(_, v)| v.clone()).collect())
}

fn cells() -> Vec<(&'static str, Value)> {
    vec![
        ("state", Value::Text("captured".into())),
        ("id", Value::Int64(9_007_199_254_740_993)),
        ("amount", Value::Decimal("19.990".into())),
        ("test", Value::Int64(0)),
        ("note", Value::Null),
        ("weight", Value::Int64(3)),
        ("not_a_field", Value::Bytes(vec![1])),
    ]
}

#[test]
fn cells_arrive_by_name_and_exactly() {
    let expected = Payment {
        id: 9_007_199_254_740_993,
        amount: "19.990".into(),
        test: false,
        state: State::Captured,
        note: None,
        weight: 3.0,
    };
    assert_eq!(row(&cells()), Ok(expected));
}

#[track_caller]
fn refused(column: usize, value: Value, words: &str) {
    let mut cells = cells();
    cells[column].1 = value;
    let Err(Error::Invalid(message)) = row(&cells) else { panic!("the row was taken") };
    assert!(message.contains(words), "{message}");
}

#[test]
fn a_null_where_a_value_is_needed_is_an_error_that_says_so() {
    refused(1, Value::Null, "expected i64");
}

#[test]
fn a_two_is_not_a_boolean() {
    refused(3, Value::Int64(2), "0 or 1");
}

#[test]
fn an_unknown_state_names_itself_and_the_known_ones() {
    refused(0, Value::Text("charged-back".into()), "unknown variant `charged-back`");
}

#[test]
fn a_missing_column_names_itself() {
    let mut cells = cells();
    cells.remove(1);
    let Err(Error::Invalid(message)) = row(&cells) else { panic!("the row was taken") };
    assert!(message.contains("missing field `id`"), "{message}");
}

#[test]
fn json_fills_a_struct_or_stays_text() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Row {
        parsed: Detail,
        text: String,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Detail {
        carrier: String,
    }
    let columns =
        ["parsed", "text"].map(|name| Column { name: name.into(), type_name: "json".into() });
    let json = || Value::Json(r#"{"carrier":"Nordpost"}"#.into());
    let got: Row = from_cells(&columns, vec![json(), json()]).unwrap();
    assert_eq!(got.parsed, Detail { carrier: "Nordpost".into() });
    assert_eq!(got.text, r#"{"carrier":"Nordpost"}"#);
}
