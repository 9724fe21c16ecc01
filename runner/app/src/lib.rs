//! The use-cases of the control plane: log in, upload, submit, review, request, approve, launch,
//! stop, change who may do what, and what people may read.
//!
//! Whatever changes is in the ledger first and in the store second; the store is a projection that
//! `project` can make again. What it decides here is advice: the runner decides for itself, and the
//! runner's denial is the one that counts. Not here: HTTP (crate `server`), SQL (crate `store`),
//! executing and recording (crate `executor`).

mod adopted;
mod advice;
mod against;
mod analyses;
mod audit;
mod base;
mod blobs;
mod documents;
mod error;
mod evidence;
mod feed;
mod inputs;
mod keeper;
mod key_claims;
mod launch;
mod live;
mod login;
mod notify;
mod once;
mod open;
mod owed;
mod project;
mod project_runs;
mod proposals;
mod queries;
mod queue;
mod quota;
mod reading;
mod reads;
mod requests;
mod runs;
mod sent_back;
mod status;
mod stops;
mod upload;
mod voices;

use std::sync::Arc;

use domain::{Clock, Entropy};
use executor::Runner;
use ledger::Ledger;
use store::Store;
use tokio::sync::{Mutex, watch};

pub use against::Against;
pub use audit::{AUDIT_ROWS_MAX, AuditPage};
pub use blobs::RunnerBlobs;
pub use documents::Filed;
pub use error::{AppError, chain};
pub use evidence::Receipted;
pub use feed::Feed;
pub use keeper::{Keeper, KeeperError, Learned};
pub use key_claims::{Claimed, KEY_CLAIM_BYTES_MAX, KEY_CLAIM_LIFE_MS};
pub use login::{CHALLENGE_LIFE_MS, Opened, SESSION_LIFE_MS, Who};
pub use notify::{Format as HookFormat, Hook, HookStatus, Kind as NoticeKind, NOTICE_LIFE_MS};
pub use once::{KEPT_MS, Once, Ticket};
pub use open::{AppLimits, AppOptions, OpenError};
pub use owed::{Emergency, SignedStatus};
pub use proposals::{PROPOSAL_LIFE_MS, PROPOSALS_PER_PERSON_MAX, Proposal, ProposalState};
pub use queries::check as check_query;
pub use queue::Place;
pub use quota::QuotaLimits;
pub use reading::{Leaves, RevisionStatus};
pub use reads::READ_REPEATED_MS;
pub use requests::{Inbox, RequestState, RequestStatus};
pub use runs::{Readers, RunStatus};
pub use sent_back::SentBack;
pub use status::{Figures, Status, Versions};
/// What answers are made of: a target of the policy, and what a proposal and a key claim say.
pub use trust::{KeyClaim, Named, PolicyTarget, ProposedKind};
pub use upload::{Upload, Uploaded};

/// The control plane of one process. Shared by all callers through an `Arc`.
pub struct App {
    store: Store,
    blobs: store::Blobs,
    runner: Arc<dyn Runner>,
    ledger: Ledger,
    newest: adopted::Newest,
    origins: Vec<String>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    limits: AppLimits,
    /// Every ledger entry below is projected, as far as this process knows; held while projecting.
    projected: Mutex<u64>,
    /// The same, for those who wait for more.
    settled: watch::Sender<u64>,
    hooks: notify::Hooks,
    /// Changes whenever a session was opened.
    opened: watch::Sender<()>,
    /// Held from the check of a document to its entry, so that of two with one name one is accepted.
    filing: Mutex<()>,
    live: live::LiveRuns,
    reads: reads::Reads,
    quotas: quota::Quotas,
    /// The newest status that came since the start.
    newest_status: std::sync::Mutex<Option<(trust::Envelope, trust::Status)>>,
    keys_ended: once::Ended,
    /// Changes whenever sessions may have been revoked, for those who hold something open under one.
    revoked: watch::Sender<()>,
}

impl App {
    /// Whether anything can be recorded and stored; says why not.
    ///
    /// # Errors
    /// [`AppError::ReadOnly`] or [`AppError::Store`].
    pub async fn ready(&self) -> Result<(), AppError> {
        self.writable()?;
        Ok(self.store.ping().await?)
    }

    /// The clock of this control plane.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Refuses every write while nothing can be recorded.
    pub(crate) fn writable(&self) -> Result<(), AppError> {
        if self.live.is_closing() {
            return Err(AppError::Stopping);
        }
        match self.runner.not_ready() {
            None => Ok(()),
            Some(reason) => Err(AppError::ReadOnly(reason)),
        }
    }
}

#[cfg(test)]
mod tests;
