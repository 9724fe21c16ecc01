//! What is refused, with the place and the words.

use domain::ParamType;
use expect_test::{Expect, expect};

use super::super::{Passed, gate};
use super::{reference, try_gate};

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "`expect![]` is written in place")]
fn check(queries: &[&str], refusals: Expect) {
    let said = queries.iter().map(|sql| match try_gate(sql) {
        Ok(gated) => format!("SENT {}", gated.sql),
        Err(refusal) => refusal.to_string(),
    });
    refusals.assert_eq(&said.collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_place_is_a_line_and_a_column_in_characters() {
    check(
        &[
            "select id,\n       'Ünï',\n       'ä' || pg_sleep(1)\nfrom users",
            "select id from users\nwhere id = 1 and\n\tssn = 'x'",
            "select 1;\nselect 2",
        ],
        expect![[r#"
            line 3, column 15: the function pg_sleep is not supported yet; compute in the script, or use a listed function
            line 3, column 2: ssn is not a column that is granted or made here; use a granted column, or name it with AS
            line 2, column 1: a query is exactly one SELECT, and this text has 2 statements"#]],
    );
}

#[test]
fn functional_notation_is_never_a_column() {
    check(
        &[
            "select x.pg_sleep from users x",
            "select u.count from users u",
            "select ('/etc/passwd'::text).pg_read_file",
            "select (u).id from users u",
            "select s.lower from (select country from users) s",
            "select s.id from (select id, country from users) s(a, b)",
            "with c(a) as (select id from users) select c.id from c",
            "select u.status from orders o, users u",
        ],
        expect![[r#"
            line 1, column 8: x.pg_sleep is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 8: u.count is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 9: (expression).field is not supported yet; name the column, or use -> for json
            line 1, column 9: u is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 8: s.lower is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 8: s.id is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 44: c.id is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 8: u.status is not a column that is granted or made here; use a granted column, or name it with AS"#]],
    );
}

#[test]
fn an_alias_hides_the_same_alias_further_out() {
    check(
        &[
            // The inner `u` has no country; PostgreSQL would call country(u), not look outside.
            "select 1 from users u where exists (select 1 from orders u where u.country = 'x')",
            "select (select v.total from (select 1 as one) v) from orders v",
            "select 1 from users u join (select u.id) x on true",
            "select 1 from orders o, (users u join events e on o.id = u.id)",
            "select 1 from users, users",
            "select 1 from users a join orders a on true",
            "select * from (select 1, 2) s",
        ],
        expect![[r#"
            line 1, column 66: u.country is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 16: v.total is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 36: u is not a table or alias of this FROM; write the alias, or add it to FROM
            line 1, column 51: o is not a table or alias of this FROM; write the alias, or add it to FROM
            line 1, column 22: the name users is used twice; give one of them another alias
            line 1, column 28: the name a is used twice; give one of them another alias
            line 1, column 8: the name s.?column? is used twice; give one of them another alias"#]],
    );
}

#[test]
fn whole_rows_and_system_columns_are_no_columns() {
    check(
        &[
            "select u from users u",
            "select users from users",
            "select count(u.*) from users u",
            "select ctid from users",
            "select tableoid from orders",
            "select xmin from users order by xmax",
        ],
        expect![[r#"
            line 1, column 8: u is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 8: users is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 14: * here is not supported yet; name the columns
            line 1, column 8: ctid is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 8: tableoid is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 8: xmin is not a column that is granted or made here; use a granted column, or name it with AS"#]],
    );
}

#[test]
fn a_with_query_hides_a_relation_only_where_it_is_in_scope() {
    check(
        &[
            "with users as (select 1 as id) select * from users",
            "with users as (select country from users) select users.id from users",
            "with x as (select id from users), users as (select 1 as n) select x.id, users.n from x, users",
            "with users as (select 1 as ssn) select ssn from public.users",
            "with pg_class as (select 1 as n) select n from pg_class",
            "with v_secrets as (select * from v_secrets) select * from v_secrets",
            "with x as (select * from pg_stats), pg_stats as (select 1) select * from x",
            "with a as (select 1 as n), a as (select 2) select * from a",
            "with a as (select 1 as n) select * from (with a as (select 2 as n) select * from a) s",
            "select * from (with late as (select 1) select 1) s, late",
            "with recursive r as (select 1) select * from r",
            "with x as (delete from lockme returning id) select * from x",
        ],
        expect![[r#"
            SENT WITH users AS (SELECT 1 AS id) SELECT users.id AS id FROM users
            line 1, column 50: users.id is not a column that is granted or made here; use a granted column, or name it with AS
            SENT WITH x AS (SELECT id AS id FROM (SELECT id, country, created_at, tags FROM public.users granted) users), users AS (SELECT 1 AS n) SELECT x.id AS id, users.n AS n FROM x, users
            line 1, column 40: ssn is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 6: a WITH query named pg_class like a system relation is not supported yet; give it another name
            line 1, column 34: relation v_secrets is not granted on this target; use one that its policy lists, or ask for it there
            line 1, column 26: relation pg_stats is not granted on this target; use one that its policy lists, or ask for it there
            line 1, column 28: the name a is used twice; give one of them another alias
            line 1, column 47: the name a is used twice; give one of them another alias
            line 1, column 53: relation late is not granted on this target; use one that its policy lists, or ask for it there
            line 1, column 1: policy does not let queries of this target recurse; use joins, or ask for `recursion = true` there
            line 1, column 24: the statement Delete is not supported yet; a query is exactly one SELECT"#]],
    );
}

#[test]
fn hidden_columns_of_joins() {
    check(
        &[
            "select 1 from users a join users b using (ssn)",
            "select 1 from users a natural join users b",
            "select 1 from (users a join users b using (id)) as j",
            "select 1 from users a join users b using (id) as j",
            "select c from users as t(a, b, c)",
            "select country from users as t(a, b, c)",
            "select 1 from users as t(a, b, c, d, e)",
            "select * from users a full join users b using (id)",
        ],
        expect![[r#"
            line 1, column 28: ssn is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 36: NATURAL JOIN is not supported yet; write USING (…) or ON
            line 1, column 29: an alias for a whole join is not supported yet; give each side its own
            line 1, column 28: an alias for USING is not supported yet; give each side its own
            SENT SELECT c AS c FROM (SELECT id, country, created_at, tags FROM public.users granted) t(a, b, c)
            line 1, column 8: country is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 15: a list of more column aliases than columns in this form is not supported yet; write it differently
            line 1, column 33: FULL JOIN … USING is not supported yet; write ON and COALESCE"#]],
    );
}

#[test]
fn other_statements() {
    check(
        &[
            "delete from lockme",
            "select 1 into t",
            "values (default)",
            "values (1), (1, 2)",
            "values ((select secret from vault.secrets))",
            "select 1 union select 1, 2",
            "select 1 union all select id from vault.secrets",
            "select id from users except select id from users order by lower('x')||id",
            "select id from users union select id from orders order by country",
            "(select id from users for update) union select 1",
            "table users for update",
            "explain select 1",
            "copy users to stdout",
            "",
            "-- nothing",
            "select id from users for update",
            "selec 1",
        ],
        expect![[r#"
            line 1, column 13: the statement Delete is not supported yet; a query is exactly one SELECT
            line 1, column 15: SELECT INTO is not supported yet; queries only read
            line 1, column 9: DEFAULT in an expression is not supported yet; write the query without it
            line 1, column 9: VALUES of rows of different lengths is not supported yet; fill them up
            line 1, column 29: relation vault.secrets is not granted on this target; use one that its policy lists, or ask for it there
            line 1, column 26: UNION, INTERSECT or EXCEPT of parts with different numbers of columns is not supported yet; select equally many columns in each part
            line 1, column 35: relation vault.secrets is not granted on this target; use one that its policy lists, or ask for it there
            line 1, column 71: id is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 59: country is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 9: FOR UPDATE or FOR SHARE is not supported yet; queries take no row locks
            line 1, column 7: FOR UPDATE or FOR SHARE is not supported yet; queries take no row locks
            line 1, column 16: the statement Explain is not supported yet; a query is exactly one SELECT
            line 1, column 6: the statement Copy is not supported yet; a query is exactly one SELECT
            a query is exactly one SELECT, and this text has 0 statements
            a query is exactly one SELECT, and this text has 0 statements
            line 1, column 8: FOR UPDATE or FOR SHARE is not supported yet; queries take no row locks
            line 1, column 1: PostgreSQL's parser does not read this: syntax error at or near "selec""#]],
    );
}

#[test]
fn a_mistyped_query_is_refused_at_the_token_where_the_parser_stopped() {
    check(
        &[
            "select id,\n  name\nform users",
            "select id\nfrom users u\nwhere u.id = = 1 and u.id = 1",
            "select id\nfrom users\nwhere id in (1, 2",
            "-- from\nselect id from\nfrom users",
            "select id\nfrom users where name = 'open",
        ],
        expect![[r#"
            line 3, column 6: PostgreSQL's parser does not read this: syntax error at or near "users"
            line 3, column 14: PostgreSQL's parser does not read this: syntax error at or near "="
            line 3, column 18: PostgreSQL's parser does not read this: syntax error at end of input
            line 3, column 1: PostgreSQL's parser does not read this: syntax error at or near "from"
            line 2, column 25: PostgreSQL's parser does not read this: unterminated quoted string at or near "'open""#]],
    );
}

#[test]
fn functions_types_and_operators_outside_the_lists() {
    check(
        &[
            "select pg_catalog.pg_read_file('x')",
            "select public.lower('x')",
            "select repeat('x', 1000000000)",
            "select repeat(repeat('x', 1000), 1000)",
            "select repeat('x', id) from users",
            "select replace(country, '', repeat('x', 90)) from users",
            "select replace(replace(pad, 'x', 'xxxxxxxxxx'), 'x', 'xxxxxxxxxx') from big, generate_series(1, 1001)",
            "select ts_stat('select 1'), format('%1$1000s', 1)",
            "select 'v'::regclass",
            "select '(1)'::public.leaker",
            "select 1 operator(public.<!>) 1",
            "select current_user",
            "select lower(variadic array['a'])",
            "select lower(distinct 'a')",
            "select lower('a') over () from users",
            "select row_number() from users",
            "select count(*) over w from users window w as (partition by ssn)",
            "select sum(id) over (order by id rows (select 1 from vault.secrets) preceding) from users",
            "select created_at at local from users",
            "select 0x1FFFFFFFFFF",
            "select vault.users.id from public.users",
            "select public.users.ssn from public.users",
            "select public.u.id from public.users u",
            "select public.users.pg_sleep from public.users",
            "select row(u.*) from users u",
            "select (1, ssn) in (select id, country from users) from users",
            "select array(select ssn from users)",
            "select 'a' collate \"de_DE\"",
            "select id from users order by id using <",
            "select $5",
            "select * from generate_series(1, 2) g, generate_series(1, 60000)",
            "select * from generate_series(1, (select max(id) from users))",
            "select * from generate_series(1, 2, 0)",
            "select * from generate_series('0001-01-01'::timestamptz, now(), '1 second')",
            "select * from generate_series(now(), now(), make_interval(secs => 1))",
            "select format('%2000000000s', 1)",
            "select format('%*s', 2000000000, 1)",
            "select format(country, 1) from users",
            "select format('%1$s%1$s%1$s%1$s%1$s', repeat('x', 30000))",
            "select * from pg_read_file('/etc/passwd')",
            "select * from lower('a')",
            "select jsonb_each('{}')",
            "select * from rows from (unnest(array[1]), unnest(array[2]))",
            "select unnest(array[1], array[2])",
            "select x.c from unnest(array[1], array[2]) x(a, b)",
            "select x.pg_sleep from generate_series(0, 0) x",
            "select x.value from unnest(array['/etc/passwd']) x",
            "select * from jsonb_to_record('{}') as x(a regclass)",
            "select * from jsonb_to_record('{}')",
            "select * from unnest(array[1]) as x(a int)",
            "select to_jsonb(v_secrets) from users",
            "select count(u), lower(u) from users u",
            "select to_jsonb(u.*) from users u",
            "select 1 from users tablesample system (1)",
            "select count(*) from users group by rollup (country, (ssn))",
            "select count(*) from users group by cube (1, 2, 3, 4, 5, 6, 7)",
        ],
        expect![[r#"
            line 1, column 8: the function pg_catalog.pg_read_file is not supported yet; compute in the script, or use a listed function
            line 1, column 8: the function public.lower is not supported yet; compute in the script, or use a listed function
            line 1, column 8: the query has more than 100000 rows or characters made by literals; split it
            line 1, column 15: the query has more than 100000 rows or characters made by literals; split it
            line 1, column 8: repeat with lengths, bounds or replacements that are no literals is not supported yet; write them as literals, whole numbers where they count
            line 1, column 8: replace with lengths, bounds or replacements that are no literals is not supported yet; write them as literals, whole numbers where they count
            line 1, column 16: the query has more than 100000 rows or characters made by literals; split it
            line 1, column 8: the function ts_stat is not supported yet; compute in the script, or use a listed function
            line 1, column 13: the type regclass is not supported yet; cast to text or another built-in type
            line 1, column 15: the type public.leaker is not supported yet; cast to text or another built-in type
            line 1, column 10: the operator public.<!> is not supported yet; use PostgreSQL's own operators
            line 1, column 8: a function that tells about the session is not supported yet; queries read granted tables only
            line 1, column 8: VARIADIC is not supported yet; write the arguments one by one
            line 1, column 8: lower as an aggregate is not supported yet; it is a plain function
            line 1, column 8: lower with or without OVER is not supported yet; aggregates and window functions take OVER
            line 1, column 8: row_number with or without OVER is not supported yet; aggregates and window functions take OVER
            line 1, column 61: ssn is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 54: relation vault.secrets is not granted on this target; use one that its policy lists, or ask for it there
            line 1, column 8: AT LOCAL is not supported yet; name the zone: AT TIME ZONE 'UTC'
            line 1, column 8: a constant of this form is not supported yet; write it as text and cast it
            line 1, column 8: users is not a table or alias of this FROM; write the alias, or add it to FROM
            line 1, column 8: users.ssn is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 8: u is not a table or alias of this FROM; write the alias, or add it to FROM
            line 1, column 8: users.pg_sleep is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 12: * here is not supported yet; name the columns
            line 1, column 12: ssn is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 21: ssn is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 12: the collation de_DE is not supported yet; use COLLATE "C", or leave it out
            line 1, column 40: ORDER BY … USING is not supported yet; use ASC or DESC
            line 1, column 8: $5 is not a parameter of this query, which has 4; declare it in params
            line 1, column 40: the query has more than 100000 rows or characters made by literals; split it
            line 1, column 15: generate_series with lengths, bounds or replacements that are no literals is not supported yet; write them as whole numbers, or the step between moments as '1 day', at least a minute
            line 1, column 15: generate_series with lengths, bounds or replacements that are no literals is not supported yet; write them as whole numbers, or the step between moments as '1 day', at least a minute
            line 1, column 15: generate_series with lengths, bounds or replacements that are no literals is not supported yet; write them as whole numbers, or the step between moments as '1 day', at least a minute
            line 1, column 15: generate_series with lengths, bounds or replacements that are no literals is not supported yet; write them as whole numbers, or the step between moments as '1 day', at least a minute
            line 1, column 8: format with lengths, bounds or replacements that are no literals is not supported yet; write them as literals, whole numbers where they count
            line 1, column 8: format with lengths, bounds or replacements that are no literals is not supported yet; write them as literals, whole numbers where they count
            line 1, column 8: format with lengths, bounds or replacements that are no literals is not supported yet; write them as literals, whole numbers where they count
            line 1, column 39: the query has more than 100000 rows or characters made by literals; split it
            line 1, column 15: the function pg_read_file is not supported yet; compute in the script, or use a listed function
            line 1, column 15: the function lower in this place is not supported yet; functions of sets belong in FROM, others do not
            line 1, column 8: the function jsonb_each in this place is not supported yet; functions of sets belong in FROM, others do not
            line 1, column 8: the name unnest.unnest is used twice; give one of them another alias
            line 1, column 8: unnest of several arrays here is not supported yet; put it into FROM
            line 1, column 8: x.c is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 8: x.pg_sleep is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 8: x.value is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 44: the type regclass is not supported yet; cast to text or another built-in type
            line 1, column 31: jsonb_to_record with such columns is not supported yet; only json_to_record and its like have AS x(a type)
            line 1, column 39: unnest with such columns is not supported yet; only json_to_record and its like have AS x(a type)
            line 1, column 17: v_secrets is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 14: u is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 17: * here is not supported yet; name the columns
            line 1, column 33: TABLESAMPLE in FROM is not supported yet; write the query without it
            line 1, column 55: ssn is not a column that is granted or made here; use a granted column, or name it with AS
            line 1, column 37: the query has more than 6 items in CUBE; split it"#]],
    );
}

/// What passed is kept by its whole text and types, and what was refused is refused again.
#[test]
fn what_passed_before_passes_for_nothing_else() {
    let mut passed = Passed::under(reference());
    let sql = "SELECT id FROM users WHERE id = $1";
    let first = passed.gate(sql, &[ParamType::Int8]).unwrap();
    assert_eq!(*first, gate(sql, &[ParamType::Int8], &reference()).unwrap());
    let again = passed.gate(sql, &[ParamType::Int8]).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &again));
    assert!(passed.gate(sql, &[]).is_err(), "the parameter is gone");
    assert!(
        passed
            .gate("SELECT id FROM users WHERE id = $1 AND pg_sleep(1) IS NULL", &[ParamType::Int8])
            .is_err()
    );
    for _ in 0..2 {
        assert!(passed.gate("SELECT password FROM users", &[]).is_err());
    }
    // However many there are, each is right.
    for n in 0..200 {
        let sql = format!("SELECT id FROM users WHERE id = {n}");
        assert!(passed.gate(&sql, &[]).unwrap().sql.contains(&n.to_string()), "{n}");
    }
}
