//! Queries of real debugging, and the texts that are sent for them.

use domain::ParamType;
use expect_test::{Expect, expect};

use super::super::{Grant, Relation, gate};
use super::try_gate;

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "`expect![]` is written in place")]
fn check(sql: &str, sent: Expect) {
    match try_gate(sql) {
        Ok(gated) => sent.assert_eq(&gated.sql),
        Err(refusal) => panic!("{refusal}"),
    }
}

#[test]
fn a_star_is_the_granted_columns() {
    check(
        "select * from users limit 2",
        expect![
            "SELECT users.id AS id, users.country AS country, users.created_at AS created_at, users.tags AS tags FROM (SELECT id, country, created_at, tags FROM public.users granted) users LIMIT 2"
        ],
    );
}

/// A list of names behind a relation is for its granted columns, as `*` is.
#[test]
fn columns_that_are_renamed_are_still_the_granted_ones() {
    let gated =
        try_gate("select t.b, lower(t.c) from users as t(a, b, c) join orders o(i) on o.i = t.a")
            .unwrap();
    expect!["SELECT t.b AS b, pg_catalog.lower(t.c) AS lower FROM (SELECT id, country, created_at, tags FROM public.users granted) t(a, b, c) JOIN (SELECT id, user_id, status, total, placed_at FROM public.orders granted) o(i) ON o.i OPERATOR(pg_catalog.=) t.a"].assert_eq(&gated.sql);
    let reads: Vec<String> =
        gated.reads.iter().map(|r| format!("{}: {}", r.name, r.columns.join(" "))).collect();
    assert_eq!(reads, ["users: id country created_at", "orders: id"]);
}

#[test]
fn series_of_moments_and_texts_with_places() {
    for sql in [
        "select d::date, count(o.id) from generate_series(now() - interval '7 days', now(), interval '1 day') d \
         left join orders o on o.placed_at::date = d::date group by 1 order by 1",
        "select generate_series('2026-01-01'::date, $1::date, '15 minutes')",
        "select format('%s of %2$L: %%', id, country), jsonb_pretty('{}'), pg_size_pretty(sum(id)) from users group by id, country",
        "select id from orders order by total desc fetch first 3 rows with ties",
        "select id from users u where not exists (select from orders o where o.user_id = u.id)",
        "select public.users.id from public.users where public.users.country = 'DE'",
        "select overlay('abcdef' placing 'X' from 2 for 3), overlay('abcdef' placing 'X' from 2)",
        "select substring('abc' from 1 for 2), substring('abc' similar 'a#\"b#\"c' escape '#'), trim(leading 'x' from 'xa')",
        "select position('a' in 'ba'), normalize('a', nfc), 'a' is normalized, (now(), now()) overlaps (now(), now())",
        "select B'101' | B'010', bit_length(B'1')",
        "select bool 't', 'f'::bool, 'true'::bool, '{t}'::bool[], int '42', time '10:00', date '2026-01-01'",
        "select t.n, t.x from rows from (generate_series(1, 3), unnest(array['a', 'b'])) as t(n, x)",
        "select t.a, n from unnest(array[1, 2], array['x', 'y']) with ordinality as t(a, b, n)",
    ] {
        assert!(try_gate(sql).is_ok(), "{sql}: {:?}", try_gate(sql));
    }
}

#[test]
fn orders_paid_but_not_shipped() {
    check(
        "SELECT o.id, u.country, now() - o.placed_at AS waiting
         FROM orders o JOIN public.users u ON u.id = o.user_id
         WHERE o.status = 'paid' AND o.placed_at < $1 -- since
         ORDER BY waiting DESC LIMIT 50",
        expect![
            "SELECT o.id AS id, u.country AS country, pg_catalog.now() OPERATOR(pg_catalog.-) o.placed_at AS waiting FROM (SELECT id, user_id, status, total, placed_at FROM public.orders granted) o JOIN (SELECT id, country, created_at, tags FROM public.users granted) u ON u.id OPERATOR(pg_catalog.=) o.user_id WHERE o.status OPERATOR(pg_catalog.=) 'paid' AND o.placed_at OPERATOR(pg_catalog.<) $1 ORDER BY waiting DESC LIMIT 50"
        ],
    );
}

