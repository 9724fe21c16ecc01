//! What a spreadsheet would do with a cell, and what it gets instead.

use domain::{Column, Table, Value};

use super::lines;

fn table(columns: &[&str], rows: Vec<Vec<Value>>) -> Table {
    let column = |name: &&str| Column { name: (*name).to_owned(), db_type: "text".to_owned() };
    Table { name: "t".to_owned(), columns: columns.iter().map(column).collect(), rows }
}

fn one(cell: Value) -> String {
    lines(&table(&["c"], vec![vec![cell]])).nth(1).unwrap()
}

fn text(s: &str) -> Value {
    Value::Text(s.to_owned())
}

#[test]
fn a_cell_never_begins_a_formula() {
    for (cell, expected) in [
        ("=HYPERLINK(\"http://evil.example\")", "\"'=HYPERLINK(\"\"http://evil.example\"\")\""),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\\t=1"),
        ("\r=1", "'\\u{d}=1"),
        ("＝1", "'＝1"),
        ("-inf", "'-inf"),
        ("-", "'-"),
        ("--5", "'--5"),
        ("a;=1+1", "\"a;=1+1\""),
    ] {
        assert_eq!(one(text(cell)), expected, "{cell:?}");
    }
    let header = lines(&table(&["=1+1"], vec![])).next().unwrap();
    assert_eq!(header, "'=1+1", "the script chooses the header, too");
}

#[test]
fn numbers_stay_numbers() {
    for cell in ["-5", "+5", "-0.5", "1e-5", "-1.5E+10"] {
        assert_eq!(one(text(cell)), cell);
    }
    assert_eq!(one(Value::Int64(-7)), "-7");
    assert_eq!(one(Value::Float64(-0.25)), "-0.25");
    assert_eq!(one(Value::Float64(f64::NEG_INFINITY)), "'-inf");
    assert_eq!(one(Value::Decimal("-12.30".to_owned())), "-12.30");
}

#[test]
fn a_row_is_one_line_whatever_is_in_it() {
    let row =
        vec![text("a,b"), text("say \"hi\""), text("two\nlines"), Value::Null, text("\u{1b}[2J")];
    let all: Vec<String> = lines(&table(&["a", "b", "c", "d", "e"], vec![row])).collect();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0], "a,b,c,d,e");
    assert_eq!(all[1], "\"a,b\",\"say \"\"hi\"\"\",two\\nlines,,\\u{1b}[2J");
}
