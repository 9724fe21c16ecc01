//! What this server serves from, and its figures. Said by the control plane and believed by nobody; the
//! signed status is another thing ([`crate::against`]).

use domain::{Digest, Outcome};
use std::collections::BTreeMap;
use store::{Document, DocumentKind, Filter};

use crate::{App, AppError, HookStatus};

/// Versions and digests of the documents in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The keyring's.
    pub keyring: (u64, Digest),
    /// The directory's.
    pub directory: (u64, Digest),
    /// The policy's.
    pub policy: (u64, Digest),
}

/// What this server serves from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Of the documents in force.
    pub versions: Versions,
    /// Stops in force.
    pub stops: u64,
    /// Durable entries of the log.
    pub log_size: u64,
    /// Runs that wait or execute.
    pub live_runs: u64,
}

/// Figures for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Whether writes are accepted.
    pub ready: bool,
    /// Runs that wait or execute.
    pub live_runs: u64,
    /// Durable entries of the log.
    pub log_size: u64,
    /// Runs that ended since the start, by the outcome's code.
    pub runs_ended: BTreeMap<&'static str, u64>,
    /// How the webhooks fare.
    pub hooks: Vec<HookStatus>,
}

impl App {
    /// What this server serves from.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn status(&self) -> Result<Status, AppError> {
        let adopted = self.adopted();
        let authority = &adopted.authority;
        let of = |r: trust::VersionRef| (r.version, r.digest);
        Ok(Status {
            versions: Versions {
                keyring: of(authority.keyring_ref()),
                directory: of(authority.directory_ref()),
                policy: of(authority.policy_ref()),
            },
            stops: self.in_force_against().stops().count() as u64,
            log_size: self.ledger.size(),
            live_runs: self.live.len() as u64,
        })
    }

    /// Figures for operators.
    ///
    /// # Errors
    /// Never in practice.
    pub async fn figures(&self) -> Result<Figures, AppError> {
        Ok(Figures {
            ready: self.ready().await.is_ok(),
            live_runs: self.live.len() as u64,
            log_size: self.ledger.size(),
            runs_ended: self.live.ended_by_outcome(),
            hooks: self.hooks(),
        })
    }

    /// All access requests, newest first, at most as many as a list has.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn access_requests(&self) -> Result<Vec<Document>, AppError> {
        let filter = Filter { kind: Some(DocumentKind::AccessRequest), ..Filter::default() };
        Ok(self.store.documents(&filter).await?)
    }
}

/// Every outcome's code, for figures that start at zero.
pub(crate) const OUTCOMES: [&str; 6] =
    ["succeeded", "failed", "denied", "limit-exceeded", "cancelled", "lost"];

/// The place of an outcome in [`OUTCOMES`].
pub(crate) fn place(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Succeeded => 0,
        Outcome::Failed => 1,
        Outcome::Denied => 2,
        Outcome::LimitExceeded { .. } => 3,
        Outcome::Cancelled => 4,
        Outcome::Lost => 5,
    }
}
