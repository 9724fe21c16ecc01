//! What becomes of an order: usually nothing remarkable, sometimes trouble.
//!
//! Three incidents make the trouble that an on-call engineer would look into; a few cases spread
//! over the whole period are the noise around them.

use super::random::Random;
use super::{DAY, END, HOUR};

/// How far an order came on its way to the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// At the customer's door.
    Delivered,
    /// Placed in the last days: the next step is simply still to come.
    Fresh,
    /// Cancelled by the customer before it was shipped.
    Cancelled,
    /// Marked as paid although the capture failed.
    NotCaptured,
    /// A job gave the stock back.
    ReservationMissing,
    /// Nobody made the shipment.
    NoShipment,
    /// The carrier gave no label.
    NoLabel,
    /// The carrier never scanned the parcel.
    NeverScanned,
    /// The carrier's scans did not reach the order.
    StatusNotUpdated,
}

/// What happened to an order's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Money {
    /// Captured once, in full.
    Right,
    /// Captured twice.
    Twice,
    /// Captured twice, and once given back.
    TwiceAndRefunded,
    /// Three euros too little.
    TooLittle,
    /// Two euros too much.
    TooMuch,
    /// Refunded with five euros on top.
    RefundedTooMuch,
    /// Cancelled, and nobody gave the money back.
    NotRefunded,
}

/// The carriers; the first one had an outage.
pub(super) const CARRIERS: &[&str] = &["Nordpost", "ParcelBird", "Kestrel"];
/// The warehouses; the first one had a job that released too much stock.
pub(super) const WAREHOUSES: &[&str] = &["LEJ-1", "BRE-2", "STR-1"];

/// Orders placed later than this are on their way and not stuck.
const FRESH_SINCE: i64 = END - 2 * DAY;

/// 2026-11-18, 08:00 to 14:00: Nordpost's label service did not answer.
fn label_outage(placed: i64, carrier: &str) -> bool {
    let from = END - 5 * DAY + 8 * HOUR;
    carrier == CARRIERS[0] && (from..from + 6 * HOUR).contains(&placed)
}

/// 2026-11-14: a clean-up job in Leipzig released stock of orders that were paid.
fn stock_clean_up(placed: i64, warehouse: &str) -> bool {
    let from = END - 9 * DAY;
    warehouse == WAREHOUSES[0] && (from..from + DAY).contains(&placed)
}

/// 2026-11-10, 13:00 to 16:00: the payment provider timed out, and the shop tried again.
fn provider_timeouts(placed: i64) -> bool {
    let from = END - 13 * DAY + 13 * HOUR;
    (from..from + 3 * HOUR).contains(&placed)
}

/// How far the order comes.
pub(super) fn way(random: &mut Random, placed: i64, carrier: &str, warehouse: &str) -> Way {
    if placed >= FRESH_SINCE {
        Way::Fresh
    } else if label_outage(placed, carrier) && !random.once_in(3) {
        Way::NoLabel
    } else if stock_clean_up(placed, warehouse) && random.once_in(4) {
        Way::ReservationMissing
    } else if random.once_in(50) {
        Way::Cancelled
    } else if random.once_in(400) {
        random.pick(&[
            Way::NotCaptured,
            Way::NoShipment,
            Way::NoShipment,
            Way::NoLabel,
            Way::NeverScanned,
            Way::NeverScanned,
            Way::StatusNotUpdated,
        ])
    } else {
        Way::Delivered
    }
}

/// What happens to its money.
pub(super) fn money(random: &mut Random, placed: i64, way: Way) -> Money {
    if way == Way::Cancelled {
        return if random.once_in(80) { Money::NotRefunded } else { Money::Right };
    }
    if provider_timeouts(placed) && random.once_in(3) {
        return random.pick(&[Money::Twice, Money::Twice, Money::TwiceAndRefunded]);
    }
    if way == Way::Delivered && random.once_in(1_200) {
        return random.pick(&[
            Money::Twice,
            Money::TooLittle,
            Money::TooMuch,
            Money::RefundedTooMuch,
        ]);
    }
    Money::Right
}
