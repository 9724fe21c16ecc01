//! What is wrong with an order's money, and who is owed how much.
//!
//! Pure: a row of the query `suspects` in, at most one finding out. When several things are wrong,
//! the one that explains the others wins.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

/// A row of the query `suspects`: sums over the payments that succeeded.
#[derive(Clone, Deserialize)]
pub(crate) struct Suspect {
    pub(crate) id: i64,
    pub(crate) number: String,
    pub(crate) currency: String,
    pub(crate) total_cents: i64,
    pub(crate) cancelled: bool,
    pub(crate) captured_cents: i64,
    pub(crate) repeated_captures: i64,
    pub(crate) refunded_cents: i64,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// The same amount was captured more than once and not given back.
    DuplicateCapture,
    /// More was refunded than captured.
    RefundExceedsCapture,
    /// The order is cancelled, and the money is still here.
    CancelledNotRefunded,
    /// More was captured than the order costs.
    CapturedTooMuch,
    /// Less was captured than the order costs.
    CapturedTooLittle,
}

/// An order that needs somebody.
pub(crate) struct Finding {
    pub(crate) suspect: Suspect,
    pub(crate) kind: Kind,
    /// Positive: the customer is owed this; negative: the customer owes it.
    pub(crate) owed_cents: i64,
}

impl Suspect {
    /// The finding, unless the difference is within the tolerance or already made good.
    pub(crate) fn judge(self, tolerance_cents: i64) -> Option<Finding> {
        let kept_cents = self.captured_cents - self.refunded_cents;
        let too_much_cents = self.captured_cents - self.total_cents;
        let (kind, owed_cents) = if kept_cents < 0 {
            (Kind::RefundExceedsCapture, kept_cents)
        } else if self.cancelled {
            (Kind::CancelledNotRefunded, kept_cents)
        } else if too_much_cents < 0 {
            (Kind::CapturedTooLittle, too_much_cents)
        } else {
            // What was captured too much may have been refunded since.
            let owed_cents = (too_much_cents - self.refunded_cents).max(0);
            let repeated = self.repeated_captures > 0;
            (if repeated { Kind::DuplicateCapture } else { Kind::CapturedTooMuch }, owed_cents)
        };
        (owed_cents.abs() > tolerance_cents).then_some(Finding { suspect: self, kind, owed_cents })
    }
}
