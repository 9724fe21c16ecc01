//! Masks and row filters: what is sent for them, and what the second look makes of anything else.

use domain::Mask as Hides;
use domain::ParamType;
use domain::mask::DateUnit;
use expect_test::expect;

use super::super::{
    Filter, Gated, Grant, Hidden, Mask, Refusal, Relation, What, gate, parser, second,
};

fn class(name: &str) -> Hides {
    Hides::KeyedHash { class: name.parse().unwrap() }
}

/// Every mask, each on a column of its own.
fn people() -> Relation {
    let masks = [
        ("nulled", Hides::Null, "text"),
        ("full", Hides::Full, "jsonb"),
        ("card", Hides::Partial { keep_first: 0, keep_last: 4 }, "character varying"),
        ("email", Hides::Email, "text"),
        ("ssn", class("person"), "text"),
        ("token", class("token"), "uuid"),
        ("age", Hides::Bucket { width: 10 }, "smallint"),
        ("score", Hides::Bucket { width: 5 }, "double precision"),
        ("paid", Hides::Bucket { width: 100 }, "numeric"),
        ("born", Hides::DateTruncate { unit: DateUnit::Year }, "date"),
        ("seen", Hides::DateTruncate { unit: DateUnit::Hour }, "timestamp with time zone"),
        ("left at", Hides::DateTruncate { unit: DateUnit::Week }, "timestamp without time zone"),
    ];
    let one = |(name, mask, of): &(&str, Hides, &str)| {
        ((*name).to_owned(), Mask::new(mask.clone()).fit(of).unwrap())
    };
    let names = std::iter::once("id").chain(masks.iter().map(|(name, _, _)| *name));
    Relation {
        hidden: Hidden {
            masks: masks.iter().map(one).collect(),
            filter: None,
            denied: ["password".to_owned()].into(),
        },
        ..Relation::plain("shop", "people", names.map(str::to_owned).collect())
    }
}

fn orders() -> Relation {
    let filter = Filter::parse("region = 'eu' AND NOT deleted").unwrap();
    Relation {
        hidden: Hidden { filter: Some(filter), ..Hidden::default() },
        ..Relation::plain("shop", "orders", vec!["id".to_owned(), "person".to_owned()])
    }
}

fn grant() -> Grant {
    Grant::of(vec![people(), orders()])
}

fn sent(sql: &str, params: usize) -> Result<Gated, Refusal> {
    gate(sql, &vec![ParamType::Text; params], &grant())
}

