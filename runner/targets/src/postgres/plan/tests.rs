//! A ceiling that cannot be compared with is no ceiling that is kept.

use super::judge;

fn plan(kind: &str, cost: &str, rows: &str, below: &str) -> String {
    format!(
        r#"[{{"Plan": {{"Node Type": "Limit", "Total Cost": {cost}, "Plan Rows": 1, "Plan Width": 8,
        "Filter": "\"Total Cost\": 0", "Plans": [{{"Node Type": "{kind}", "Total Cost": 1.0,
        "Plan Rows": {rows}, "Plan Width": 100{below}}}]}}}}]"#
    )
}

fn code(text: &str) -> Option<&'static str> {
    judge(text, 10_000_000).err().map(|e| e.code())
}

#[test]
fn what_is_expected_to_cost_or_hold_too_much_is_refused() {
    assert_eq!(code(&plan("Seq Scan", "10000000.00", "1e12", "")), None);
    assert_eq!(code(&plan("Seq Scan", "10000000.01", "1", "")), Some("too-costly"));
    assert_eq!(code(&plan("Sort", "5.0", "20000000", "")), Some("too-costly"));
    assert_eq!(code(&plan("Sort", "5.0", "10000000", "")), None);
    assert_eq!(code(&plan("Sort", "1e308", "1e308", "")), Some("too-costly"));
}

#[test]
fn what_cannot_be_read_is_refused() {
    let deep = r#", "Plans": [{"Plans": "#.repeat(200);
    for text in ["", "[]", "{}", r#"[{"Plan": {}}]"#, &plan("Sort", "1", "1", &deep)] {
        assert_eq!(code(text), Some("too-big"), "{text}");
    }
}
