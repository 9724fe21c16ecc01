//! Masks and row filters at a real server: what comes out, and what a script can find out about what
//! does not.

use std::collections::BTreeMap;

use domain::Mask as Hides;
use domain::mask::DateUnit;
use expect_test::expect;
use targets::postgres::{Filter, Hidden, Mask, PostgresSpec, Relation};
use targets::{HashKey, HashKeys, Session, TargetError};
use tests::postgres::{CANARY, DATABASE, open, relation, roomy, shop, text};

/// The role whose parameters are not logged.
const HASHER: &str = "hasher";
/// One whose parameters are.
const LOGGED: &str = "logged";

fn class(name: &str) -> Hides {
    Hides::KeyedHash { class: name.parse().unwrap() }
}

/// A mask of each kind, on columns that have the worst values for it.
pub(super) fn masks() -> Vec<(&'static str, Hides)> {
    let bucket = |width| Hides::Bucket { width };
    let cut = |unit| Hides::DateTruncate { unit };
    vec![
        ("nulled", Hides::Null),
        ("hidden", Hides::Full),
        ("card", Hides::Partial { keep_first: 0, keep_last: 4 }),
        ("email", Hides::Email),
        ("ssn", class("person")),
        ("token", Hides::Partial { keep_first: 1, keep_last: 1 }),
        ("age", bucket(10)),
        ("born_in", bucket(100)),
        ("points", bucket(1_000_000)),
        ("score", bucket(10)),
        ("ratio", bucket(2)),
        ("paid", bucket(1000)),
        ("born", cut(DateUnit::Year)),
        ("seen", cut(DateUnit::Month)),
        ("gone", cut(DateUnit::Week)),
    ]
}

