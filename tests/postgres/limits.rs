//! Caps hold, and they hold at the server.

use std::sync::atomic::Ordering;

use crate::cancel::SLOW;
use domain::{LimitName, ParamType, Value};
use targets::postgres::{PostgresConnector, Sessions};
use targets::{Caps, Connector as _, Spool, TargetError};
use tests::postgres::{open, roomy, shop};

use crate::between::between;

async fn capped(sql: &str, caps: Caps) -> Result<Spool, TargetError> {
    let shop = shop();
    open(&shop.spec(&shop.standby)).await.unwrap().query(sql, &[], caps).await
}

#[tokio::test]
async fn rows_end_at_their_cap_and_exactly_there() {
    let rows = |rows_max| capped("select id from shop.customers", Caps { rows_max, ..roomy() });
    let cut = rows(10).await.unwrap();
    assert_eq!((cut.rows(), cut.limit_hit()), (10, Some(LimitName::QueryRows)));
    let exact = rows(2_000).await.unwrap();
    assert_eq!((exact.rows(), exact.limit_hit()), (2_000, None));
    let unlimited = rows(u64::MAX).await.unwrap();
    assert_eq!((unlimited.rows(), unlimited.limit_hit()), (2_000, None));
}

#[tokio::test]
async fn bytes_end_at_their_cap_and_the_session_goes_on() {
    let shop = shop();
    let mut session = open(&shop.spec(&shop.standby)).await.unwrap();
    let caps = Caps { bytes_max: 1_000_000, ..roomy() };
    let sql = "select id, body from shop.documents where id > 2 order by id";
    let cut = session.query(sql, &[], caps).await.unwrap();
    assert_eq!((cut.rows(), cut.limit_hit()), (4, Some(LimitName::QueryBytes)));
    let small = session.query("select id from shop.documents", &[], caps).await.unwrap();
    assert_eq!((small.rows(), small.limit_hit()), (42, None));
}

#[tokio::test]
async fn many_rows_arrive_whole() {
    let sql = "select a.order_id, b.sku from shop.items a, shop.items b where b.order_id < 10";
    let spool = capped(sql, roomy()).await.unwrap();
    assert_eq!((spool.rows(), spool.limit_hit()), (12_000 * 18, None));
}

#[tokio::test]
async fn a_cell_of_a_hundred_megabytes_stays_at_the_server() {
    let shop = shop();
    let mut spec = shop.spec(&shop.standby);
    let received = between(&mut spec, &shop.standby, u64::MAX).await;
    let mut session = open(&spec).await.unwrap();
    let sql = "select id, body from shop.documents where id = 2";
    let error = session.query(sql, &[], roomy()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the statement needs more than the target allows: rows of at most 4 MiB"
    );
    let few = session.query(sql, &[], Caps { bytes_max: 1 << 20, ..roomy() }).await.unwrap();
    assert_eq!((few.rows(), few.limit_hit()), (0, Some(LimitName::QueryBytes)));
    let both = "select id, body || body as body from shop.documents where id = 2";
    assert_eq!(session.query(both, &[], roomy()).await.unwrap_err().code(), "too-big");
    assert!(received.load(Ordering::SeqCst) < 1 << 20, "{received:?}");
}

#[tokio::test]
async fn json_and_arrays_are_measured_as_the_text_that_they_become() {
    let caps = Caps { bytes_max: 10, ..roomy() };
    let json = capped("select settings from shop.customers where id = 1", caps).await.unwrap();
    assert_eq!((json.rows(), json.limit_hit()), (0, Some(LimitName::QueryBytes)));
    let tags = capped("select tags from shop.customers where id = 10", caps).await.unwrap();
    assert_eq!((tags.rows(), tags.limit_hit()), (0, Some(LimitName::QueryBytes)));
}

#[tokio::test]
async fn what_the_planner_expects_to_be_too_much_is_not_run_and_nobody_learns_the_expectation() {
    let shop = shop();
    let mut spec = shop.spec(&shop.standby);
    spec.cost_max = 10_000_000;
    let mut session = open(&spec).await.unwrap();
    let error = session.query(SLOW, &[], roomy()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the statement is too costly for the target, so it was not run: the planner expects more \
         than 10000000 of cost; narrow it, use an index, or sign a policy with a higher `cost_max`"
    );
    assert!(error.detail().unwrap().parse::<f64>().unwrap() > 1e7, "evidence: {error:?}");
    let log = shop.standby.log().unwrap();
    let asked =
        log.lines().filter(|line| line.contains("select count(*) n from shop.items a, shop"));
    assert!(
        asked.clone().all(|line| line.contains("EXPLAIN") || line.contains("SELECT count")),
        "{log}"
    );
    // The session goes on, and a parameter's value is part of what is expected.
    let by_id = "select body from shop.documents where id > $1";
    spec.cost_max = 3;
    let mut session = open(&spec).await.unwrap();
    let from = |id: i64| [(ParamType::Int8, Value::Int64(id))];
    assert_eq!(session.query(by_id, &from(0), roomy()).await.unwrap_err().code(), "too-costly");
    session.query("select 1 n", &[], roomy()).await.unwrap();
}

#[tokio::test]
async fn a_target_has_no_more_sessions_than_it_may() {
    let shop = shop();
    let connector = PostgresConnector::new(shop.spec(&shop.standby), Sessions::at_most(1));
    let first = connector.open_session().await.unwrap();
    let second = connector.clone();
    let mut second = Box::pin(second.open_session());
    assert!(futures_util::future::poll_immediate(&mut second).await.is_none(), "it waits");
    drop(first);
    second.await.unwrap();
}
