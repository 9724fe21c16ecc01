//! Opening: is this the ledger that the store has seen, and does the store say what the ledger says?
//!
//! Order matters: the anchor before anything is appended, then the adoption of keyring, directory and
//! policy by the runner, then the projection, then the runs that nobody is executing any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{Clock, Entropy, Outcome, TargetId};
use executor::{AuthorityDocuments, LocalRunner, Runner as _};
use ledger::{Event, Position};
use store::{RunFilter, Store, StoreError};
use tokio::sync::Mutex;

use crate::adopted::{Adopted, Newest};
use crate::live::LiveRuns;
use crate::project_runs::end_without_proof;
use crate::quota::{QuotaLimits, Quotas};
use crate::{App, AppError};

/// Named limits of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppLimits {
    /// Runs that execute at a time; further ones wait in the queue.
    pub concurrent_runs_max: usize,
    /// Runs beside these that only emergencies may be: however many ordinary ones hang, an emergency
    /// starts. The runner must hold as many more.
    pub emergency_runs_max: usize,
    /// Runs that execute or wait; further ones are refused. Emergencies are counted by themselves.
    pub open_runs_max: usize,
    /// Seconds that one call waits for a run's end.
    pub wait_s_max: u64,
    /// What one person may use in a while.
    pub quotas: QuotaLimits,
}

impl AppLimits {
    /// For one small machine: each live run may hold 256 MiB of guest memory.
    pub const DEFAULT: Self = Self {
        concurrent_runs_max: 8,
        emergency_runs_max: 1,
        open_runs_max: 256,
        wait_s_max: 60,
        quotas: QuotaLimits::DEFAULT,
    };
}

/// What an [`App`] is made of.
pub struct AppOptions {
    /// The projection.
    pub store: Store,
    /// Files and inputs.
    pub blobs: store::Blobs,
    /// The runner of this process; its ledger is also this control plane's.
    pub runner: LocalRunner,
    /// Keyring, directory and policy that this server was founded with, and newer ones that an operator
    /// put there. What the runner has adopted since wins.
    pub documents: AuthorityDocuments,
    /// The addresses under which people reach this server, as `http://127.0.0.1:7070`.
    pub origins: Vec<String>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids, nonces and tokens.
    pub entropy: Arc<dyn Entropy>,
    /// Limits.
    pub limits: AppLimits,
    /// Runs that execute at a time on a target; one that is not there has no limit of its own. An
    /// emergency may be one more.
    pub target_runs_max: BTreeMap<TargetId, usize>,
}

