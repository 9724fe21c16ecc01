//! What can go wrong in a use-case, and whose fault it is.
//!
//! One variant for each way in which the caller has to react; `server` maps every variant to a
//! status without a wildcard. `Display` says what is wrong and what helps; causes come as sources.

use domain::{Digest, ParseError};
use executor::bundle::BundleFault;
use ledger::AppendError;
use store::{BlobError, StoreError};

/// Why a use-case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Nobody is logged in, or the login failed; says no more than the caller may know.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// Somebody is, and may not do this.
    #[error("{what}; {help}")]
    Forbidden {
        /// What is not allowed to whom.
        what: String,
        /// What would help.
        help: &'static str,
    },
    /// There is no such thing, or the caller may not know that there is.
    #[error("there is no {0}")]
    NotFound(String),
    /// The caller's text is not what it should be.
    #[error("{0}")]
    BadRequest(String),
    /// A part of the request is not what its type promises.
    #[error("the request cannot be read")]
    Parse(#[from] ParseError),
    /// Something else has the name.
    #[error("{what} exists with digest {existing}; choose another name or version")]
    Conflict {
        /// What has the name.
        what: String,
        /// The digest of what is there.
        existing: Digest,
    },
    /// Too many bytes.
    #[error("{what} has more than {bytes_max} bytes")]
    TooLarge {
        /// What.
        what: String,
        /// The limit, bytes.
        bytes_max: u64,
    },
    /// A named limit of this server is reached; the caller may retry later.
    #[error("{what} is full at {max}; try again in a minute")]
    Busy {
        /// What is full.
        what: &'static str,
        /// The limit.
        max: u64,
    },
    /// What one person may use in a while is used up.
    #[error("you have used up your {max} {what}")]
    Quota {
        /// What is used up.
        what: &'static str,
        /// The limit.
        max: u64,
        /// Seconds until there is some again.
        retry_after_s: u64,
    },
    /// An idempotency key came again with another path or body.
    #[error("the idempotency key came with another call before; choose a new key for a new call")]
    KeyReused,
    /// The first call with an idempotency key has not ended.
    #[error("the first call with this idempotency key is still at work; try again in a moment")]
    KeyInUse,
    /// The server is stopping.
    #[error("the server is stopping; try again when it is back")]
    Stopping,
    /// Nothing can be recorded, so nothing is changed.
    #[error("nothing can be recorded, so nothing is accepted: {0}")]
    ReadOnly(String),
    /// A signed document is not valid, or is about something else.
    #[error("{doc} is refused: {problem}")]
    Document {
        /// Its kind.
        doc: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A proposal lacks signatures, or what has to be adopted with it.
    #[error("the proposal cannot be adopted yet: {0}")]
    Missing(String),
    /// The uploaded files are no bundle.
    #[error("the bundle is refused: {0}")]
    Bundle(String),
    /// The bundle's files cannot be read back as what they should be.
    #[error("the bundle is refused")]
    BundleFault(#[from] BundleFault),
    /// The component is refused, by name of what is wrong.
    #[error("the component is refused")]
    Component(#[from] sandbox::Refusal),
    /// The evidence is not there; says why.
    #[error("{0}")]
    NoEvidence(&'static str),
    /// The store failed; the operator's.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The blobs failed; the operator's, or the quota is reached.
    #[error("the files cannot be stored or read")]
    Blobs(#[from] BlobError),
    /// The runner has no catalog of the target for anybody now.
    #[error(transparent)]
    NoCatalog(#[from] executor::NoCatalog),
    /// The runner asks the target's planner for nobody now.
    #[error(transparent)]
    NoPlan(executor::NoPlan),
    /// The log cannot be read; the operator's.
    #[error("the log cannot be read")]
    Log(#[from] ledger::ReadError),
    /// The runner's file cannot be read; the operator's.
    #[error("the recording cannot be read")]
    Recording(#[source] std::io::Error),
    /// An entry of the ledger is not what was recorded as it; the operator's.
    #[error("entry {index} of the ledger does not fit its {what}; verify the journal offline")]
    EntryUnreadable {
        /// The entry.
        index: u64,
        /// What should be in it.
        what: &'static str,
    },
}

impl From<AppendError> for AppError {
    fn from(e: AppendError) -> Self {
        Self::ReadOnly(chain(&e))
    }
}

impl AppError {
    /// The error of a document that is refused.
    pub(crate) fn document(doc: &'static str, problem: impl Into<String>) -> Self {
        Self::Document { doc, problem: problem.into() }
    }
}

/// An error with its causes, once, in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
