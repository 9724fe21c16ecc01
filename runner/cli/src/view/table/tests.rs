//! Tables on narrow terminals, with wide and hidden characters.

use domain::{Column, Value};

use super::*;

fn table(rows: usize) -> Table {
    let column =
        |name: &str, db_type: &str| Column { name: name.to_owned(), db_type: db_type.to_owned() };
    Table {
        name: "reasons".to_owned(),
        columns: vec![column("reason\u{202e}", "text"), column("orders", "int8")],
        rows: (0..rows)
            .map(|n| vec![Value::Text(format!("no label {n}")), Value::Int64(7)])
            .collect(),
    }
}

#[test]
fn only_the_first_rows_are_shown_and_the_rest_is_counted() {
    let text = result(&table(60), ROWS_SHOWN_MAX, 0, Some("borescope show RUN")).join("\n");
    assert!(text.starts_with("reasons (60 rows)\n"));
    assert!(text.contains("no label 49"));
    assert!(!text.contains("no label 50"));
    assert!(text.ends_with("… and 10 more: borescope show RUN"));
}

#[test]
fn a_column_name_cannot_reverse_the_line() {
    assert!(result(&table(1), 50, 4, None).join("\n").contains("reason\\u{202e}"));
}

#[test]
fn a_list_fits_eighty_columns() {
    let rows = [["a".repeat(200), "b".to_owned()]];
    let text = list(["long", "short"], &rows).join("\n");
    let widest = text.lines().map(unicode_width::UnicodeWidthStr::width).max();
    assert!(widest <= Some(80), "{text}");
}

#[test]
fn in_a_narrow_table_names_stay_whole_and_times_break_after_the_date() {
    let header = ["reason", "orders", "cents", "paid_at", "what"];
    let row = [
        "payment-not-captured",
        "6",
        "1234567",
        "2026-10-06T15:33:22Z",
        "payments: repeat the capture or unmark the order as paid",
    ];
    let text = list(header, &[row.map(str::to_owned)]).join("\n");
    assert!(text.contains("payment-not-captured  6"), "{text}");
    assert!(text.contains("2026-10-06  payments:"), "{text}");
    assert!(text.contains(" 15:33:22Z "), "{text}");
}
