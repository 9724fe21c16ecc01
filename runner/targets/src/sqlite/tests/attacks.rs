//! What a script would try. Where SQLite alone gives in, the test shows that first.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::hooks::{AuthContext, Authorization};

use super::{Shop, reads};
use crate::sqlite::{bytecode, open};

async fn check_refused(sql: &str) {
    let shop = Shop::new();
    let error = shop.query(sql).await.expect_err(sql);
    assert!(matches!(error.code(), "not-allowed" | "too-big"), "{sql}: {error:?}");
    let words = error.to_string();
    assert!(!words.contains("hunter2") && !words.contains("secrets"), "{words}");
}

#[tokio::test]
async fn a_hidden_table_gives_nothing_in_any_position() {
    let plain = Shop::new();
    for fragment in
        ["select v from secrets", "select count(*) from secrets", "select 1 from main.secrets"]
    {
        for position in [
            "@",
            "select (@)",
            "select id from users where exists (@)",
            "select id from users limit (@)",
            "select id from users order by (@)",
            "with x as (@) select 1 from x",
            "select 1 union all @",
            "select count(*) filter (where 1 in (@)) from users",
            "values ((@))",
            "select id from users group by id having (@) is not null",
            "select case when (@) then 1 end",
            "select count(id) over (order by (@)) from users",
            "with x as materialized (@) select 1 from users, x",
        ] {
            let sql = position.replace('@', fragment);
            assert!(plain.plain().prepare(&sql).is_ok(), "works without the guard: {sql}");
            check_refused(&sql).await;
        }
    }
}

#[tokio::test]
async fn a_hidden_column_gives_nothing() {
    for sql in [
        "select ssn from users",
        "select ssn from main.users",
        "select u.\"SSN\" from main.users u",
        "select * from main.users",
        "select [ssn] from `main`.users",
        "select id from main.users where ssn = 'ssn7'",
        "select count(ssn) from main.users",
        "select id from main.users order by ssn",
        "with users as (select ssn from main.users) select * from users",
        "with users(a, b) as (select id, ssn from main.users) select b from users",
        "select (select ssn from main.users u2 where u2.id = u.id) from users u",
        "select rowid from main.keyless",
        "select hidden from keyless",
        "select json_group_array(ssn) from main.users",
        "select * from v_users",
        "select id from v_users",
        "select * from v_secrets",
        "select count(*) from v_secrets",
    ] {
        check_refused(sql).await;
    }
}

#[tokio::test]
async fn a_view_that_reads_hidden_things_gives_nothing_even_if_it_is_granted() {
    check_refused("select id from v_joined").await;
    check_refused("select count(*) from v_joined").await;
}

/// SQLite compares the columns of USING and NATURAL joins without asking the authorizer.
#[tokio::test]
async fn joins_by_name_cannot_probe_hidden_tables_or_columns() {
    let shop = Shop::new();
    for sql in [
        "select count(*) from main.users u join (select 'ssn7' as ssn) x using (ssn)",
        "select count(*) from main.users u join (select 'ssn7' as ssn) x using (\"SSN\")",
        "select count(*) from users u join (select 'ssn7' as ssn) x using (ssn)",
        "select u.id from main.users u natural join (select 'ssn7' as ssn) x",
        "select u.id from main.users u full join (select 'ssn7' as ssn) x using ( ssn )",
        "select 1 from (select 'hunter2' as v) x join secrets using (v)",
        "select 1 from (select 'hunter2' as v) x join main.\"secrets\" using (v)",
        "select 1 from (select 'hunter2' as v) x natural join secrets",
        "select 1 from users join secrets using (id)",
        "select 1 from (select 'hunter2' as v) x join v_secrets using (v)",
        "select 1 from (select 'hunter2' as v) x join/**/secrets using/*(*/(/*)*/v)",
    ] {
        shop.plain().query_row(sql, [], |_| Ok(())).expect(sql);
        check_refused(sql).await;
    }
}

