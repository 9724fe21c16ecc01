//! Tables of several shards.

use super::*;

fn table(name: &str, columns: &[&str], rows: &[i64]) -> Table {
    let column = |c: &&str| Column { name: (*c).to_owned(), db_type: "int8".to_owned() };
    let row = |n: &i64| vec![Value::Int64(*n); columns.len()];
    Table {
        name: name.to_owned(),
        columns: columns.iter().map(column).collect(),
        rows: rows.iter().map(row).collect(),
    }
}

#[test]
fn rows_of_one_table_stand_together_and_say_where_they_are_from() {
    let (a, b) =
        ([table("t", &["n"], &[1, 2])], [table("t", &["n"], &[3]), table("u", &["n"], &[])]);
    let merged = tables(&[Part { target: "a", tables: &a }, Part { target: "b", tables: &b }]);
    assert_eq!(merged.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["t", "u"]);
    assert_eq!(merged[0].columns[0].name, "target");
    let row = |at: &str, n| vec![Value::Text(at.to_owned()), Value::Int64(n)];
    assert_eq!(merged[0].rows, [row("a", 1), row("a", 2), row("b", 3)]);
    assert!(merged[1].rows.is_empty() && merged[1].columns.len() == 2);
}

#[test]
fn tables_that_only_share_a_name_stay_apart() {
    let (a, b) = ([table("t", &["n"], &[1])], [table("t", &["m"], &[2])]);
    let merged = tables(&[Part { target: "a", tables: &a }, Part { target: "b", tables: &b }]);
    assert_eq!(merged.len(), 2);
}
