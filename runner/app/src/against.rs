//! Filing what goes to the runner at once: stops, lifts, rejections, withdrawals, after-reviews and the
//! status. The runner verifies it, puts it in force and records it; here people hear early what is
//! wrong with it, and it is projected.

use domain::{StatusId, TrustDomain};
use executor::runner::NotAccepted;
use store::{Document, DocumentKind};
use trust::{
    AccessRequest, AfterReview, Document as Signed, Envelope, Header, Lift, Rejection, Review,
    Status, Stop, Withdrawal,
};

use crate::advice::unverified;
use crate::documents::{Came, Filed, about, is_mine};
use crate::login::Who;
use crate::reading::is_tombstone;
use crate::{App, AppError};

/// Documents that one call looks at.
const AGAINST_ROWS_MAX: u32 = 256;

/// Some of what was said against runs.
#[derive(Debug, Clone)]
pub struct Against {
    /// Stops, lifts, rejecting reviews and withdrawals, in the ledger's order.
    pub documents: Vec<Document>,
    /// The entry to go on from; the one that was asked for when there is nothing more.
    pub next: u64,
}

impl App {
    /// Hands a stop to the runner, which records it and ends what depends on it.
    ///
    /// # Errors
    /// What is wrong with it; [`AppError::ReadOnly`] when it cannot be recorded: it is in force, but a
    /// restart would forget it.
    pub async fn stop(&self, who: &Who, bytes: &[u8]) -> Result<Filed, AppError> {
        // Not `writable`: also a server that is stopping takes stops.
        let came = Came::parse(Stop::DOC, bytes)?;
        let stop = self.adopted().authority.verify_stop(&came.envelope);
        let stop = stop.map_err(|e| AppError::document(Stop::DOC, e.problem.to_string()))?;
        is_mine(Stop::DOC, &stop.doc().by, who)?;
        let id = stop.doc().header.id.to_string();
        self.hand_over(Stop::DOC, &came, id).await
    }

    /// Hands a lift to the runner. It is signed by a role, so whoever holds it may bring it.
    ///
    /// # Errors
    /// What is wrong with it; as [`App::stop`].
    pub async fn lift(&self, _who: &Who, bytes: &[u8]) -> Result<Filed, AppError> {
        self.writable()?;
        let came = Came::parse(Lift::DOC, bytes)?;
        let lift = self.adopted().authority.verify_lift(&came.envelope, &self.in_force_against());
        let lift = lift.map_err(|e| AppError::document(Lift::DOC, e.problem.to_string()))?;
        let document = self.store.document_by_digest(&lift.doc().lifts).await?;
        let ends = |kind| matches!(kind, DocumentKind::Stop | DocumentKind::Review);
        if !document.is_some_and(|d| ends(d.kind)) {
            return Err(about(Lift::DOC, "lifts", "is no stop and no review on file"));
        }
        let id = lift.doc().header.id.to_string();
        self.hand_over(Lift::DOC, &came, id).await
    }

    /// Hands a reviewer's withdrawal of their own rejection to the runner.
    ///
    /// # Errors
    /// What is wrong with it; as [`App::stop`].
    pub async fn withdraw(&self, who: &Who, bytes: &[u8]) -> Result<Filed, AppError> {
        let came = Came::parse(Withdrawal::DOC, bytes)?;
        let withdrawal = self.verified(&came, who, |d: &Withdrawal| &d.reviewer)?;
        let doc = withdrawal.doc();
        let review = self.store.document_by_digest(&doc.review).await?;
        let review = review.filter(|d| d.kind == DocumentKind::Review);
        if review.is_none_or(|r| r.person.as_ref() != Some(&doc.reviewer)) {
            return Err(about(Withdrawal::DOC, "review", "is no review on file by this person"));
        }
        self.hand_over(Withdrawal::DOC, &came, doc.header.id.to_string()).await
    }

    /// Hands somebody's look at an emergency to the runner.
    ///
    /// # Errors
    /// What is wrong with it; also when nothing is owed; as [`App::stop`].
    pub async fn after_review(&self, who: &Who, bytes: &[u8]) -> Result<Filed, AppError> {
        let came = Came::parse(AfterReview::DOC, bytes)?;
        let review = self.verified(&came, who, |d: &AfterReview| &d.reviewer)?;
        let doc = review.doc();
        let request = self.store.document_by_digest(&doc.request).await?;
        let request = request.filter(|d| d.kind == DocumentKind::AccessRequest);
        let request = request.filter(|r| r.id == doc.request_id.as_str());
        let access = request.and_then(|r| unverified::<AccessRequest>(&r));
        let Some(access) = access else {
            return Err(about(AfterReview::DOC, "request", "is no access request on file"));
        };
        self.may_look(&doc.reviewer, &access)?;
        self.hand_over(AfterReview::DOC, &came, doc.header.id.to_string()).await
    }

