//! The one error of a script: what the host answered, or what the script itself has to say.
//!
//! Deliberately not a `std::error::Error`: only so can `?` take *any* standard error (two blanket
//! conversions would overlap).

use std::fmt;

use crate::bindings::borescope::debug::types::Error as HostError;

/// What a script returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call, or the whole script, did not succeed. A script may handle any of them and go on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The label is not among the effective capabilities of this run.
    Denied(String),
    /// A limit of this query is used up; the limit's name, as `query-rows`.
    Limit(String),
    /// The target did not answer in time.
    Timeout,
    /// The call or its data does not fit the declaration.
    Invalid(String),
    /// The target failed; a stable code. Its own words are in the recording only.
    Backend(String),
    /// The script's own failure, in words for whoever reads the run.
    Script(String),
}

impl Error {
    /// A failure in the script's own words.
    pub fn script(message: impl fmt::Display) -> Self {
        Self::Script(message.to_string())
    }

    /// Input or data that the script cannot work with.
    pub fn invalid(message: impl fmt::Display) -> Self {
        Self::Invalid(message.to_string())
    }

    /// The name of the limit that is used up, if this error is one.
    #[must_use]
    pub fn limit(&self) -> Option<&str> {
        match self {
            Self::Limit(name) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(what) => write!(f, "denied: {what}"),
            Self::Limit(name) => write!(f, "limit reached: {name}"),
            Self::Timeout => f.write_str("the target did not answer in time"),
            Self::Invalid(what) => write!(f, "invalid: {what}"),
            Self::Backend(code) => write!(f, "the target failed: {code}"),
            Self::Script(message) => f.write_str(message),
        }
    }
}

/// Any standard error ends the script with its whole chain of causes as the message.
impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            message.push_str(": ");
            message.push_str(&next.to_string());
            cause = next.source();
        }
        Self::Script(message)
    }
}

/// Not a `From`: the generated error is a standard error and would go through the one above.
pub(crate) fn from_host(error: HostError) -> Error {
    match error {
        HostError::Denied(label) => Error::Denied(label),
        HostError::Limit(name) => Error::Limit(name),
        HostError::Timeout => Error::Timeout,
        HostError::Invalid(what) => Error::Invalid(what),
        HostError::Backend(code) => Error::Backend(code),
    }
}
