//! What a mask may be, and how it is written.

use super::{ColumnPath, DateUnit, HashClass, Mask, WIDTH_MAX};

fn written(mask: &Mask) -> String {
    serde_json::to_string(mask).unwrap()
}

fn all() -> Vec<Mask> {
    vec![
        Mask::Null,
        Mask::Full,
        Mask::Partial { keep_first: 1, keep_last: 4 },
        Mask::Email,
        Mask::KeyedHash { class: "customer".parse().unwrap() },
        Mask::Bucket { width: 10 },
        Mask::DateTruncate { unit: DateUnit::Month },
    ]
}

#[test]
fn each_kind_has_one_text() {
    let lines: Vec<String> = all().iter().map(|m| format!("{} : {m}\n", written(m))).collect();
    expect_test::expect![[r#"
        {"kind":"null"} : always NULL
        {"kind":"full"} : hidden
        {"kind":"partial","keep_first":1,"keep_last":4} : its first 1 and last 4 characters, of long values
        {"kind":"email"} : first letter and domain of an e-mail address
        {"kind":"keyed-hash","class":"customer"} : a keyed hash of the class customer
        {"kind":"bucket","width":10} : rounded down to multiples of 10
        {"kind":"date-truncate","unit":"month"} : cut down to the month
    "#]]
    .assert_eq(&lines.concat());
    for mask in all() {
        assert_eq!(serde_json::from_str::<Mask>(&written(&mask)).unwrap(), mask);
        assert!(written(&mask).contains(&format!("\"{}\"", mask.kind())));
        mask.check().unwrap();
    }
}

#[test]
fn what_is_missing_or_unknown_is_refused() {
    for text in [
        r#"{"kind":"partial","keep_first":1}"#,
        r#"{"kind":"bucket"}"#,
        r#"{"kind":"bucket","width":10,"unit":"month"}"#,
        r#"{"kind":"date-truncate","unit":"second"}"#,
        r#"{"kind":"keyed-hash","class":"Customer"}"#,
        r#"{"kind":"deny"}"#,
        r#"{"kind":"none"}"#,
        r#"{}"#,
    ] {
        assert!(serde_json::from_str::<Mask>(text).is_err(), "{text}");
    }
}

#[test]
fn a_mask_that_hides_nothing_is_no_mask() {
    let keep = |keep_first, keep_last| Mask::Partial { keep_first, keep_last }.check().is_ok();
    assert!(keep(8, 8) && keep(0, 1) && keep(1, 0));
    assert!(!keep(0, 0) && !keep(9, 0) && !keep(0, u64::MAX));
    let width = |width| Mask::Bucket { width }.check().is_ok();
    assert!(width(2) && width(WIDTH_MAX));
    assert!(!width(0) && !width(1) && !width(WIDTH_MAX + 1));
}

#[test]
fn a_path_means_one_column() {
    let path = ColumnPath::of("shop.customers", "email").unwrap();
    assert_eq!(path.as_str(), "shop.customers.email");
    // Both would be `a.b.c`.
    assert!(ColumnPath::of("a", "b.c").is_err());
    assert!(ColumnPath::of("a.b", "c").is_ok());
    for bad in ["", "email", ".email", "customers.", "a.b\nc"] {
        assert!(bad.parse::<ColumnPath>().is_err(), "{bad}");
    }
    assert!("Customer".parse::<HashClass>().is_err());
}