    /// Hands a status to the runner and keeps it for orders; whoever holds it may bring it. It is not
    /// recorded: it lives for minutes, and the run that rests on it is.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn new_status(&self, bytes: &[u8]) -> Result<Filed, AppError> {
        self.writable()?;
        let came = Came::parse(Status::DOC, bytes)?;
        taken(Status::DOC, self.runner.accept(bytes.to_owned()).await)?;
        // The runner has verified it.
        let status: Status = trust::read_unverified(&came.envelope)
            .map_err(|e| AppError::document(Status::DOC, e.problem.to_string()))?;
        let filed =
            Filed { id: status.header.id.to_string(), digest: came.envelope.payload_digest() };
        let mut newest = self.lock_status();
        let age = |s: &Status| (s.header.not_before, s.header.not_after);
        if newest.as_ref().is_none_or(|(_, kept)| age(&status) >= age(kept)) {
            *newest = Some((came.envelope, status));
        }
        drop(newest);
        Ok(filed)
    }

    /// The audience of every signature here.
    #[must_use]
    pub fn trust_domain(&self) -> TrustDomain {
        self.adopted().authority.trust_domain().clone()
    }

    /// What a status would say now, as this control plane knows it. Whoever holds its key somewhere else
    /// finds it out for themselves.
    #[must_use]
    pub fn status_to_sign(&self, header: Header<StatusId>) -> Status {
        let adopted = self.adopted();
        let authority = &adopted.authority;
        Status {
            header,
            keyring: authority.keyring_ref(),
            directory: authority.directory_ref(),
            policy: authority.policy_ref(),
            stops: self.in_force_against().digest(),
        }
    }

    /// What was said against runs, and its ends, from ledger entry `from` on: at most
    /// [`AGAINST_ROWS_MAX`] documents are looked at, and of reviews those that reject are shown.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn said_against(&self, from: u64) -> Result<Against, AppError> {
        let (mut documents, next) = self.store.documents_against(from, AGAINST_ROWS_MAX).await?;
        documents.retain(|d| {
            let rejects = |r: Review| Rejection::of(&r).is_some();
            let bars = d.kind != DocumentKind::Review || unverified(d).is_some_and(rejects);
            bars && !is_tombstone(d)
        });
        Ok(Against { documents, next })
    }

    /// The newest status that came since the start, if an order may carry it now.
    pub(crate) fn newest_status(&self) -> Option<Envelope> {
        let (envelope, status) = self.lock_status().clone()?;
        let is_live = status.header.window().contains(self.clock.now());
        let adopted = self.adopted();
        let verified = adopted.authority.verify_status(&envelope, &self.in_force_against());
        (is_live && verified.is_ok()).then_some(envelope)
    }

    fn lock_status(&self) -> std::sync::MutexGuard<'_, Option<(Envelope, Status)>> {
        // Replaced as a whole, so a panic elsewhere leaves it whole.
        self.newest_status.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A rejection bars from its arrival on, whoever carries it to a run; so the runner has it at once.
    pub(crate) async fn reject(&self, came: &Came<'_>, id: String) -> Result<Filed, AppError> {
        self.hand_over(Review::DOC, came, id).await
    }

    async fn hand_over(
        &self,
        doc: &'static str,
        came: &Came<'_>,
        id: String,
    ) -> Result<Filed, AppError> {
        let filed = Filed { id, digest: came.envelope.payload_digest() };
        let _filing = self.filing.lock().await;
        // Another document of this name stays; a ban is put in force all the same.
        if doc != Stop::DOC {
            self.is_filed(&filed).await?;
        }
        // Also one that is on file: only the runner knows whether it is in force.
        taken(doc, self.runner.accept(came.bytes.to_owned()).await)?;
        self.project().await?;
        Ok(filed)
    }
}

fn taken(doc: &'static str, answer: Result<(), NotAccepted>) -> Result<(), AppError> {
    answer.map_err(|e| match e {
        NotAccepted::NotRecorded(_) => AppError::ReadOnly(crate::chain(&e)),
        NotAccepted::Interrupted => AppError::Stopping,
        NotAccepted::Malformed(_)
        | NotAccepted::Kind
        | NotAccepted::NoRejection
        | NotAccepted::Invalid(_)
        | NotAccepted::OfOrder(_)
        | NotAccepted::NothingOwed
        | NotAccepted::NoAuthority => AppError::document(doc, crate::chain(&e)),
    })
}
