//! Cells that would lie if they were shown as they are.

use super::*;

#[test]
fn a_cell_cannot_move_the_cursor() {
    let cell = cell(&Value::Text("Ann\u{1b}[1A\nBob".to_owned()));
    assert_eq!(cell, "Ann\\u{1b}[1A\\nBob");
}

#[test]
fn long_cells_are_cut_where_people_see_it() {
    let shown = cell(&Value::Text("x".repeat(500)));
    assert_eq!(shown.chars().count(), CELL_CHARS_MAX + 1);
    assert!(shown.ends_with('…'));
    assert_eq!(cell(&Value::Bytes(vec![0xab; 20])), format!("{}… (20 B)", "ab".repeat(16)));
}

#[test]
fn null_is_not_the_empty_text() {
    assert_eq!(cell(&Value::Null), "–");
    assert_eq!(cell(&Value::Text(String::new())), "");
}
