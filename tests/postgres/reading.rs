//! Ordinary queries over joins, views, partitions, enums and json, through the gate, on a standby.

use std::fmt::Write as _;

use domain::{ParamType, Value};
use expect_test::expect;
use targets::postgres::{Finding, check};
use tests::postgres::{open, outcome, query, roomy, shop, text};

#[tokio::test]
async fn joins_views_partitions_and_enums_are_read() {
    let cases = [
        "select o.id, c.country, i.sku from shop.orders o join shop.customers c on c.id = \
         o.customer_id left join shop.items i on i.order_id = o.id where o.id = 7 order by i.sku",
        "select count(*) n from shop.stuck",
        "select day, orders, total from shop.daily order by day limit 1",
        "select status, count(*) n from shop.orders where status = 'paid' group by status",
        "select count(*) n from orders where placed_at >= '2026-11-01 00:00:00+00'",
        "with big as (select id, total from shop.orders where total > 7000) \
         select count(*) n, max(total) top from big",
    ];
    let mut seen = String::new();
    for sql in cases {
        seen += &outcome(sql).await;
    }
    expect![[r#"
        Int64(7) | Text("US") | Text("sku-12")
        Int64(7) | Text("US") | Text("sku-13")
        Int64(1500)
        Temporal("2026-09-15") | Int64(79) | Decimal("3950.00")
        Text("paid") | Int64(1500)
        Int64(2241)
        Int64(400) | Decimal("7500.00")
    "#]]
    .assert_eq(&seen);
}

#[tokio::test]
async fn a_star_means_the_granted_columns() {
    let spool = query("select * from shop.customers order by id limit 1", &[]).await.unwrap();
    let names: Vec<_> = spool.columns().iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["id", "country", "created_at", "tags", "settings"]);
}

#[tokio::test]
async fn parameters_are_compared_in_the_query() {
    let params = [
        (ParamType::Timestamptz, Value::Timestamp("2026-11-28T00:00:00Z".into())),
        (ParamType::Int8, Value::Int64(2)),
    ];
    let sql = "select id, placed_at from shop.orders where placed_at >= $1 order by id limit $2";
    expect![[r#"
        Int64(5920) | Timestamp("2026-11-28T00:00:00Z")
        Int64(5921) | Timestamp("2026-11-28T00:18:00Z")
    "#]]
    .assert_eq(&text(query(sql, &params).await.unwrap()));
}

#[tokio::test]
async fn a_session_answers_again_after_a_mistake() {
    let shop = shop();
    let mut session = open(&shop.spec(&shop.standby)).await.unwrap();
    let mistake = session.query("select 1 / (id - id) q from shop.items", &[], roomy()).await;
    let error = mistake.unwrap_err();
    let absent = session.query("select order_id / 0 q from shop.items", &[], roomy()).await;
    assert_eq!(absent.unwrap_err().code(), "database-error");
    assert_eq!(error.code(), "not-allowed");
    session.query("select 1 q", &[], roomy()).await.unwrap();
}

#[tokio::test]
async fn the_database_s_words_stay_evidence() {
    // The words quote the value: it could be one that the script may only compare.
    let error = query("select cast(sku as int8) n from shop.items", &[]).await.unwrap_err();
    assert_eq!(error.code(), "database-error");
    assert!(!error.to_string().contains("sku-"), "{error}");
    assert!(error.detail().unwrap().contains("sku-"), "{error:?}");
}

#[tokio::test]
async fn check_says_what_queries_can_reach() {
    let shop = shop();
    let reach = check(&shop.spec(&shop.standby)).await.unwrap();
    assert_eq!(reach.identity.role, "reader");
    assert_eq!(reach.tables.len(), 8);
    let (name, columns) = &reach.tables[1];
    let columns: Vec<_> = columns.iter().map(|c| (&*c.name, &*c.db_type)).collect();
    assert_eq!(name, "shop.orders");
    assert_eq!(columns[2], ("status", "shop.order_status"));
    // The keys and their view; and what other tests own, mask, spread and write.
    assert_eq!(reach.hidden_relations, 7);
    // The reader of this schema has a limit of temporary files; nobody has thought of the rest.
    let mut seen = String::new();
    for Finding { warns, what, .. } in reach.findings {
        writeln!(seen, "{} {what}", if warns { "!" } else { "-" }).unwrap();
    }
    expect![[r#"
        ! the role may call functions that act with their owners' rights (SECURITY DEFINER): shop.leak
        - granted views read with their owners' rights: shop.stuck
        ! the server may write parameters of queries into its log
        ! replay does not wait as long as a query may take, and then cancels it
    "#]].assert_eq(&seen);
}