pub(super) fn people(masks: Vec<(&'static str, Hides)>) -> Relation {
    let columns = [
        "id", "nulled", "hidden", "card", "email", "ssn", "token", "age", "born_in", "points",
        "score", "ratio", "paid", "born", "seen", "gone",
    ];
    let masks = masks.into_iter().map(|(column, mask)| (column.to_owned(), Mask::new(mask)));
    Relation {
        hidden: Hidden { masks: masks.collect(), ..Hidden::default() },
        ..relation("people", &columns)
    }
}

pub(super) fn letters(filter: &str) -> Relation {
    let filter = Some(Filter::parse(filter).unwrap());
    Relation {
        hidden: Hidden { filter, ..Hidden::default() },
        ..relation("letters", &["id", "body"])
    }
}

/// The key of the published vector of HMAC-SHA256 (RFC 4231, test case 1), which ends in zeros.
fn published() -> HashKey {
    let mut key = [0; 32];
    key[..20].fill(0x0b);
    HashKey::new(key.into())
}

fn keys() -> HashKeys {
    BTreeMap::from([
        ("person".parse().unwrap(), published()),
        ("card".parse().unwrap(), HashKey::new([7; 32].into())),
    ])
}

pub(super) fn spec(reads: Vec<Relation>) -> PostgresSpec {
    let shop = shop();
    let mut spec = shop.spec(&shop.standby);
    spec.identity.role = HASHER.into();
    (spec.reads, spec.keys) = (reads, keys());
    spec
}

async fn session() -> Box<dyn Session> {
    let ours = letters("md5(tenant) = md5(left('ours' || repeat('x', 10), 4))");
    open(&spec(vec![people(masks()), ours])).await.unwrap()
}

/// What a script and the evidence get of a statement, together.
pub(super) async fn all_of(session: &mut dyn Session, sql: &str) -> String {
    match session.query(sql, &[], roomy()).await {
        Ok(spool) => text(spool),
        Err(e) => format!("{}: {e} [{}]\n", e.code(), e.detail().unwrap_or_default()),
    }
}

async fn refusal(spec: PostgresSpec) -> String {
    match open(&spec).await {
        Ok(_) => "opened\n".into(),
        Err(e) => format!("{}: {e}\n", e.code()),
    }
}

#[tokio::test]
async fn an_error_over_hidden_things_leaves_its_code_and_no_word() {
    let mut session = session().await;
    for sql in ["select token::int from people", "select (body || 'x')::int from letters"] {
        let told = all_of(&mut *session, sql).await;
        assert!(told.starts_with("database-error: "), "{told}");
        assert!(told.contains("[22P02: its words are left out"), "{told}");
        assert!(!told.contains("invalid input"), "{told}");
    }
    let shop = shop();
    let raised =
        shop.cluster.primary().sql(DATABASE, "SELECT * FROM shop.letters WHERE body::int > 5");
    assert!(raised.unwrap_err().to_string().contains("invalid input syntax"));
    assert!(Filter::parse("body::int > 5").is_err());
}

#[tokio::test]
async fn every_value_comes_out_masked() {
    let mut session = session().await;
    let mut seen = String::new();
    for (column, mask) in masks() {
        let sql = format!("select {column} from people order by id");
        let values = all_of(&mut *session, &sql).await;
        let values: Vec<&str> = values.lines().collect();
        seen.push_str(&format!("{column}, {mask}\n  {}\n", values.join("\n  ")));
    }
    expect![[r#"
        nulled, always NULL
          Null
          Null
          Null
          Null
          Null
          Null
          Null
          Null
          Null
          Null
        hidden, hidden
          Text("***")
          Null
          Text("***")
          Text("***")
          Text("***")
          Text("***")
          Text("***")
          Text("***")
          Text("***")
          Text("***")
        card, its last 4 characters, of long values
          Text("***1234")
          Null
          Text("***")
          Text("***")
          Text("***ит42")
          Text("***💳💳💳💳")
          Text("***5678")
          Text("***")
          Text("***line")
          Text("***")
        email, first letter and domain of an e-mail address
          Text("c***@example.com")
          Null
          Text("***")
          Text("***")
          Text("***")
          Text("***")
          Text("***@sub.example-1.com")
          Text("***")
          Text("t***@example.com")
          Text("***")
        ssn, a keyed hash of the class person
          Text("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
          Null
          Text("999a901219f032cd497cadb5e6051e97b6a29ab297bd6ae722bd6062a2f59542")
          Text("457dcb1b1c1bf655d15da1b98306f5aa511e19bd15debdc85c3134592039578e")
          Text("10f0691dec433f3fd4205e589c56a6a892204fed8bc34fdeb8d0e97f21e4a7b6")
          Text("e6f789e0a4bac1c18c0e0196c284f9a41da606bf10f0d97a7818a15e45c07cec")
          Text("d4cb9481770eb7c109602b0ae75832acceb350e41c5ca1503e721e69b14cc1b5")
          Text("5cd1e598f4496f5796371ee2d3a7b62def63f52e989c494990c82f768c7ee850")
          Text("eede663c2cb1cafa74564c24436f9d29077b7408970bed389acba09a80eaed73")
          Text("f8fc8b807829e1a1bde6a851b026a10ab599b6cc95fa5daa092a8e18d46c3fff")
        token, its first 1 and last 1 characters, of long values
          Text("4***2")
          Null
          Text("0***0")
          Null
          Null
          Null
          Null
          Null
          Null
          Null
        age, rounded down to multiples of 10
          Int64(40)
          Null
          Int64(0)
          Int64(-10)
          Int64(-32768)
          Int64(32760)
          Int64(0)
          Int64(0)
          Int64(0)
          Int64(10)
        born_in, rounded down to multiples of 100
          Int64(4200)
          Null
          Int64(0)
          Int64(-100)
          Int64(-2147483648)
          Int64(2147483600)
          Int64(0)
          Int64(0)
          Int64(0)
          Int64(0)
        points, rounded down to multiples of 1000000
          Int64(42000000)
          Null
          Int64(0)
          Int64(-1000000)
          Int64(-9223372036854775808)
          Int64(9223372036854000000)
          Int64(0)
          Int64(0)
          Int64(0)
          Int64(0)
        score, rounded down to multiples of 10
          Float64(40.0)
          Null
          Float64(0.0)
          Float64(-10.0)
          Float64(NaN)
          Float64(inf)
          Float64(0.0)
          Float64(-10.0)
          Float64(0.0)
          Float64(10.0)
        ratio, rounded down to multiples of 2
          Float64(0.0)
          Null
          Float64(0.0)
          Float64(-2.0)
          Float64(NaN)
          Float64(-inf)
          Float64(3.0000000054977558e38)
          Float64(-2.0)
          Float64(0.0)
          Float64(10.0)
        paid, rounded down to multiples of 1000
          Decimal("4000")
          Null
          Decimal("0")
          Decimal("-1000")
          Other("numeric", "NaN")
          Other("numeric", "-Infinity")
          Other("numeric", "Infinity")
          Decimal("10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000")
          Decimal("0")
          Decimal("0")
        born, cut down to the year
          Temporal("1942-01-01")
          Null
          Temporal("1970-01-01")
          Temporal("infinity")
          Temporal("-infinity")
          Temporal("-infinity")
          Temporal("infinity")
          Temporal("0044-01-01 BC")
          Temporal("2026-01-01")
          Temporal("2026-01-01")
        seen, cut down to the month
          Timestamp("2026-04-01T00:00:00Z")
          Null
          Timestamp("1970-01-01T00:00:00Z")
          Timestamp("infinity")
          Timestamp("-infinity")
          Timestamp("-infinity")
          Timestamp("infinity")
          Other("timestamptz", "0044-03-01 00:00:00+00 BC")
          Timestamp("2026-11-01T00:00:00Z")
          Timestamp("2026-01-01T00:00:00Z")
        gone, cut down to the week
          Temporal("2026-04-20T00:00:00")
          Null
          Temporal("1969-12-29T00:00:00")
          Temporal("infinity")
          Temporal("-infinity")
          Temporal("-infinity")
          Temporal("infinity")
          Temporal("0044-03-11 00:00:00 BC")
          Temporal("2026-11-23T00:00:00")
          Temporal("2025-12-29T00:00:00")
    "#]].assert_eq(&seen);
    assert!(!seen.contains(CANARY) && !seen.contains("4242"));
    let whole = all_of(&mut *session, "select * from people").await;
    let rows = all_of(&mut *session, "select to_jsonb(p), p.email || 'x' from people p").await;
    assert!(!whole.contains(CANARY) && !rows.contains(CANARY));
}

#[tokio::test]
async fn what_the_mask_hides_cannot_be_asked_for() {
    let mut session = session().await;
    let mut seen = String::new();
    for sql in [
        "select count(*) from people where email = 'canary@example.com'",
        "select count(*) from people where card like 'canary%'",
        "select count(*) from people where nulled is not null",
        "select count(*) from people where hidden::text like '%canary%'",
        "select count(*) from people where length(email) > 100",
        "select count(*) from people where ssn = 'Hi There'",
        "select count(*) from people where token = '42424242-4242-4242-4242-424242424242'",
        "select count(*) from people where age = 42 or born_in = 4242 or score = 42.42",
        "select count(*) from people where born = '1942-04-24' or seen > '2026-04-24'::timestamptz and seen < '2026-04-25'",
        "select count(*) from people p join (select 'canary@example.com' as email) x using (email)",
        "select count(*) from people p, (select 'canary@example.com'::text as e) x where p.email = x.e",
        "select id from people where id < 5 order by card desc nulls last, id limit 1",
        "select min(card), max(card), min(email), max(email) from people",
        "select count(distinct card), count(distinct hidden) from people",
        "select id from people where card = (select max(card) from people) order by id",
        "select email::int from people where id = 1",
        "select (email || 'x')::uuid from people where id = 1",
        "select 1 / (age - 40) from people where id = 1",
        "select case when email like 'canary%' then 1 / 0 else 1 end as x from people",
        "select card::numeric from people where id = 7",
        "select ssn from people where id in (1, 4)",
        "with p as (select * from people) select email from p where email like 'can%'",
        "select x.email from people p, lateral (select p.email) x where p.id = 1",
        "select email from people where id = 1 union all select card from people where id = 1",
        "select regexp_matches(email, '(canary)') from people",
        "select string_agg(card, ',') from people where id < 4",
        "select row_number() over (order by email) from people where id = 1",
        "select p.ctid from people p",
        "select p.email.x from people p",
    ] {
        let got = all_of(&mut *session, sql).await;
        assert!(!got.contains(CANARY) && !got.contains("4242"), "{sql}: {got}");
        let got = if got.is_empty() { "nothing" } else { got.trim_end() };
        seen.push_str(&format!("{sql}\n    {}", got.replace('\n', "\n    ")));
        seen.push('\n');
    }
    expect![[r#"
        select count(*) from people where email = 'canary@example.com'
            Int64(0)
        select count(*) from people where card like 'canary%'
            Int64(0)
        select count(*) from people where nulled is not null
            Int64(0)
        select count(*) from people where hidden::text like '%canary%'
            Int64(0)
        select count(*) from people where length(email) > 100
            Int64(0)
        select count(*) from people where ssn = 'Hi There'
            Int64(0)
        select count(*) from people where token = '42424242-4242-4242-4242-424242424242'
            Int64(0)
        select count(*) from people where age = 42 or born_in = 4242 or score = 42.42
            Int64(0)
        select count(*) from people where born = '1942-04-24' or seen > '2026-04-24'::timestamptz and seen < '2026-04-25'
            Int64(0)
        select count(*) from people p join (select 'canary@example.com' as email) x using (email)
            Int64(0)
        select count(*) from people p, (select 'canary@example.com'::text as e) x where p.email = x.e
            Int64(0)
        select id from people where id < 5 order by card desc nulls last, id limit 1
            Int64(1)
        select min(card), max(card), min(email), max(email) from people
            Text("***") | Text("***💳💳💳💳") | Text("***") | Text("t***@example.com")
        select count(distinct card), count(distinct hidden) from people
            Int64(6) | Int64(1)
        select id from people where card = (select max(card) from people) order by id
            Int64(6)
        select email::int from people where id = 1
            database-error: the target's database returned an error; its words are in the recording [22P02: its words are left out, because something is hidden of what the query reads]
        select (email || 'x')::uuid from people where id = 1
            database-error: the target's database returned an error; its words are in the recording [22P02: its words are left out, because something is hidden of what the query reads]
        select 1 / (age - 40) from people where id = 1
            database-error: the target's database returned an error; its words are in the recording [22012: its words are left out, because something is hidden of what the query reads]
        select case when email like 'canary%' then 1 / 0 else 1 end as x from people
            database-error: the target's database returned an error; its words are in the recording [22012: its words are left out, because something is hidden of what the query reads]
        select card::numeric from people where id = 7
            database-error: the target's database returned an error; its words are in the recording [22P02: its words are left out, because something is hidden of what the query reads]
        select ssn from people where id in (1, 4)
            Text("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
            Text("457dcb1b1c1bf655d15da1b98306f5aa511e19bd15debdc85c3134592039578e")
        with p as (select * from people) select email from p where email like 'can%'
            nothing
        select x.email from people p, lateral (select p.email) x where p.id = 1
            Text("c***@example.com")
        select email from people where id = 1 union all select card from people where id = 1
            Text("c***@example.com")
            Text("***1234")
        select regexp_matches(email, '(canary)') from people
            nothing
        select string_agg(card, ',') from people where id < 4
            Text("***1234,***")
        select row_number() over (order by email) from people where id = 1
            Int64(1)
        select p.ctid from people p
            not-allowed: the statement is not allowed: line 1, column 8: p.ctid is not a column that is granted or made here; use a granted column, or name it with AS []
        select p.email.x from people p
            not-allowed: the statement is not allowed: line 1, column 8: email is not a table or alias of this FROM; write the alias, or add it to FROM []
    "#]].assert_eq(&seen);
}

#[tokio::test]
async fn hashes_are_those_of_the_standard_and_equal_within_a_class_only() {
    let relations = |mask| vec![people(vec![("ssn", class("person")), ("card", mask)])];
    let mut same = open(&spec(relations(class("person")))).await.unwrap();
    let mut other = open(&spec(relations(class("card")))).await.unwrap();
    let hash = all_of(&mut *same, "select ssn from people where id = 1").await;
    assert_eq!(
        hash,
        "Text(\"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7\")\n"
    );
    // Both are empty in row 3.
    let equal = "select count(*) from people where id = 3 and ssn = card";
    assert_eq!(all_of(&mut *same, equal).await, "Int64(1)\n");
    assert_eq!(all_of(&mut *other, equal).await, "Int64(0)\n");
    // Values that a collation takes for equal are different bytes.
    let blind = "select count(distinct ssn) from people where id in (1, 4)";
    assert_eq!(all_of(&mut *same, blind).await, "Int64(2)\n");
}

#[tokio::test]
async fn a_hidden_row_is_in_no_count_and_no_error() {
    let mut session = session().await;
    let mut seen = String::new();
    for sql in [
        "select count(*), min(id), max(id) from letters",
        "select count(*) from letters where body like 'canary%'",
        "select count(*) from letters where tenant = 'theirs'",
        // Cheaper than the filter, and it fails on hidden rows: without the fence it is computed first.
        "select sum(body::int) from letters where body::int > 0",
        "select id from letters where 1 / (id % 2 - 1) < 0 and id < 5 order by id",
        "select (select count(*) from letters x where x.id = l.id + 1) from letters l where l.id = 2",
    ] {
        let got = all_of(&mut *session, sql).await;
        assert!(!got.contains(CANARY), "{sql}: {got}");
        seen.push_str(&format!("{sql}\n    {got}"));
    }
    expect![[r#"
        select count(*), min(id), max(id) from letters
            Int64(50) | Int64(2) | Int64(100)
        select count(*) from letters where body like 'canary%'
            Int64(0)
        select count(*) from letters where tenant = 'theirs'
            not-allowed: the statement is not allowed: line 1, column 36: tenant is not a column that is granted or made here; use a granted column, or name it with AS []
        select sum(body::int) from letters where body::int > 0
            Int64(2550)
        select id from letters where 1 / (id % 2 - 1) < 0 and id < 5 order by id
            Int64(2)
        Int64(4)
        select (select count(*) from letters x where x.id = l.id + 1) from letters l where l.id = 2
            Int64(0)
    "#]].assert_eq(&seen);
}

#[tokio::test]
async fn the_servers_own_log_has_no_key() {
    let shop = shop();
    let mut session = session().await;
    let mark = "select ssn as log_mark from people where id = 1";
    all_of(&mut *session, mark).await;
    let failing = "select ssn::int as log_mark from people where id = 1";
    assert!(all_of(&mut *session, failing).await.starts_with("database-error"));
    let log = shop.standby.log().unwrap();
    assert!(log.contains("log_mark") && log.contains("sha256($2"), "the statements are logged");
    for pad in [0x36_u8, 0x5c] {
        // Key and pad of the published vector: 20 bytes of the key, then the pad alone.
        let shown = format!(
            "{}{}",
            format!("{:02x}", 0x0b ^ pad).repeat(20),
            format!("{pad:02x}").repeat(12)
        );
        assert!(!log.contains(&shown), "the log shows a key");
    }
    assert!(!log.contains("Hi There"));
}

#[tokio::test]
async fn a_server_that_would_log_keys_is_refused() {
    let mut by = spec(vec![people(vec![("ssn", class("person"))])]);
    by.identity.role = LOGGED.into();
    let said = refusal(by.clone()).await;
    // Without a hash there is nothing to hide.
    by.reads = vec![people(vec![("ssn", Hides::Full)])];
    expect![[r#"
        logs-keys: policy has keyed hashes, and the server would log their keys: log_parameter_max_length is -1; have an administrator run ALTER ROLE "logged" SET log_parameter_max_length = '0'
        opened
    "#]].assert_eq(&format!("{said}{}", refusal(by).await));
}

#[tokio::test]
async fn a_mask_or_filter_that_does_not_fit_is_refused_before_any_statement() {
    let people = |column, mask| spec(vec![people(vec![(column, mask)])]);
    let filter = |filter: &str| spec(vec![letters(filter)]);
    let mut seen = String::new();
    for refused in [
        people("hidden", Hides::Email),
        people("paid", class("person")),
        people("card", Hides::Bucket { width: 10 }),
        people("born", Hides::DateTruncate { unit: DateUnit::Day }),
        people("age", Hides::DateTruncate { unit: DateUnit::Year }),
        filter("tenant"),
        filter("tenant = 7"),
        filter("count(*) > 1"),
        filter("owner = 'us'"),
        filter("xmin IS NOT NULL"),
    ] {
        seen.push_str(&refusal(refused).await);
    }
    expect![[r#"
        unmaskable: policy masks shop.people.hidden, whose type is jsonb, but `email` fits texts; use full or null
        unmaskable: policy masks shop.people.paid, whose type is numeric, but `keyed-hash` fits texts that are equal byte by byte, whole numbers and UUIDs; use partial, full or null
        unmaskable: policy masks shop.people.card, whose type is character varying(40), but `bucket` fits numbers; use full or null
        unmaskable: policy masks shop.people.born, whose type is date, but a date is shown as it is by the units hour and day; use week or more
        unmaskable: policy masks shop.people.age, whose type is smallint, but `date-truncate` fits dates and timestamps; use full or null
        ungrantable: policy grants table shop.letters, but the server does not take its row filter or its masks; correct them in the policy, so that the filter is a condition over its columns
        ungrantable: policy grants table shop.letters, but the server does not take its row filter or its masks; correct them in the policy, so that the filter is a condition over its columns
        ungrantable: policy grants table shop.letters, but the server does not take its row filter or its masks; correct them in the policy, so that the filter is a condition over its columns
        missing: the target has no column shop.letters.owner, which policy grants; correct the policy or the schema
        missing: the target has no column shop.letters.xmin, which policy grants; correct the policy or the schema
    "#]].assert_eq(&seen);
    // The role has to read what a filter names, though no query does.
    shop().cluster.primary().sql(DATABASE, "REVOKE SELECT ON shop.letters FROM logged").unwrap();
    shop()
        .cluster
        .primary()
        .sql(DATABASE, "GRANT SELECT (id, body) ON shop.letters TO logged")
        .unwrap();
    shop().cluster.catch_up(&shop().standby).unwrap();
    let mut by = filter("tenant = 'ours'");
    by.identity.role = LOGGED.into();
    let said = refusal(by).await;
    assert!(said.contains("column shop.letters.tenant, but the role may not read it"), "{said}");
}

#[tokio::test]
async fn a_class_without_a_key_hashes_nothing() {
    let mut by = spec(vec![people(vec![("ssn", class("person"))])]);
    by.keys.clear();
    let mut session = open(&by).await.unwrap();
    let error = session.query("select ssn from people", &[], roomy()).await.unwrap_err();
    assert!(matches!(error, TargetError::Config { .. }), "{error}");
    session.query("select id from letters", &[], roomy()).await.unwrap_err();
}