/// Why the control plane refuses service.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The ledger is not the one that the store has seen.
    #[error(
        "the ledger is behind what the store has seen of it; restore the ledger, or re-enrol this runner under a new key and delete the store"
    )]
    Anchor(#[from] ledger::ledger::AnchorError),
    /// The runner does not accept keyring, directory and policy.
    #[error("the runner does not adopt keyring, directory and policy")]
    Adopt(#[from] executor::runner::AdoptError),
    /// What the runner has adopted cannot be read back.
    #[error("the runner's keyring, directory and policy cannot be read back")]
    Recorded(#[from] executor::state::StateError),
    /// A row that no ledger entry explains.
    #[error(
        "the store has {kind} {digest} for ledger entry {index}, which is not about it: the store was changed by hand; delete it, and it is rebuilt from the ledger"
    )]
    Corrupt {
        /// The row's kind.
        kind: &'static str,
        /// The row's digest.
        digest: domain::Digest,
        /// The entry that it names.
        index: u64,
    },
    /// The store cannot be used.
    #[error("the store cannot be used")]
    Store(#[from] StoreError),
    /// Ledger or blobs do not give what the projection needs.
    #[error("the store cannot be brought up to the ledger")]
    Projection(#[source] AppError),
}

impl App {
    /// Opens the control plane.
    ///
    /// # Errors
    /// See [`OpenError`]: whatever is not as it should be refuses service, nothing is guessed.
    pub async fn open(options: AppOptions) -> Result<Arc<Self>, OpenError> {
        let ledger = options.runner.ledger().clone();
        options.store.check_ledger(ledger.size()).await?;
        if let Some(anchor) = options.store.anchor().await? {
            ledger.check_anchor(&anchor.checkpoint)?;
        }
        let documents = options.runner.state().documents(&options.documents)?;
        let authority = options.runner.adopt(&documents).await?;
        let newest = Newest::new(Adopted { authority: (*authority).clone(), documents });
        let app = Self {
            store: options.store,
            blobs: options.blobs,
            runner: Arc::new(options.runner),
            ledger,
            newest,
            origins: options.origins,
            clock: options.clock,
            entropy: options.entropy,
            limits: options.limits,
            projected: Mutex::new(0),
            settled: tokio::sync::watch::Sender::new(0),
            hooks: crate::notify::Hooks::default(),
            opened: tokio::sync::watch::Sender::new(()),
            filing: Mutex::new(()),
            live: LiveRuns::new(&options.limits, options.target_runs_max),
            reads: crate::reads::Reads::default(),
            quotas: Quotas::new(options.limits.quotas),
            newest_status: std::sync::Mutex::default(),
            keys_ended: tokio::sync::watch::Sender::new(()),
            revoked: tokio::sync::watch::Sender::new(()),
        };
        app.rows_have_entries().await?;
        app.project().await.map_err(OpenError::Projection)?;
        app.close_abandoned().await?;
        Ok(Arc::new(app))
    }

    /// Every document's row names the ledger entry that it projects; that entry must be about it.
    async fn rows_have_entries(&self) -> Result<(), OpenError> {
        let mut from = 0;
        loop {
            let rows = self.store.document_entries(from).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            from = last.index + 1;
            for row in &rows {
                let entry = self.ledger.entry(Position::from_index(row.index));
                let entry = entry.map_err(|e| OpenError::Projection(e.into()))?;
                if !is_about(&entry.leaf.event, &row.digest) {
                    let kind = row.kind.code();
                    return Err(OpenError::Corrupt { kind, digest: row.digest, index: row.index });
                }
            }
        }
    }

    /// Runs that are open in the store after the projection: no entry closed them, so they never got
    /// to the runner before the process died.
    async fn close_abandoned(&self) -> Result<(), StoreError> {
        let open = RunFilter { open_only: true, ..RunFilter::default() };
        for run in self.store.runs(&open).await? {
            tracing::warn!(run.id = %run.id, "run was waiting when the server died and is closed as lost");
            let mut tx = self.store.begin().await?;
            let end = end_without_proof(Outcome::Lost, self.clock.now_ms(), None);
            tx.end_run(&run.id, &end).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Whether an event is the one that put a document of this digest into the store.
fn is_about(event: &Event, digest: &domain::Digest) -> bool {
    match event {
        Event::SubmissionAccepted { document, .. }
        | Event::ReviewAccepted { document, .. }
        | Event::RequestAccepted { document, .. }
        | Event::ApprovalAccepted { document, .. }
        | Event::StopAccepted { document, .. }
        | Event::RejectionAccepted { document, .. }
        | Event::LiftAccepted { document, .. }
        | Event::WithdrawalAccepted { document, .. }
        | Event::AfterReviewAccepted { document, .. }
        | Event::KeyringAdopted { document, .. }
        | Event::DirectoryAdopted { document, .. }
        | Event::PolicyAdopted { document, .. } => document == digest,
        Event::RunStarted { order, .. } => order == digest,
        Event::RunFinished { receipt, .. } => receipt.as_ref() == Some(digest),
        Event::LogOpened { .. }
        | Event::RunDenied { .. }
        | Event::CallIntent { .. }
        | Event::CallOutcome { .. }
        | Event::OutputReleased { .. }
        | Event::RunLost { .. }
        | Event::RunRead { .. }
        | Event::CatalogRead { .. }
        | Event::PlanRead { .. } => false,
    }
}
