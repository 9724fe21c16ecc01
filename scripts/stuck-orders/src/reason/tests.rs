//! Each way in which an order was found stuck on a bad morning.

use super::{Reason, StuckOrder};

/// Everything happened, and still the order is not marked as shipped.
fn order() -> StuckOrder {
    StuckOrder {
        id: 7,
        number: "SO-100007".into(),
        paid_at: "2026-11-18T09:00:00Z".into(),
        total_cents: 4_990,
        captured_cents: 4_990,
        reservations: 0,
        shipment_id: Some(9),
        carrier: Some("Nordpost".into()),
        label_at: Some("2026-11-18T10:00:00Z".into()),
        first_scan_at: Some("2026-11-18T18:00:00Z".into()),
    }
}

#[test]
fn the_first_missing_step_is_the_reason() {
    let full = order();
    assert_eq!(full.reason(), Reason::StatusNotUpdated);
    let unscanned = StuckOrder { first_scan_at: None, ..full };
    assert_eq!(unscanned.reason(), Reason::NeverScanned);
    let unlabelled = StuckOrder { label_at: None, ..unscanned };
    assert_eq!(unlabelled.reason(), Reason::NoLabel);
    let reserved = StuckOrder { shipment_id: None, reservations: 2, ..unlabelled };
    assert_eq!(reserved.reason(), Reason::NoShipment);
    let unreserved = StuckOrder { reservations: 0, ..reserved };
    assert_eq!(unreserved.reason(), Reason::ReservationMissing);
    let unpaid = StuckOrder { captured_cents: 0, ..unreserved };
    assert_eq!(unpaid.reason(), Reason::PaymentNotCaptured);
}

#[test]
fn money_that_was_never_captured_comes_before_everything_else() {
    let order = StuckOrder { captured_cents: 0, ..order() };
    assert_eq!(order.reason(), Reason::PaymentNotCaptured);
}
