//! The client's part about what is said against runs, its ends, and what follows an emergency.

use reqwest::Method;

use super::{Answer, Client};
use crate::types::{AgainstView, DocumentView, EmergencyView, Envelope, Filed};

impl Client {
    gets! {
        /// Some of what was said against runs, from an entry on.
        against(from: u64) -> AgainstView = "/v1/against?from={from}";
        /// All after-reviews, newest first.
        after_reviews() -> Vec<DocumentView> = "/v1/after-reviews";
        /// Emergencies that somebody still has to look at.
        emergencies() -> Vec<EmergencyView> = "/v1/emergencies";
        /// The newest status that the holders of the role signed.
        signed_status() -> DocumentView = "/v1/status/signed";
    }

    files! {
        /// Files a stop.
        stop -> Filed = "/v1/stops";
        /// Brings a lift, signed by the role.
        lift -> Filed = "/v1/lifts";
        /// Files a withdrawal of one's own rejection.
        withdraw -> Filed = "/v1/withdrawals";
        /// Files an after-review.
        after_review -> Filed = "/v1/after-reviews";
        /// Brings a status, signed by the role.
        new_status -> Filed = "/v1/status";
    }
}
