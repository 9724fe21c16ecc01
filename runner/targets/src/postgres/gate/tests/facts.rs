//! What people are told of a query is what its text does, whatever its author calls things.

use domain::ParamType;
use expect_test::{Expect, expect};

use super::super::{Chosen, Facts, Gated, Grant, How, Output, Relation, Rows, Source, Use, gate};
use super::corpus::texts;
use super::{reference, try_gate};

fn facts(sql: &str) -> Facts {
    try_gate(sql).unwrap_or_else(|refusal| panic!("{sql}: {refusal}")).facts().unwrap()
}

fn told(sql: &str) -> String {
    let Facts { uses, apart, outputs, rows, params } = facts(sql);
    let mut lines = Vec::new();
    for Use { relation, chosen } in uses {
        lines.push(match chosen {
            Chosen::Every => format!("{relation}: every row"),
            Chosen::By(columns) => {
                format!("{relation}: by {}", columns.into_iter().collect::<Vec<_>>().join(" "))
            }
            Chosen::Elsewhere => format!("{relation}: elsewhere"),
        });
    }
    if !apart.is_empty() {
        lines.push(format!("apart: {}", apart.into_iter().collect::<Vec<_>>().join(" ")));
    }
    for Output { name, how, sources } in outputs {
        let one = |Source { relation, column }| format!("{relation}.{column}");
        let sources: Vec<String> = sources.into_iter().map(one).collect();
        let how = match how {
            How::AsIs => "is",
            How::Counted => "counts",
            How::Computed => "from",
        };
        lines.push(format!("{name} {how} {}", sources.join(" ")));
    }
    lines.push(match rows {
        Rows::Many => "many rows".to_owned(),
        Rows::AtMost(n) => format!("at most {n}"),
        Rows::Param(n) => format!("as many as ${n}"),
    });
    lines.extend(params.into_iter().map(|n| format!("uses ${n}")));
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "`expect![]` is written in place")]
fn check(sql: &str, expected: Expect) {
    expected.assert_eq(&told(sql));
}

