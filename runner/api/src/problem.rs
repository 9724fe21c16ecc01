//! Problem details (RFC 9457): what is wrong, where, and what would help.

use domain::Denial;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Code;

/// A refused call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// `https://borescope.dev/problems/<code>`
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for every occurrence of the code.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// This occurrence: what is wrong, and where.
    pub detail: String,
    /// The stable code.
    pub code: Code,
    /// What would help; may be empty.
    pub help: String,
    /// The request's id in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Seconds after which the same call may do better; also in the header `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

impl Problem {
    /// A problem with the title and status of its code.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            kind: format!("https://borescope.dev/problems/{code}"),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            code,
            help: help.into(),
            instance: None,
            retry_after_s: None,
        }
    }

    /// The same problem with the seconds after which to try again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
}

impl From<&Denial> for Problem {
    fn from(denial: &Denial) -> Self {
        Self::new(denial.rule.into(), &denial.fact, &denial.help)
    }
}
