//! What a reviewer is told about a query is what the target would let it read.

use super::*;
use crate::sqlite;

fn told(sql: &str) -> Result<Vec<String>, TargetError> {
    let granted =
        [reads("users", &["id", "country"]), reads("orders", &["id", "user_id", "total"])];
    let all = sqlite::reads(sql, 0, &granted, false)?;
    Ok(all.into_iter().map(|t| format!("{}: {}", t.table, t.columns.join(" "))).collect())
}

#[test]
fn every_column_that_is_looked_at_is_told() {
    let join = "SELECT o.total FROM orders AS o JOIN users AS u ON u.id = o.user_id WHERE u.country = 'DE'";
    assert_eq!(told(join).unwrap(), ["users: id country", "orders: user_id total"]);
    let hidden = "SELECT 1 AS one FROM orders ORDER BY (SELECT max(country) FROM users)";
    assert_eq!(told(hidden).unwrap(), ["users: country", "orders: "]);
    assert_eq!(told("SELECT * FROM Users").unwrap(), ["users: id country"]);
    assert_eq!(told("SELECT count(*) FROM orders").unwrap(), ["orders: "]);
    let using = "SELECT o.total FROM orders AS o JOIN users AS u USING (id)";
    assert_eq!(told(using).unwrap(), ["users: id", "orders: id total"]);
    let cte = "WITH o AS (SELECT user_id FROM orders) SELECT user_id FROM o";
    assert_eq!(told(cte).unwrap(), ["orders: user_id"]);
}

#[test]
fn what_is_not_granted_is_refused_in_the_compilers_words() {
    for (sql, words) in [
        ("SELECT ssn FROM users", "no such column: ssn"),
        ("SELECT v FROM secrets", "no such table: secrets"),
        ("SELECT id FROM users WHERE", "incomplete input"),
    ] {
        let error = told(sql).unwrap_err();
        assert!(error.detail().is_some_and(|d| d.contains(words)), "{sql}: {error:?}");
    }
    assert!(told("SELECT load_extension('x') FROM users").is_err());
    assert!(told("SELECT sql FROM sqlite_schema").is_err());
}
