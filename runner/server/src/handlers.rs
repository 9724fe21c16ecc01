//! One noun a file, one function a route, documented where it is written. A handler parses, calls one
//! use-case, and renders.

pub(crate) mod after_reviews;
pub(crate) mod against;
pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod documents;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod inbox;
pub(crate) mod inputs;
pub(crate) mod key_claims;
pub(crate) mod lifts;
pub(crate) mod log;
pub(crate) mod policy;
pub(crate) mod proposals;
pub(crate) mod requests;
pub(crate) mod reviews;
pub(crate) mod revisions;
pub(crate) mod run_files;
pub(crate) mod runs;
pub(crate) mod scripts;
pub(crate) mod sessions;
pub(crate) mod status;
pub(crate) mod stops;
pub(crate) mod submissions;
pub(crate) mod withdrawals;

use crate::problem::Refusal;

/// What a handler gives back.
pub(crate) type Answer<T> = Result<T, Refusal>;
