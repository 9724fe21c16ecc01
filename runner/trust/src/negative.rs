//! What is in force against runs: stops that nobody lifted, rejections that nobody lifted or withdrew.
//!
//! Everything that was ever said is remembered and nothing is ever removed, so that the order of
//! arrival never matters and saying a thing twice changes nothing: a lift may come before its stop.
//! Whether somebody was allowed to say it is [`crate::Authority`]'s, before it comes here; where it is
//! kept is the executor's.

use std::collections::{BTreeMap, BTreeSet};

use domain::decide::{StopSubject, Verdict};
use domain::{Digest, Pair, PersonId, ReviewId};
use serde::{Deserialize, Serialize};

use crate::authority::Authority;
use crate::document::DocumentError;
use crate::documents::{Lift, Review, Stop, Withdrawal};
use crate::envelope::Envelope;
use crate::verify::Verified;
use crate::{payload_type, read_unverified};

/// A rejecting review, as far as it bars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    /// The review's id.
    pub id: ReviewId,
    /// Who rejected, as named; only they can withdraw it.
    pub reviewer: PersonId,
    /// What was rejected.
    pub revision: Digest,
    /// For which targets.
    pub pairs: Vec<Pair>,
}

impl Rejection {
    /// Of a review; `None` when it does not reject.
    #[must_use]
    pub fn of(review: &Review) -> Option<Self> {
        (review.verdict == Verdict::Reject).then(|| Self {
            id: review.header.id.clone(),
            reviewer: review.reviewer.clone(),
            revision: review.revision,
            pairs: review.ceiling.pairs().collect(),
        })
    }
}

/// One thing that was said against runs, or against such a thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Negative {
    /// A stop, by the digest of its payload.
    Stop(Digest, StopSubject),
    /// A rejection, by the digest of the review's payload.
    Rejection(Digest, Rejection),
    /// The end of the stop or rejection with this digest.
    Lift(Digest),
    /// The end of the rejection with this digest, if this person made it.
    Withdrawal(Digest, PersonId),
}

impl From<&Verified<Stop>> for Negative {
    fn from(stop: &Verified<Stop>) -> Self {
        Self::Stop(stop.digest(), stop.doc().subject.clone())
    }
}

impl From<&Verified<Lift>> for Negative {
    fn from(lift: &Verified<Lift>) -> Self {
        Self::Lift(lift.doc().lifts)
    }
}

impl From<&Verified<Withdrawal>> for Negative {
    fn from(withdrawal: &Verified<Withdrawal>) -> Self {
        let doc = withdrawal.doc();
        Self::Withdrawal(doc.review, doc.reviewer.clone())
    }
}

impl Negative {
    /// Of a document whose signers may say what it says; `None` when it says nothing against runs and
    /// ends nothing that was said.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify(
        envelope: &Envelope,
        authority: &Authority,
        in_force: &InForce,
    ) -> Result<Option<Self>, DocumentError> {
        let kind = envelope.payload_type();
        Ok(if kind == payload_type::<Stop>() {
            Some((&authority.verify_stop(envelope)?).into())
        } else if kind == payload_type::<Lift>() {
            Some((&authority.verify_lift(envelope, in_force)?).into())
        } else if kind == payload_type::<Withdrawal>() {
            Some((&authority.verify_withdrawal(envelope, in_force)?).into())
        } else if kind == payload_type::<Review>() {
            Self::of_review(&authority.verify(envelope, &in_force.stopped_keys())?)
        } else {
            None
        })
    }

    /// What a document says, whoever signed it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_unverified(envelope: &Envelope) -> Result<Option<Self>, DocumentError> {
        let (kind, digest) = (envelope.payload_type(), envelope.payload_digest());
        Ok(if kind == payload_type::<Stop>() {
            Some(Self::Stop(digest, read_unverified::<Stop>(envelope)?.subject))
        } else if kind == payload_type::<Lift>() {
            Some(Self::Lift(read_unverified::<Lift>(envelope)?.lifts))
        } else if kind == payload_type::<Withdrawal>() {
            let doc = read_unverified::<Withdrawal>(envelope)?;
            Some(Self::Withdrawal(doc.review, doc.reviewer))
        } else if kind == payload_type::<Review>() {
            Rejection::of(&read_unverified(envelope)?).map(|r| Self::Rejection(digest, r))
        } else {
            None
        })
    }

    /// Of a review; `None` when it does not reject.
    #[must_use]
    pub fn of_review(review: &Verified<Review>) -> Option<Self> {
        Some(Self::Rejection(review.digest(), Rejection::of(review.doc())?))
    }
}

