//! Hostile and harmless statements with the verdict that each must get.
//!
//! The corpus was made on real servers; `deny` means that neither rows nor a side effect may reach
//! a script. The lists here are golden: what the grammar learns to read shows up as a difference.

use std::collections::BTreeMap;

use domain::ParamType;
use expect_test::expect;
use serde::Deserialize;

use super::super::{Gated, Grant, Mask, Refusal, What, gate};
use super::reference;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    id: String,
    /// What kind of attack, or `benign`.
    #[expect(dead_code, reason = "for readers of the corpus")]
    category: String,
    verdict: String,
    sql: String,
    #[serde(default)]
    params: Vec<String>,
    /// Why the verdict.
    #[expect(dead_code, reason = "for readers of the corpus")]
    reason: String,
}

/// Statements to be denied that may be sent all the same, because what is sent is harmless, or
/// costs what the session's limits end.
const HARMLESS: &[(&str, &str)] = &[
    ("PG-092", "`*` is sent as the granted columns"),
    ("PG-093", "`users.*` is sent as the granted columns"),
    ("PG-112", "a list of names is for the granted columns, as `*` is"),
    ("PG-359", "one literal for PostgreSQL, and sent as one that nobody can misread"),
    ("PG-369", "the server's time and memory end it"),
    ("PG-373", "the server gives such a pattern up"),
    ("PG-374", "the server gives such a pattern up"),
    ("PG-471", "one statement; the comment is not sent"),
    ("PG-475", "two literals; the semicolons are in them"),
    ("PG-479", "numbers that servers read differently are sent as decimal ones"),
];

/// The grant of the corpus: that of the other tests, and `users.email` masked.
pub(super) fn masked() -> Grant {
    let mut grant = reference();
    let users = &mut grant.relations[0];
    users.columns.push("email".to_owned());
    users.hidden.masks.insert("email".to_owned(), Mask::new(domain::Mask::Email));
    users.hidden.denied = ["full_name", "ssn", "meta", "ext_id"].map(str::to_owned).into();
    grant
}

fn corpus() -> Vec<Statement> {
    serde_json::from_str(include_str!("corpus.json")).unwrap()
}

/// The texts of the corpus, for tests that change them.
pub(super) fn texts() -> Vec<String> {
    corpus().into_iter().map(|statement| statement.sql).collect()
}

fn verdicts(verdict: &str) -> BTreeMap<String, Result<Gated, Refusal>> {
    let statements = corpus().into_iter().filter(|s| s.verdict == verdict);
    let grant = masked();
    let gated = |s: &Statement| gate(&s.sql, &vec![ParamType::Text; s.params.len()], &grant);
    statements.map(|s| (s.id.clone(), gated(&s))).collect()
}

#[test]
fn the_corpus_is_whole() {
    assert_eq!((verdicts("deny").len(), verdicts("allow").len()), (225, 35));
}

