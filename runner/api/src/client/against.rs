//! The client's part about what is said against runs, its ends, and what follows an emergency.

use reqwest::Method;

use super::{Answer, Client, json};
use crate::retry::once;
use crate::types::{DocumentView, EmergencyView, Envelope, Filed};

impl Client {
    gets! {
        /// All stops.
        stops() -> Vec<DocumentView> = "/v1/stops";
        /// All lifts.
        lifts() -> Vec<DocumentView> = "/v1/lifts";
        /// All withdrawals.
        withdrawals() -> Vec<DocumentView> = "/v1/withdrawals";
        /// Rejecting reviews that are in force.
        rejections() -> Vec<DocumentView> = "/v1/rejections";
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
