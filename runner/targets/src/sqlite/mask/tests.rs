//! What each mask gives for each kind of value.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use domain::mask::{HashClass, WIDTH_MAX};

use super::*;

fn class() -> HashClass {
    "person".parse().unwrap()
}

/// The key of the published vector of HMAC-SHA256 (RFC 4231, test case 1), which ends in zeros.
fn published() -> HashKeys {
    let mut key = [0; 32];
    key[..20].fill(0x0b);
    BTreeMap::from([(class(), HashKey::new(key.into()))])
}

fn apply(mask: &Mask, raw: ValueRef<'_>) -> Value {
    Masker::new(mask, &published()).apply(raw).unwrap()
}

fn of_text(mask: &Mask, raw: &str) -> String {
    match apply(mask, ValueRef::Text(raw.as_bytes())) {
        Value::Text(text) => text,
        other => format!("{other:?}"),
    }
}

fn every_kind() -> Vec<Mask> {
    vec![
        Mask::Null,
        Mask::Full,
        Mask::Partial { keep_first: 1, keep_last: 2 },
        Mask::Email,
        Mask::KeyedHash { class: class() },
        Mask::Bucket { width: 10 },
        Mask::DateTruncate { unit: DateUnit::Month },
    ]
}

#[test]
fn every_kind_has_its_answer_for_every_kind_of_value() {
    let values = [
        ValueRef::Null,
        ValueRef::Integer(1_234_567),
        ValueRef::Integer(i64::MIN),
        ValueRef::Real(-1_234.5),
        ValueRef::Real(f64::INFINITY),
        ValueRef::Text(b"2026-05-17 13:45:12"),
        ValueRef::Text(b"ada.lovelace@example.com"),
        ValueRef::Text(b""),
        ValueRef::Text(b"\xff\xfe and more bytes"),
        ValueRef::Text(b"a\0b and more bytes"),
        ValueRef::Blob(b"ada.lovelace@example.com"),
    ];
    let mut table = String::new();
    for mask in every_kind() {
        writeln!(table, "{}", mask.kind()).unwrap();
        for raw in values {
            let shown = match apply(&mask, raw) {
                Value::Text(text) if text.len() == 64 => format!("{}… (64)", &text[..8]),
                other => format!("{other:?}"),
            };
            writeln!(table, "    {shown}").unwrap();
        }
    }
    expect_test::expect![[r#"
        null
            Null
            Null
            Null
            Null
            Null
            Null
            Null
            Null
            Null
            Null
            Null
        full
            Null
            Text("***")
            Text("***")
            Text("***")
            Text("***")
            Text("***")
            Text("***")
            Text("***")
            Text("***")
            Text("***")
            Text("***")
        partial
            Null
            Text("1***67")
            Text("-***08")
            Text("***")
            Text("***")
            Text("2***12")
            Text("a***om")
            Text("***")
            Text("***")
            Text("***")
            Text("***")
        email
            Null
            Text("***")
            Text("***")
            Text("***")
            Text("***")
            Text("***")
            Text("a***@example.com")
            Text("***")
            Text("***")
            Text("***")
            Text("***")
        keyed-hash
            Null
            89dcbb89… (64)
            284eea7e… (64)
            720c52eb… (64)
            0e820133… (64)
            19b98e45… (64)
            0272d909… (64)
            999a9012… (64)
            724e5b75… (64)
            41f5facf… (64)
            0272d909… (64)
        bucket
            Null
            Integer(1234560)
            Integer(-9223372036854775808)
            Real(-1240.0)
            Real(inf)
            Text("***")
            Text("***")
            Text("***")
            Text("***")
            Text("***")
            Text("***")
        date-truncate
            Null
            Text("***")
            Text("***")
            Text("***")
            Text("***")
            Text("2026-05-01 00:00:00")
            Text("***")
            Text("***")
            Text("***")
            Text("***")
            Text("***")
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_short_value_shows_nothing_of_itself() {
    let ends = Mask::Partial { keep_first: 2, keep_last: 2 };
    for (raw, shown) in [
        ("12345678", "12***78"),
        ("1234567", "***"),
        ("äöüßÄÖÜẞ", "äö***Üẞ"),
        ("💳💳💳💳", "***"),
        ("", "***"),
    ] {
        assert_eq!(of_text(&ends, raw), shown, "{raw}");
    }
    assert_eq!(
        of_text(&Mask::Partial { keep_first: 0, keep_last: 4 }, "4111111111111234"),
        "***1234"
    );
}

#[test]
fn only_an_address_shows_its_domain() {
    for (raw, shown) in [
        ("ada@example.com", "a***@example.com"),
        ("a@sub.example-1.com", "***@sub.example-1.com"),
        ("éa@example.com", "é***@example.com"),
        ("@example.com", "***"),
        ("ada@example", "***"),
        ("ada@ex ample.com", "***"),
        ("ada@example..com", "***"),
        ("ada@b@example.com", "***"),
        ("my secret is at home", "***"),
        ("ada@example.com\n", "***"),
    ] {
        assert_eq!(of_text(&Mask::Email, raw), shown, "{raw}");
    }
    assert_eq!(of_text(&Mask::Email, &format!("{}@example.com", "a".repeat(320))), "***");
}

#[test]
fn the_hash_is_the_published_one_and_equal_where_values_are() {
    let hash = Mask::KeyedHash { class: class() };
    let vector = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
    assert_eq!(of_text(&hash, "Hi There"), vector);
    let of = |raw| apply(&hash, raw);
    assert_eq!(of(ValueRef::Integer(7)), of(ValueRef::Text(b"7")));
    assert_eq!(of(ValueRef::Integer(7)), of(ValueRef::Real(7.0)));
    assert_eq!(of(ValueRef::Real(0.0)), of(ValueRef::Real(-0.0)));
    assert_ne!(of(ValueRef::Integer(7)), of(ValueRef::Integer(8)));
    let none = Masker::new(&hash, &HashKeys::new());
    assert_eq!(
        none.apply(ValueRef::Integer(7)).unwrap_err().to_string(),
        "the session has no key for this class"
    );
}

#[test]
fn numbers_go_down_to_their_bucket_and_never_out_of_their_type() {
    let of = |width, raw| apply(&Mask::Bucket { width }, raw);
    for (width, raw, shown) in [
        (10, 47, 40),
        (10, -1, -10),
        (10, 0, 0),
        (10, i64::MIN, i64::MIN),
        (WIDTH_MAX, i64::MAX, 9_223_372_036_854_774_784),
        (2, i64::MAX, i64::MAX - 1),
    ] {
        let Value::Integer(down) = of(width, ValueRef::Integer(raw)) else { panic!("{raw}") };
        assert!(raw == i64::MIN || (raw - down < i64::try_from(width).unwrap() && down <= raw));
        assert_eq!(down / 10, shown / 10, "{raw}");
    }
    for (raw, shown) in [(47.9, 40.0), (-0.5, -10.0), (-f64::MIN_POSITIVE, -10.0), (0.3, 0.0)] {
        assert_eq!(of(10, ValueRef::Real(raw)), Value::Real(shown), "{raw}");
    }
}

#[test]
fn moments_are_cut_in_the_form_that_they_have() {
    use DateUnit::{Day, Hour, Month, Quarter, Week, Year};
    for (unit, raw, shown) in [
        (Hour, "2026-05-17 13:45:12", "2026-05-17 13:00:00"),
        (Hour, "2026-05-17T13:45:12.125Z", "2026-05-17T13:00:00.000Z"),
        (Day, "2026-05-17 13:45", "2026-05-17 00:00"),
        (Day, "2026-05-17", "2026-05-17"),
        (Week, "2026-05-17", "2026-05-11"),
        (Week, "2026-01-01", "2025-12-29"),
        (Month, "2024-02-29T23:59:59+00:00", "2024-02-01T00:00:00+00:00"),
        (Quarter, "2026-12-31", "2026-10-01"),
        (Quarter, "2026-03-31", "2026-01-01"),
        (Year, "2026-05-17", "2026-01-01"),
        (Week, "0000-01-01", "***"),
        (Year, "2026-02-30", "***"),
        (Year, "2026-13-01", "***"),
        (Year, "2026-05-17 24:00:00", "***"),
        (Year, "2026-05-17 13:45:12+02:00", "***"),
        (Year, "2026-05-17x13:45:12", "***"),
        (Year, "2026-05-17 13:45.5", "***"),
        (Year, "2026-05-17 ", "***"),
        (Year, "17.5.2026", "***"),
        (Year, "now", "***"),
        (Year, "２０２６-05-17", "***"),
    ] {
        assert_eq!(of_text(&Mask::DateTruncate { unit }, raw), shown, "{raw}");
    }
}