#[test]
fn a_count_by_day_and_status() {
    check(
        "select date_trunc('day', placed_at) as day, status::text, count(*),
                count(*) filter (where total > 100) as large
         from orders where placed_at >= $1 and placed_at < $2 + interval '1 day'
         group by 1, 2 having count(*) > 1 order by day desc nulls last, 2",
        expect![
            "SELECT pg_catalog.date_trunc('day', placed_at) AS day, status::pg_catalog.text AS status, pg_catalog.count(*) AS count, pg_catalog.count(*) FILTER (WHERE total OPERATOR(pg_catalog.>) 100) AS large FROM (SELECT id, user_id, status, total, placed_at FROM public.orders granted) orders WHERE placed_at OPERATOR(pg_catalog.>=) $1 AND placed_at OPERATOR(pg_catalog.<) ($2 OPERATOR(pg_catalog.+) '1 day'::interval) GROUP BY 1, 2 HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 ORDER BY day DESC NULLS LAST, 2"
        ],
    );
}

#[test]
fn users_without_orders() {
    check(
        "select u.id, u.country from users u where not exists
           (select * from orders o where o.user_id = u.id and o.status <> 'void')",
        expect![
            "SELECT u.id AS id, u.country AS country FROM (SELECT id, country, created_at, tags FROM public.users granted) u WHERE NOT EXISTS (SELECT o.id AS id, o.user_id AS user_id, o.status AS status, o.total AS total, o.placed_at AS placed_at FROM (SELECT id, user_id, status, total, placed_at FROM public.orders granted) o WHERE o.user_id OPERATOR(pg_catalog.=) u.id AND o.status OPERATOR(pg_catalog.<>) 'void')"
        ],
    );
}

#[test]
fn the_newest_order_of_each_user() {
    check(
        "select distinct on (user_id) user_id, id, total from orders
         where user_id in (select id from users where country in ('DE', 'AU'))
         order by user_id, placed_at desc",
        expect![
            "SELECT DISTINCT ON (user_id) user_id AS user_id, id AS id, total AS total FROM (SELECT id, user_id, status, total, placed_at FROM public.orders granted) orders WHERE user_id OPERATOR(pg_catalog.=) ANY (SELECT id AS id FROM (SELECT id, country, created_at, tags FROM public.users granted) users WHERE country IN ('DE', 'AU')) ORDER BY user_id, placed_at DESC"
        ],
    );
}

#[test]
fn totals_through_with() {
    check(
        "with paid as (select user_id, sum(total) as total from orders
                       where status = 'paid' group by user_id),
              large as materialized (select * from paid where paid.total > 1000)
         select u.country, count(*), avg(large.total)::numeric(12, 2) from large
         left join users u on u.id = large.user_id group by u.country order by 3 desc",
        expect![
            "WITH paid AS (SELECT user_id AS user_id, pg_catalog.sum(total) AS total FROM (SELECT id, user_id, status, total, placed_at FROM public.orders granted) orders WHERE status OPERATOR(pg_catalog.=) 'paid' GROUP BY user_id), large AS MATERIALIZED (SELECT paid.user_id AS user_id, paid.total AS total FROM paid WHERE paid.total OPERATOR(pg_catalog.>) 1000) SELECT u.country AS country, pg_catalog.count(*) AS count, pg_catalog.avg(large.total)::numeric(12, 2) AS avg FROM large LEFT JOIN (SELECT id, country, created_at, tags FROM public.users granted) u ON u.id OPERATOR(pg_catalog.=) large.user_id GROUP BY u.country ORDER BY 3 DESC"
        ],
    );
}

#[test]
fn the_top_orders_of_each_user() {
    check(
        "select u.id, l.id as order_id, l.total from users u
         cross join lateral (select o.id, o.total from orders o
                             where o.user_id = u.id order by o.total desc limit 3) l",
        expect![
            "SELECT u.id AS id, l.id AS order_id, l.total AS total FROM (SELECT id, country, created_at, tags FROM public.users granted) u CROSS JOIN LATERAL (SELECT o.id AS id, o.total AS total FROM (SELECT id, user_id, status, total, placed_at FROM public.orders granted) o WHERE o.user_id OPERATOR(pg_catalog.=) u.id ORDER BY o.total DESC LIMIT 3) l"
        ],
    );
}

