//! Binary forms, read exactly.

use domain::Value;

use crate::postgres::value::{Read, read};
use crate::postgres::{numeric, temporal};

/// A numeric's binary form.
fn numeric_of(weight: i16, sign: u16, scale: u16, digits: &[u16]) -> Vec<u8> {
    let count = u16::try_from(digits.len()).unwrap();
    let words = [count, weight.cast_unsigned(), sign, scale];
    words.iter().chain(digits).flat_map(|w| w.to_be_bytes()).collect()
}

#[test]
fn numerics_keep_every_digit() {
    let text = |weight, sign, scale, digits: &[u16]| match numeric::read(&numeric_of(
        weight, sign, scale, digits,
    ))
    .unwrap()
    {
        Value::Decimal(text) => text,
        other => format!("{other:?}"),
    };
    assert_eq!(text(0, 0, 0, &[]), "0");
    assert_eq!(text(0, 0, 2, &[]), "0.00");
    assert_eq!(text(0, 0x4000, 2, &[12, 3400]), "-12.34");
    assert_eq!(text(-1, 0, 5, &[1]), "0.00010");
    assert_eq!(text(-3, 0, 12, &[7]), "0.000000000007");
    assert_eq!(text(2, 0, 0, &[1]), "100000000");
    assert_eq!(text(1, 0, 1, &[1, 0, 5000]), "10000.5");
    assert_eq!(text(0, 0xC000, 0, &[]), r#"Other("numeric", "NaN")"#);
    assert_eq!(text(0, 0xF000, 0, &[]), r#"Other("numeric", "-Infinity")"#);
}

#[test]
fn broken_bytes_are_an_error_and_no_value() {
    for (kind, raw) in [
        (Read::Int8, &[0u8; 7][..]),
        (Read::Bool, &[]),
        (Read::Uuid, &[1; 17]),
        (Read::Numeric, &[0, 9, 0, 0, 0, 0, 0, 0]),
        (Read::Numeric, &[0, 0, 0]),
        (Read::Text, &[0xff, 0xfe]),
    ] {
        assert!(read(&kind, raw).is_err(), "{kind:?} {raw:?}");
    }
}

#[test]
fn moments_of_all_ages() {
    const DAY: i64 = 86_400_000_000;
    let stamp = |us| match temporal::timestamptz(us) {
        Value::Timestamp(text) => text,
        other => format!("{other:?}"),
    };
    assert_eq!(stamp(0), "2000-01-01T00:00:00Z");
    assert_eq!(stamp(-1), "1999-12-31T23:59:59.999999Z");
    assert_eq!(stamp(59 * DAY + 1_500_000), "2000-02-29T00:00:01.5Z");
    assert_eq!(stamp(i64::MAX), "infinity");
    assert_eq!(stamp(i64::MIN), "-infinity");
    // The last moment of RFC 3339 and the first one after it.
    assert_eq!(stamp(252_455_615_999_999_999), "9999-12-31T23:59:59.999999Z");
    assert_eq!(
        stamp(252_455_616_000_000_000),
        r#"Other("timestamptz", "10000-01-01 00:00:00+00")"#
    );
    assert_eq!(
        stamp(-63_082_281_600_000_001),
        r#"Other("timestamptz", "0001-12-31 23:59:59.999999+00 BC")"#
    );
    assert_eq!(stamp(-63_082_281_600_000_000), "0001-01-01T00:00:00Z");
    assert_eq!(temporal::timestamp(-1_000), "1999-12-31T23:59:59.999");
    assert_eq!(temporal::date(-730_119), "0001-01-01");
    assert_eq!(temporal::date(-730_120), "0001-12-31 BC");
    assert_eq!(temporal::date(i32::MAX), "infinity");
    assert_eq!(temporal::time(DAY), "24:00:00");
}
