//! What generated queries are made of: places of the syntax, and fragments that reach for something.
//! The scenarios in `tests` include this file by its path, to ask a server about the same queries.

/// Places for an expression (`@`).
pub(super) const PLACES: &[&str] = &[
    "select @",
    "select @ as x from users u",
    "select 1 from users u where @ is not null",
    "select 1 from users u where not (@ = @)",
    "select 1 from users u where u.id in (1, @)",
    "select 1 from users u where @ in (1, 2)",
    "select 1 from users u where u.id in (select @)",
    "select 1 from users u where @ in (select id from orders)",
    "select 1 from users u where exists (select @)",
    "select 1 from users u where u.id between @ and @",
    "select 1 from users u where u.country like @ escape '!'",
    "select 1 from users u where u.id = any(array[@])",
    "select 1 from users u where u.id = all(@)",
    "select (select @)",
    "select (select @ from orders u limit 1) from users u",
    "select count(*) from users u group by @",
    "select count(*) from users u having @ is null",
    "select 1 from users u order by @ desc nulls first",
    "select 1 from users u limit @",
    "select 1 from users u offset @",
    "select distinct on (@) 1 from users u",
    "select count(@), sum(distinct @) from users u",
    "select max(u.id order by @) from users u",
    "select count(*) filter (where @ is null) from users u",
    "select percentile_cont(@) within group (order by @) from users u",
    "select lower(@), lower(lower(@)) from users u",
    "select make_interval(days => @) from users u",
    "select case @ when @ then @ else @ end from users u",
    "select case when @ is null then 1 end from users u",
    "select coalesce(@, greatest(@, 1)), nullif(@, @) from users u",
    "select @::text, cast(@ as int8), (@)[1] from users u",
    "select array[@, 1], -(@), not @, @ || @ from users u",
    "select @ is true, @ is distinct from @ from users u",
    "select (@).id, (@).pg_sleep from users u",
    "select s.x from (select @ as x from users u) s",
    "select s.* from (select @ from users u) s(a)",
    "with c as (select @ as x) select c.x from c",
    "with c as materialized (select @) select * from c, users u",
    "select 1 from users u join orders o on @ = @",
    "select 1 from users u left join (select @ as y) s on true",
    "select 1 from users u cross join lateral (select @ as y) s",
    "select 1 from users u, lateral (select @) s(y) where s.y = 1",
    "select extract(epoch from @), @ at time zone 'utc' from users u",
    "values (@)",
    "select sum(1) over (partition by @ order by @) from users u",
    "select row(@, 1), (@, 2) from users u",
    "select 1 from users u tablesample system (@)",
    "select 1 from users u group by rollup (@)",
    "select 1 from users u group by grouping sets ((@, id), cube (@), ())",
    "select grouping(@) from users u group by @",
    "select array(select @), @ > all (select @) from users u",
    "select row_number() over w from users u window w as (partition by @ order by @)",
    "select lag(@, 1, @) over (order by id rows between 1 preceding and @ following) from users u",
    "select to_jsonb(@), json_agg(@ order by @), jsonb_build_object('a', @) from users u",
    "select s.x from users u, unnest(array[@]) s(x)",
    "select s from users u cross join lateral jsonb_array_elements(@) s",
    "select s.a from jsonb_to_recordset(@) as s(a int, b text)",
    "select * from (values (@, 1), (1, @)) s(a, b)",
    "select 1 union all select @ from users u order by 1",
    "select u.id from users u intersect select 1 order by @",
    "select (@)[1:@], @ collate \"C\", @ similar to 'a|b' from users u",
    "select (@, 1) in (select @, 2) from users u",
    "(select @) union (select @)",
    "select @ into t",
];
/// Places for a FROM item.
pub(super) const FROM_PLACES: &[&str] = &[
    "select * from @",
    "select x.* from @ x",
    "select x.ssn from @ x",
    "select x from @ as x",
    "select 1 from users u, @ x",
    "select 1 from users u join @ x on true",
    "select 1 from users u join @ x using (id)",
    "select 1 from (users u join @ x on x.id = u.id)",
    "select (select count(*) from @ x)",
    "with c as (select * from @ x) select * from c",
    "with users as (select 1) select * from @",
    "select * from (select * from @ x) y",
    "select * from users u cross join lateral (select * from @ x) y",
    "select 1 where exists (table @)",
    "select 1 from only @ x",
    "select 1 from rows from (@) x",
];

/// Expressions that reach for something, some of them harmless when rewritten.
pub(super) const FRAGMENTS: &[&str] = &[
    "pg_sleep(1)",
    "u.pg_sleep",
    "u.row_to_json",
    "u.ssn",
    "ssn",
    "u",
    "u.*",
    "u::text",
    "(u).ssn",
    "users.ssn",
    "public.users.ssn",
    "(select secret from vault.secrets limit 1)",
    "(select ssn from users limit 1)",
    "(select x from (select 1 as x) u where u.ssn is null)",
    "('x'::text).pg_read_file",
    "pg_catalog.pg_read_file('/etc/passwd')",
    "public.lower('x')",
    "\"set_config\"('a', 'b', false)",
    "U&\"pg\\005fsleep\"(1)",
    "query_to_xml('select 1', true, false, '')",
    "sd_dynamic('select 1')",
    "1 operator(public.<!>) 1",
    "1 <!> 1",
    "'vault.secrets'::regclass",
    "'1'::public.leaker",
    "current_user",
    "ctid",
    "tableoid",
    "repeat('x', 1000000000)",
    "array(select secret from vault.secrets)",
    "xmlforest(ssn)",
    "nextval('seq1')",
    "'a' ~ '(a*)*b'",
    "row(u.*)",
    "$9",
    "lower(variadic array[u.ssn])",
    "exists (delete from lockme returning 1)",
    "'\\'",
    "u.id",
    "u.tags[1]",
    "$1",
    "count(*)",
];
/// FROM items that do.
pub(super) const FROM_FRAGMENTS: &[&str] = &[
    "users",
    "public.users",
    "vault.secrets",
    "v_secrets",
    "pg_stats",
    "pg_catalog.pg_authid",
    "information_schema.columns",
    "app.public.users",
    "events_2026",
    "generate_series(1, 10)",
    "sd_dynamic('select 1')",
    "unnest(array(select secret from vault.secrets))",
    "(select ssn from users)",
    "(values (1))",
    "(values (1)) as s(id)",
    "unnest(array['x'])",
    "jsonb_each('{}')",
    "jsonb_to_record('{}') as t(id int)",
    "(select 1 as id union select 2)",
    "(delete from lockme returning id)",
    "xmltable('//a' passing '<a/>' columns b text)",
    "users as t(a, b, c, d, e)",
];

/// Splitmix64: the same texts in every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) >> 33).unwrap() % end.max(1)
    }

    /// One of a list.
    pub(super) fn of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}
