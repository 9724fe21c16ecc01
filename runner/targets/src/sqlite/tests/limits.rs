//! Caps, time, cancellation, parameters.

use std::time::{Duration, Instant};

use domain::{LimitName, ParamType, Value};

use super::{Shop, roomy};
use crate::{Caps, TargetError};

const BOMB: &str =
    "with recursive t(n) as (select 1 union all select n + 1 from t) select count(*) from t";

#[tokio::test]
async fn an_endless_recursion_ends_at_its_time() {
    let started = Instant::now();
    let caps = Caps { time_ms_max: 200, ..roomy() };
    let error = Shop::new().query_with(BOMB, &[], caps).await.unwrap_err();
    assert_eq!(error, TargetError::StatementTime { ms_max: 200 });
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn the_targets_own_time_holds_whatever_the_caller_says() {
    let mut shop = Shop::new();
    shop.spec.statement_ms_max = 100;
    let error = shop.query_with(BOMB, &[], roomy()).await.unwrap_err();
    assert_eq!(error, TargetError::StatementTime { ms_max: 100 });
}

#[tokio::test]
async fn a_row_cap_keeps_the_rows_and_names_itself() {
    let caps = Caps { rows_max: 3, ..roomy() };
    let mut spool = Shop::new().query_with("select id from orders", &[], caps).await.unwrap();
    assert_eq!((spool.rows(), spool.limit_hit()), (3, Some(LimitName::QueryRows)));
    assert_eq!(spool.next(2), (vec![vec![Value::Int64(1)], vec![Value::Int64(2)]], false));
    assert_eq!(spool.next(2), (vec![vec![Value::Int64(3)]], true));
}

#[tokio::test]
async fn exactly_as_much_as_the_caps_is_no_limit() {
    let caps = Caps { rows_max: 3, bytes_max: 24, ..roomy() };
    let spool = Shop::new().query_with("select id from orders limit 3", &[], caps).await.unwrap();
    assert_eq!((spool.rows(), spool.bytes(), spool.limit_hit()), (3, 24, None));
}

#[tokio::test]
async fn a_byte_cap_leaves_out_the_row_that_exceeds_it() {
    let caps = Caps { bytes_max: 20, ..roomy() };
    let spool = Shop::new().query_with("select id from orders", &[], caps).await.unwrap();
    assert_eq!((spool.rows(), spool.limit_hit()), (2, Some(LimitName::QueryBytes)));
}

#[tokio::test]
async fn cancelling_stops_the_running_statement_and_later_ones() {
    let mut session = Shop::new().session().await;
    let canceller = session.canceller();
    let started = Instant::now();
    let (result, ()) = tokio::join!(session.query(BOMB, &[], roomy()), async {
        tokio::task::yield_now().await;
        canceller.cancel();
    });
    assert_eq!(result.unwrap_err(), TargetError::Cancelled);
    assert_eq!(session.query("select 1", &[], roomy()).await.unwrap_err(), TargetError::Cancelled);
    assert!(started.elapsed() < Duration::from_secs(5), "well before the statement's 10 s");
}

/// If the dropped statement went on, the next would wait for it until its 10 s are over.
#[tokio::test]
async fn dropping_the_future_stops_the_statement_and_frees_the_session() {
    let shop = Shop::new();
    let mut session = shop.session().await;
    let started = Instant::now();
    let patience = Duration::from_millis(50);
    tokio::time::timeout(patience, session.query(BOMB, &[], roomy())).await.unwrap_err();
    let spool = session.query("select id from users", &[], roomy()).await.unwrap();
    assert_eq!(spool.rows(), 1000);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_value_too_long_for_the_engine_is_refused() {
    let sql = "with recursive t(s) as (select 'aaaaaaaa' union all select s || s from t) \
               select max(s) from t";
    let error = Shop::new().query(sql).await.unwrap_err();
    assert_eq!(error.code(), "too-big");
}

#[tokio::test]
async fn a_parameter_is_bound_by_its_number_not_by_its_place() {
    let params = [
        (ParamType::Text, Value::Text("one' or 1=1 --".into())),
        (ParamType::Int8, Value::Int64(2)),
        (ParamType::Bool, Value::Null),
    ];
    let sql = "select $2, $1, $2, $3, $1";
    let mut spool = Shop::new().query_with(sql, &params, roomy()).await.unwrap();
    let (one, two) = (params[0].1.clone(), Value::Int64(2));
    assert_eq!(spool.next(1).0, [[two.clone(), one.clone(), two, Value::Null, one]]);
}

#[tokio::test]
async fn parameters_that_do_not_fit_are_refused() {
    for (sql, params) in [
        ("select $2", vec![(ParamType::Int8, Value::Int64(1))]),
        ("select $1", vec![]),
        ("select $1", vec![(ParamType::Int8, Value::Text("1".into()))]),
        ("select $1", vec![(ParamType::Float8, Value::Float64(f64::NAN))]),
    ] {
        let error = Shop::new().query_with(sql, &params, roomy()).await.expect_err(sql);
        assert_eq!(error.code(), "bad-parameters", "{sql}");
    }
}

#[tokio::test]
async fn the_databases_words_are_evidence_only() {
    let sql = "select json_extract(country, '$.x') from users";
    let error = Shop::new().query(sql).await.unwrap_err();
    assert_eq!(error.code(), "database-error");
    assert!(error.detail().unwrap().contains("malformed JSON"));
    assert!(!error.to_string().contains("malformed"));
}
