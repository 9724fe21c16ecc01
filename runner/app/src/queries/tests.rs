//! An author learns at upload, not at 3 a.m., that a query cannot run.

use domain::Manifest;
use serde_json::json;

use super::*;

const MANIFEST: &str = "[script]\nname = \"s\"\nversion = \"1.0.0\"\nsummary = \"x\"\n\
    [targets.orders]\nengine = \"postgres\"\n[[query]]\nname = \"q\"\ntarget = \"orders\"\n\
    file = \"queries/q.sql\"\n";

fn target(id: &str, columns: &[&str]) -> PolicyTarget {
    let limits = json!({ "fuel_max": 1, "memory_bytes_max": 1, "wall_ms_max": 1,
        "output_bytes_max": 1, "host_calls_max": 1 });
    let quorum = json!({ "required": 1, "groups": [], "from_each": [] });
    let identity =
        json!({ "postgres": { "system_identifier": "7", "database": "shop", "role": "r" } });
    serde_json::from_value(json!({
        "id": id, "engine": "postgres", "prod": false, "groups": [], "identity": identity, "runners": [],
        "callers": [], "reviews": quorum, "reviews_unchanged": null, "approvals": quorum,
        "self_serve": null, "break_glass": null, "limits": limits,
        "query": { "calls_max": 1, "rows_total_max": 1, "bytes_total_max": 1 },
        "reads": [{ "table": "public.orders", "columns": columns }], "denied": [], "masks": [],
        "row_filters": [], "recording": "full", "statement_ms_max": 1, "cost_max": 1, "recursion": false, "lag_s_max": 1,
        "readers": [], "retention_days": 1
    }))
    .unwrap()
}

fn said(sql: &str, targets: &[PolicyTarget]) -> String {
    let manifest = Manifest::parse(MANIFEST.as_bytes()).unwrap();
    match check(&manifest.queries[0], Engine::Postgres, sql, targets) {
        Ok(None) => "passes".to_owned(),
        Ok(Some(warning)) => format!("warning: {warning}"),
        Err(error) => format!("refused: {error}"),
    }
}

#[test]
fn a_query_passes_when_one_target_lets_it_run() {
    let targets = [target("a", &["id"]), target("b", &["id", "status"])];
    assert_eq!(said("SELECT status FROM orders", &targets), "passes");
}

#[test]
fn what_only_a_policy_could_allow_is_a_warning_that_names_the_target() {
    let said = |sql| said(sql, &[target("a", &["id"])]);
    for sql in ["SELECT email FROM orders", "SELECT 1 FROM customers"] {
        let said = said(sql);
        assert!(said.starts_with("warning: queries/q.sql: a would not run it: line 1"), "{said}");
    }
}

#[test]
fn what_no_policy_could_allow_is_refused_with_its_place() {
    let targets = [target("a", &["id"])];
    let refused = said("SELECT id FROM orders\nWHERE pg_sleep(9) IS NULL", &targets);
    assert!(refused.contains("queries/q.sql: line 2, column 7"), "{refused}");
    for sql in ["DELETE FROM orders", "SELECT id FROM orders; SELECT 1", "SELEC", "  "] {
        assert!(said(sql, &targets).starts_with("refused: "), "{sql}");
    }
}

#[test]
fn without_any_target_of_the_engine_the_author_is_told_that_nothing_was_checked() {
    let said = said("SELECT id FROM orders", &[]);
    assert!(said.contains("no target of the policy is a PostgreSQL database"), "{said}");
    for sql in ["DELETE FROM orders", "SELECT id FROM orders; SELECT 1", "SELEC"] {
        assert!(self::said(sql, &[]).starts_with("refused: "), "{sql}");
    }
}

fn said_of_sqlite(sql: &str, columns: &[&str]) -> String {
    let manifest = Manifest::parse(MANIFEST.replace("postgres", "sqlite").as_bytes()).unwrap();
    let mut target = target("shop", columns);
    target.engine = Engine::Sqlite;
    target.reads[0].table = "orders".to_owned();
    match check(&manifest.queries[0], Engine::Sqlite, sql, &[target]) {
        Ok(None) => "passes".to_owned(),
        Ok(Some(warning)) => format!("warning: {warning}"),
        Err(error) => format!("refused: {error}"),
    }
}

#[test]
fn sqlite_warns_of_what_the_policy_does_not_grant_and_refuses_what_is_no_sql() {
    assert_eq!(said_of_sqlite("SELECT id, status FROM orders", &["id", "status"]), "passes");
    let said = said_of_sqlite("SELECT id,\n  email\nFROM orders", &["id"]);
    let words = "warning: queries/q.sql: shop would not run it: line 2: no such column: email;";
    assert!(said.starts_with(words), "{said}");
    let said = said_of_sqlite("SELECT id FROM customers", &["id"]);
    assert!(said.contains("no such table: customers"), "{said}");
    let said = said_of_sqlite("SELECT load_extension('x') FROM orders", &["id"]);
    assert!(said.starts_with("warning: "), "{said}");
    let said = said_of_sqlite("SELECT id\nFORM orders", &["id"]);
    assert!(said.starts_with("refused: ") && said.contains("queries/q.sql: "), "{said}");
    assert!(said.contains("line 2: SQLite does not read this: near \"orders\""), "{said}");
}
