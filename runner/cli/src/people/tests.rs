//! Names in a sentence.

use super::*;

#[test]
fn names_end_with_or_and_a_crowd_is_counted() {
    let people = |n: usize| (0..n).map(|i| format!("p{i}").parse().unwrap()).collect::<Vec<_>>();
    assert_eq!(in_words(&people(0)), "nobody else, by the policy in force");
    assert_eq!(in_words(&people(1)), "p0");
    assert_eq!(in_words(&people(3)), "p0, p1 or p2");
    assert_eq!(in_words(&people(10)), "p0, p1, p2, p3, p4, p5, p6, p7 or 2 others");
}