/// The authorizer alone allows them, which is why there are other layers.
#[test]
fn the_second_pass_catches_a_hidden_table_that_the_authorizer_never_saw() {
    let open = open::open(&Shop::new().spec).unwrap();
    let grants = open.grants().unwrap();
    let sql = "select 1 from (select 'hunter2' as v) x join secrets using (v)";
    let rules = grants.clone();
    open.conn.authorizer(Some(move |asked: AuthContext<'_>| rules.authorize(&asked))).unwrap();
    assert!(open.conn.prepare(sql).is_ok(), "the authorizer is not asked");
    open.conn.authorizer(None::<fn(AuthContext<'_>) -> Authorization>).unwrap();
    let refused = bytecode::check(&open, sql, &BTreeSet::new(), &grants).unwrap_err();
    assert_eq!(refused.code(), "not-allowed");
    let names = BTreeSet::new();
    bytecode::check(&open, "select count(*) from orders", &names, &grants).unwrap();
}

#[tokio::test]
async fn joins_by_name_over_granted_columns_work() {
    let sql = "select count(*) from users join orders using (id)";
    assert_eq!(Shop::new().outcome(sql).await, "[[Int64(1000)]]");
}

#[tokio::test]
async fn existence_of_hidden_things_does_not_show() {
    let shop = Shop::new();
    for (hidden, missing) in [
        ("select count(*) from secrets", "select count(*) from nothing_here"),
        ("select ssn from main.users", "select nothing_here from main.users"),
    ] {
        let hidden = shop.query(hidden).await.unwrap_err();
        let missing = shop.query(missing).await.unwrap_err();
        assert_eq!((hidden.code(), hidden.to_string()), (missing.code(), missing.to_string()));
    }
}

#[tokio::test]
async fn the_schema_and_the_library_stay_hidden() {
    for sql in [
        "select sql from sqlite_schema",
        "select count(*) from sqlite_master",
        "select name from sqlite_temp_schema",
        "select tbl from sqlite_stat1",
        "select name from pragma_table_list",
        "select count(*) from pragma_function_list",
        "select * from pragma_table_info('users')",
        "select count(*) from dbstat",
        "select value from json_each('[1]'), pragma_table_list",
        "select count(*) from json_tree('[1]'), sqlite_schema",
        "with json_each as (select v as value from secrets) select value from json_each",
        "select count(*) from json_each(json_each('[1]'))",
        "select count(*) from fts5vocab('a', 'b', 'c')",
        "select sqlite_version()",
        "select last_insert_rowid(), changes()",
        "select load_extension('x')",
        "select hex(randomblob(4))",
        "explain select id from users",
        "explain query plan select id from users",
    ] {
        check_refused(sql).await;
    }
}

#[tokio::test]
async fn nothing_is_written_and_no_file_appears() {
    let shop = Shop::new();
    let before = std::fs::read(&shop.spec.path).unwrap();
    let out = shop.dir.path().join("out.db");
    let out = out.to_str().unwrap();
    for sql in [
        "insert into orders values (9999, 1, 1)",
        "update users set country = 'XX'",
        "delete from orders",
        "drop table orders",
        "create temp table t (a)",
        "create temp view users as select * from main.users",
        "with x as (select 1) insert into orders select 9998, 1, 1",
        "with x as (select 1) delete from orders returning id",
        &format!("vacuum into '{out}'"),
        &format!("attach '{out}' as w"),
        &format!("attach 'file:{out}?mode=rwc' as w"),
        "vacuum",
        "reindex",
        "begin",
        "detach main",
        "pragma query_only=0",
        "pragma journal_mode=wal",
        "select 1; select 2",
        "select 1; pragma query_only=0",
        "select 1;; delete from orders",
        "",
    ] {
        let error = shop.query(sql).await.expect_err(sql);
        assert_eq!(error.code(), "not-allowed", "{sql}");
    }
    assert_eq!(std::fs::read(&shop.spec.path).unwrap(), before);
    assert!(!Path::new(out).exists());
    shop.plain().execute_batch(&format!("vacuum into '{out}'")).expect("works without the guard");
    assert!(Path::new(out).exists());
}

/// With text, authorizer and second pass gone, the handle itself must still not write.
#[test]
fn the_handle_alone_does_not_write() {
    let shop = Shop::new();
    let open = open::open(&shop.spec).unwrap();
    let out = shop.dir.path().join("out.db");
    for sql in [
        "insert into orders values (9999, 1, 1)".into(),
        "create temp table t (a)".into(),
        format!("attach '{}' as w", out.display()),
        format!("vacuum into '{}'", out.display()),
    ] {
        open.conn.execute_batch(&sql).expect_err(&sql);
    }
    // Only the authorizer stands before this; the file is read-only all the same.
    open.conn.execute_batch("pragma query_only=0").unwrap();
    open.conn.execute_batch("insert into orders values (9999, 1, 1)").unwrap_err();
}

#[tokio::test]
async fn a_star_means_the_granted_columns() {
    let spool = Shop::new().query("select * from users limit 1").await.unwrap();
    let names: Vec<_> = spool.columns().iter().map(|c| c.name.clone()).collect();
    assert_eq!(names, ["id", "country", "created_at"]);
}

#[tokio::test]
async fn ordinary_queries_work() {
    for (sql, rows) in [
        ("select count(*) from users", "[[Int64(1000)]]"),
        ("select id, country from v_open limit 1", "[[Int64(1), Text(\"DE\")]]"),
        ("with x as (select id from users) select count(*) from x", "[[Int64(1000)]]"),
        ("select exists(select 1 from orders where total > 1499)", "[[Int64(1)]]"),
        (
            "select u.country, sum(o.total) from users u left join orders o on o.user_id = u.id \
          group by 1 -- by country; all of them",
            "[[Text(\"DE\"), Float64(750750.0)]]",
        ),
        ("select date(created_at, '+1 day') from users limit 1 ;", "[[Text(\"2026-01-02\")]]"),
        ("values (1, 'a;b'), (2, ';')", "[[Int64(1), Text(\"a;b\")], [Int64(2), Text(\";\")]]"),
        (
            "select max(r) from (select rank() over (order by id) as r from orders)",
            "[[Int64(1000)]]",
        ),
    ] {
        assert_eq!(Shop::new().outcome(sql).await, rows, "{sql}");
    }
}

/// SQLite's own tables of JSON compute; a table of the file with such a name is the file's.
#[tokio::test]
async fn json_is_taken_apart_and_nothing_else_is_opened_by_that_name() {
    let shop = Shop::new();
    for (sql, rows) in [
        ("select value from json_each('[7, 8]') where key = 1", "[[Int64(8)]]"),
        ("select count(*) from json_tree('{\"a\": [1, 2]}')", "[[Int64(4)]]"),
        (
            "select u.id, j.value from users u join json_each(json_array(u.id, 2)) j on j.key = 0 limit 1",
            "[[Int64(1), Int64(1)]]",
        ),
    ] {
        assert_eq!(shop.outcome(sql).await, rows, "{sql}");
    }
    let setup = "create table json_each(value text); insert into json_each values ('hunter2');
                 create table t(a text); insert into t values ('x');";
    let shadowed = Shop::with(setup, vec![reads("t", &["a"])]);
    for sql in [
        "select value from json_each",
        "select count(*) from json_each",
        "select * from json_each('[1]')",
    ] {
        let outcome = shadowed.outcome(sql).await;
        assert!(!outcome.contains("hunter2") && !outcome.contains("Int64"), "{sql}: {outcome}");
    }
    assert_eq!(shadowed.outcome("select a from t").await, "[[Text(\"x\")]]");
}

/// Recursion is policy's to give, with or without the word for it.
#[tokio::test]
async fn nothing_recurses_unless_policy_says_so() {
    let mut shop = Shop::new();
    let with = |word: &str| {
        format!(
            "with {word} n(i) as (select 1 union all select i + 1 from n where i < 9) select max(i) from n"
        )
    };
    assert_eq!(shop.outcome(&with("recursive")).await, "[[Int64(9)]]");
    assert_eq!(shop.outcome(&with("")).await, "[[Int64(9)]]");
    shop.spec.recursion = false;
    let told = shop.query(&with("recursive")).await.unwrap_err().to_string();
    assert!(told.contains("does not let queries of this target recurse"), "{told}");
    assert_eq!(shop.outcome(&with("")).await, "not-allowed");
    let plain = "with recursive n as (select 1 as i) select i from n";
    assert_eq!(shop.outcome(plain).await, "[[Int64(1)]]", "the word alone costs nothing");
}

/// A name that turns up after the session opened is judged by the schema of the statement.
#[tokio::test]
async fn a_table_made_during_the_session_is_hidden() {
    let shop = Shop::with("create table t(a)", vec![reads("t", &["a"])]);
    let mut session = shop.session().await;
    shop.plain().execute_batch("create table later(x); insert into later values (1)").unwrap();
    let error = session.query("select count(*) from later", &[], super::roomy()).await.unwrap_err();
    assert_eq!(error.code(), "not-allowed");
}
