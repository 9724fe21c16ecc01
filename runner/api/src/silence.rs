//! Why a server gave no answer: which part of the way failed, and whether anything was sent before.
//!
//! What the libraries below say is kept as a detail where nothing better is known; their chains of
//! "error sending request" say less than the kind of failure does.

use std::error::Error;
use std::io;

/// No answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.words())]
pub struct Silence {
    /// The origin that was dialled.
    pub origin: String,
    /// Where it ended.
    pub how: How,
    /// Whether the call asked for something to be done, and not only to be shown.
    pub acts: bool,
}

/// Where a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// Nothing listens there.
    Refused,
    /// The name has no address.
    NoSuchHost,
    /// Nobody answers at the address.
    NotConnected,
    /// The connection was not made for another reason.
    Unreachable(String),
    /// What answered does not speak HTTP, so it understood nothing.
    NotHttp,
    /// It was made, and broke before the answer was there.
    Cut(String),
    /// It was made, and no answer came in time.
    Late,
}

impl Silence {
    pub(crate) fn of(error: &reqwest::Error, acts: bool) -> Self {
        let origin = error
            .url()
            .map_or_else(|| "the server".to_owned(), |url| url.origin().ascii_serialization());
        Self { origin, how: how(error), acts }
    }

    /// Whether the server may have got the call.
    #[must_use]
    pub const fn was_sent(&self) -> bool {
        matches!(self.how, How::Cut(_) | How::Late)
    }

    /// Whether the connection stood and the time was over.
    #[must_use]
    pub const fn is_late(&self) -> bool {
        matches!(self.how, How::Late)
    }

    fn words(&self) -> String {
        let origin = &self.origin;
        match &self.how {
            How::Refused => format!("nothing listens at {origin}"),
            How::NoSuchHost => format!("{origin} cannot be found: its name has no address"),
            How::NotConnected => format!("{origin} does not answer: no connection in time"),
            How::Unreachable(detail) => format!("{origin} cannot be reached: {detail}"),
            How::NotHttp => format!("what answers at {origin} does not speak HTTP"),
            How::Cut(detail) => {
                format!("the connection to {origin} broke before the answer was there: {detail}")
            }
            How::Late => format!("{origin} got the call and has not answered in time"),
        }
    }
}

fn how(error: &reqwest::Error) -> How {
    let causes = causes(error);
    if error.is_connect() {
        let is = |kind| causes.iter().any(|cause| io_kind(*cause) == Some(kind));
        return if error.is_timeout() || is(io::ErrorKind::TimedOut) {
            How::NotConnected
        } else if is(io::ErrorKind::ConnectionRefused) {
            How::Refused
        } else if causes.iter().any(|cause| cause.to_string().contains("dns error")) {
            How::NoSuchHost
        } else {
            How::Unreachable(innermost(&causes))
        };
    }
    if error.is_timeout() {
        How::Late
    } else if causes.iter().any(|cause| cause.to_string().contains("invalid HTTP version")) {
        How::NotHttp
    } else {
        How::Cut(innermost(&causes))
    }
}

fn causes<'e>(error: &'e reqwest::Error) -> Vec<&'e (dyn Error + 'static)> {
    let mut all = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        all.push(cause);
        next = cause.source();
    }
    all
}

fn io_kind(cause: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    cause.downcast_ref::<io::Error>().map(io::Error::kind)
}

fn innermost(causes: &[&(dyn Error + 'static)]) -> String {
    causes.last().map_or_else(|| "no reason is known".to_owned(), ToString::to_string)
}
