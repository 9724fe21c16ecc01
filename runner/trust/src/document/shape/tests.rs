//! The short way must not let a number pass that the long one names.

use super::{INTEGER_MAX, check, numbers_are_small};

#[test]
fn numbers_are_found_wherever_they_stand_and_only_outside_of_strings() {
    let cases = [
        ("9007199254740991", true),
        ("9007199254740992", false),
        ("[1,[18446744073709551616]]", false),
        ("{\"99999999999999999999\":1}", true),
        ("{\"a\\\"\":\"\\\\\",\"b\":99999999999999999999}", false),
        ("{\"a\":\"\\\"99999999999999999999\"}", true),
        ("\"99999999999999999999", true),
        ("\"\\", true),
    ];
    for (text, small) in cases {
        assert_eq!(numbers_are_small(text.as_bytes()), small, "{text}");
        if serde_json::from_str::<serde_json::Value>(text).is_ok() {
            assert_eq!(check(text.as_bytes()).is_ok(), small, "{text}");
        }
    }
    assert!(numbers_are_small(INTEGER_MAX.to_string().as_bytes()));
}