#[test]
fn another_name_hides_no_column() {
    check(
        "WITH harmless AS (SELECT id AS n, country AS colour FROM users)
         SELECT h.colour AS size, upper(h.colour) AS count, h.n::text AS total
         FROM (SELECT * FROM harmless) AS h(n, colour)",
        expect![[r#"
            public.users: every row
            size is public.users.country
            count from public.users.country
            total is public.users.id
            many rows
        "#]],
    );
}

/// PostgreSQL looks for a column in all queries around before it takes a bare name for a row.
#[test]
fn an_alias_with_a_columns_name_hides_no_column() {
    check(
        "SELECT (SELECT country FROM orders AS country LIMIT 1) AS harmless FROM users",
        expect![[r#"
            public.users: every row
            public.orders: every row
            harmless is public.users.country
            many rows
        "#]],
    );
    check(
        "SELECT to_jsonb(s) AS s FROM (SELECT id, country AS c FROM users) s",
        expect![[r#"
            public.users: every row
            s from public.users.country public.users.id
            many rows
        "#]],
    );
}

#[test]
fn a_count_is_one_only_if_it_counts() {
    check(
        "SELECT count(*), count(DISTINCT country) AS n, max(country) AS most,
                count(*) FILTER (WHERE country = $2) AS probe FROM users",
        expect![[r#"
            public.users: every row
            count counts
            n counts public.users.country
            most from public.users.country
            probe counts public.users.country
            at most 1
            uses $2
        "#]],
    );
    check(
        "SELECT country, count(*) AS count FROM users WHERE id > $1 GROUP BY country LIMIT $3",
        expect![[r#"
            public.users: by id
            country is public.users.country
            count counts
            as many as $3
            uses $1
            uses $3
        "#]],
    );
}

#[test]
fn a_join_alone_chooses_nothing() {
    check(
        "SELECT u.country FROM users u JOIN orders o ON o.user_id = u.id",
        expect![[r#"
            public.users: every row
            public.orders: every row
            country is public.users.country
            many rows
        "#]],
    );
    check(
        "SELECT u.country FROM users u JOIN orders o ON o.user_id = u.id WHERE o.status = 'paid'",
        expect![[r#"
            public.users: elsewhere
            public.orders: by status
            country is public.users.country
            many rows
        "#]],
    );
}

#[test]
fn on_of_an_outer_join_leaves_out_no_row_of_the_other_side() {
    let sql = |join: &str| {
        format!("SELECT u.id FROM users u {join} JOIN orders o ON o.user_id = u.id AND o.id = $1")
    };
    let uses =
        |join: &str| facts(&sql(join)).uses.into_iter().map(|u| u.chosen).collect::<Vec<_>>();
    let by_id = || Chosen::By(["id".to_owned()].into());
    assert_eq!(uses("LEFT"), [Chosen::Every, by_id()]);
    assert_eq!(uses("FULL"), [Chosen::Every, Chosen::Every]);
    assert_eq!(uses("RIGHT"), [Chosen::Every, Chosen::Every]);
    assert_eq!(uses(""), [Chosen::Elsewhere, by_id()]);
    // WHERE is asked after the join.
    let sql = "SELECT u.id FROM users u LEFT JOIN orders o USING (id) WHERE o.status = 'paid'";
    let chosen: Vec<_> = facts(sql).uses.into_iter().map(|u| u.chosen).collect();
    assert_eq!(chosen, [Chosen::Elsewhere, Chosen::By(["status".to_owned()].into())]);
}

#[test]
fn relations_that_nothing_joins_are_told() {
    check(
        "SELECT 1 AS one FROM users u, orders o, events e WHERE e.id = o.id AND u.id = 7",
        expect![[r#"
            public.users: by id
            public.orders: every row
            public.events: every row
            apart: public.events public.orders public.users
            one from
            many rows
        "#]],
    );
    let hidden = "SELECT 1 AS one FROM (SELECT * FROM (SELECT id FROM users) a) b, orders o";
    assert_eq!(facts(hidden).apart.len(), 2);
    // An aggregate of columns of a query around makes no one row here.
    let outer =
        "SELECT ARRAY(SELECT o.id FROM orders o, (SELECT max(u.id) AS m FROM events) e) AS a
                 FROM users u GROUP BY u.id";
    assert_eq!(facts(outer).apart.len(), 2);
    // One row multiplies nothing.
    let sql = "SELECT o.id FROM orders o CROSS JOIN (SELECT max(at) AS at FROM events) e";
    assert!(facts(sql).apart.is_empty());
    let lateral = "SELECT x.id FROM users u, LATERAL (SELECT o.id FROM orders o
                   WHERE o.user_id = u.id LIMIT 3) x WHERE u.country = 'DE'";
    check(
        lateral,
        expect![[r#"
            public.users: by country
            public.orders: by user_id
            id is public.orders.id
            many rows
            "#]],
    );
}

#[test]
fn a_condition_around_chooses_only_where_it_holds_for_every_reference() {
    let with = "WITH w AS (SELECT id, country FROM users)";
    let chosen = |sql: &str| facts(sql).uses.into_iter().map(|u| u.chosen).collect::<Vec<_>>();
    assert_eq!(chosen(&format!("{with} SELECT * FROM w WHERE id = 1")), [Chosen::Elsewhere]);
    let twice = "SELECT id FROM w WHERE id = 1 UNION ALL SELECT id FROM w";
    assert_eq!(chosen(&format!("{with} {twice}")), [Chosen::Every]);
    let nested = "SELECT * FROM (SELECT * FROM (SELECT id FROM users) a) b WHERE b.id = 1";
    assert_eq!(chosen(nested), [Chosen::Elsewhere]);
    // What is around chooses among results, and these are made of all rows.
    for made in [
        "SELECT count(*) AS id FROM users",
        "SELECT max(id) AS id FROM users GROUP BY country",
        "SELECT DISTINCT id FROM users",
        "SELECT row_number() OVER (ORDER BY created_at) AS id FROM users",
        "SELECT id FROM users ORDER BY created_at LIMIT 9",
    ] {
        let around = format!("SELECT s.id FROM ({made}) s WHERE s.id = 5");
        assert_eq!(chosen(&around), [Chosen::Every], "{made}");
    }
    // HAVING and FILTER leave out groups and values, not rows.
    let having = "SELECT country FROM users GROUP BY country HAVING count(*) > 1";
    assert_eq!(chosen(having), [Chosen::Every]);
    // A value's own condition is none of the query around it.
    let value =
        "SELECT u.id, (SELECT count(*) FROM orders o WHERE o.user_id = u.id) AS n FROM users u";
    assert_eq!(chosen(value), [Chosen::Every, Chosen::By(["user_id".to_owned()].into())]);
}

#[test]
fn relations_are_found_wherever_a_query_can_stand() {
    for sql in [
        "SELECT 1 AS a ORDER BY (SELECT max(v) FROM lockme)",
        "SELECT 1 AS a LIMIT (SELECT count(*) FROM lockme)",
        "SELECT 1 AS a OFFSET (SELECT count(*) FROM lockme)",
        "SELECT count(*) FILTER (WHERE EXISTS (SELECT v FROM lockme)) FROM users",
        "SELECT count(*) OVER (ORDER BY (SELECT max(v) FROM lockme)) FROM users",
        "SELECT id FROM users GROUP BY id, (SELECT max(v) FROM lockme)",
        "SELECT id FROM users GROUP BY id HAVING (SELECT max(v) FROM lockme) IS NULL",
        "SELECT DISTINCT ON ((SELECT max(v) FROM lockme)) id FROM users",
        "SELECT u.id FROM users u JOIN orders o ON u.id = (SELECT max(id) FROM lockme)",
        "VALUES ((SELECT max(v) FROM lockme))",
        "SELECT 1 AS a UNION SELECT 2 ORDER BY 1 LIMIT (SELECT count(*) FROM lockme)",
        "SELECT g FROM generate_series(1, 3) g WHERE g IN (SELECT id FROM lockme)",
        "SELECT ARRAY(SELECT v FROM lockme) AS a",
        "SELECT CASE WHEN id = ANY (SELECT id FROM lockme) THEN 1 END AS a FROM users",
    ] {
        let uses = facts(sql).uses;
        assert!(uses.iter().any(|u| u.relation == "public.lockme"), "{sql}: {uses:?}");
    }
}

#[test]
fn names_behind_a_relation_hide_no_column_and_a_query_that_reads_itself_none_of_its_sources() {
    check(
        "SELECT t.b AS x FROM users AS t(a, b) WHERE t.a = 7",
        expect![[r#"
            public.users: by id
            x is public.users.country
            many rows
        "#]],
    );
    let grant = Grant { recursion: true, ..reference() };
    let facts = |sql: &str| {
        let gated = gate(sql, &[ParamType::Int8], &grant).unwrap();
        covers(sql, &gated);
        gated.facts().unwrap()
    };
    let told = facts(
        "WITH RECURSIVE r(a, b) AS (
            SELECT id, country FROM users WHERE id = $1
            UNION ALL SELECT o.id, r.a::text || r.b FROM orders o JOIN r ON o.user_id = r.a)
        SELECT a, b FROM r WHERE a = 1",
    );
    let all: Vec<String> = told.outputs[1].sources.iter().map(|s| s.column.clone()).collect();
    assert_eq!(all, ["id", "country", "id"], "{told:?}");
    assert_eq!((told.rows, told.outputs[1].how), (Rows::Many, How::Computed));
    // What is read again and again has more rows than its first part.
    let told =
        facts("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t");
    assert_eq!(told.rows, Rows::Many);
}

#[test]
fn all_that_the_walk_read_is_told_of_every_statement_that_passes() {
    let mut passed = 0;
    for sql in texts() {
        let Ok(gated) = try_gate(&sql) else { continue };
        passed += 1;
        covers(&sql, &gated);
    }
    assert!(passed > 30, "only {passed} pass");
}

/// All that the walk read is told, and nothing else.
#[track_caller]
pub(super) fn covers(sql: &str, gated: &Gated) {
    let facts = gated.facts().unwrap();
    let told: Vec<&str> = facts.uses.iter().map(|u| u.relation.as_str()).collect();
    let name = |read: &Relation| format!("{}.{}", read.schema, read.name);
    for read in gated.reads.iter().map(name) {
        assert!(told.contains(&read.as_str()), "{sql}: {read} is not told: {told:?}");
    }
    let names: Vec<&String> = facts.outputs.iter().map(|o| &o.name).collect();
    assert_eq!(names, gated.columns.iter().collect::<Vec<_>>(), "{sql}");
    assert_eq!(facts.params.last().copied().unwrap_or(0), gated.params, "{sql}");
    for Source { relation, column } in facts.outputs.iter().flat_map(|o| &o.sources) {
        let read = gated.reads.iter().find(|read| name(read) == *relation);
        assert!(read.is_some_and(|r| r.columns.contains(column)), "{sql}: {relation}.{column}");
    }
}
