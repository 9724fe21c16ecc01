//! What a script can find out about masked columns and hidden rows, and what about them leaves at all.

use domain::Mask;
use domain::mask::DateUnit;
use rusqlite::hooks::{AuthContext, Authorization};

use super::{Shop, reads, roomy};
use crate::sqlite::{Filter, TableReads, check, open};
use crate::{HashKey, HashKeys, TargetError};

/// Every raw value has this in it, or is one of these numbers.
const CANARIES: &[&str] = &["anary", "77001", "77002", "1977-07", "c0ffee"];

const PEOPLE: &str = "
    create table people(
        id integer primary key, nulled text, hidden text, card text collate nocase, email text unique,
        ssn text, salary integer, ratio real, born date, seen datetime, secret text, tenant text);
    create table cards(ssn text, salary integer);
    insert into people values
        (1, 'canary-one', 'canary-two', 'canary-three-1234', 'canary.one@example.com', 'canary-ssn-1',
         77001, 77001.5, '1977-07-01', '1977-07-01 07:07:07', 'canary-secret', 'ours'),
        (2, 'canary-1', x'c0ffee', 'canary-5678', 'no address canary', 'canary-ssn-2',
         'canary', x'c0ffee', 'canary', 77002, 'canary-secret', 'ours'),
        (3, null, null, null, null, null, null, null, null, null, null, 'ours'),
        (4, 'canary-9', 'canary-9', 'canary-9', 'canary.hidden@example.com', 'canary-9', 77001, 77001,
         '1977-07-09', '1977-07-09', 'canary-hidden', 'theirs');
    insert into cards values ('canary-ssn-1', 77001), ('other', 1);
    create index by_secret on people(secret, email);
    create view v_people as select id, email from people;
    create view v_ids as select id from people;";

fn masks() -> Vec<(&'static str, Mask)> {
    let person = || Mask::KeyedHash { class: "person".parse().unwrap() };
    vec![
        ("nulled", Mask::Null),
        ("hidden", Mask::Full),
        ("card", Mask::Partial { keep_first: 0, keep_last: 4 }),
        ("email", Mask::Email),
        ("ssn", person()),
        ("salary", Mask::Bucket { width: 50_000 }),
        ("ratio", Mask::Bucket { width: 50_000 }),
        ("born", Mask::DateTruncate { unit: DateUnit::Year }),
        ("seen", Mask::DateTruncate { unit: DateUnit::Year }),
    ]
}

fn people() -> TableReads {
    let columns = masks().into_iter().map(|(column, _)| column.to_owned());
    let mut people =
        TableReads::plain("people", std::iter::once("id".into()).chain(columns).collect());
    people.hidden.masks = masks().into_iter().map(|(c, mask)| (c.to_owned(), mask)).collect();
    people.hidden.denied.insert("secret".into());
    people
}

fn only_ours() -> Option<Filter> {
    Some(Filter::parse("tenant = 'ours' -- nobody else's").unwrap())
}

fn shop_of(people: TableReads) -> Shop {
    let mut cards = reads("cards", &["ssn", "salary"]);
    cards.hidden.masks =
        masks().into_iter().filter(|(c, _)| *c == "ssn").map(|(c, m)| (c.to_owned(), m)).collect();
    let mut shop = Shop::with(PEOPLE, vec![people, cards]);
    shop.spec.keys = HashKeys::from([("person".parse().unwrap(), HashKey::new([7; 32].into()))]);
    shop
}

fn shop() -> Shop {
    shop_of(TableReads {
        hidden: crate::sqlite::Hidden { filter: only_ours(), ..people().hidden },
        ..people()
    })
}

/// What a script and the evidence get, together.
async fn all_of(shop: &Shop, sql: &str) -> String {
    let mut session = shop.session().await;
    match session.query(sql, &[], roomy()).await {
        // Columns without a name are called as they are written.
        Ok(mut spool) => format!("{:?}", spool.next(usize::MAX).0),
        Err(e) => format!("{e} {e:?}"),
    }
}

