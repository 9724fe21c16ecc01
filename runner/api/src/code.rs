//! Every way in which the API says no, with its stable code and HTTP status.
//!
//! Denials carry the code of the rule that failed (`domain::Rule`); limits that end a run are not
//! here, they are outcomes of runs.

use std::fmt;
use std::str::FromStr;

use domain::{ParseError, Rule};

/// Why a call was refused. The text form is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A rule of `decide()` failed.
    Denied(Rule),
    /// The request is malformed.
    BadRequest,
    /// No session, or it has ended.
    Unauthorized,
    /// The person may not do this.
    Forbidden,
    /// It does not exist, or the person may not know that it does.
    NotFound,
    /// It exists with another content, or is in another state.
    Conflict,
    /// A body or a quota.
    TooLarge,
    /// Too many calls.
    RateLimited,
    /// Overloaded, starting or stopping.
    Unavailable,
    /// The ledger cannot record: nothing may change.
    ReadOnly,
    /// A field or feature of a later version.
    NotSupportedYet,
    /// The files are no bundle.
    BundleInvalid,
    /// The component cannot be admitted.
    ComponentRefused,
    /// A signed document does not verify.
    DocumentInvalid,
    /// A receipt, recording or proof does not verify.
    EvidenceInvalid,
    /// Our fault.
    Internal,
}

/// Every rule; a test counts them against domain's.
const RULES: [Rule; 17] = [
    Rule::Stopped,
    Rule::RunRequestExpired,
    Rule::RunIdSpent,
    Rule::Targets,
    Rule::TargetUnknown,
    Rule::ProdNotSupported,
    Rule::CallerNotAllowed,
    Rule::SubmissionMissing,
    Rule::ReviewRejected,
    Rule::ReviewMissing,
    Rule::RequestMissing,
    Rule::RequestMismatch,
    Rule::InputNotApproved,
    Rule::ApprovalMissing,
    Rule::GrantNotYet,
    Rule::GrantExpired,
    Rule::UseSpent,
];

const OTHERS: [Code; 15] = [
    Code::BadRequest,
    Code::Unauthorized,
    Code::Forbidden,
    Code::NotFound,
    Code::Conflict,
    Code::TooLarge,
    Code::RateLimited,
    Code::Unavailable,
    Code::ReadOnly,
    Code::NotSupportedYet,
    Code::BundleInvalid,
    Code::ComponentRefused,
    Code::DocumentInvalid,
    Code::EvidenceInvalid,
    Code::Internal,
];

impl Code {
    /// Every code.
    pub fn all() -> impl Iterator<Item = Self> {
        RULES.into_iter().map(Self::Denied).chain(OTHERS)
    }

    /// The stable text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().1
    }

    /// The problem's title: the same for every occurrence.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::Denied(rule) => (rule.code(), 403, "The run is denied"),
            Self::BadRequest => ("bad-request", 400, "The request is malformed"),
            Self::Unauthorized => ("unauthorized", 401, "Log in first"),
            Self::Forbidden => ("forbidden", 403, "You may not do this"),
            Self::NotFound => ("not-found", 404, "There is no such thing"),
            Self::Conflict => ("conflict", 409, "It exists already, or has moved on"),
            Self::TooLarge => ("too-large", 413, "A limit of size is exceeded"),
            Self::RateLimited => ("rate-limited", 429, "Too many calls"),
            Self::Unavailable => ("unavailable", 503, "The server cannot answer now"),
            Self::ReadOnly => (
                "read-only",
                503,
                "The ledger cannot record, so nothing may change",
            ),
            Self::NotSupportedYet => ("not-supported-yet", 422, "This version does not support it"),
            Self::BundleInvalid => ("bundle-invalid", 422, "The files are not a bundle"),
            Self::ComponentRefused => ("component-refused", 422, "The component is refused"),
            Self::DocumentInvalid => ("document-invalid", 422, "A signed document is invalid"),
            Self::EvidenceInvalid => ("evidence-invalid", 422, "The evidence is invalid"),
            Self::Internal => ("internal", 500, "The server failed"),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Code {
    type Err = ParseError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let found = Self::all().find(|code| code.code() == s);
        found.ok_or_else(|| ParseError::new("problem code", s, "a code of this version's API"))
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}

impl<'de> serde::Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = <String as serde::Deserialize>::deserialize(d)?;
        s.parse().map_err(serde::de::Error::custom)
    }
}
