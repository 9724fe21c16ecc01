//! The kinds of documents, by the names that rows have.

use std::str::FromStr;

use domain::ParseError;

/// Which document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the vocabulary's")]
pub enum DocumentKind {
    Submission,
    Review,
    AccessRequest,
    Approval,
    RunRequest,
    Stop,
    Lift,
    Withdrawal,
    AfterReview,
    Keyring,
    Directory,
    Policy,
    Receipt,
}

impl DocumentKind {
    /// All kinds.
    pub const ALL: [Self; 13] = [
        Self::Submission,
        Self::Review,
        Self::AccessRequest,
        Self::Approval,
        Self::RunRequest,
        Self::Stop,
        Self::Lift,
        Self::Withdrawal,
        Self::AfterReview,
        Self::Keyring,
        Self::Directory,
        Self::Policy,
        Self::Receipt,
    ];

    /// The document's name, as in its payload type.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Submission => "submission",
            Self::Review => "review",
            Self::AccessRequest => "access-request",
            Self::Approval => "approval",
            Self::RunRequest => "run-request",
            Self::Stop => "stop",
            Self::Lift => "lift",
            Self::Withdrawal => "withdrawal",
            Self::AfterReview => "after-review",
            Self::Keyring => "keyring",
            Self::Directory => "directory",
            Self::Policy => "policy",
            Self::Receipt => "receipt",
        }
    }
}

impl FromStr for DocumentKind {
    type Err = ParseError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.code() == s);
        found.ok_or_else(|| ParseError::new("document kind", s, "the name of a signed document"))
    }
}
