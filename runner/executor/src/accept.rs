//! What is accepted besides orders: what is said against runs and its ends, looks at emergencies, and
//! the status. From any channel; verified, in force at once, then recorded.

use std::sync::Arc;

use domain::decide::StopSubject;
use domain::{Digest, Pair, PersonId};
use ledger::{AppendError, Entry, Event as Logged};
use trust::chain::{DOCUMENTS_MAX, negatives};
use trust::{
    AfterReview, Authority, ChainDocuments, ChainError, Document, DocumentError, Envelope, Lift,
    Negative, Rejection, Review, Status, Stop, Verified, Withdrawal, payload_type, read_unverified,
};

use crate::host::json;
use crate::runner::{Inner, lock};

/// Why a document is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum NotAccepted {
    /// Not an envelope.
    #[error("the document cannot be read")]
    Malformed(#[source] trust::EnvelopeError),
    /// Not a kind that a runner takes outside an order.
    #[error("it is no stop, lift, rejecting review, withdrawal, after-review or status")]
    Kind,
    /// A review that bars nothing belongs into orders.
    #[error("the review does not reject")]
    NoRejection,
    /// Malformed, falsely signed, or by somebody who may not say it.
    #[error("the document is not valid")]
    Invalid(#[from] DocumentError),
    /// One of an order's.
    #[error("what the order brings against runs is not valid")]
    OfOrder(#[from] ChainError),
    /// Nobody has broken the glass under the access request, or it has been looked at.
    #[error("nothing is owed for the access request of the after-review")]
    NothingOwed,
    /// No documents have been adopted yet, so nobody's signature can be checked.
    #[error("this runner has not adopted a keyring, directory and policy yet")]
    NoAuthority,
    /// It cannot be recorded.
    #[error(
        "the document is in force until this runner restarts, but cannot be recorded; send it again"
    )]
    NotRecorded(#[from] AppendError),
    /// The runner shuts down.
    #[error("the runner is shutting down; send the document again")]
    Interrupted,
}

/// What a live run rests on, so that the word against it ends it.
#[derive(Default)]
pub(crate) struct RestsOn {
    /// Everything whose stop must end it.
    pub(crate) subjects: Vec<StopSubject>,
    /// Where it runs.
    pub(crate) pairs: Vec<Pair>,
    /// Who wrote what it rests on, counted as people: nobody rejects their own, as in `decide`.
    pub(crate) authors: Vec<(Digest, PersonId)>,
}

impl RestsOn {
    /// Whether a rejection bars what it rests on: by somebody who may review there and did not write
    /// it, as the next decision will say.
    fn is_rejected(&self, rejection: &Rejection, authority: &Authority) -> bool {
        let Some(person) = authority.person(&rejection.reviewer).filter(|p| p.is_human()) else {
            return false;
        };
        let own = (rejection.revision, person.counted().clone());
        if self.authors.contains(&own) {
            return false;
        }
        let may_review = |pair: &&Pair| {
            authority.target(&pair.target).is_some_and(|t| t.reviews.admits(&person.groups))
        };
        let mut about = self.pairs.iter().filter(|p| rejection.pairs.contains(p));
        self.subjects.contains(&StopSubject::Revision(rejection.revision))
            && about.any(|p| may_review(&p))
    }
}

impl Inner {
    /// The authority that was adopted last.
    pub(crate) fn authority_in_force(&self) -> Option<Arc<Authority>> {
        lock(&self.adopted).as_ref().map(|a| Arc::clone(&a.authority))
    }

    /// Takes a document that came by itself.
    pub(crate) async fn accept(&self, envelope: &Envelope) -> Result<(), NotAccepted> {
        let authority = self.authority_in_force().ok_or(NotAccepted::NoAuthority)?;
        let kind = envelope.payload_type();
        if kind == payload_type::<Status>() {
            return self.accept_status(&authority, envelope);
        }
        // What is in the log was verified then; its signer may have lost the role since.
        if self.state.is_recorded(&envelope.payload_digest()) {
            return Ok(());
        }
        if kind == payload_type::<AfterReview>() {
            return self.accept_after_review(&authority, envelope).await;
        }
        let in_force = self.state.in_force();
        let said = Negative::verify(envelope, &authority, &in_force)?;
        let no_ban = if kind == payload_type::<Review>() {
            NotAccepted::NoRejection
        } else {
            NotAccepted::Kind
        };
        let negative = said.ok_or(no_ban)?;
        self.keep(negative, envelope).await
    }

    /// Keeps what an order brings against runs, whatever becomes of the order.
    pub(crate) async fn keep_negatives(
        &self,
        authority: &Authority,
        documents: &ChainDocuments,
    ) -> Result<(), NotAccepted> {
        let in_force = self.state.in_force();
        for said in negatives(authority, documents, &in_force)? {
            self.keep(said.negative, said.envelope).await?;
        }
        Ok(())
    }

    /// Keeps the after-reviews of an order and takes them out of it: what they settle is settled in
    /// this runner's own state. One that settles nothing here is somebody else's business.
    pub(crate) async fn keep_after_reviews(
        &self,
        authority: &Authority,
        documents: &mut ChainDocuments,
    ) -> Result<(), NotAccepted> {
        for envelope in std::mem::take(&mut documents.after_reviews).iter().take(DOCUMENTS_MAX) {
            if self.state.is_recorded(&envelope.payload_digest()) {
                continue;
            }
            match self.accept_after_review(authority, envelope).await {
                Ok(()) | Err(NotAccepted::NothingOwed) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Puts a verified word in force, ends the live runs that it is against, and then records it. In
    /// this order: a log that cannot write must not keep a run alive.
    pub(crate) async fn keep(
        &self,
        negative: Negative,
        envelope: &Envelope,
    ) -> Result<(), NotAccepted> {
        self.state.apply(negative.clone());
        self.end_what_is_barred();
        let document = envelope.payload_digest();
        if self.state.is_recorded(&document) {
            return Ok(());
        }
        let event = match negative {
            Negative::Stop(..) => {
                Logged::StopAccepted { id: read::<Stop>(envelope)?.header.id, document }
            }
            Negative::Rejection(..) => {
                Logged::RejectionAccepted { id: read::<Review>(envelope)?.header.id, document }
            }
            Negative::Lift(..) => {
                Logged::LiftAccepted { id: read::<Lift>(envelope)?.header.id, document }
            }
            Negative::Withdrawal(..) => {
                Logged::WithdrawalAccepted { id: read::<Withdrawal>(envelope)?.header.id, document }
            }
        };
        // If we die before the entry is durable, whoever sent it has no answer and sends it again.
        self.ledger.append_durable(Entry::new(event, json(envelope))).await?;
        self.state.recorded(document);
        Ok(())
    }

    async fn accept_after_review(
        &self,
        authority: &Authority,
        envelope: &Envelope,
    ) -> Result<(), NotAccepted> {
        let stopped = self.state.in_force().stopped_keys();
        let review: Verified<AfterReview> = authority.verify(envelope, &stopped)?;
        let (document, review) = (review.digest(), review.into_doc());
        let settles = self
            .state
            .looked(&review.request, &review.reviewer, authority)
            .ok_or(NotAccepted::NothingOwed)?;
        let event = Logged::AfterReviewAccepted { id: review.header.id, document, settles };
        // If we die before the entry is durable, it is owed again, and whoever sent it has no answer.
        self.ledger.append_durable(Entry::new(event, json(envelope))).await?;
        self.state.recorded(document);
        Ok(())
    }

    /// Ends the live runs that something in force is against.
    fn end_what_is_barred(&self) {
        let bars = self.bars();
        for (run, live) in lock(&self.live).iter() {
            if !live.cancel.is_cancelled() && bars(&live.rests_on) {
                tracing::warn!(run.id = %run, "live run is stopped");
                live.cancel.cancel();
            }
        }
    }

    /// Whether something that is in force now is against a run.
    pub(crate) fn bars(&self) -> impl Fn(&RestsOn) -> bool + use<> {
        let (in_force, authority) = (self.state.in_force(), self.authority_in_force());
        move |rests_on| {
            let stopped = in_force.stops().any(|(_, s)| rests_on.subjects.contains(s));
            stopped
                || authority.as_ref().is_some_and(|authority| {
                    in_force.rejections().any(|(_, r)| rests_on.is_rejected(r, authority))
                })
        }
    }
}

fn read<D: Document>(envelope: &Envelope) -> Result<D, NotAccepted> {
    Ok(read_unverified(envelope)?)
}
