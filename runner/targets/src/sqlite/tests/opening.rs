//! Identity, description, kinds of files.

use super::{APPLICATION_ID, Shop, reads, roomy};
use crate::TargetError;
use crate::sqlite::{SqliteSpec, check};

#[tokio::test]
async fn identity_is_checked_at_first_and_before_each_statement() {
    let mut shop = Shop::new();
    let mut session = shop.session().await;
    session.query("select 1", &[], roomy()).await.unwrap();
    shop.plain().pragma_update(None, "application_id", 77).unwrap();
    let expected = TargetError::Identity {
        what: "application id",
        expected: APPLICATION_ID.to_string(),
        found: "77".into(),
    };
    assert_eq!(session.query("select 1", &[], roomy()).await.unwrap_err(), expected);
    assert_eq!(check(&shop.spec).unwrap_err(), expected);
    shop.spec.application_id = 77;
    check(&shop.spec).unwrap();
}

#[test]
fn check_says_what_queries_can_reach() {
    let reach = check(&Shop::new().spec).unwrap();
    assert_eq!(reach.tables.len(), 5);
    let (table, columns) = &reach.tables[0];
    let columns: Vec<_> = columns.iter().map(|c| (c.name.as_str(), c.db_type.as_str())).collect();
    assert_eq!(table, "users");
    assert_eq!(columns, [("id", "INTEGER"), ("country", "TEXT"), ("created_at", "TEXT")]);
    assert_eq!(reach.hidden_tables, 3);
}

#[test]
fn a_description_that_does_not_fit_is_refused() {
    let refused = |change: &dyn Fn(&mut SqliteSpec)| {
        let mut shop = Shop::new();
        change(&mut shop.spec);
        check(&shop.spec).unwrap_err().code()
    };
    assert_eq!(refused(&|s| s.path = "shop.db".into()), "config");
    assert_eq!(refused(&|s| s.path = "/nowhere/shop.db".into()), "unreachable");
    assert_eq!(refused(&|s| s.reads.push(reads("nothing", &["a"]))), "missing");
    assert_eq!(refused(&|s| s.reads[0].columns.push("nothing".into())), "missing");
    assert_eq!(refused(&|s| s.reads[0].columns.push("ID".into())), "config");
    assert_eq!(refused(&|s| s.reads[0].columns.clear()), "config");
    assert_eq!(refused(&|s| s.reads.push(reads("USERS", &["id"]))), "config");
    assert_eq!(refused(&|s| s.reads.push(reads("sqlite_schema", &["sql"]))), "config");
    let junk = |s: &mut SqliteSpec| std::fs::write(&s.path, [7; 5000]).unwrap();
    assert_eq!(refused(&junk), "unreachable");
}

#[tokio::test]
async fn a_wal_database_is_read_while_a_writer_works() {
    let shop = Shop::with(
        "pragma journal_mode=wal; create table t(a integer); insert into t values (1)",
        vec![reads("t", &["a"])],
    );
    let writer = shop.plain();
    writer.execute_batch("begin immediate; insert into t values (2)").unwrap();
    assert_eq!(shop.outcome("select count(*) from t").await, "[[Int64(1)]]");
    writer.execute_batch("commit").unwrap();
    assert_eq!(shop.outcome("select count(*) from t").await, "[[Int64(2)]]");
}

#[tokio::test]
async fn a_locked_database_says_so() {
    let shop = Shop::new();
    let mut session = shop.session().await;
    let writer = shop.plain();
    writer.execute_batch("begin exclusive").unwrap();
    let error = session.query("select id from users", &[], roomy()).await.unwrap_err();
    assert_eq!(error.code(), "locked");
    drop(writer);
    session.query("select id from users", &[], roomy()).await.unwrap();
}
