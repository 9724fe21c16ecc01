//! What stands between a statement and the file: views under names that nobody can know.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::{APPLICATION_ID, Shop, reads, roomy};
use crate::Canceller;
use crate::sqlite::open::{self, Open};
use crate::sqlite::statement::{Job, run};

/// Runs a statement and gives everything that comes of it: rows, columns' names, error, evidence.
fn all_of(open: &Open, sql: &str) -> String {
    let job = Job {
        sql: sql.into(),
        params: Vec::new(),
        caps: roomy(),
        reviewed: None,
        abandoned: Arc::new(AtomicBool::new(false)),
        cancelled: Canceller::default(),
    };
    match run(open, &job) {
        Ok(mut spool) => format!("{:?} {:?}", spool.columns().to_vec(), spool.next(usize::MAX)),
        Err(e) => format!("{e} {e:?}"),
    }
}

/// Without random names: a view `users`, and base columns for whoever is called `users`.
#[test]
fn a_cte_that_carries_the_name_of_a_view_reads_what_the_view_may_read() {
    let attack = "with users as (select email from main.users) select min(email) from users";
    let shop = Shop::new();
    let naive = shop.plain();
    naive
        .execute_batch("create temp view users as select id, '***' as m, email from main.users")
        .unwrap();
    let by_name = |asked: AuthContext<'_>| match (asked.action, asked.accessor) {
        (AuthAction::Read { column_name: "email", .. }, accessor) if accessor != Some("users") => {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    };
    naive.authorizer(Some(by_name)).unwrap();
    naive.prepare("select min(email) from main.users").expect_err("the column is hidden");
    let stolen: String = naive.query_row(attack, [], |row| row.get(0)).unwrap();
    assert_eq!(stolen, "user1000@example.com");

    let open = open::open(&shop.spec).unwrap();
    for attack in [
        attack,
        "with users as (select email from users) select * from users",
        "with users(a) as (select ssn from temp.users) select a from users",
        "with v_open as (select ssn from users) select * from v_open",
        "with v_open as (select v from secrets) select * from v_open",
        "with v_joined as materialized (select v, id from secrets) select id from v_joined",
    ] {
        let all = all_of(&open, attack);
        assert!(all.starts_with("the statement is not allowed"), "{attack}: {all}");
    }
}

/// The granted view `v_open` reads a table under its own name, which anybody can write.
#[test]
fn a_view_of_the_file_reads_no_more_than_everybody() {
    let shop = Shop::with(super::SETUP, vec![reads("v_open", &["id"])]);
    let open = open::open(&shop.spec).unwrap();
    for sql in [
        "select id from v_open",
        "with v_open as (select country from users) select * from v_open",
        "with v_open as (select id from users) select * from v_open",
    ] {
        assert!(all_of(&open, sql).starts_with("the statement is not allowed"), "{sql}");
    }
    let granted = vec![reads("v_open", &["id"]), reads("users", &["id", "country"])];
    let open = open::open(&Shop::with(super::SETUP, granted).spec).unwrap();
    assert!(all_of(&open, "select max(id) from v_open").contains("Int64(1000)"));
}

/// A statement's CTE never takes the place of something inside a view.
#[test]
fn a_cte_does_not_reach_into_the_views() {
    let open = open::open(&Shop::new().spec).unwrap();
    for sql in [
        "with users as (select 7 as id) select count(*) from v_open",
        "with main as (select 7 as id), v_open as (select 1 from v_open) select count(*) from orders",
    ] {
        assert!(all_of(&open, sql).contains("Int64(1000)"), "{sql}: {}", all_of(&open, sql));
    }
}

#[test]
fn no_schemas_name_leads_to_the_file() {
    let open = open::open(&Shop::new().spec).unwrap();
    for sql in [
        "select id from main.users",
        "select v from main.secrets",
        "select id from file.users",
        "select count(*) from main.orders",
        "select name from main.sqlite_schema",
        "select name from temp.sqlite_schema",
    ] {
        assert!(all_of(&open, sql).starts_with("the statement is not allowed"), "{sql}");
    }
    // The views themselves.
    assert!(all_of(&open, "select count(*) from temp.users").contains("Int64(1000)"));
}

#[test]
fn random_names_never_show() {
    let shop = Shop::new();
    let open = open::open(&shop.spec).unwrap();
    let token = open.names.schema()[1..].to_owned();
    assert_eq!(token.len(), 32);
    assert_ne!(token, open::open(&shop.spec).unwrap().names.schema()[1..]);
    for sql in [
        "select v from secrets",
        "select u.ssn from users u",
        "select count(*) from secrets",
        "select * from v_secrets",
        "select id from v_users",
        "select id from v_joined",
        "select max(id), (select country from users limit 1) from users, orders",
        "select * from users join orders on users.id = orders.id limit 1",
        "select id from users join orders on 1",
        "select users.id + x.id from (select * from users) x, users limit 1",
        "select abs(-9223372036854775807 - id) from users",
        "select json_extract(country, '$') from users",
        "select id from users where id in users",
        "select id from orders where id in secrets",
        "select rowid from users",
        "explain query plan select u.id from users u",
        "explain select id from users",
        "select * from users, (select * from keyless) natural join orders",
    ] {
        let all = all_of(&open, sql);
        assert!(!all.contains(&token[..8]), "{sql}: {all}");
    }
    // Evidence names what was asked for.
    assert!(all_of(&open, "select v from secrets").contains("access to secrets.v is prohibited"));
    // The file loses a column under the views.
    shop.plain().execute_batch("alter table users drop created_at").unwrap();
    for sql in ["select id from users", "select created_at from users", "select * from users"] {
        let all = all_of(&open, sql);
        assert!(all.contains("not allowed") && !all.contains(&token[..8]), "{sql}: {all}");
    }
}

#[test]
fn the_second_pass_knows_the_files_number() {
    let open = open::open(&Shop::new().spec).unwrap();
    let names =
        open.conn.prepare("select seq, name from pragma_database_list").and_then(|mut s| {
            let pair = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get(1)?));
            s.query_map([], pair)?.collect::<Result<Vec<(i64, String)>, _>>()
        });
    assert!(names.unwrap().contains(&(2, open.names.schema())));
    assert_eq!(open.spec.application_id, APPLICATION_ID);
}
