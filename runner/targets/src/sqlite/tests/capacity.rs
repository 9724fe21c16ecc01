//! Each capacity of the engine that is set low, and the checks on a compiled statement: what they stop
//! works on a connection without them.

use rusqlite::Connection;

use super::Shop;
use crate::TargetError;
use crate::sqlite::{open, statement};

/// Compiles and runs to the end, with the engine's limits and nothing else.
fn outcome(conn: &Connection, sql: &str) -> Result<(), TargetError> {
    let mut statement = conn.prepare(sql).map_err(statement::compile_failure)?;
    let mut rows = statement.raw_query();
    while rows.next().map_err(statement::failure)?.is_some() {}
    Ok(())
}

fn list(one: &str, between: &str, times: usize) -> String {
    vec![one; times].join(between)
}

#[test]
fn what_exceeds_a_capacity_is_refused_by_the_engine() {
    let shop = Shop::new();
    let (plain, open) = (shop.plain(), open::open(&shop.spec).unwrap());
    let window = "(select sum(id) over () from orders)";
    let many = format!("coalesce({})", list(window, ",", 100));
    for (capacity, sql) in [
        (
            "LENGTH",
            "with recursive t(s) as (select 'aaaaaaaa' union all select s || s from t limit 21) \
             select max(s) from t"
                .to_owned(),
        ),
        ("SQL_LENGTH", format!("select 1 --{}", "x".repeat(64 << 10))),
        ("COLUMN", format!("select {}", list("1", ",", 501))),
        ("EXPR_DEPTH", format!("select {}", list("1", "+", 120))),
        ("COMPOUND_SELECT", list("select id from users", " union all ", 51)),
        ("VDBE_OP", format!("select {}", list(&many, ",", 17))),
        ("FUNCTION_ARG", format!("select coalesce({})", list("id", ",", 101)) + " from users"),
        (
            "LIKE_PATTERN_LENGTH",
            format!("select count(*) from users where country like '{}'", "a%".repeat(501)),
        ),
        (
            "VARIABLE_NUMBER",
            format!("select {}", (1..=33).map(|n| format!("${n}")).collect::<Vec<_>>().join(",")),
        ),
    ] {
        outcome(&plain, &sql).unwrap_or_else(|e| panic!("{capacity} without: {e:?}"));
        let error = outcome(&open.conn, &sql).expect_err(capacity);
        assert_eq!(error.code(), "too-big", "{capacity}: {error:?}");
    }
    let attach = "attach ':memory:' as another";
    plain.execute_batch(attach).unwrap();
    let words = open.conn.execute_batch(attach).unwrap_err().to_string();
    assert!(words.contains("too many attached databases"), "{words}");
    for (limit, value) in open::LIMITS {
        assert_eq!(open.conn.limit(*limit).unwrap(), *value, "{limit:?}");
    }
}

#[test]
fn a_compiled_statement_is_one_query_that_returns_rows() {
    let shop = Shop::new();
    let plain = shop.plain();
    let out = shop.dir.path().join("out.db");
    for sql in [
        "delete from orders returning id",
        "insert into orders values (9999, 1, 1)",
        "explain select id from users",
        "explain query plan select id from users",
        "select 1; select 2",
        "select 1; delete from orders",
        "begin",
        "pragma query_only = 0",
        &format!("attach '{}' as w", out.display()),
        &format!("vacuum into '{}'", out.display()),
        "",
        "-- nothing",
    ] {
        let error = statement::prepare(&plain, sql).map(drop).expect_err(sql);
        assert_eq!(error.code(), "not-allowed", "{sql}: {error:?}");
    }
    for sql in ["select 1", "select 1;", "select 1; -- the end", "values (1)"] {
        statement::prepare(&plain, sql).map(drop).expect(sql);
    }
}
