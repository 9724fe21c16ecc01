//! Kinds of notices, as configurations and messages name them.

use serde::Deserialize;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Kind {
    /// A revision was submitted.
    #[serde(rename = "review.wanted")]
    ReviewWanted,
    /// An access request was filed.
    #[serde(rename = "approval.wanted")]
    ApprovalWanted,
    /// A run is over, or never started.
    #[serde(rename = "run.finished")]
    RunFinished,
    /// Somebody breaks the glass, runs under it, or has looked at it afterwards.
    #[serde(rename = "break_glass")]
    BreakGlass,
    /// A person's key signed.
    #[serde(rename = "key.used")]
    KeyUsed,
    /// Something is stopped or rejected, or is no longer.
    #[serde(rename = "stop")]
    Stop,
}

impl Kind {
    /// Its code, as configurations and messages have it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ReviewWanted => "review.wanted",
            Self::ApprovalWanted => "approval.wanted",
            Self::RunFinished => "run.finished",
            Self::BreakGlass => "break_glass",
            Self::KeyUsed => "key.used",
            Self::Stop => "stop",
        }
    }
}
