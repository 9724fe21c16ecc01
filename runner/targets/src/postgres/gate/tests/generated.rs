//! Queries nobody wrote: every hostile fragment in every place of the syntax, and texts of the
//! corpus with random changes. What is refused must be refused by the walk; of what is sent, every
//! word must be known.

use std::collections::BTreeSet;

use domain::ParamType;
use pg_query::protobuf::Token;

use super::super::{Gated, Refusal, What, functions, gate, parser, types};
use super::{corpus, reference, try_gate};

/// Places for an expression (`@`) and, in the second list, for a FROM item.
const PLACES: &[&str] = &[
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
const FROM_PLACES: &[&str] = &[
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
const FRAGMENTS: &[&str] = &[
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
const FROM_FRAGMENTS: &[&str] = &[
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
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) >> 33).unwrap() % end.max(1)
    }

    fn of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

/// The words that a sent text may have outside of quotes: what is granted, what is listed, and the
/// aliases of these tests. No name of anything hidden is among them.
fn vocabulary() -> BTreeSet<String> {
    let grant = reference();
    let granted =
        grant.relations.iter().flat_map(|r| [&r.name, &r.schema].into_iter().chain(&r.columns));
    let aliases =
        ["u", "o", "s", "c", "x", "y", "a", "b", "t", "granted", "pg_catalog", "days", "column1"];
    let unnamed = [
        "?column?",
        "case",
        "exists",
        "coalesce",
        "nullif",
        "greatest",
        "array",
        "row",
        "grouping",
        "w",
        "C",
        "key",
        "value",
        "ordinality",
    ];
    let others = [aliases.as_slice(), &unnamed].concat();
    granted.cloned().chain(others.into_iter().map(str::to_owned)).collect()
}

/// Every name in a sent text is known: a third look, at the tokens.
fn unknown_words(gated: &Gated) -> Vec<String> {
    let known = vocabulary();
    let tokens = parser::scan(&gated.sql).unwrap();
    let names = tokens.iter().filter(|t| matches!(t.token(), Token::Ident | Token::Uident));
    let name = |t: &pg_query::protobuf::ScanToken| {
        let text = &gated.sql[usize::try_from(t.start).unwrap()..usize::try_from(t.end).unwrap()];
        text.trim_matches('"').replace("\"\"", "\"")
    };
    names
        .map(name)
        .filter(|n| !known.contains(n) && functions::kind(n).is_none() && !types::is_allowed(n))
        .collect()
}

/// Neither panics nor passes anything unknown; says whether it is sent.
#[track_caller]
fn attack(sql: &str) -> bool {
    survive(sql);
    match try_gate(sql) {
        Ok(gated) => {
            let unknown = unknown_words(&gated);
            assert!(unknown.is_empty(), "{sql}\n{}\n{unknown:?}", gated.sql);
            true
        }
        Err(Refusal { what: What::Disagreement { problem }, .. }) => {
            panic!("only the second look stopped this: {problem}\n{sql}")
        }
        Err(_) => false,
    }
}

#[test]
fn every_fragment_in_every_place() {
    let mut sent = 0;
    let mut all = 0;
    let lists = [(PLACES, FRAGMENTS), (FROM_PLACES, FROM_FRAGMENTS)];
    for (places, fragments) in lists {
        for (place, fragment) in places.iter().flat_map(|p| fragments.iter().map(move |f| (p, f))) {
            all += 1;
            sent += usize::from(attack(&place.replace('@', fragment)));
        }
    }
    assert!(all >= 2_000, "{all}");
    // The harmless fragments must get through, or the test proves nothing.
    assert!(sent >= 100, "{sent} of {all}");
}

#[test]
fn fragments_inside_fragments() {
    let mut random = Random(20);
    for _ in 0..1_000 {
        let inner = random.of(PLACES).replace('@', random.of(FRAGMENTS));
        let middle = ["(@)", "(@) s", "lower((@))", "exists (@)", "u.id in (@)"];
        let fragment = random.of(&middle).replace('@', &inner);
        let places = [PLACES, FROM_PLACES].concat();
        let place = random.of(&places);
        attack(&place.replace('@', &fragment));
    }
}

#[test]
fn changed_texts_of_the_corpus() {
    let texts = corpus::texts();
    let words: Vec<Vec<String>> = texts.iter().map(|text| split(text)).collect();
    let pool: Vec<&str> = words.iter().flatten().map(String::as_str).collect();
    let mut random = Random(42);
    for _ in 0..3_000 {
        let mut text = words[random.below(words.len())].clone();
        for _ in 0..=random.below(3) {
            change(&mut text, &pool, &mut random);
        }
        survive(&text.join(" "));
    }
}

/// Random changes make names of their own (`select id pg_sleep`), so these texts are only checked
/// for panics, and for what only the second look would stop.
#[track_caller]
fn survive(sql: &str) {
    // Where a column is masked and rows are filtered, what is sent is longer and deeper.
    for result in [try_gate(sql), gate(sql, &[ParamType::Text; 4], &corpus::masked())] {
        if let Err(Refusal { what: What::Disagreement { problem }, .. }) = result {
            panic!("only the second look stopped this: {problem}\n{sql}");
        }
    }
}

/// Words and single signs.
fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut in_word = false;
    for c in text.chars() {
        let is_word = c.is_alphanumeric() || c == '_';
        match words.last_mut() {
            Some(word) if is_word && in_word => word.push(c),
            _ if !c.is_whitespace() => words.push(c.to_string()),
            _ => {}
        }
        in_word = is_word;
    }
    words
}

fn change(text: &mut Vec<String>, pool: &[&str], random: &mut Random) {
    let at = random.below(text.len());
    let word = random.of(pool).to_owned();
    match random.below(6) {
        _ if text.is_empty() => text.push(word),
        0 => drop(text.remove(at)),
        1 => text.insert(at, word),
        2 => text[at] = word,
        3 => text.truncate(at),
        4 => {
            let end = (at + random.below(8) + 1).min(text.len());
            let copy = text[at..end].to_vec();
            let to = random.below(text.len() + 1);
            text.splice(to..to, copy);
        }
        _ => {
            text.insert(at, "(".to_owned());
            let end = at + 1 + random.below(text.len() - at);
            text.insert(end.min(text.len()), ")".to_owned());
        }
    }
}
