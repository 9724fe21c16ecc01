//! No name gets out of its quotes, and nothing that runs is hidden from whoever reads it.

use super::*;

fn script(database: &str, role: &str, relation: Relation) -> String {
    let identity =
        Identity { system_identifier: u64::MAX - 1, database: database.into(), role: role.into() };
    let sql = RoleSql {
        target: "shop-replica",
        policy: "policy version 3",
        identity: &identity,
        reads: &[relation],
        statement_ms_max: 5_000,
        views: None,
    };
    sql.text()
}

#[test]
fn names_stay_inside_their_quotes_wherever_they_stand() {
    let evil = "x\"; DROP TABLE orders; --\n'; $do$ $do1$ DROP ROLE y; \u{202e}\\";
    let relation = Relation::plain(evil, evil, vec![evil.into()]);
    let sql = script(evil, evil, relation);
    // What is ours has one such line each, and no name adds one.
    for line in sql.lines() {
        let outside = outside_quotes(line);
        assert!(!outside.contains("DROP"), "{line}");
        assert!(line.starts_with("--") || !outside.contains("--"), "{line}");
    }
    assert!(sql.contains("DO $do2$\n") && !sql.contains('\u{202e}'), "{sql}");
    assert_eq!(neutralise(&sql).replace("\\n", "\n").len(), sql.len(), "nothing is hidden");
    assert!(sql.contains("<> -2\n"), "the identifier as the server shows it: {sql}");
}

/// What of a line is in no quotes.
fn outside_quotes(line: &str) -> String {
    let mut open = None;
    let mut out = String::new();
    for c in line.chars() {
        match open {
            Some(quote) if c == quote => open = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => open = Some(c),
            None => out.push(c),
        }
    }
    out
}

#[test]
fn plain_names_read_plainly() {
    let columns = vec!["id".into(), "Größe".into(), "a \"b\"".into()];
    let sql = script("shop", "reader", Relation::plain("public", "orders", columns));
    let grant = "GRANT SELECT (\"id\", \"Größe\", \"a \"\"b\"\"\") ON TABLE \"public\".\"orders\" \
                 TO \"reader\";\n";
    assert!(sql.contains(grant), "{sql}");
    assert!(sql.contains("SET statement_timeout = 5000;"), "{sql}");
}
