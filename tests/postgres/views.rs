//! Views that the printed SQL makes, on a real primary: the role reads what the gate would have shown, and
//! has no right on anything raw.

use expect_test::expect;
use targets::postgres::{MaskViews, PostgresSpec, Relation, check};
use tests::postgres::{CANARY, DATABASE, open, role_sql_with, shop};

use super::masks::{all_of, letters, masks, people, spec};

const SCHEMA: &str = "hidden views";
const VIEWER: &str = "viewer";

fn reads() -> Vec<Relation> {
    vec![people(masks()), letters("md5(tenant) = md5(left('ours' || repeat('x', 10), 4))")]
}

/// What the next policy would grant, and the SQL for it.
fn printed() -> (PostgresSpec, String) {
    let reads = reads();
    let views = MaskViews::of(SCHEMA, &reads).unwrap();
    let mut spec = spec(reads.clone());
    spec.identity.role = VIEWER.into();
    spec.statement_ms_max = 5_000;
    let sql = role_sql_with(&spec, Some(&views));
    spec.reads = views.reads(&reads);
    (spec, sql)
}

/// Runs it as the superuser on the primary, and waits until the standby has it.
fn run(sql: &str) -> Result<String, String> {
    let shop = shop();
    let said = shop.cluster.primary().sql(DATABASE, sql).map_err(|e| e.to_string())?;
    shop.cluster.catch_up(&shop.standby).map_err(|e| e.to_string())?;
    Ok(said)
}

#[tokio::test]
async fn the_views_show_what_the_gate_shows_and_the_role_has_nothing_raw() {
    let (viewed, sql) = printed();
    for _ in 0..2 {
        run(&sql).unwrap();
    }
    let reach = check(&viewed).await.unwrap();
    let warnings: Vec<_> = reach.findings.into_iter().filter(|f| f.warns).collect();
    assert!(warnings.is_empty(), "{warnings:?}");

    let mut by_gate = open(&spec(reads())).await.unwrap();
    let mut by_view = open(&viewed).await.unwrap();
    for (column, mask) in masks() {
        let query = format!("select id, {column} from people order by id");
        let (gate, view) =
            (all_of(&mut *by_gate, &query).await, all_of(&mut *by_view, &query).await);
        if column == "ssn" {
            assert!(view.starts_with("not-allowed"), "{view}");
        } else {
            assert_eq!(gate, view, "{column}, {mask}");
        }
    }
    let query = "select id, body from letters order by id";
    assert_eq!(all_of(&mut *by_gate, query).await, all_of(&mut *by_view, query).await);
    // The barrier is the fence: what fails on a hidden row is not computed on it.
    let cast =
        all_of(&mut *by_view, "select id from letters where body::int > 98 order by id").await;
    assert_eq!(cast, "Int64(100)\n");

    // Whoever has the role's password has no more.
    for attack in [
        "SELECT email FROM shop.people",
        "SELECT count(*) FROM shop.people",
        "SELECT id FROM shop.people",
        "SELECT body FROM shop.letters",
        "SELECT shop.people FROM shop.people",
        "SET ROLE \"hidden views\"",
        "CREATE VIEW \"hidden views\".mine AS SELECT 1",
    ] {
        let attack = format!("SET SESSION AUTHORIZATION {VIEWER}; {attack}");
        let told = run(&attack).unwrap_err();
        assert!(told.contains("permission denied"), "{attack}: {told}");
    }
    let seen = run(&format!(
        "SET SESSION AUTHORIZATION {VIEWER}; SELECT * FROM \"hidden views\".people;
         SELECT * FROM \"hidden views\".letters;
         SELECT * FROM pg_stats WHERE schemaname IN ('shop', 'hidden views')"
    ));
    let seen = seen.unwrap();
    assert!(!seen.contains(CANARY) && seen.contains("***@example.com"), "{seen}");
}

#[tokio::test]
async fn nothing_of_somebody_else_s_is_taken_for_the_views() {
    let (_, sql) = printed();
    let named = |name: &str| sql.replace(SCHEMA, name);
    run("CREATE SCHEMA payroll; CREATE TABLE payroll.salaries (id int); CREATE ROLE clerk LOGIN")
        .unwrap();
    for name in ["payroll", "clerk"] {
        let told = run(&named(name)).unwrap_err();
        assert!(told.contains("is taken by a role with powers or a login"), "{told}");
    }
    assert_eq!(run("SELECT count(*) FROM payroll.salaries").unwrap().trim(), "0");
    assert_eq!(run("SELECT count(*) FROM pg_roles WHERE rolname = 'payroll'").unwrap().trim(), "0");
    let mut twice = reads();
    twice.push(Relation { schema: "other".into(), ..twice[0].clone() });
    let told =
        |schema: &str, reads: &[Relation]| MaskViews::of(schema, reads).unwrap_err().to_string();
    expect![[r#"
        other.people cannot have a view of its own name in safe: a table of another schema has that name; give one of them its own policy
        shop.people cannot have a view of its own name in shop: choose a new schema for the views, of 1 to 63 bytes
    "#]].assert_eq(&format!("{}\n{}\n", told("safe", &twice), told("shop", &reads())));
}
