//! What is said besides the chain of one run: bans and their ends, what is in force, the look after an
//! emergency, and the wish of a new key to be somebody's.

use domain::decide::{STATUS_LIFE_S_MAX, StopSubject, Window};
use domain::{
    AfterReviewId, Digest, FreeText, KeyClaimId, LiftId, PersonId, RequestId, StatusId, StopId,
    TrustDomain, WithdrawalId,
};
use serde::{Deserialize, Serialize};

use super::keyring::Role;
use super::statements::statement;
use crate::document::{Document, Header, Problem, SignedBy, VersionRef, field};
use crate::key::{Fingerprint, PublicKey};

/// An immediate ban. It is in force from its arrival until a lift; its window does not end it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// What every document has.
    pub header: Header<StopId>,
    /// Who stops; holds the role `stop`.
    pub by: PersonId,
    /// What is stopped.
    pub subject: StopSubject,
    /// For people.
    pub reason: FreeText,
}
statement!(
    Stop,
    "stop",
    |d| SignedBy::Holder(&d.by, Role::Stop),
    check
        | d
        | match &d.subject {
            // A stop of a mistyped key would be accepted and ban nothing.
            StopSubject::Key(key) if !Fingerprint::is_canonical(key) => {
                Err(field(
                    "subject.value",
                    "is no fingerprint as `ssh-keygen -l` prints it, SHA256:…",
                ))
            }
            _ => Ok(()),
        }
);

/// The end of a ban: of a stop, or of a review that rejects. It says which by the digest of its
/// payload, so that a ban of the same thing that comes later still bans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lift {
    /// What every document has.
    pub header: Header<LiftId>,
    /// The digest of the payload of the stop or rejecting review.
    pub lifts: Digest,
    /// For people.
    pub reason: FreeText,
}
statement!(Lift, "lift", |_d| SignedBy::Role(Role::Lift));

/// A reviewer's end of their own rejection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// What every document has.
    pub header: Header<WithdrawalId>,
    /// Who withdraws; it ends only a rejection by the same person.
    pub reviewer: PersonId,
    /// The digest of the payload of the rejecting review.
    pub review: Digest,
    /// The revision that it rejected.
    pub revision: Digest,
    /// For people.
    pub reason: FreeText,
}
statement!(Withdrawal, "withdrawal", |d| SignedBy::Person(&d.reviewer));

/// What is in force now. Production is not reached without one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// What every document has; the window is at most [`STATUS_LIFE_S_MAX`] seconds long.
    pub header: Header<StatusId>,
    /// The newest keyring.
    pub keyring: VersionRef,
    /// The newest directory.
    pub directory: VersionRef,
    /// The newest policy.
    pub policy: VersionRef,
    /// The digest of the stops and rejections in force, [`crate::InForce::digest`].
    pub stops: Digest,
}
statement!(
    Status,
    "status",
    |_d| SignedBy::Role(Role::Status),
    check | d | {
        if d.header.window().seconds() > STATUS_LIFE_S_MAX {
            let what = format!("is more than {STATUS_LIFE_S_MAX} s after not_before");
            return Err(field("header.not_after", what));
        }
        Ok(())
    }
);

/// What somebody thinks who looked at an emergency afterwards. Either answer settles what is owed;
/// what follows from a `not-justified` is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterReviewVerdict {
    /// It had to be done.
    Justified,
    /// It had not.
    NotJustified,
}

/// A statement about what was done under a break-glass access request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AfterReview {
    /// What every document has.
    pub header: Header<AfterReviewId>,
    /// Who looked.
    pub reviewer: PersonId,
    /// The digest of the access request's payload.
    pub request: Digest,
    /// The access request's id, for people and lists.
    pub request_id: RequestId,
    /// What they think.
    pub verdict: AfterReviewVerdict,
    /// For people.
    pub comment: FreeText,
}
statement!(AfterReview, "after-review", |d| SignedBy::Person(&d.reviewer));

/// A new key's proof that somebody has it, and whose it wants to be. It enrols nothing: a holder of
/// the role `directory` who knows the person puts the key into a new directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyClaim {
    /// What every document has.
    pub header: Header<KeyClaimId>,
    /// The id that is wished for.
    pub person: PersonId,
    /// For people.
    pub name: FreeText,
    /// The key, which signs.
    pub key: PublicKey,
    /// For people: how to make sure who asks.
    pub note: FreeText,
}
statement!(KeyClaim, "key-claim", |d| SignedBy::Key(&d.key));
