//! The second look, alone: texts that a broken walk could have let through.

use super::super::{parser, second};
use super::reference;

/// What the second look says about a text whose tree the walk is supposed to have made.
fn look(sql: &str) -> Result<(), String> {
    let tree = parser::parse(sql).unwrap();
    let text = parser::deparse(&tree).unwrap();
    second::check(&text, &tree, &reference(), 2)
}

const USERS: &str = "(SELECT id, country, created_at, tags FROM public.users granted) u";

#[test]
fn it_confirms_what_the_walk_makes() {
    assert_eq!(look(&format!("SELECT u.id AS id FROM {USERS} WHERE u.id IN (1, $2)")), Ok(()));
}

#[test]
fn it_stops_what_the_walk_should_have_stopped() {
    let with_users = |select: &str| format!("SELECT {select} FROM {USERS}");
    let attacks = [
        "SELECT 1 AS one FROM vault.secrets".to_owned(),
        "SELECT 1 AS one FROM public.users".to_owned(),
        "SELECT 1 AS one FROM users".to_owned(),
        "SELECT u.id AS id FROM (SELECT id, ssn FROM public.users granted) u".to_owned(),
        "SELECT u.id AS id FROM (SELECT id FROM public.users granted) u".to_owned(),
        "SELECT u.id AS id FROM (SELECT id, country, created_at, tags FROM public.users granted \
         WHERE ssn LIKE '9%') u"
            .to_owned(),
        "SELECT u.id AS id FROM (SELECT id, country, created_at, tags FROM public.users) u".to_owned(),
        "SELECT u.id AS id FROM (SELECT id, country, created_at, tags FROM ONLY public.users granted) u"
            .to_owned(),
        "WITH pg_stats AS (SELECT 1 AS one) SELECT 1 AS one FROM pg_stats".to_owned(),
        "WITH a AS (SELECT 1 AS n) SELECT (WITH a AS (SELECT 2 AS n) SELECT 1 AS n) AS n FROM a"
            .to_owned(),
        with_users("u.pg_sleep AS id"),
        with_users("u.* "),
        with_users("u AS id"),
        with_users("(u).id AS id"),
        with_users("lower('x') AS id"),
        with_users("public.lower('x') AS id"),
        with_users("pg_catalog.pg_sleep(1) AS id"),
        with_users("u.id = 1 AS id"),
        with_users("u.id OPERATOR(public.=) 1 AS id"),
        with_users("u.id ~ 'x' AS id"),
        with_users("'x'::text AS id"),
        with_users("'x'::pg_catalog.regclass AS id"),
        with_users("CURRENT_USER AS id"),
        with_users("$3 AS id"),
        with_users("pg_catalog.lower('x') OVER () AS id"),
        with_users("pg_catalog.row_number() AS id"),
        with_users("pg_catalog.count(*) OVER (ORDER BY ssn) AS id"),
        with_users("pg_catalog.to_jsonb(users) AS id"),
        with_users("pg_catalog.lower(u) AS id"),
        with_users("'x' COLLATE public.c AS id"),
        "SELECT x.x AS x FROM pg_catalog.pg_read_file('/etc/passwd') x(x)".to_owned(),
        "SELECT x.x AS x FROM pg_catalog.lower('x') x(x)".to_owned(),
        "SELECT 1 AS x FROM pg_catalog.unnest(ARRAY[1])".to_owned(),
        "SELECT x.a AS a FROM pg_catalog.jsonb_to_record('{}') x(a public.leaker)".to_owned(),
        with_users("(SELECT 1 AS id FROM vault.secrets) AS id"),
        with_users("u.id IN (SELECT 1 AS id) AS id"),
        with_users("ARRAY(SELECT 1 AS id FROM vault.secrets) AS id"),
        with_users("ROW(u) AS id"),
        format!("SELECT u.id AS id FROM {USERS} FOR UPDATE"),
        format!("SELECT u.id AS id INTO t FROM {USERS}"),
        format!("SELECT u.id AS id FROM {USERS} UNION SELECT id FROM public.orders granted"),
        format!("SELECT u.id AS id FROM {USERS} TABLESAMPLE system(1)").replace(") u T", ") u, x T"),
        format!("SELECT u.id AS id FROM {USERS} NATURAL JOIN {USERS}"),
        "SELECT 1 AS one; SELECT 2 AS two".to_owned(),
        "DELETE FROM lockme".to_owned(),
        "VALUES (pg_catalog.pg_sleep(1))".to_owned(),
        "VALUES (DEFAULT)".to_owned(),
    ];
    for sql in attacks {
        assert!(look(&sql).is_err(), "{sql}");
    }
}

#[test]
fn it_stops_a_text_that_means_another_tree() {
    let tree =
        parser::parse("SELECT 1 OPERATOR(pg_catalog.-) (2 OPERATOR(pg_catalog.-) 3) AS n").unwrap();
    let other = "SELECT 1 OPERATOR(pg_catalog.-) 2 OPERATOR(pg_catalog.-) 3 AS n";
    assert!(second::check(other, &tree, &reference(), 0).is_err());
}