#[test]
fn every_attack_is_refused_or_becomes_harmless() {
    let sent: Vec<_> = verdicts("deny").into_iter().filter(|(_, r)| r.is_ok()).collect();
    let sent_ids: Vec<&str> = sent.iter().map(|(id, _)| id.as_str()).collect();
    let known: Vec<&str> = HARMLESS.iter().map(|(id, _)| *id).collect();
    assert_eq!(sent_ids, known);
    let texts: Vec<String> =
        sent.into_iter().map(|(id, gated)| format!("{id} {}", gated.unwrap().sql)).collect();
    expect![[r#"
        PG-092 SELECT users.id AS id, users.country AS country, users.created_at AS created_at, users.tags AS tags, users.email AS email FROM (SELECT id, country, created_at, tags, CASE WHEN email IS NOT NULL THEN CASE WHEN pg_catalog.octet_length(email::pg_catalog.text) OPERATOR(pg_catalog.>) 320 THEN '***' WHEN email::pg_catalog.text COLLATE pg_catalog."C" OPERATOR(pg_catalog.~) E'^[^@]{2,}@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$' THEN pg_catalog."left"(email::pg_catalog.text COLLATE pg_catalog."C", 1) OPERATOR(pg_catalog.||) '***@' OPERATOR(pg_catalog.||) pg_catalog.split_part(email::pg_catalog.text COLLATE pg_catalog."C", '@', 2) WHEN email::pg_catalog.text COLLATE pg_catalog."C" OPERATOR(pg_catalog.~) E'^[^@]@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$' THEN '***@' OPERATOR(pg_catalog.||) pg_catalog.split_part(email::pg_catalog.text COLLATE pg_catalog."C", '@', 2) ELSE '***' END COLLATE pg_catalog."default" END AS email FROM public.users granted) users LIMIT 1
        PG-093 SELECT users.id AS id, users.country AS country, users.created_at AS created_at, users.tags AS tags, users.email AS email FROM (SELECT id, country, created_at, tags, CASE WHEN email IS NOT NULL THEN CASE WHEN pg_catalog.octet_length(email::pg_catalog.text) OPERATOR(pg_catalog.>) 320 THEN '***' WHEN email::pg_catalog.text COLLATE pg_catalog."C" OPERATOR(pg_catalog.~) E'^[^@]{2,}@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$' THEN pg_catalog."left"(email::pg_catalog.text COLLATE pg_catalog."C", 1) OPERATOR(pg_catalog.||) '***@' OPERATOR(pg_catalog.||) pg_catalog.split_part(email::pg_catalog.text COLLATE pg_catalog."C", '@', 2) WHEN email::pg_catalog.text COLLATE pg_catalog."C" OPERATOR(pg_catalog.~) E'^[^@]@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$' THEN '***@' OPERATOR(pg_catalog.||) pg_catalog.split_part(email::pg_catalog.text COLLATE pg_catalog."C", '@', 2) ELSE '***' END COLLATE pg_catalog."default" END AS email FROM public.users granted) users LIMIT 1
        PG-112 SELECT x3 AS x3 FROM (SELECT id, country, created_at, tags, CASE WHEN email IS NOT NULL THEN CASE WHEN pg_catalog.octet_length(email::pg_catalog.text) OPERATOR(pg_catalog.>) 320 THEN '***' WHEN email::pg_catalog.text COLLATE pg_catalog."C" OPERATOR(pg_catalog.~) E'^[^@]{2,}@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$' THEN pg_catalog."left"(email::pg_catalog.text COLLATE pg_catalog."C", 1) OPERATOR(pg_catalog.||) '***@' OPERATOR(pg_catalog.||) pg_catalog.split_part(email::pg_catalog.text COLLATE pg_catalog."C", '@', 2) WHEN email::pg_catalog.text COLLATE pg_catalog."C" OPERATOR(pg_catalog.~) E'^[^@]@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$' THEN '***@' OPERATOR(pg_catalog.||) pg_catalog.split_part(email::pg_catalog.text COLLATE pg_catalog."C", '@', 2) ELSE '***' END COLLATE pg_catalog."default" END AS email FROM public.users granted) t(x1, x2, x3, x4) LIMIT 1
        PG-359 SELECT '''; delete from lockme; --' AS "?column?"
        PG-369 SELECT pg_catalog.string_agg(pad, '') AS string_agg FROM (SELECT id, pad FROM public.big granted) a, pg_catalog.generate_series(1, 100) generate_series(generate_series)
        PG-373 SELECT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' OPERATOR(pg_catalog.~) '(a*)*(a*)*(a*)*(a*)*b' AS "?column?"
        PG-374 SELECT pg_catalog.repeat('a', 20000) OPERATOR(pg_catalog.~) '((((((a{0,100}){0,100}){0,100}))))b' AS "?column?"
        PG-471 SELECT 1 AS a
        PG-475 SELECT ';' OPERATOR(pg_catalog.||) ';' AS "?column?"
        PG-479 SELECT 31 AS hex, 1000 AS n"#]].assert_eq(&texts.join("\n"));
}

#[test]
fn no_attack_gets_past_the_walk_to_be_stopped_by_the_second_look() {
    for (id, result) in verdicts("deny") {
        let what = result.err().map(|refusal| refusal.what);
        assert!(!matches!(what, Some(What::Disagreement { .. })), "{id}: {what:?}");
    }
}

#[test]
fn useful_queries_pass_or_are_not_supported_yet() {
    let mut refused = Vec::new();
    for (id, result) in verdicts("allow") {
        match result {
            Ok(_) => {}
            Err(Refusal { what: What::NotSupported { what, .. }, .. }) => {
                refused.push(format!("{id} {what}"));
            }
            Err(refusal) => panic!("{id}: {refusal}"),
        }
    }
    expect![""].assert_eq(&refused.join("\n"));
}