/// Everything that was said, and what of it is in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InForce {
    stops: BTreeMap<Digest, StopSubject>,
    rejections: BTreeMap<Digest, Rejection>,
    lifted: BTreeSet<Digest>,
    withdrawn: BTreeSet<(Digest, PersonId)>,
}

impl InForce {
    /// Takes note; false when it was known.
    pub fn apply(&mut self, negative: Negative) -> bool {
        match negative {
            Negative::Stop(digest, subject) => self.stops.insert(digest, subject).is_none(),
            Negative::Rejection(digest, rejection) => {
                self.rejections.insert(digest, rejection).is_none()
            }
            Negative::Lift(digest) => self.lifted.insert(digest),
            Negative::Withdrawal(digest, person) => self.withdrawn.insert((digest, person)),
        }
    }

    /// Whether applying it would change nothing.
    #[must_use]
    pub fn knows(&self, negative: &Negative) -> bool {
        match negative {
            Negative::Stop(digest, _) => self.stops.contains_key(digest),
            Negative::Rejection(digest, _) => self.rejections.contains_key(digest),
            Negative::Lift(digest) => self.lifted.contains(digest),
            Negative::Withdrawal(digest, who) => self.withdrawn.contains(&(*digest, who.clone())),
        }
    }

    /// How many things were said, in force or not.
    #[must_use]
    pub fn said(&self) -> usize {
        self.stops.len() + self.rejections.len() + self.lifted.len() + self.withdrawn.len()
    }

    /// Whether this stop was heard of before, in force or lifted since.
    #[must_use]
    pub fn knows_stop(&self, document: &Digest) -> bool {
        self.stops.contains_key(document)
    }

    /// Whether a person is stopped.
    #[must_use]
    pub fn is_stopped(&self, person: &PersonId) -> bool {
        self.stops().any(|(_, s)| matches!(s, StopSubject::Person(p) if p == person))
    }

    /// Stops in force, by the digest of their payload.
    pub fn stops(&self) -> impl Iterator<Item = (&Digest, &StopSubject)> {
        self.stops.iter().filter(|(digest, _)| !self.lifted.contains(*digest))
    }

    /// Rejections in force, by the digest of the review's payload.
    pub fn rejections(&self) -> impl Iterator<Item = (&Digest, &Rejection)> {
        self.rejections.iter().filter(|(digest, rejection)| {
            let withdrawn = (**digest, rejection.reviewer.clone());
            !self.lifted.contains(*digest) && !self.withdrawn.contains(&withdrawn)
        })
    }

    /// Fingerprints of keys that are stopped.
    #[must_use]
    pub fn stopped_keys(&self) -> BTreeSet<String> {
        let key = |(_, subject): (&Digest, &StopSubject)| match subject {
            StopSubject::Key(key) => Some(key.clone()),
            _ => None,
        };
        self.stops().filter_map(key).collect()
    }

    /// What a status carries: the SHA-256 of the payload digests of everything in force, sorted, each
    /// as `sha256:…` and a line feed.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let stops = self.stops().map(|(digest, _)| *digest);
        let all: BTreeSet<String> = stops
            .chain(self.rejections().map(|(digest, _)| *digest))
            .map(|digest| format!("{digest}\n"))
            .collect();
        Digest::of(all.into_iter().collect::<String>().as_bytes())
    }
}

#[cfg(test)]
mod tests;
