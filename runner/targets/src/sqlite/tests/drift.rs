//! The file's schema changes between the review and the run.

use super::*;
use crate::sqlite::{analyse, reads as read_by};

const SQL: &str = "select u.id, o.total, v.country from users u join orders o on o.user_id = u.id \
                   join v_open v on v.id = u.id where u.id = 1";

async fn analysed(shop: &Shop) -> domain::QueryAnalysis {
    let catalog = SqliteConnector::new(shop.spec.clone()).catalog().await.unwrap();
    let reads = read_by(SQL, 0, &shop.spec.reads, true).unwrap();
    analyse("one".parse().unwrap(), &reads, &catalog)
}

#[tokio::test]
async fn a_query_runs_on_the_schema_that_was_reviewed_and_on_no_other() {
    let shop = Shop::new();
    let change = |sql: &str| Connection::open(&shop.spec.path).unwrap().execute_batch(sql).unwrap();
    let runs = async |reviewed: &domain::QueryAnalysis| {
        let mut session = SqliteConnector::new(shop.spec.clone()).open_session().await?;
        let spool = session.query_as_reviewed(SQL, &[], roomy(), Some(reviewed)).await?;
        Ok::<u64, TargetError>(spool.rows())
    };
    let reviewed = analysed(&shop).await;
    assert_eq!(runs(&reviewed).await, Ok(1));
    for harmless in [
        "analyze",
        "insert into orders values (100000, 1, 2)",
        "create index more on orders(total)",
        "alter table users add column nickname text",
    ] {
        change(harmless);
        assert_eq!(runs(&reviewed).await.unwrap(), runs(&analysed(&shop).await).await.unwrap());
    }
    let view = "the view v_open, or what it rests on, has another definition";
    for (sql, told) in [
        ("drop view v_open; create view v_open as select id, ssn as country from users", view),
        (
            "drop view v_open; create table v_open(id int, country text)",
            "v_open was a view and is a table",
        ),
        (
            "alter table orders rename column total to was; alter table orders add column total text",
            "orders.total was real and is TEXT",
        ),
    ] {
        let reviewed = analysed(&shop).await;
        change(sql);
        let error = runs(&reviewed).await.unwrap_err();
        let text = error.to_string();
        assert!(
            error.code() == "drift" && text.to_lowercase().contains(&told.to_lowercase()),
            "{sql}: {text}"
        );
    }
}

#[tokio::test]
async fn a_column_that_only_the_row_filter_reads_is_part_of_what_was_reviewed() {
    let sql = "select total from orders";
    let mut orders = reads("orders", &["id", "total"]);
    orders.hidden.filter = Some(crate::sqlite::Filter::parse("user_id > 0").unwrap());
    let shop = Shop::with(SETUP, vec![orders]);
    let catalog = SqliteConnector::new(shop.spec.clone()).catalog().await.unwrap();
    let read = read_by(sql, 0, &shop.spec.reads, true).unwrap();
    let reviewed = analyse("one".parse().unwrap(), &read, &catalog);
    let mut session = shop.session().await;
    assert!(session.query_as_reviewed(sql, &[], roomy(), Some(&reviewed)).await.is_ok());
    shop.plain()
        .execute_batch("alter table orders rename column user_id to was; alter table orders add column user_id text")
        .unwrap();
    let error = session.query_as_reviewed(sql, &[], roomy(), Some(&reviewed)).await.unwrap_err();
    assert!(error.to_string().contains("orders.user_id was INT and is TEXT"), "{error}");
}
