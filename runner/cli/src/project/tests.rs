//! What an author gets wrong, and that file, line and the way out are named.

use std::fs;

use super::*;

const MANIFEST: &str = r#"[script]
name = "late"
version = "1.0.0"
summary = "Late orders"
input = "input.schema.json"

[targets.shop]
engine = "sqlite"

[[query]]
name = "late"
target = "shop"
file = "queries/late.sql"
params = [
  { name = "since", type = "timestamptz", from = "/since" },
  { name = "status", type = "text", from = "/status", optional = true },
]
"#;
const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "required": ["since"],
  "properties": {
    "since": { "type": "string", "format": "date-time" },
    "status": { "type": "string" }
  }
}"#;
const SQL: &str =
    "-- late\nSELECT id FROM orders\nWHERE paid_at > $1\nAND ($2 IS NULL OR status = $2)\n";

/// The folder with one file changed.
fn with(file: &str, text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("queries")).unwrap();
    let files = [("script.toml", MANIFEST), (SCHEMA_PATH, SCHEMA), ("queries/late.sql", SQL)];
    for (path, text) in files.into_iter().chain([(file, text)]) {
        fs::write(dir.path().join(path), text).unwrap();
    }
    dir
}

/// What is refused, without the folder's name, and what would help.
fn refused(file: &str, text: &str) -> String {
    let dir = with(file, text);
    let failure = read_all(dir.path(), true).unwrap_err();
    let message = failure.message.replace(&format!("{}/", dir.path().display()), "");
    format!("{message}\n{}", failure.help.unwrap_or_default())
}

fn manifest(from: &str, to: &str) -> String {
    assert!(MANIFEST.contains(from), "{from}");
    refused("script.toml", &MANIFEST.replace(from, to))
}

#[test]
fn the_files_of_the_bundle_are_taken_and_others_stay_out() {
    let dir = with("README.md", "# late");
    fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    fs::create_dir(dir.path().join("fixtures")).unwrap();
    fs::write(dir.path().join("fixtures/one.json"), "{}").unwrap();
    let files = read_all(dir.path(), true).unwrap();
    let paths: Vec<&str> = files.keys().map(BundlePath::as_str).collect();
    let all = ["fixtures/one.json", SCHEMA_PATH, "queries/late.sql", "readme.md", "script.toml"];
    assert_eq!(paths, all);
}

#[test]
fn a_parameter_that_nobody_fills_is_refused() {
    let said = manifest(", from = \"/status\", optional = true", "");
    assert!(
        said.starts_with("script.toml:16: nobody fills parameter status of query late"),
        "{said}"
    );
    assert!(said.contains("from = \"/status\""), "{said}");
    let said = manifest("/status\"", "/state\"");
    assert!(said.starts_with("script.toml:16: ") && said.contains("does not have"), "{said}");
    let said = manifest(", optional = true", "");
    assert!(said.starts_with("script.toml:16: ") && said.contains("optional = true"), "{said}");
}

#[test]
fn mistakes_in_the_manifest_are_found_in_their_lines() {
    let said = manifest("version = \"1.0.0\"", "version = \"1\"");
    assert!(said.starts_with("script.toml:3: "), "{said}");
    let said = manifest("engine = ", "engin = ");
    assert!(said.starts_with("script.toml:8: ") && said.contains("engin"), "{said}");
    let said = manifest("\"Late orders\"", "\"\"");
    assert!(said.starts_with("script.toml:4: script.summary"), "{said}");
    let said = manifest("engine = \"sqlite\"", "engine = \"oracle\"");
    assert!(said.starts_with("script.toml:8: ") && said.contains("postgres"), "{said}");
    let said = manifest("target = \"shop\"", "target = \"store\"");
    assert!(said.starts_with("script.toml:11: query late: target store"), "{said}");
    let said = manifest("name = \"status\"", "name = \"since\"");
    assert!(said.starts_with("script.toml:16: ") && said.contains("twice"), "{said}");
    let said = refused("script.toml", &MANIFEST[..MANIFEST.find("[[query]]").unwrap()]);
    assert!(said.contains("it has no [[query]]"), "{said}");
}

#[test]
fn mistakes_in_the_schema_are_found_in_their_lines() {
    let said = refused(SCHEMA_PATH, &SCHEMA.replace("\"required\"", "required"));
    assert!(said.starts_with("input.schema.json:4: "), "{said}");
    let said = refused(SCHEMA_PATH, &SCHEMA.replace("\"format\": ", "\"$ref\": "));
    assert!(said.starts_with("input.schema.json:6: "), "{said}");
}

#[test]
fn what_the_gate_refuses_is_refused_before_anything_is_uploaded() {
    for (sql, line) in [
        ("-- late\nDELETE FROM orders", 2),
        ("SELECT id\nFROM orders\nNATURAL JOIN customers", 3),
        ("SELECT id\nFROM orders\nWHERE id = $3", 3),
        ("SELECT 1;\nSELECT 2", 1),
        ("SELECT 'open\n\n", 1),
        ("SELECT id,\n  number\nFORM orders\nWHERE paid_at > $1", 3),
        ("SELECT id\nFROM orders\nWHERE paid_at > $1 AND", 3),
    ] {
        let said = refused("queries/late.sql", sql);
        assert!(said.starts_with(&format!("queries/late.sql:{line}: ")), "{sql}: {said}");
    }
}

#[test]
fn postgres_has_its_own_gate() {
    let toml = MANIFEST.replace("engine = \"sqlite\"", "engine = \"postgres\"");
    let dir = with("script.toml", &toml);
    assert!(read_all(dir.path(), true).is_ok(), "what is granted is not known here");
    fs::write(dir.path().join("queries/late.sql"), "SELECT id\nFROM FROM orders").unwrap();
    let said = read_all(dir.path(), true).unwrap_err().message;
    assert!(said.contains("queries/late.sql:2: PostgreSQL's parser does not read this"), "{said}");
}

#[test]
fn a_parameter_that_the_query_does_not_use_is_refused_at_its_line() {
    let said = refused("queries/late.sql", "SELECT id\n-- $2\nFROM orders WHERE paid_at > $1");
    let place = "script.toml:16: query late, parameter status is $2, which queries/late.sql does";
    assert!(said.starts_with(place), "{said}");
}

#[test]
fn a_query_that_nothing_runs_is_refused_and_so_is_one_that_is_missing() {
    let said = refused("queries/old.sql", "SELECT 1");
    assert!(said.starts_with("queries/old.sql:1: no [[query]]"), "{said}");
    let said = manifest("queries/late.sql", "queries/gone.sql");
    assert!(said.starts_with("queries/gone.sql: cannot be read"), "{said}");
    assert!(said.contains("script.toml:11"), "{said}");
}
