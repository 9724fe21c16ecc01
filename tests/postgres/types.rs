//! Every type arrives exactly; and parameters arrive as what they are.

use std::fmt::Write as _;

use domain::{ParamType, Value};
use expect_test::{expect, expect_file};
use tests::postgres::{outcome, query, text};

#[tokio::test]
async fn every_type_arrives_exactly() {
    let mut spool = query("select * from shop.every_type order by id", &[]).await.unwrap();
    let columns = spool.columns().to_vec();
    let (rows, _) = spool.next(usize::MAX);
    let mut seen = String::new();
    for (at, column) in columns.iter().enumerate() {
        writeln!(seen, "{} {}", column.name, column.db_type).unwrap();
        for row in &rows {
            writeln!(seen, "    {:?}", row[at]).unwrap();
        }
    }
    expect_file!["../cases/postgres/types.txt"].assert_eq(&seen);
}

#[tokio::test]
async fn an_empty_result_has_its_columns() {
    let spool = query("select id, settings from shop.customers where id < 0", &[]).await.unwrap();
    let columns: Vec<_> = spool.columns().iter().map(|c| (&*c.name, &*c.db_type)).collect();
    assert_eq!(columns, [("id", "int8"), ("settings", "jsonb")]);
    assert_eq!(spool.rows(), 0);
}

#[tokio::test]
async fn parameters_keep_their_types_and_values() {
    let params = [
        (ParamType::Bool, Value::Boolean(true)),
        (ParamType::Int8, Value::Int64(i64::MIN)),
        (ParamType::Float8, Value::Float64(0.1)),
        (ParamType::Numeric, Value::Decimal("-12345678901234567890.10".into())),
        (ParamType::Text, Value::Text("it's \\ $1 \u{1f600}".into())),
        (ParamType::Bytea, Value::Bytes(vec![0, 255])),
        (ParamType::Uuid, Value::Uuid("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11".into())),
        (ParamType::Date, Value::Temporal("2026-02-28".into())),
        (ParamType::Timestamptz, Value::Timestamp("2026-11-24T01:02:03.5Z".into())),
        (ParamType::Json, Value::Json(r#"{"b":1, "a":1.10}"#.into())),
        (ParamType::Int8, Value::Null),
    ];
    let sql = "select $1::bool a, $2::int8 b, $3::float8 c, $4::numeric d, $5::text e, $6::bytea f, \
               $7::uuid g, $8::date h, $9::timestamptz i, $10::json j, $11::int8 k";
    let back = text(query(sql, &params).await.unwrap());
    let sent: Vec<String> = params.iter().map(|(_, v)| format!("{v:?}")).collect();
    assert_eq!(back, format!("{}\n", sent.join(" | ")));
}

#[tokio::test]
async fn a_date_that_does_not_exist_is_the_caller_s_mistake() {
    let params = [(ParamType::Date, Value::Temporal("2026-02-30".into()))];
    let error = query("select $1::date d", &params).await.unwrap_err();
    assert_eq!(error.code(), "bad-parameters", "{error}");
}

#[tokio::test]
async fn expressions_arrive_exactly_too() {
    let sql = "select count(*) n, sum(total) total, avg(total) mean, min(placed_at) first, \
               max(status) last from shop.orders";
    expect![[r#"
        Int64(6000) | Decimal("22503750.00") | Decimal("3750.6250000000000000") | Timestamp("2026-09-15T00:18:00Z") | Text("cancelled")
    "#]]
    .assert_eq(&outcome(sql).await);
}