async fn check_nothing_raw(shop: &Shop, sql: &str) -> String {
    let all = all_of(shop, sql).await;
    let found = CANARIES.iter().find(|canary| all.contains(**canary));
    assert!(found.is_none(), "{sql}\n{all}");
    all
}

#[tokio::test]
async fn every_value_comes_out_masked() {
    let shop = shop();
    let mut seen = String::new();
    for (column, mask) in masks() {
        let rows = shop.outcome(&format!("select {column} from people order by id")).await;
        seen.push_str(&format!("{column}, {mask}\n    {rows}\n"));
    }
    expect_test::expect![[r#"
        nulled, always NULL
            [[Null], [Null], [Null]]
        hidden, hidden
            [[Text("***")], [Text("***")], [Null]]
        card, its last 4 characters, of long values
            [[Text("***1234")], [Text("***5678")], [Null]]
        email, first letter and domain of an e-mail address
            [[Text("c***@example.com")], [Text("***")], [Null]]
        ssn, a keyed hash of the class person
            [[Text("54439360f4e5d8fd3b58285d592a43bb9514167b226bddf689fa338fe33760b7")], [Text("434b5cbebcad0f6c9341212a4ec5ecab0e1c634d2d14e26cc4c3e7437e1383e3")], [Null]]
        salary, rounded down to multiples of 50000
            [[Int64(50000)], [Text("***")], [Null]]
        ratio, rounded down to multiples of 50000
            [[Float64(50000.0)], [Text("***")], [Null]]
        born, cut down to the year
            [[Text("1977-01-01")], [Text("***")], [Null]]
        seen, cut down to the year
            [[Text("1977-01-01 00:00:00")], [Text("***")], [Null]]
    "#]].assert_eq(&seen);
}

/// Each of these shows a raw value without masks.
#[tokio::test]
async fn no_way_to_ask_leads_around_a_mask() {
    let shop = shop();
    for (column, _) in masks() {
        for position in [
            "select @ from people",
            "select * from people",
            "select p.* from people p",
            "select max(@), min(@), group_concat(@), count(distinct @) from people",
            "select json_group_array(@) from people",
            "select cast(@ as blob), hex(@), quote(@), typeof(@), length(@) from people",
            "select @ || '' from people",
            "select (select @ from people where id = 1)",
            "with x as (select @ as y from people) select y from x",
            "with people as (select @ from people) select * from people",
            "with x(y) as materialized (select @ from people) select y from x order by y",
            "select @ from people union select @ from people",
            "select @ from people order by @ collate nocase",
            "select id from people where @ like '%canary%' or @ = 77001",
            "select first_value(@) over (order by @) from people",
            "select a.@ from people a join people b using (@)",
            "select a.@ from people a left join people b on a.@ = b.@",
            "select case when @ glob '*canary*' then 'anary' end from people",
            "select json_extract(@, '$') from people",
            "select abs(@), unistr(@), date(@), round(@) from people",
            "select sum(@) from people where @ > 77000 and @ < 77005",
            "select @ from people group by @ having @ = 77001",
            "values ((select @ from people where id = 2))",
            "select @ from temp.people",
        ] {
            check_nothing_raw(&shop, &position.replace('@', column)).await;
        }
    }
}

#[tokio::test]
async fn a_mask_is_what_conditions_see() {
    let shop = shop();
    for (sql, rows) in [
        ("select count(*) from people where email = 'canary.one@example.com'", "[[Int64(0)]]"),
        ("select count(*) from people where email like 'canary%'", "[[Int64(0)]]"),
        ("select count(*) from people where email = 'c***@example.com'", "[[Int64(1)]]"),
        ("select count(*) from people where salary = 77001", "[[Int64(0)]]"),
        ("select count(*) from people where salary = 50000", "[[Int64(1)]]"),
        ("select count(*) from people where nulled is not null", "[[Int64(0)]]"),
        ("select count(*) from people where seen like '1977-07%'", "[[Int64(0)]]"),
        ("select id from people where seen = '1977-01-01 00:00:00'", "[[Int64(1)]]"),
        // Hashes of one class are compared.
        ("select p.id from people p join cards c on c.ssn = p.ssn", "[[Int64(1)]]"),
        ("select id from people join cards using (ssn)", "[[Int64(1)]]"),
    ] {
        assert_eq!(shop.outcome(sql).await, rows, "{sql}");
    }
}

/// Nothing that can fail shows more: neither by its words nor by failing for one value only.
#[tokio::test]
async fn errors_do_not_depend_on_what_is_hidden() {
    let shop = shop();
    for column in ["email", "salary", "hidden", "nulled"] {
        let fails = |condition: &str| {
            format!("select case when {condition} then abs(-9223372036854775808) end from people")
        };
        for condition in [format!("{column} like 'canary%'"), format!("{column} = 77001")] {
            let all = check_nothing_raw(&shop, &fails(&condition)).await;
            assert!(all.contains("Null"), "{condition}: {all}");
        }
    }
    let all = check_nothing_raw(&shop, "select json_extract(email, '$.x') from people").await;
    assert!(all.contains("malformed JSON"), "{all}");
}

/// Row 4 is another tenant's. Without a fence SQLite computes a query's conditions on an index before
/// it looks at the row, and the error tells what is hidden.
#[tokio::test]
async fn hidden_rows_are_not_computed_on() {
    let oracle = "select id from people where email >= '' and \
                  case when email like 'canary.hidden%' then abs(-9223372036854775808) else 1 end";
    let unfenced = rusqlite::Connection::open_in_memory().unwrap();
    unfenced.execute_batch(PEOPLE).unwrap();
    let view = "create temp view people as \
                select id, email from main.people where tenant = 'ours'";
    unfenced.execute_batch(view).unwrap();
    let mut leaking = unfenced.prepare(oracle).unwrap();
    let answers: Result<Vec<i64>, _> = leaking.query_map([], |row| row.get(0)).unwrap().collect();
    assert!(answers.unwrap_err().to_string().contains("integer overflow"));

    let mut fenced = reads("people", &["id", "email"]);
    fenced.hidden.filter = only_ours();
    assert_eq!(shop_of(fenced).outcome(oracle).await, "[[Int64(1)], [Int64(2)]]");
    let shop = shop();
    for sql in [
        "select count(*) from people",
        "select count(*) from people where id = 4 or id < 4",
        "select count(distinct id) from people left join cards on 1",
        "select max(n) from (select row_number() over () as n from people)",
        "select count(*) from (select id from people union all select id from people limit 3)",
        "select (select count(*) from people)",
    ] {
        assert_eq!(shop.outcome(sql).await, "[[Int64(3)]]", "{sql}");
    }
    let all = check_nothing_raw(&shop, "select id from people where tenant = 'theirs'").await;
    assert!(all.starts_with("the statement is not allowed"), "{all}");
}

/// The fix for CTEs that carry a name rests on names that nobody knows: with known ones it is undone.
#[test]
fn whoever_knew_the_inner_views_name_would_read_raw_values() {
    let open = open::open(&shop_of(people()).spec).unwrap();
    let (schema, inner) = (open.names.schema(), open.names.inner(0));
    let attack = |inner: &str, schema: &str| {
        format!(
            "with {inner} as (select email from {schema}.people) select min(email) from {inner}"
        )
    };
    let rules = open.grants().unwrap();
    open.conn.authorizer(Some(move |asked: AuthContext<'_>| rules.authorize(&asked))).unwrap();
    let stolen: String = open.conn.query_row(&attack(&inner, &schema), [], |r| r.get(0)).unwrap();
    assert_eq!(stolen, "canary.hidden@example.com");
    for (inner, schema) in [("people", &*schema), (&*inner, "main"), ("v_people", &*schema)] {
        open.conn.prepare(&attack(inner, schema)).expect_err("one of two names is not enough");
    }
    open.conn.authorizer(None::<fn(AuthContext<'_>) -> Authorization>).unwrap();
}

/// A view of the file reads the table behind our masks, so it is of use only where there are none.
#[tokio::test]
async fn a_view_of_the_file_does_not_lead_around_a_mask() {
    let mut shop = shop_of(people());
    shop.spec.reads.push(reads("v_people", &["id", "email"]));
    shop.spec.reads.push(reads("v_ids", &["id"]));
    for sql in [
        "select email from v_people",
        "select id from v_people",
        "with v_people as (select email from v_people) select * from v_people",
        "with v_ids as (select email from people) select min(email) from v_ids",
    ] {
        check_nothing_raw(&shop, sql).await;
    }
    assert_eq!(shop.outcome("select max(id) from v_ids").await, "[[Int64(4)]]");
    shop.spec.reads[0].hidden.filter = only_ours();
    assert_eq!(shop.outcome("select max(id) from v_ids").await, "not-allowed");
    assert_eq!(shop.outcome("select count(*) from v_ids").await, "not-allowed");
}

#[tokio::test]
async fn a_denied_column_says_that_policy_denies_it() {
    let shop = shop();
    let error = shop.query("select secret from people").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the statement is not allowed: policy denies the column secret of people; no query reads it, \
         so leave it out"
    );
    let error = shop.query("select tenant from people").await.unwrap_err();
    assert!(error.to_string().contains("does not exist or that the target's policy does not"));
}

#[test]
fn a_row_filter_is_one_condition_on_its_own_table() {
    for (filter, words) in [
        ("1) or (1", "closes a parenthesis that it did not open"),
        ("(tenant = 'x'", "a parenthesis is not closed"),
        ("tenant = $1", "$1 has no entry"),
        ("tenant = ?1", "parameters are written"),
        ("id in (select id from cards)", "no sub-select"),
        ("exists (values (1))", "no sub-select"),
        ("1; drop table people", "only one statement"),
        ("tenant = 'x", "a quote is not closed"),
        ("1 /* ", "a comment is not closed"),
        ("", "it has no condition"),
        ("-- nothing", "it has no condition"),
        ("tenant =", "SQLite does not read this"),
        ("1 limit 1", "SQLite does not read this"),
        ("1 union all all", "SQLite does not read this"),
        ("\u{feff}1", "byte order marks"),
    ] {
        let error = Filter::parse(filter).expect_err(filter).to_string();
        assert!(error.contains(words), "{filter}: {error}");
    }
    for (filter, words) in [
        ("salary in cards", "cards"),
        ("absent = 1", "no such column: absent"),
        ("load_extension('x')", "load_extension"),
        ("sqlite_version() > ''", "sqlite_version"),
        ("id in sqlite_schema", "sqlite_master"),
        ("ssn match 'x'", "MATCH"),
        // On a row that it hides they could fail, and tell of it.
        ("json_extract(email, '$.a') = 1", "json_extract"),
        ("email ->> 'a' = 1", "->>"),
        ("abs(id) > 1", "abs"),
    ] {
        let hidden = crate::sqlite::Hidden {
            filter: Some(Filter::parse(filter).unwrap()),
            ..people().hidden
        };
        let error = check(&shop_of(TableReads { hidden, ..people() }).spec).expect_err(filter);
        let words_of = error.to_string();
        assert!(matches!(error, TargetError::Config { .. }), "{filter}: {error:?}");
        assert!(words_of.contains("the row filter of people"), "{words_of}");
        assert!(words_of.to_lowercase().contains(&words.to_lowercase()), "{filter}: {words_of}");
    }
}

#[tokio::test]
async fn a_description_that_masks_nothing_or_shows_what_it_denies_is_refused() {
    let refused = |change: &dyn Fn(&mut TableReads)| {
        let mut people = people();
        change(&mut people);
        check(&shop_of(people).spec).unwrap_err().code()
    };
    assert_eq!(refused(&|p| drop(p.hidden.masks.insert("secret".into(), Mask::Full))), "config");
    assert_eq!(refused(&|p| drop(p.hidden.masks.insert("EMAIL".into(), Mask::Full))), "config");
    assert_eq!(refused(&|p| p.hidden.denied = ["Email".into()].into()), "config");
    let mut shop = shop();
    shop.spec.keys = HashKeys::new();
    assert_eq!(shop.outcome("select ssn from people").await, "database-error");
}