#[test]
fn each_mask_stands_in_its_columns_place() {
    let gated = sent("SELECT * FROM people WHERE email = $1", 1).unwrap();
    let inner = gated.sql.split_once(" FROM (SELECT ").unwrap().1;
    let lines = inner.replace(", CASE", ",\nCASE").replace(" FROM shop", "\nFROM shop");
    expect![[r#"
        id,
        CASE WHEN false THEN nulled END AS nulled,
        CASE WHEN "full" IS NOT NULL THEN '***'::pg_catalog.text END AS "full",
        CASE WHEN card IS NOT NULL THEN CASE WHEN pg_catalog.char_length(card::pg_catalog.text) OPERATOR(pg_catalog.>=) 8 THEN pg_catalog."left"(card::pg_catalog.text, 0) OPERATOR(pg_catalog.||) '***' OPERATOR(pg_catalog.||) pg_catalog."right"(card::pg_catalog.text, 4) ELSE '***' END COLLATE pg_catalog."default" END AS card,
        CASE WHEN email IS NOT NULL THEN CASE WHEN pg_catalog.octet_length(email::pg_catalog.text) OPERATOR(pg_catalog.>) 320 THEN '***' WHEN email::pg_catalog.text COLLATE pg_catalog."C" OPERATOR(pg_catalog.~) E'^[^@]{2,}@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$' THEN pg_catalog."left"(email::pg_catalog.text COLLATE pg_catalog."C", 1) OPERATOR(pg_catalog.||) '***@' OPERATOR(pg_catalog.||) pg_catalog.split_part(email::pg_catalog.text COLLATE pg_catalog."C", '@', 2) WHEN email::pg_catalog.text COLLATE pg_catalog."C" OPERATOR(pg_catalog.~) E'^[^@]@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$' THEN '***@' OPERATOR(pg_catalog.||) pg_catalog.split_part(email::pg_catalog.text COLLATE pg_catalog."C", '@', 2) ELSE '***' END COLLATE pg_catalog."default" END AS email,
        CASE WHEN ssn IS NOT NULL THEN pg_catalog.encode(pg_catalog.sha256($3 OPERATOR(pg_catalog.||) pg_catalog.sha256($2 OPERATOR(pg_catalog.||) pg_catalog.convert_to(ssn::pg_catalog.text, pg_catalog.getdatabaseencoding()))), 'hex') END AS ssn,
        CASE WHEN token IS NOT NULL THEN pg_catalog.encode(pg_catalog.sha256($5 OPERATOR(pg_catalog.||) pg_catalog.sha256($4 OPERATOR(pg_catalog.||) pg_catalog.convert_to(token::pg_catalog.text, pg_catalog.getdatabaseencoding()))), 'hex') END AS token,
        CASE WHEN age IS NOT NULL THEN GREATEST(pg_catalog.floor(age::numeric OPERATOR(pg_catalog./) '10'::numeric) OPERATOR(pg_catalog.*) '10'::numeric, '-32768'::numeric)::smallint END AS age,
        CASE WHEN score IS NOT NULL THEN CASE WHEN score::double precision OPERATOR(pg_catalog.>=) '1'::double precision OR score::double precision OPERATOR(pg_catalog.<=) '-1'::double precision THEN pg_catalog.floor(score::double precision OPERATOR(pg_catalog./) '5'::double precision) OPERATOR(pg_catalog.*) '5'::double precision WHEN score::double precision OPERATOR(pg_catalog.<) '0'::double precision THEN '0'::double precision OPERATOR(pg_catalog.-) '5'::double precision ELSE '0'::double precision END::double precision END AS score,
        CASE WHEN paid IS NOT NULL THEN (pg_catalog.floor(paid::numeric OPERATOR(pg_catalog./) '100'::numeric) OPERATOR(pg_catalog.*) '100'::numeric)::numeric END AS paid,
        CASE WHEN born IS NOT NULL THEN CASE WHEN born OPERATOR(pg_catalog.<) '4713-01-01 00:00:00 BC'::pg_catalog.date THEN '-infinity'::pg_catalog.date WHEN born OPERATOR(pg_catalog.>=) '294276-01-01 00:00:00'::pg_catalog.date THEN 'infinity'::pg_catalog.date ELSE pg_catalog.date_trunc('year', born::timestamp)::pg_catalog.date END END AS born,
        CASE WHEN seen IS NOT NULL THEN CASE WHEN seen OPERATOR(pg_catalog.<) '4713-01-01 00:00:00 BC'::timestamp with time zone THEN '-infinity'::timestamp with time zone WHEN seen OPERATOR(pg_catalog.>=) '294276-01-01 00:00:00'::timestamp with time zone THEN 'infinity'::timestamp with time zone ELSE pg_catalog.date_trunc('hour', seen, 'UTC') END END AS seen,
        CASE WHEN "left at" IS NOT NULL THEN CASE WHEN "left at" OPERATOR(pg_catalog.<) '4713-01-01 00:00:00 BC'::timestamp THEN '-infinity'::timestamp WHEN "left at" OPERATOR(pg_catalog.>=) '294276-01-01 00:00:00'::timestamp THEN 'infinity'::timestamp ELSE pg_catalog.date_trunc('week', "left at") END END AS "left at"
        FROM shop.people granted) people WHERE email OPERATOR(pg_catalog.=) $1"#]].assert_eq(&lines);
    let keys: Vec<&str> = gated.keys.iter().map(domain::mask::HashClass::as_str).collect();
    assert_eq!((keys, gated.params), (vec!["person", "token"], 1));
}

#[test]
fn keys_are_bound_only_where_something_is_hashed() {
    assert!(sent("SELECT id FROM orders", 0).unwrap().keys.is_empty());
    // Behind the query's own parameters, whether it uses them or not.
    let gated = sent("SELECT ssn FROM people", 3).unwrap();
    assert!(gated.sql.contains("$4") && gated.sql.contains("$7"), "{}", gated.sql);
    assert!(!gated.sql.contains("$3") && !gated.sql.contains("$8"), "{}", gated.sql);
    // A query cannot name them.
    let said = sent("SELECT ssn FROM people WHERE email = $1", 0).unwrap_err().to_string();
    assert!(said.contains("$1 is not a parameter of this query"), "{said}");
}

#[test]
fn a_row_filter_stands_before_everything_that_the_query_says() {
    let gated = sent("SELECT o.id FROM orders o WHERE o.person = 7", 0).unwrap();
    expect!["SELECT o.id AS id FROM (SELECT id, person FROM shop.orders granted WHERE region OPERATOR(pg_catalog.=) 'eu' AND NOT deleted OFFSET 0) o WHERE o.person OPERATOR(pg_catalog.=) 7"].assert_eq(&gated.sql);
    let said = sent("SELECT region FROM orders", 0).unwrap_err().to_string();
    expect!["line 1, column 8: region is not a column that is granted or made here; use a granted column, or name it with AS"].assert_eq(&said);
}

#[test]
fn a_denied_column_is_refused_by_name() {
    for sql in ["SELECT password FROM people", "SELECT p.password FROM people p"] {
        let said = sent(sql, 0).unwrap_err().to_string();
        assert!(said.contains("policy denies the column"), "{said}");
    }
    let said = sent("SELECT password FROM orders", 0).unwrap_err().to_string();
    assert!(said.contains("password is not a column that is granted"), "{said}");
}

#[test]
fn a_filter_is_a_condition_and_nothing_else() {
    let said: Vec<String> = [
        "",
        "true; DELETE FROM shop.orders",
        "true) ORDER BY (1",
        "true) UNION (SELECT 1",
        "EXISTS (SELECT 1 FROM shop.people)",
        "pg_sleep(1) IS NULL",
        "region = $1",
        "granted.region = 'eu'",
        "region = 'eu' FOR UPDATE",
        "region OPERATOR(public.=) 'eu'",
        "region::regclass = 'x'",
        "(row(1)).f1 = 1",
        // What can fail on a row tells of rows that it hides, and its error quotes them.
        "note::int > 5",
        "id / amount > 1",
        "amount % id = 0",
        "id % 0 = 1",
        "'x' ~ note",
        "region LIKE note",
        "region = ANY (note::text[])",
        "to_date(note, 'YYYY') IS NOT NULL",
        "CASE WHEN true THEN abs(id) END > 1",
        "coalesce(amount - 1, 0) > 1",
        "(SELECT note) = 'x'",
    ]
    .iter()
    .map(|filter| format!("{}\n", Filter::parse(filter).expect_err(filter)))
    .collect();
    expect![[r#"
        line 2, column 1: PostgreSQL's parser does not read this: syntax error at or near ")"
        line 1, column 5: PostgreSQL's parser does not read this: syntax error at or near ";"
        more than a condition is not supported yet; write what follows WHERE
        more than a condition is not supported yet; write what follows WHERE
        line 1, column 23: relation shop.people is not granted on this target; use one that its policy lists, or ask for it there
        line 1, column 1: the function pg_sleep is not supported yet; compute in the script, or use a listed function
        line 1, column 10: $1 is not a parameter of this query, which has 0; declare it in params
        line 1, column 1: granted.region is not a column that is granted or made here; use a granted column, or name it with AS
        line 1, column 15: PostgreSQL's parser does not read this: syntax error at or near "FOR"
        line 1, column 8: the operator public.= is not supported yet; use PostgreSQL's own operators
        line 1, column 9: the type regclass is not supported yet; cast to text or another built-in type
        line 1, column 6: (expression).field is not supported yet; name the column, or use -> for json
        the cast of a column to int4 in a row filter is not supported yet; compare columns as they are, with =, <, IN, LIKE or IS NULL: a filter that fails tells of rows that it hides
        the operator / on such a column in a row filter is not supported yet; compare columns as they are, with =, <, IN, LIKE or IS NULL: a filter that fails tells of rows that it hides
        the operator % on such a column in a row filter is not supported yet; compare columns as they are, with =, <, IN, LIKE or IS NULL: a filter that fails tells of rows that it hides
        the operator % on such a column in a row filter is not supported yet; compare columns as they are, with =, <, IN, LIKE or IS NULL: a filter that fails tells of rows that it hides
        the operator ~ on such a column in a row filter is not supported yet; compare columns as they are, with =, <, IN, LIKE or IS NULL: a filter that fails tells of rows that it hides
        the operator ~~ on such a column in a row filter is not supported yet; compare columns as they are, with =, <, IN, LIKE or IS NULL: a filter that fails tells of rows that it hides
        the cast of a column to text in a row filter is not supported yet; compare columns as they are, with =, <, IN, LIKE or IS NULL: a filter that fails tells of rows that it hides
        the function to_date of a column in a row filter is not supported yet; compare columns as they are, with =, <, IN, LIKE or IS NULL: a filter that fails tells of rows that it hides
        the function abs of a column in a row filter is not supported yet; compare columns as they are, with =, <, IN, LIKE or IS NULL: a filter that fails tells of rows that it hides
        the operator - on such a column in a row filter is not supported yet; compare columns as they are, with =, <, IN, LIKE or IS NULL: a filter that fails tells of rows that it hides
        a column in this form in a row filter is not supported yet; compare columns as they are, with =, <, IN, LIKE or IS NULL: a filter that fails tells of rows that it hides
    "#]].assert_eq(&said.concat());
    let fine =
        Filter::parse("tenant IN ('a', 'b') OR placed_at > now() - interval '1 day'").unwrap();
    let columns: Vec<&str> = fine.columns().iter().map(String::as_str).collect();
    assert_eq!(columns, ["placed_at", "tenant"]);
    for filter in [
        "id % 16 = 3",
        "country <> 'CH' AND NOT (deleted IS TRUE)",
        "lower(name) LIKE 'a%' OR name ILIKE 'B_' OR name ~* '^c'",
        "meta->>'tenant' = 'ours' AND meta @> '{\"live\": true}' AND meta ? 'x'",
        "'red' = ANY (tags) AND tags && ARRAY['a', 'b'] AND tags[1] <> 'x'",
        "placed_at >= date_trunc('day', now()) - '1 month'::interval AND day < current_date",
        "extract(year from placed_at) BETWEEN 2024 AND 2026",
        "id::text LIKE '9%' AND (region, tier) = ('eu', 1)",
        "CASE tier WHEN 1 THEN region = 'eu' ELSE coalesce(open, false) END",
    ] {
        assert!(Filter::parse(filter).is_ok(), "{filter}: {:?}", Filter::parse(filter));
    }
    for fails in ["tags || more = ARRAY['x']", "date_part(unit, placed_at) = 1"] {
        assert!(Filter::parse(fails).is_err(), "{fails}");
    }
}

/// The second look, at a text that a broken walk could have made.
fn look(sql: &str, params: usize) -> Result<(), String> {
    let tree = parser::parse(sql).unwrap();
    let text = parser::deparse(&tree).unwrap();
    second::check(&text, &tree, &grant(), params)
}

#[test]
fn the_second_look_misses_no_mask_and_no_filter() {
    let people = sent("SELECT id AS n FROM people", 0).unwrap().sql;
    let orders = sent("SELECT id AS n FROM orders", 0).unwrap().sql;
    look(&people, 0).unwrap();
    look(&orders, 0).unwrap();
    // Each mask away, one at a time, as if the walk had forgotten it.
    let masks = people.matches(" AS ").count();
    assert!(masks > 12);
    for column in [
        "nulled",
        "\"full\"",
        "card",
        "email",
        "ssn",
        "token",
        "age",
        "score",
        "paid",
        "born",
        "seen",
        "\"left at\"",
    ] {
        let end = people.find(&format!(" END AS {column}")).expect(column);
        let start = people[..end].rfind(", CASE WHEN").expect(column);
        let bare = format!("{}, {column}{}", &people[..start], &people[end + 4..]);
        assert!(parser::parse(&bare).is_ok(), "{bare}");
        assert!(look(&bare, 0).is_err(), "{bare}");
    }
    for (from, to) in [
        ("$1", "$3"),
        ("$2", "$1"),
        ("'10'", "'1'"),
        ("'year'", "'day'"),
        (", 4)", ", 5)"),
        ("$1", "'x'::bytea"),
        ("pg_catalog.sha256", "pg_catalog.sha224"),
        ("IS NOT NULL", "IS NULL"),
    ] {
        let other = people.replacen(from, to, 1);
        assert_ne!(other, people, "{from}");
        assert!(look(&other, 0).is_err(), "{other}");
    }
    for (from, to) in [
        (" OFFSET 0", ""),
        ("'eu'", "'us'"),
        (" OFFSET 0", " OFFSET 1"),
        ("NOT deleted", "NOT deleted OR true"),
    ] {
        let other = orders.replacen(from, to, 1);
        assert_ne!(other, orders, "{from}");
        assert!(look(&other, 0).is_err(), "{other}");
    }
}

#[test]
fn the_second_look_agrees_however_deep_a_masked_relation_stands() {
    let mut deepest = 0;
    for depth in 1..super::super::NESTING_MAX {
        let sql = format!(
            "{}SELECT id FROM people{}",
            "SELECT id FROM (".repeat(depth),
            ") AS q".repeat(depth)
        );
        match sent(&sql, 0) {
            Ok(_) => deepest = depth,
            Err(Refusal { what: What::TooLarge { .. } | What::Syntax { .. }, .. }) => {}
            Err(refusal) => panic!("{depth}: {refusal}"),
        }
    }
    assert_eq!(deepest, 16);
}

#[test]
fn masks_that_do_not_fit_say_what_would() {
    let problem = |mask: Hides, of: &str| match Mask::new(mask.clone()).fit(of) {
        Ok(_) => format!("{} {of}: fits\n", mask.kind()),
        Err(problem) => format!("{} {of}: {problem}\n", mask.kind()),
    };
    let partial = Hides::Partial { keep_first: 1, keep_last: 0 };
    let month = Hides::DateTruncate { unit: DateUnit::Month };
    let said = [
        problem(Hides::Full, "point"),
        problem(Hides::Null, "shop.mood"),
        problem(partial.clone(), "uuid"),
        problem(partial, "jsonb"),
        problem(Hides::Email, "public.citext"),
        problem(Hides::Email, "integer"),
        problem(class("c"), "bigint"),
        problem(class("c"), "public.citext"),
        problem(class("c"), "numeric"),
        problem(Hides::Bucket { width: 10 }, "bigint"),
        problem(Hides::Bucket { width: 10 }, "money"),
        problem(month.clone(), "date"),
        problem(month, "time without time zone"),
        problem(Hides::DateTruncate { unit: DateUnit::Day }, "date"),
    ];
    expect![[r#"
        full point: fits
        null shop.mood: fits
        partial uuid: fits
        partial jsonb: `partial` fits texts, whole numbers and UUIDs; use full or null
        email public.citext: fits
        email integer: `email` fits texts; use full or null
        keyed-hash bigint: fits
        keyed-hash public.citext: `keyed-hash` fits texts that are equal byte by byte, whole numbers and UUIDs; use partial, full or null
        keyed-hash numeric: `keyed-hash` fits texts that are equal byte by byte, whole numbers and UUIDs; use partial, full or null
        bucket bigint: fits
        bucket money: `bucket` fits numbers; use full or null
        date-truncate date: fits
        date-truncate time without time zone: `date-truncate` fits dates and timestamps; use full or null
        date-truncate date: a date is shown as it is by the units hour and day; use week or more
    "#]].assert_eq(&said.concat());
}