#[test]
fn classes_and_gaps() {
    check(
        "select case when total is null then 'none' when total between 0 and 10 then 'small'
                     else 'large' end as class,
                coalesce(max(placed_at)::date, current_date), nullif(count(*), 0),
                percentile_cont(0.95) within group (order by total)
         from orders group by class",
        expect![[
            r#"SELECT CASE WHEN total IS NULL THEN 'none' WHEN total BETWEEN 0 AND 10 THEN 'small' ELSE 'large' END AS class, COALESCE(pg_catalog.max(placed_at)::pg_catalog.date, current_date) AS "coalesce", NULLIF(pg_catalog.count(*), 0) AS "nullif", pg_catalog.percentile_cont(0.95) WITHIN GROUP (ORDER BY total) AS percentile_cont FROM (SELECT id, user_id, status, total, placed_at FROM public.orders granted) orders GROUP BY class"#
        ]],
    );
}

#[test]
fn one_side_of_a_join_by_name() {
    check(
        "select * from events e join lockme using (id) where e.kind like 'a\\_%' escape '\\'",
        expect![[
            r#"SELECT e.id AS id, e.kind AS kind, e.at AS at, lockme.v AS v FROM (SELECT id, kind, at FROM public.events granted) e JOIN (SELECT id, v FROM public.lockme granted) lockme USING (id) WHERE e.kind OPERATOR(pg_catalog.~~) pg_catalog.like_escape(E'a\\_%', E'\\')"#
        ]],
    );
}

#[test]
fn arrays_and_json() {
    check(
        "select tags[1], array_length(tags, 1), 'vip' = any(tags), tags @> array['a', 'b'],
                $1::jsonb -> 'a' ->> 'b', ($2::text[])[1]
         from users where country = any(array['DE', 'US']) and not (id = 1 or id is null)",
        expect![[
            r#"SELECT tags[1] AS tags, pg_catalog.array_length(tags, 1) AS array_length, 'vip' OPERATOR(pg_catalog.=) ANY(tags) AS "?column?", tags OPERATOR(pg_catalog.@>) ARRAY['a', 'b'] AS "?column?", $1::pg_catalog.jsonb OPERATOR(pg_catalog.->) 'a' OPERATOR(pg_catalog.->>) 'b' AS "?column?", ($2::pg_catalog.text[])[1] AS text FROM (SELECT id, country, created_at, tags FROM public.users granted) users WHERE country OPERATOR(pg_catalog.=) ANY(ARRAY['DE', 'US']) AND NOT (id OPERATOR(pg_catalog.=) 1 OR id IS NULL)"#
        ]],
    );
}

#[test]
fn spellings_of_functions_become_plain_calls() {
    check(
        "select extract(epoch from created_at), created_at at time zone 'UTC',
                position('a' in country), trim(country), make_interval(days => 3)
         from users",
        expect![[
            r#"SELECT pg_catalog."extract"('epoch', created_at) AS "extract", pg_catalog.timezone('UTC', created_at) AS timezone, pg_catalog."position"(country, 'a') AS "position", pg_catalog.btrim(country) AS btrim, pg_catalog.make_interval(days := 3) AS make_interval FROM (SELECT id, country, created_at, tags FROM public.users granted) users"#
        ]],
    );
}

#[test]
fn types_with_modifiers_and_clocks() {
    check(
        "select '1'::numeric(10, 2), varchar(3) 'abcd', char(2) 'x', interval '1' day,
                interval(3) '1 s', timestamp(3) '2026-01-01', time with time zone '10:00+01',
                current_timestamp(2), localtime, double precision '1.5', '{1,2}'::int4[]",
        expect![[
            r#"SELECT '1'::numeric(10, 2) AS "numeric", 'abcd'::varchar(3) AS "varchar", 'x'::char(2) AS bpchar, '1'::interval day AS "interval", '1 s'::interval(3) AS "interval", '2026-01-01'::timestamp(3) AS "timestamp", '10:00+01'::time with time zone AS timetz, current_timestamp(2) AS "current_timestamp", localtime AS "localtime", '1.5'::double precision AS float8, '{1,2}'::int[] AS int4"#
        ]],
    );
}

#[test]
fn joins_keep_their_sides() {
    check(
        "select * from (users u right join orders o using (id)) left join events e using (id),
                lockme l where l.id = 1 or l.id is not null",
        expect![
            "SELECT o.id AS id, u.country AS country, u.created_at AS created_at, u.tags AS tags, o.user_id AS user_id, o.status AS status, o.total AS total, o.placed_at AS placed_at, e.kind AS kind, e.at AS at, l.id AS id, l.v AS v FROM (SELECT id, country, created_at, tags FROM public.users granted) u RIGHT JOIN (SELECT id, user_id, status, total, placed_at FROM public.orders granted) o USING (id) LEFT JOIN (SELECT id, kind, at FROM public.events granted) e USING (id), (SELECT id, v FROM public.lockme granted) l WHERE l.id OPERATOR(pg_catalog.=) 1 OR l.id IS NOT NULL"
        ],
    );
}

