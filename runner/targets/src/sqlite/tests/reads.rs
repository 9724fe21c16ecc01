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

#[test]
fn what_a_query_can_return_is_told_as_far_as_it_is_certain() {
    let granted = [reads("users", &["id", "country"])];
    let outline = |sql| sqlite::outline(sql, 2, &granted, false).unwrap();
    let all = outline("SELECT id AS n, count(*) FROM users LIMIT 7 -- no more");
    assert_eq!(all.columns, ["n", "count(*)"]);
    assert_eq!(all.calls, ["count".to_owned()].into());
    assert_eq!((all.has_condition, all.rows_max), (false, Some(7)));
    // A LIMIT inside, with an offset, or of another form is about something else.
    for sql in [
        "SELECT id FROM (SELECT id FROM users LIMIT 7)",
        "SELECT id FROM users LIMIT 7 OFFSET 3",
        "SELECT id FROM users LIMIT 7, 300",
        "SELECT id FROM users LIMIT -1",
        "SELECT id FROM users LIMIT 0x7",
        "SELECT id FROM users LIMIT 7 + 300",
        "SELECT id FROM users LIMIT $1",
        "SELECT id AS \"limit\" FROM users ORDER BY \"limit\", 1",
    ] {
        assert_eq!(outline(sql).rows_max, None, "{sql}");
    }
    // What stands in quotes and comments is no condition; what can be one is told as one.
    assert!(!outline("SELECT id AS \"where\" FROM users -- where id = 1").has_condition);
    for sql in [
        "SELECT id FROM users WHERE 1",
        "SELECT u.id FROM users AS u JOIN users AS v ON 1",
        "SELECT count(*) FILTER (where id = 1) AS n FROM users",
        "SELECT u.id FROM users AS u JOIN users AS v USING (id)",
    ] {
        assert!(outline(sql).has_condition, "{sql}");
    }
}
