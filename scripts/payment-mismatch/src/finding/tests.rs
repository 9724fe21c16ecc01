//! Ways in which money went wrong, and two in which somebody already put it right.

use super::{Kind, Suspect};

fn order() -> Suspect {
    Suspect {
        id: 1,
        number: "SO-100001".into(),
        currency: "EUR".into(),
        total_cents: 5_000,
        cancelled: false,
        captured_cents: 5_000,
        repeated_captures: 0,
        refunded_cents: 0,
    }
}

#[track_caller]
fn check(suspect: Suspect, expected: Option<(Kind, i64)>) {
    assert_eq!(suspect.judge(0).map(|f| (f.kind, f.owed_cents)), expected);
}

#[test]
fn a_retry_that_captured_twice_owes_the_second_capture() {
    let twice = Suspect { captured_cents: 10_000, repeated_captures: 1, ..order() };
    check(twice.clone(), Some((Kind::DuplicateCapture, 5_000)));
    check(Suspect { refunded_cents: 5_000, ..twice }, None);
}

#[test]
fn a_refund_larger_than_the_capture_is_the_shops_loss() {
    let refunded = Suspect { refunded_cents: 6_000, ..order() };
    check(refunded, Some((Kind::RefundExceedsCapture, -1_000)));
}

#[test]
fn a_cancelled_order_is_owed_what_was_kept() {
    let cancelled = Suspect { cancelled: true, ..order() };
    check(cancelled.clone(), Some((Kind::CancelledNotRefunded, 5_000)));
    check(Suspect { refunded_cents: 5_000, ..cancelled }, None);
}

#[test]
fn amounts_that_differ_from_the_order_say_in_which_direction() {
    check(Suspect { captured_cents: 5_200, ..order() }, Some((Kind::CapturedTooMuch, 200)));
    check(Suspect { captured_cents: 4_700, ..order() }, Some((Kind::CapturedTooLittle, -300)));
}

#[test]
fn rounding_within_the_tolerance_is_no_finding() {
    let rounded = Suspect { captured_cents: 5_001, ..order() };
    assert!(rounded.clone().judge(1).is_none());
    assert!(rounded.judge(0).is_some());
}
