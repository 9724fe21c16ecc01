//! Small queries that want everything of a replica: each is refused, or ends at a limit by its name.
//! The ceiling of costs is out of the way where a layer below is to hold by itself.

use std::time::Duration;

use expect_test::expect;
use targets::Caps;
use targets::postgres::Relation;
use tests::postgres::{open, roomy, shop};

/// A bomb has two seconds.
const MS_MAX: u64 = 2_000;
const PATIENCE: Duration = Duration::from_secs(30);
const SCHEMA: &str = "
    CREATE TABLE big (id int, pad text);
    INSERT INTO big SELECT n, repeat('p', 300) FROM generate_series(1, 20000) n;
    ANALYZE;";

const BOMBS: &[&str] = &[
    "select count(*) n from big a, big b, big c",
    "with recursive r(n) as (select 1 union all select n + 1 from r) select max(n) m from r",
    "with recursive r(n) as (select 1 union select n + 1 from r) select max(n) m from r",
    "with recursive r(t) as (select 'xxxx' union all select t || t from r) select max(length(t)) m from r",
    "with recursive r(n) as (select 1 union all select r.n from r, big) select count(*) c from r",
    "select n from generate_series(1, 1000000000000) n",
    "select repeat('x', 1000000000) x",
    "select lpad('x', 1000000000, 'y') x",
    "select a.pad from big a, big b order by a.pad || b.pad",
    "select count(*) n from (select distinct a.pad || b.pad as both from big a, big b) d",
    "select array_agg(a.id + b.id) ids from big a, big b",
    "select string_agg(a.pad, '') pads from big a, big b",
    "select json_agg(a) rows from big a, big b",
    "select count(*) n from big where pad ~ '^(p+)+$q'",
    "select replace(replace(pad, 'p', 'pppppppppp'), 'p', 'pppppppppp') x from big",
];

async fn outcomes(cost_max: u64) -> String {
    let shop = shop();
    let columns = vec!["id".to_owned(), "pad".to_owned()];
    let big = Relation::plain("public", "big", columns);
    let mut spec = shop.own(&format!("bombs_{}", cost_max % 1_000), SCHEMA, vec![big]);
    (spec.cost_max, spec.statement_ms_max, spec.lag_s_max) = (cost_max, MS_MAX, 600);
    spec.recursion = true;
    let mut seen = String::new();
    for sql in BOMBS {
        let mut session = open(&spec).await.unwrap();
        let caps = Caps { bytes_max: 4 << 20, rows_max: 1_000, ..roomy() };
        let outcome = tokio::time::timeout(PATIENCE, session.query(sql, &[], caps)).await.unwrap();
        let told = match outcome {
            // Which of the two is first depends on the machine.
            Err(error) if ["statement-time", "too-big"].contains(&error.code()) => "at a limit",
            Err(error) => error.code(),
            Ok(spool) => spool.limit_hit().map_or("answered", |limit| limit.code()),
        };
        seen.push_str(&format!("{told:<15} {sql}\n"));
    }
    seen
}

#[tokio::test]
async fn with_the_ceiling_of_a_policy_that_says_nothing() {
    expect![[r#"
        too-costly      select count(*) n from big a, big b, big c
        at a limit      with recursive r(n) as (select 1 union all select n + 1 from r) select max(n) m from r
        at a limit      with recursive r(n) as (select 1 union select n + 1 from r) select max(n) m from r
        at a limit      with recursive r(t) as (select 'xxxx' union all select t || t from r) select max(length(t)) m from r
        at a limit      with recursive r(n) as (select 1 union all select r.n from r, big) select count(*) c from r
        not-allowed     select n from generate_series(1, 1000000000000) n
        not-allowed     select repeat('x', 1000000000) x
        not-allowed     select lpad('x', 1000000000, 'y') x
        too-costly      select a.pad from big a, big b order by a.pad || b.pad
        at a limit      select count(*) n from (select distinct a.pad || b.pad as both from big a, big b) d
        at a limit      select array_agg(a.id + b.id) ids from big a, big b
        at a limit      select string_agg(a.pad, '') pads from big a, big b
        at a limit      select json_agg(a) rows from big a, big b
        answered        select count(*) n from big where pad ~ '^(p+)+$q'
        query-bytes     select replace(replace(pad, 'p', 'pppppppppp'), 'p', 'pppppppppp') x from big
    "#]].assert_eq(&outcomes(10_000_000).await);
}

#[tokio::test]
async fn with_what_is_left_when_the_planner_is_wrong() {
    expect![[r#"
        at a limit      select count(*) n from big a, big b, big c
        at a limit      with recursive r(n) as (select 1 union all select n + 1 from r) select max(n) m from r
        at a limit      with recursive r(n) as (select 1 union select n + 1 from r) select max(n) m from r
        at a limit      with recursive r(t) as (select 'xxxx' union all select t || t from r) select max(length(t)) m from r
        at a limit      with recursive r(n) as (select 1 union all select r.n from r, big) select count(*) c from r
        not-allowed     select n from generate_series(1, 1000000000000) n
        not-allowed     select repeat('x', 1000000000) x
        not-allowed     select lpad('x', 1000000000, 'y') x
        too-costly      select a.pad from big a, big b order by a.pad || b.pad
        at a limit      select count(*) n from (select distinct a.pad || b.pad as both from big a, big b) d
        at a limit      select array_agg(a.id + b.id) ids from big a, big b
        at a limit      select string_agg(a.pad, '') pads from big a, big b
        at a limit      select json_agg(a) rows from big a, big b
        answered        select count(*) n from big where pad ~ '^(p+)+$q'
        query-bytes     select replace(replace(pad, 'p', 'pppppppppp'), 'p', 'pppppppppp') x from big
    "#]].assert_eq(&outcomes(u64::MAX).await);
}
