//! What a caller reads off a receipt.

use serde_json::json;

use super::*;

#[test]
fn a_value_is_shown_field_by_field_and_cannot_draw() {
    let text = value(&json!({"stuck": 12, "note": "a\u{1b}[2Jb", "ok": true}));
    assert_eq!(text, ["note: a\\u{1b}[2Jb", "ok: true", "stuck: 12"]);
    assert_eq!(value(&json!(7)), ["7"]);
    assert_eq!(value(&json!({})), ["{}"]);
}
