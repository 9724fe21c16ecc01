//! WITH RECURSIVE, where policy grants it: trees are walked, and no name comes to mean anything else.

use expect_test::expect;

use super::*;
use crate::postgres::{Filter, Mask};

fn granted() -> Grant {
    Grant { recursion: true, ..reference() }
}

fn said(sql: &str) -> String {
    match gate(sql, &[ParamType::Int8], &granted()) {
        Ok(gated) => format!("PASSED: {}", gated.sql),
        Err(refusal) => refusal.to_string(),
    }
}

const TREE: &str = "WITH RECURSIVE chain AS (
        SELECT id, user_id, 1 AS depth FROM orders WHERE id = $1
        UNION ALL
        SELECT o.id, o.user_id, chain.depth + 1 FROM orders o JOIN chain ON o.user_id = chain.id
        WHERE chain.depth < 20)
    SELECT id, depth FROM chain ORDER BY depth LIMIT 50";

#[test]
fn without_policys_word_nothing_recurses() {
    expect![[r#"line 1, column 1: policy does not let queries of this target recurse; use joins, or ask for `recursion = true` there"#]]
    .assert_eq(&gate(TREE, &[ParamType::Int8], &reference()).unwrap_err().to_string());
    // Neither does a row filter, whatever the target's queries may.
    let filter =
        "id IN (WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT i FROM n)";
    assert!(Filter::parse(filter).unwrap_err().to_string().contains("does not let queries"));
    // And the second look does not believe that the first one asked.
    let tree =
        super::super::parser::parse("WITH RECURSIVE a AS (SELECT 1 AS i) SELECT a.i AS i FROM a")
            .unwrap();
    let text = super::super::parser::deparse(&tree).unwrap();
    let look = |grant: &Grant| super::super::second::check(&text, &tree, grant, 0);
    assert_eq!(look(&reference()).unwrap_err(), "WithClause breaks its rule");
    assert_eq!(look(&granted()), Ok(()));
}

#[test]
fn one_clause_recurses_and_none_within_it() {
    let within = "WITH RECURSIVE a AS (SELECT i FROM (WITH RECURSIVE b AS (SELECT 1 AS i) SELECT i FROM b) x)
                  SELECT i FROM a";
    let beside = "SELECT i FROM (WITH RECURSIVE a AS (SELECT 1 AS i) SELECT i FROM a) x
                  JOIN (WITH RECURSIVE b AS (SELECT 1 AS i) SELECT i FROM b) y USING (i)";
    for sql in [within, beside] {
        let told = said(sql);
        assert!(told.contains("a second WITH RECURSIVE is not supported"), "{told}");
    }
}

#[test]
fn a_tree_is_walked_over_what_is_granted() {
    expect![[r#"PASSED: WITH RECURSIVE chain AS (SELECT id AS id, user_id AS user_id, 1 AS depth FROM (SELECT id, user_id, status, total, placed_at FROM public.orders granted) orders WHERE id OPERATOR(pg_catalog.=) $1 UNION ALL SELECT o.id AS id, o.user_id AS user_id, chain.depth OPERATOR(pg_catalog.+) 1 AS "?column?" FROM (SELECT id, user_id, status, total, placed_at FROM public.orders granted) o JOIN chain ON o.user_id OPERATOR(pg_catalog.=) chain.id WHERE chain.depth OPERATOR(pg_catalog.<) 20) SELECT id AS id, depth AS depth FROM chain ORDER BY depth LIMIT 50"#]].assert_eq(&said(TREE));
    for fine in [
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION SELECT i + 1 FROM n WHERE i < 9) SELECT i FROM n",
        "WITH RECURSIVE a AS (SELECT 1 AS i), b AS (SELECT i FROM a UNION ALL SELECT i + 1 FROM b) \
         SELECT * FROM b LIMIT 3",
        "WITH RECURSIVE n AS (WITH one AS (SELECT 1 AS i) SELECT i FROM one UNION ALL \
         SELECT n.i + 1 FROM n, one WHERE n.i < 5) SELECT * FROM n",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT 2 UNION ALL SELECT i + 2 FROM n) \
         SELECT i FROM n LIMIT 4",
        // A name hides a relation in its whole clause, as it does for PostgreSQL.
        "WITH RECURSIVE orders AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM orders) \
         SELECT x FROM orders LIMIT 4",
        "SELECT * FROM (WITH RECURSIVE n AS (SELECT 1 AS i UNION SELECT i FROM n) SELECT i FROM n) q \
         JOIN public.orders o ON o.id = q.i",
    ] {
        assert!(said(fine).starts_with("PASSED"), "{fine}: {}", said(fine));
    }
}

#[test]
fn what_recursion_could_hide_is_refused() {
    let all: Vec<String> = [
        // A relation that only looks like the query of that name, or the other way round.
        "WITH RECURSIVE vault AS (SELECT v FROM v_secrets UNION ALL SELECT v FROM vault) SELECT v FROM vault",
        "WITH RECURSIVE a AS (SELECT id FROM orders), orders AS (SELECT 1 AS id) SELECT id FROM a",
        "WITH RECURSIVE orders AS (SELECT id FROM orders UNION ALL SELECT id FROM orders) SELECT id FROM orders",
        "WITH RECURSIVE orders AS (SELECT id FROM orders) SELECT id FROM orders",
        "WITH RECURSIVE a AS (SELECT i FROM b), b AS (SELECT i FROM a) SELECT i FROM a",
        // Columns are those of the first part, never those of the relation that it reads.
        "WITH RECURSIVE u AS (SELECT id FROM users UNION ALL SELECT u.ssn FROM u) SELECT id FROM u",
        "WITH RECURSIVE u(a) AS (SELECT id FROM users UNION ALL SELECT u.id FROM u) SELECT a FROM u",
        "WITH RECURSIVE u AS (SELECT id FROM users UNION ALL SELECT id FROM u) SELECT u.pg_sleep FROM u",
        "WITH RECURSIVE u(a, b) AS (SELECT id FROM users UNION ALL SELECT id FROM u) SELECT a FROM u",
        // What PostgreSQL does not do either.
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT a.i FROM n a, n b) SELECT i FROM n",
        "WITH RECURSIVE n AS (SELECT 1 AS i INTERSECT SELECT i FROM n) SELECT i FROM n",
        "WITH RECURSIVE n AS (SELECT i FROM n UNION ALL SELECT 1) SELECT i FROM n",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i FROM n ORDER BY 1) SELECT i FROM n",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i, i FROM n) SELECT i FROM n",
        "WITH RECURSIVE n AS (WITH m AS (SELECT i FROM n) SELECT 1 AS i UNION ALL SELECT i FROM m) SELECT i FROM n",
        // Writing, wherever.
        "WITH RECURSIVE n AS (DELETE FROM orders RETURNING id) SELECT id FROM n",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i FROM n FOR UPDATE) SELECT i FROM n",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i FROM n) CYCLE i SET c USING p SELECT i FROM n",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i FROM n) SEARCH DEPTH FIRST BY i SET o SELECT i FROM n",
    ]
    .iter()
    .map(|sql| format!("{}\n", said(sql)))
    .collect();
    expect![[r#"
        line 1, column 40: relation v_secrets is not granted on this target; use one that its policy lists, or ask for it there
        line 1, column 37: reading orders in its own query, or before it, is not supported yet; put a query before those that read it; one reads itself in the second part of its UNION only
        line 1, column 42: reading orders in its own query, or before it, is not supported yet; put a query before those that read it; one reads itself in the second part of its UNION only
        line 1, column 42: reading orders in its own query, or before it, is not supported yet; put a query before those that read it; one reads itself in the second part of its UNION only
        line 1, column 36: reading b in its own query, or before it, is not supported yet; put a query before those that read it; one reads itself in the second part of its UNION only
        line 1, column 60: u.ssn is not a column that is granted or made here; use a granted column, or name it with AS
        line 1, column 63: u.id is not a column that is granted or made here; use a granted column, or name it with AS
        line 1, column 78: u.pg_sleep is not a column that is granted or made here; use a granted column, or name it with AS
        line 1, column 35: a list of more column aliases than columns in this form is not supported yet; write it differently
        line 1, column 53: n more than once in its own query is not supported yet; read it once, and join it with others
        line 1, column 60: reading n in its own query, or before it, is not supported yet; put a query before those that read it; one reads itself in the second part of its UNION only
        line 1, column 36: reading n in its own query, or before it, is not supported yet; put a query before those that read it; one reads itself in the second part of its UNION only
        line 1, column 53: ORDER BY, LIMIT or OFFSET of a UNION in WITH RECURSIVE is not supported yet; order and cut where it is read
        line 1, column 56: UNION, INTERSECT or EXCEPT of parts with different numbers of columns is not supported yet; select equally many columns in each part
        line 1, column 47: reading n in its own query, or before it, is not supported yet; put a query before those that read it; one reads itself in the second part of its UNION only
        line 1, column 34: the statement Delete is not supported yet; a query is exactly one SELECT
        line 1, column 53: ORDER BY, LIMIT or OFFSET of a UNION in WITH RECURSIVE is not supported yet; order and cut where it is read
        line 1, column 63: CYCLE is not supported yet; carry the path along as an array, and look into it
        line 1, column 63: SEARCH is not supported yet; carry the path along as an array, and order by it
    "#]].assert_eq(&all.concat());
}

#[test]
fn masks_and_filters_hold_in_every_step() {
    let mut grant = granted();
    let orders = &mut grant.relations[1];
    orders.hidden.masks.insert("total".into(), Mask::new(domain::Mask::Null));
    orders.hidden.filter = Some(Filter::parse("status <> 'hidden'").unwrap());
    let sql = "WITH RECURSIVE t AS (SELECT id, total FROM orders UNION ALL SELECT o.id, o.total FROM orders o \
               JOIN t ON o.id = t.id + 1) SELECT * FROM t";
    let sent = gate(sql, &[], &grant).unwrap().sql;
    assert_eq!(sent.matches("public.orders").count(), 2, "{sent}");
    assert_eq!(sent.matches("CASE WHEN false THEN total END AS total").count(), 2, "{sent}");
    assert_eq!(sent.matches("'hidden' OFFSET 0").count(), 2, "{sent}");
}
