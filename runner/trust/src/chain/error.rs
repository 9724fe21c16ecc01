//! Why an order's documents are refused. Whether valid ones suffice is `domain::decide`'s.

use domain::PersonId;

use super::DOCUMENTS_MAX;
use crate::document::DocumentError;

/// Why an order's documents are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A document is not valid.
    #[error("{place} of the order is refused: {error}")]
    Document {
        /// Which, as `review 2`.
        place: String,
        /// Why.
        error: DocumentError,
    },
    /// A valid document about something else.
    #[error("{place} of the order is about another {what}: {got}, not {want}")]
    Unrelated {
        /// Which.
        place: String,
        /// About what: `revision`, `access request`, `input`, `runner`, `caller`.
        what: &'static str,
        /// What the run needs.
        want: String,
        /// What the document says.
        got: String,
    },
    /// An approval that relied on another keyring, directory or policy than this runner has.
    #[error(
        "{place} of the order was made under {doc} version {got}, and this runner has version \
         {have}; bring the runner up to date, or have it approved again"
    )]
    Version {
        /// Which.
        place: String,
        /// Which document.
        doc: &'static str,
        /// Its version in the approval.
        got: u64,
        /// The runner's version.
        have: u64,
    },
    /// A stopped service principal or agent signed.
    #[error("{place} of the order is signed by {person}, who is stopped")]
    Stopped {
        /// Which.
        place: String,
        /// Who.
        person: PersonId,
    },
    /// A document of an access request, and the run names none.
    #[error("{place} of the order belongs to an access request, and the run request names none")]
    NotAsked {
        /// Which.
        place: String,
    },
    /// Somebody asks who is nobody here.
    #[error("{0} is not in the directory")]
    Stranger(PersonId),
    /// The earlier revision is not what it says.
    #[error("the earlier revision of the order is refused: {0}")]
    Base(String),
    /// The same document twice.
    #[error("{place} of the order is there twice")]
    Twice {
        /// Which.
        place: String,
    },
    /// Too many documents.
    #[error("the order has {got} {what}; at most {DOCUMENTS_MAX} are accepted")]
    TooMany {
        /// Of which kind.
        what: &'static str,
        /// How many.
        got: usize,
    },
    /// The authority itself is out of its time.
    #[error("the runner's own {0}; install a newer one")]
    Authority(DocumentError),
}
