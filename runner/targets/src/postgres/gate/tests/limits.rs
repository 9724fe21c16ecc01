//! Texts that are made to hurt the process rather than to read anything.
//!
//! libpg_query is built with assertions in the development profile, where a failing one aborts the
//! process; so these tests also prove that none of the texts reaches one.

use super::super::{
    Grant, NESTING_MAX, NODES_MAX, Relation, SQL_BYTES_MAX, What, gate, parser, second,
};
use super::{reference, try_gate};

#[track_caller]
fn refusal(sql: &str) -> What {
    try_gate(sql).unwrap_err().what
}

#[test]
fn a_limit_behind_a_limited_query_would_abort_the_parser() {
    for sql in [
        "(select 1 limit 1) offset 1",
        "((select 1 limit 1)) offset 1",
        "(select 1 offset 1) limit 1",
        "((select 1 limit 1) order by 1) offset 1",
        "(select 1 fetch first row only) /* c */ offset 1 rows",
        "select 1 from (((select 1 limit 1) offset 1)) s",
        "with a as (select 1) (select 1 limit 1) offset 1",
        "with a as ((select 1 limit 1) offset 1) select 1",
        "with recursive a as (select 1) search depth first by x set y (select 1 limit 1) offset 1",
        "select 1 union (select 1 limit 1) union all (select 1 limit 1) offset 1",
        "insert into t (select 1 limit 1) offset 1",
        "create view v as (select 1 limit 1) offset 1",
        "explain (select 1 limit 1) offset 1",
        "select (1), (select 1 from ((select 1 limit 1) offset 1) s)",
        "; (select 1 limit 1) offset 1",
        "(select 1 limit 1) for share skip locked offset 1",
        "(select 1 limit 1) order by values, case when true then 1 end offset 1",
    ] {
        let what = refusal(sql);
        assert!(
            matches!(&what, What::NotSupported { what, .. } if what.contains("LIMIT")),
            "{sql}"
        );
    }
}

#[test]
fn a_limit_behind_a_limited_expression_is_fine() {
    for sql in [
        "select (select 1 limit 1) limit 1",
        "select id from users where id in (select id from users limit 5) limit 5 offset 2",
        "select id from users where exists (select 1 limit 1) offset 1",
        "select s.one from (select 1 as one limit 1) s limit 1",
        "select coalesce((select 1 limit 1), (2)) limit 1",
        "select lower((select 'a' limit 1)) limit 1",
        "select 1 from users where (id > 1) limit 1",
    ] {
        assert!(try_gate(sql).is_ok(), "{sql}");
    }
}

#[test]
fn size_is_checked_first() {
    for sql in ["(".repeat(1 << 20), " ".repeat(SQL_BYTES_MAX + 1)] {
        assert_eq!(refusal(&sql), What::TooLarge { of: "bytes", max: SQL_BYTES_MAX });
    }
}

#[test]
fn nesting_is_refused_whatever_it_is_made_of() {
    let inside = |open: &str, inner: &str, close: &str| {
        let times = SQL_BYTES_MAX / (open.len() + close.len() + 1);
        format!("select {}{inner}{}", open.repeat(times), close.repeat(times))
    };
    let texts = [
        inside("(", "1", ")"),
        inside("(", "", ""),
        inside("/*", "", ""),
        inside("[", "", ""),
        inside("(select ", "1", ")"),
        inside("exists (select ", "1", ")"),
        inside("lower(", "'a'", ")"),
        inside("array[", "1", "]"),
        inside("case when ", "true", " then 1 end"),
        inside("not ", "true", ""),
        inside("- ", "id", ""),
        inside("1 + ", "1", ""),
        inside("1 || ", "1", ""),
        inside("", "1", "::text"),
        inside("", "a", "[1]"),
        inside("", "a", ".b"),
        inside("", "a", " is null"),
        inside("", "a", " at time zone 'utc'"),
        inside("", "a", " collate b"),
        inside("", "1", " union select 1"),
        inside("", "1 from a", " join b on true"),
        inside("", "1 from a", " natural join b"),
        inside("1 in (", "1", ")"),
        inside("row(", "1", ")"),
        format!("with {} select 1", "a as (with ".repeat(5_000)),
        format!("select {}", "$".repeat(60_000)),
        format!("select {}", "\"".repeat(60_001)),
    ];
    for sql in texts {
        let start: String = sql.chars().take(40).collect();
        assert!(try_gate(&sql).is_err(), "{start}");
    }
}

#[test]
fn comments_in_comments_would_take_the_lexer_seconds() {
    let what = What::TooLarge { of: "operator signs in a row", max: 256 };
    for sql in ["/*".repeat(30_000), format!("select {}1", "+/*".repeat(20_000))] {
        assert_eq!(refusal(&sql), what);
    }
    assert!(try_gate(&format!("/{}/ select 1 {}", "*".repeat(200), "-".repeat(200))).is_ok());
}

#[test]
fn the_parsers_words_are_short() {
    let refusal = try_gate(&format!("select \"{}", "x".repeat(60_000))).unwrap_err();
    assert!(refusal.to_string().len() < 300);
}

#[test]
fn the_same_on_a_small_stack() {
    let hurt = || nesting_is_refused_whatever_it_is_made_of();
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(hurt).unwrap();
    thread.join().unwrap();
}

#[test]
fn as_deep_as_the_limit_is_fine() {
    let levels = NESTING_MAX;
    let sql = format!("select {}1{}", "(".repeat(levels), ")".repeat(levels));
    assert!(try_gate(&sql).is_ok());
    let sql = format!("select ({}1{})", "(".repeat(levels), ")".repeat(levels));
    assert_eq!(refusal(&sql), What::TooLarge { of: "levels of nesting", max: levels });
}

#[test]
fn a_wide_query_is_fine() {
    let ids: Vec<String> = (0..5_000).map(|n| n.to_string()).collect();
    assert!(try_gate(&format!("select 1 from users where id in ({})", ids.join(","))).is_ok());
    let ands = vec!["id = 1"; 2_000].join(" and ");
    assert!(try_gate(&format!("select 1 from users where {ands}")).is_ok());
}

#[test]
fn stars_of_stars_end_at_a_limit() {
    let columns = (0..1_000).map(|n| format!("column_{n}")).collect();
    let wide = Relation::plain("public", "wide", columns);
    let grant = Grant::of(vec![wide]);
    let mut sql = "select * from wide w".to_owned();
    assert!(gate(&sql, &[], &grant).is_ok());
    for level in 0..20 {
        sql = format!("select * from ({sql}) s{level}");
    }
    let what = gate(&sql, &[], &grant).unwrap_err().what;
    assert_eq!(what, What::TooLarge { of: "nodes", max: NODES_MAX });
}

#[test]
fn bytes_that_are_no_text() {
    assert_eq!(
        refusal("select 1 \0; delete from lockme"),
        What::Syntax { message: "a NUL character".to_owned() }
    );
    for sql in
        ["\u{feff}select 1", "select\u{a0}1", "select 1\u{37e} delete from lockme", "\u{202e}"]
    {
        assert!(matches!(refusal(sql), What::Syntax { .. }), "{sql:?}");
    }
}

#[test]
fn threads_take_turns_and_keep_their_answers() {
    let work = || {
        for n in 0..200 {
            let sql = format!("select id, {n} as n from users where id > {n}");
            let gated = try_gate(&sql).unwrap();
            assert!(gated.sql.contains(&format!(" {n} AS n ")));
            let tree = parser::parse(&gated.sql).unwrap();
            assert_eq!(second::check(&gated.sql, &tree, &reference(), 0), Ok(()));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
}
