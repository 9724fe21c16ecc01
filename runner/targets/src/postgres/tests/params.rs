//! Parameters have their declared type, or are refused before the server sees them.

use domain::{ParamType, Value};

use crate::postgres::params::bind;

fn fits(param_type: ParamType, value: Value) -> bool {
    bind(&[(param_type, value)]).is_ok()
}

#[test]
fn words_that_the_server_would_read_as_a_time_are_refused() {
    let date = |s: &str| fits(ParamType::Date, Value::Temporal(s.into()));
    let moment = |s: &str| fits(ParamType::Timestamptz, Value::Timestamp(s.into()));
    assert!(date("2026-11-24"));
    assert!(!date("today") && !date("now") && !date("24.11.2026") && !date("2026-11-24 12:00"));
    assert!(moment("2026-11-24T01:02:03Z") && moment("2026-11-24T01:02:03.25Z"));
    assert!(moment("infinity") && moment("-infinity"));
    assert!(!moment("now") && !moment("yesterday") && !moment("2026-11-24T01:02:03"));
}

#[test]
fn values_of_another_type_are_refused() {
    assert!(!fits(ParamType::Int8, Value::Text("1".into())));
    assert!(!fits(ParamType::Text, Value::Int64(1)));
    assert!(!fits(ParamType::Text, Value::Text("a\0b".into())));
    assert!(!fits(ParamType::Numeric, Value::Decimal("1e5".into())));
    assert!(!fits(ParamType::Uuid, Value::Uuid("nonsense".into())));
    assert!(!fits(ParamType::Json, Value::Json("{".into())));
    assert!(fits(ParamType::Json, Value::Null));
}

#[test]
fn a_parameter_s_value_is_in_no_log() {
    let secret = [(ParamType::Text, Value::Text("hunter2".into()))];
    assert!(!format!("{:?}", bind(&secret).unwrap()).contains("hunter2"));
}
