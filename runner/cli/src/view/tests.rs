//! Views of what others wrote.

use super::*;

#[test]
fn quantities_are_short_and_have_units() {
    assert_eq!(bytes(512), "512 B");
    assert_eq!(bytes(64 << 20), "64 MiB");
    assert_eq!(bytes(1536), "1.5 KiB");
    assert_eq!(number(2_000_000), "2,000,000");
    assert_eq!(number(12), "12");
    assert_eq!(millis(30_000), "30.0 s");
    assert_eq!(millis(17), "17 ms");
    assert_eq!(count(1, "row"), "1 row");
    assert_eq!(count(1200, "row"), "1,200 rows");
}

#[test]
fn limits_name_each_limit_with_its_unit() {
    assert_eq!(
        limits(&Limits::DEFAULT),
        "fuel 2,000,000,000, memory 64 MiB, wall 30.0 s, output 4 MiB, 10,000 host calls"
    );
}
