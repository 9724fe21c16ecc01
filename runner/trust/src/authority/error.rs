//! Why keyring, directory and policy are not accepted.

use domain::{PersonId, TargetId};

use super::succession::SUCCESSORS_MAX;
use crate::document::{DocumentError, VersionRef};
use crate::documents::Role;

/// Why keyring, directory and policy are not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// One of the documents is refused.
    #[error("{0}")]
    Document(DocumentError),
    /// Another keyring than the pinned one.
    #[error(
        "the keyring is version {} ({}), the pinned one is version {} ({}); fetch the pinned one, \
         or enrol again", got.version, got.digest, want.version, want.digest
    )]
    Keyring {
        /// The pinned one.
        want: VersionRef,
        /// What arrived.
        got: VersionRef,
    },
    /// A directory or policy made for another keyring.
    #[error("the {0} is bound to another keyring; have it signed again for the current one")]
    Unbound(&'static str),
    /// An older version than one seen before, or another text under the same version.
    #[error(
        "the {doc} is version {} ({}), but version {} ({}) has been seen; fetch the newest",
        got.version, got.digest, seen.version, seen.digest
    )]
    Rollback {
        /// Which document.
        doc: &'static str,
        /// The newest seen.
        seen: VersionRef,
        /// What arrived.
        got: VersionRef,
    },
    /// A key that two people have, once keyring and directory are put together.
    #[error(
        "{0} has a key in the keyring that the directory gives to {1}; people are counted, so a key has one holder"
    )]
    KeyShared(PersonId, PersonId),
    /// A role held by a service or agent: its owner could count twice.
    #[error(
        "{0} holds the role `{1}` and is no human in the directory; people are counted, so give the role to its owner"
    )]
    HolderNotHuman(PersonId, Role),
    /// A keyring that does not follow the one before it.
    #[error(
        "keyring version {next} does not follow version {current}: {what}; send every version in \
         between"
    )]
    Succession {
        /// The version that is known.
        current: u64,
        /// The version that arrived.
        next: u64,
        /// What does not fit.
        what: &'static str,
    },
    /// A longer list of keyrings than anybody has.
    #[error("there are {0} keyrings after the first; at most {SUCCESSORS_MAX} are walked")]
    TooManyKeyrings(usize),
    /// A proposal that is not the next version of what is in force.
    #[error(
        "the {doc} is version {}, and version {} ({}) is in force; only version {} can follow it",
        got.version, current.version, current.digest, current.version.saturating_add(1)
    )]
    NotNext {
        /// Which document.
        doc: &'static str,
        /// What is in force.
        current: VersionRef,
        /// What is proposed.
        got: VersionRef,
    },
    /// The successor of a version that was seen names another predecessor.
    #[error(
        "the {doc} version {} does not follow version {} ({}) that has been seen; sign it again as \
         that one's successor", got.version, seen.version, seen.digest
    )]
    Fork {
        /// Which document.
        doc: &'static str,
        /// The newest seen.
        seen: VersionRef,
        /// What arrived.
        got: VersionRef,
    },
    /// A target that lets people run without an approval where the keyring forbids it.
    #[error(
        "target {0} has `self_serve`, and the keyring's floors forbid it; leave it out of the policy"
    )]
    SelfServe(TargetId),
    /// A policy below a floor of the keyring.
    #[error(
        "target {target} needs {policy} {what}, the keyring's floor is {floor}; raise it in the policy"
    )]
    Floor {
        /// The target.
        target: TargetId,
        /// `reviews` or `approvals`.
        what: &'static str,
        /// What the policy says.
        policy: u32,
        /// What the keyring says.
        floor: u32,
    },
}
