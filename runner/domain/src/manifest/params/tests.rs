//! Who chooses a parameter, and what happens to one who tries to choose another's.

use serde_json::json;

use super::ParamError;
use crate::manifest::{Manifest, Query};
use crate::value::{ParamType, Value};

fn query() -> Query {
    let toml = r#"
        [script]
        name = "s"
        version = "1.0.0"
        summary = "s"
        input = "input.schema.json"
        [targets.db]
        engine = "sqlite"
        [[query]]
        name = "q"
        target = "db"
        file = "queries/q.sql"
        params = [
          { name = "since", type = "timestamptz", from = "/since" },
          { name = "batch", type = "int8" },
          { name = "region", type = "text", from = "/region", optional = true },
        ]
    "#;
    Manifest::parse(toml.as_bytes()).unwrap().queries.remove(0)
}

#[test]
fn the_host_fills_and_the_script_passes() {
    let input = json!({"since": "2026-11-23T21:00:00+01:00"});
    let bound = query().bind(Some(&input), vec![("batch".into(), Value::Int64(5))]).unwrap();
    let since = Value::Timestamp("2026-11-23T20:00:00Z".into());
    assert_eq!(bound, [since, Value::Int64(5), Value::Null]);
}

#[test]
fn a_script_cannot_replace_an_approved_parameter() {
    let input = json!({"since": "2026-11-23T20:00:00Z"});
    let passed = vec![
        ("since".into(), Value::Timestamp("1970-01-01T00:00:00Z".into())),
        ("batch".into(), Value::Int64(5)),
    ];
    assert_eq!(query().bind(Some(&input), passed), Err(ParamError::FilledByHost("since".into())));
}

#[test]
fn wrong_lists_are_refused_by_name() {
    let input = json!({"since": "2026-11-23T20:00:00Z"});
    let bind = |passed| query().bind(Some(&input), passed);
    let batch = || ("batch".to_owned(), Value::Int64(5));
    assert_eq!(bind(vec![]), Err(ParamError::Missing("batch".into())));
    assert_eq!(bind(vec![batch(), batch()]), Err(ParamError::Unknown("batch".into())));
    assert_eq!(
        bind(vec![batch(), ("x".into(), Value::Null)]),
        Err(ParamError::Unknown("x".into()))
    );
    let wrong = ParamError::Type { name: "batch".into(), expected: ParamType::Int8 };
    assert_eq!(bind(vec![("batch".into(), Value::Text("5".into()))]), Err(wrong));
    let absent = ParamError::NotInInput { name: "since".into(), pointer: "/since".into() };
    assert_eq!(query().check_input(Some(&json!({}))), Err(absent));
}

#[test]
fn types_are_exact() {
    let ok = [
        (ParamType::Numeric, json!("12345678901234567890.01")),
        (ParamType::Uuid, json!("019ab000-0000-7000-8000-000000000001")),
        (ParamType::Date, json!("2026-02-28")),
        (ParamType::Bytea, json!("00ff")),
        (ParamType::Bool, json!(true)),
    ];
    for (t, v) in ok {
        assert!(t.from_json(&v).is_some(), "{t:?} {v}");
    }
    let bad = [
        (ParamType::Numeric, json!("1e5")),
        (ParamType::Uuid, json!("019AB000-0000-7000-8000-000000000001")),
        (ParamType::Date, json!("2026-02-30")),
        (ParamType::Int8, json!(1.5)),
        (ParamType::Int8, json!(9_223_372_036_854_775_808_u64)),
        (ParamType::Timestamptz, json!("2026-11-23 20:00")),
        (ParamType::Bool, json!("true")),
    ];
    for (t, v) in bad {
        assert!(t.from_json(&v).is_none(), "{t:?} {v}");
    }
}