#[test]
fn names_that_need_quotes() {
    check(
        r#"select w."select", "Ünï" as "a ""b""" from "Weird Name" as w order by "a ""b""""#,
        expect![[
            r#"SELECT w."select" AS "select", "Ünï" AS "a ""b""" FROM (SELECT id, "select", "Ünï" FROM public."Weird Name" granted) w ORDER BY "a ""b""""#
        ]],
    );
}

#[test]
fn texts_with_quotes_and_backslashes_stay_what_they_are() {
    check(
        r"select 'it''s', 'a\', E'a\\\n', $q$;--$q$, U&'\003b' from users",
        expect![[r#"
            SELECT 'it''s' AS "?column?", E'a\\' AS "?column?", E'a\\
            ' AS "?column?", ';--' AS "?column?", ';' AS "?column?" FROM (SELECT id, country, created_at, tags FROM public.users granted) users"#]],
    );
}

#[test]
fn the_result_says_columns_and_parameters() {
    let gated = try_gate("select u.*, count(*), 1, $2 from users u group by u.id").unwrap();
    let columns = ["id", "country", "created_at", "tags", "count", "?column?", "?column?"];
    assert_eq!((gated.columns, gated.params), (columns.map(str::to_owned).to_vec(), 2));
}

#[test]
fn a_name_in_two_schemas_needs_its_schema() {
    let relation = |schema: &str| Relation::plain(schema, "jobs", vec!["id".to_owned()]);
    let grant = Grant::of(vec![relation("eu"), relation("us")]);
    let refusal = gate("select id from jobs", &[], &grant).unwrap_err();
    expect![
        "line 1, column 16: relation jobs is granted in more than one schema; write schema.jobs"
    ]
    .assert_eq(&refusal.to_string());
    let gated = gate("select id from us.jobs", &[ParamType::Text], &grant).unwrap();
    expect!["SELECT id AS id FROM (SELECT id FROM us.jobs granted) jobs"].assert_eq(&gated.sql);
}

#[test]
fn a_mistake_in_the_policy_is_said() {
    let grant = |schema: &str, columns: &[&str]| {
        let columns = columns.iter().map(ToString::to_string).collect();
        Grant::of(vec![Relation::plain(schema, "t", columns)])
    };
    let said = |grant: Grant| gate("select 1", &[], &grant).unwrap_err().to_string();
    let twice = Grant::of([grant("a", &["id"]).relations, grant("a", &["x"]).relations].concat());
    let all = [
        said(grant("pg_catalog", &["id"])),
        said(grant("a", &[])),
        said(grant("a", &["id", "id"])),
        said(grant("a", &[""])),
        said(twice),
    ];
    expect![[r#"
        the target's grant cannot be used: pg_catalog.t is in a system schema; correct the policy
        the target's grant cannot be used: a.t has no columns; correct the policy
        the target's grant cannot be used: a.t has a column twice; correct the policy
        the target's grant cannot be used: a.t has a name that is empty or longer than 63 bytes; correct the policy
        the target's grant cannot be used: a.t is listed twice; correct the policy"#]].assert_eq(&all.join("\n"));
}

#[test]
fn a_reader_is_told_every_column_that_could_be_meant() {
    let told = |sql: &str| -> Vec<String> {
        let gated = try_gate(sql).unwrap_or_else(|refusal| panic!("{refusal}"));
        let one = |r: Relation| format!("{}: {}", r.name, r.columns.join(" "));
        gated.reads.into_iter().map(one).collect()
    };
    let join =
        "SELECT o.total FROM orders o JOIN users u ON u.id = o.user_id WHERE status = 'paid'";
    assert_eq!(told(join), ["users: id", "orders: id user_id status total"]);
    assert_eq!(told("SELECT u.* FROM users u"), ["users: id country created_at tags"]);
    assert_eq!(told("SELECT to_jsonb(u) FROM users u"), ["users: id country created_at tags"]);
    assert_eq!(told("SELECT count(*) FROM events"), ["events: "]);
    let hidden = "WITH w AS (SELECT v FROM lockme) SELECT 1 AS one ORDER BY (SELECT max(v) FROM w)";
    assert_eq!(told(hidden), ["lockme: v"]);
    let using = "SELECT pad FROM big JOIN events USING (id)";
    assert_eq!(told(using), ["big: id pad", "events: id"]);
}
