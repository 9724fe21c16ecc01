//! Why an order is stuck: the first step on its way to the door that did not happen.
//!
//! Pure: a row in, a reason out. What the row holds is decided in `queries/stuck.sql`.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

/// A row of the query `stuck`.
#[derive(Clone, Deserialize)]
pub(crate) struct StuckOrder {
    pub(crate) id: i64,
    pub(crate) number: String,
    pub(crate) paid_at: String,
    pub(crate) total_cents: i64,
    pub(crate) captured_cents: i64,
    /// Stock rows still held for the order.
    pub(crate) reservations: i64,
    pub(crate) shipment_id: Option<i64>,
    pub(crate) carrier: Option<String>,
    pub(crate) label_at: Option<String>,
    pub(crate) first_scan_at: Option<String>,
}

/// The step that is missing, in the order in which the steps happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reason {
    /// Marked as paid, but the provider has not captured the money.
    PaymentNotCaptured,
    /// Paid, but no stock is held for the order.
    ReservationMissing,
    /// Paid and in stock, but nobody made a shipment.
    NoShipment,
    /// There is a shipment, but the carrier never gave a label.
    NoLabel,
    /// The parcel has a label, but the carrier never scanned it.
    NeverScanned,
    /// The carrier has it; only the order does not know.
    StatusNotUpdated,
}

impl StuckOrder {
    pub(crate) fn reason(&self) -> Reason {
        if self.captured_cents == 0 {
            Reason::PaymentNotCaptured
        } else if self.shipment_id.is_none() && self.reservations == 0 {
            // With a shipment the stock has left the shelf, and the reservation with it.
            Reason::ReservationMissing
        } else if self.shipment_id.is_none() {
            Reason::NoShipment
        } else if self.label_at.is_none() {
            Reason::NoLabel
        } else if self.first_scan_at.is_none() {
            Reason::NeverScanned
        } else {
            Reason::StatusNotUpdated
        }
    }
}

impl Reason {
    /// The next step for whoever is on call.
    pub(crate) const fn what_to_do(self) -> &'static str {
        match self {
            Self::PaymentNotCaptured => "payments: repeat the capture or unmark the order as paid",
            Self::ReservationMissing => "warehouse: reserve again or tell the customer",
            Self::NoShipment => "fulfilment: restart the job that makes shipments",
            Self::NoLabel => "carrier integration: ask for the label again",
            Self::NeverScanned => {
                "warehouse: look for the parcel at the dock, then call the carrier"
            }
            Self::StatusNotUpdated => "orders: replay the carrier's scans",
        }
    }
}
