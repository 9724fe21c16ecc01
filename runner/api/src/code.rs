//! Every way in which the API says no, with its stable code, HTTP status and title: one table.
//!
//! Denials have the code of the rule that failed (`domain::Rule`). Limits that end a run are not
//! here: they are outcomes of runs, which the API reports with status 200.

use std::fmt;
use std::str::FromStr;

use domain::{ParseError, Rule};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// Why a call was refused. The text form is stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable text.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The problem's title: the same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// The request is malformed.
    BadRequest = "bad-request", 400, "The request is malformed";
    /// No session, or it has ended.
    Unauthorized = "unauthorized", 401, "Log in first";
    /// The person may not do this.
    Forbidden = "forbidden", 403, "You may not do this";
    /// It does not exist, or the person may not know that it does.
    NotFound = "not-found", 404, "There is no such thing";
    /// It exists with another content, or is in another state.
    Conflict = "conflict", 409, "It exists already, or has moved on";
    /// A proposal has not all the signatures that it needs.
    SignaturesMissing = "signatures-missing", 409, "Signatures are missing";
    /// The route exists and has no such method.
    MethodNotAllowed = "method-not-allowed", 405, "The route has no such method";
    /// The first call with this idempotency key has not answered yet.
    IdempotencyKeyInUse = "idempotency-key-in-use", 409, "The first call is still at work";
    /// An idempotency key came again with another path or body.
    IdempotencyKeyReused = "idempotency-key-reused", 422, "The idempotency key belongs to another call";
    /// A body or all stored bytes together.
    TooLarge = "too-large", 413, "A limit of size is exceeded";
    /// A field or feature of a later version.
    NotSupportedYet = "not-supported-yet", 422, "This version does not support it";
    /// A receipt, recording or proof does not verify.
    EvidenceInvalid = "evidence-invalid", 422, "The evidence is invalid";
    /// Too many calls.
    RateLimited = "rate-limited", 429, "Too many calls";
    /// What one person may use in a while is used up.
    QuotaExceeded = "quota-exceeded", 429, "Your quota is used up for now";
    /// Our fault.
    Internal = "internal", 500, "The server failed";
    /// Overloaded, starting or stopping.
    Unavailable = "unavailable", 503, "The server cannot answer now";
    /// The runner cannot read the target's catalog now.
    NoCatalog = "no-catalog", 503, "The target's catalog cannot be read now";
    /// The runner cannot ask the target's planner now.
    NoPlan = "no-plan", 503, "The target's planner cannot be asked now";
    /// The ledger cannot record: nothing may change.
    ReadOnly = "read-only", 503, "The ledger cannot record, so nothing may change";

    // The rest are rules of `domain`; those with 422 also refuse what is filed or uploaded.
    /// [`Rule::DocumentInvalid`]
    DocumentInvalid = "document-invalid", 422, "A signed document is invalid";
    /// [`Rule::BundleInvalid`]
    BundleInvalid = "bundle-invalid", 422, "The files are not a bundle";
    /// [`Rule::InputInvalid`]
    InputInvalid = "input-invalid", 422, "The input is invalid";
    /// [`Rule::ComponentRefused`]
    ComponentRefused = "component-refused", 422, "The component is refused";
    /// [`Rule::AnalysisDiffers`]
    AnalysisDiffers = "analysis-differs", 403, "The run is denied";
    /// [`Rule::NotRecorded`]
    NotRecorded = "not-recorded", 503, "The runner cannot record, so nothing runs";
    /// [`Rule::ClockWentBack`]
    ClockWentBack = "clock-went-back", 503, "The runner cannot trust its clock";
    /// [`Rule::Stopped`]
    Stopped = "stopped", 403, "The run is denied";
    /// [`Rule::RunRequestExpired`]
    RunRequestExpired = "run-request-expired", 403, "The run is denied";
    /// [`Rule::RunIdSpent`]
    RunIdSpent = "run-id-spent", 403, "The run is denied";
    /// [`Rule::Targets`]
    Targets = "targets", 403, "The run is denied";
    /// [`Rule::TargetUnknown`]
    TargetUnknown = "target-unknown", 403, "The run is denied";
    /// [`Rule::SoloProd`]
    SoloProd = "solo-prod", 403, "The run is denied";
    /// [`Rule::StatusMissing`]
    StatusMissing = "status-missing", 403, "The run is denied";
    /// [`Rule::StatusExpired`]
    StatusExpired = "status-expired", 403, "The run is denied";
    /// [`Rule::StatusDiffers`]
    StatusDiffers = "status-differs", 403, "The run is denied";
    /// [`Rule::CallerNotAllowed`]
    CallerNotAllowed = "caller-not-allowed", 403, "The run is denied";
    /// [`Rule::SubmissionMissing`]
    SubmissionMissing = "submission-missing", 403, "The run is denied";
    /// [`Rule::ReviewRejected`]
    ReviewRejected = "review-rejected", 403, "The run is denied";
    /// [`Rule::ReviewMissing`]
    ReviewMissing = "review-missing", 403, "The run is denied";
    /// [`Rule::SelfServeNotAllowed`]
    SelfServeNotAllowed = "self-serve-not-allowed", 403, "The run is denied";
    /// [`Rule::SelfServeNotReviewed`]
    SelfServeNotReviewed = "self-serve-not-reviewed", 403, "The run is denied";
    /// [`Rule::SelfServeSpent`]
    SelfServeSpent = "self-serve-spent", 403, "The run is denied";
    /// [`Rule::RequestMissing`]
    RequestMissing = "request-missing", 403, "The run is denied";
    /// [`Rule::RequestMismatch`]
    RequestMismatch = "request-mismatch", 403, "The run is denied";
    /// [`Rule::InputNotApproved`]
    InputNotApproved = "input-not-approved", 403, "The run is denied";
    /// [`Rule::BreakGlassNotAllowed`]
    BreakGlassNotAllowed = "break-glass-not-allowed", 403, "The run is denied";
    /// [`Rule::BreakGlassTooWide`]
    BreakGlassTooWide = "break-glass-too-wide", 403, "The run is denied";
    /// [`Rule::AfterReviewOverdue`]
    AfterReviewOverdue = "after-review-overdue", 403, "The run is denied";
    /// [`Rule::ApprovalMissing`]
    ApprovalMissing = "approval-missing", 403, "The run is denied";
    /// [`Rule::GrantNotYet`]
    GrantNotYet = "grant-not-yet", 403, "The run is denied";
    /// [`Rule::GrantExpired`]
    GrantExpired = "grant-expired", 403, "The run is denied";
    /// [`Rule::UseSpent`]
    UseSpent = "use-spent", 403, "The run is denied";
}

impl From<Rule> for Code {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Stopped => Self::Stopped,
            Rule::RunRequestExpired => Self::RunRequestExpired,
            Rule::RunIdSpent => Self::RunIdSpent,
            Rule::Targets => Self::Targets,
            Rule::TargetUnknown => Self::TargetUnknown,
            Rule::SoloProd => Self::SoloProd,
            Rule::StatusMissing => Self::StatusMissing,
            Rule::StatusExpired => Self::StatusExpired,
            Rule::StatusDiffers => Self::StatusDiffers,
            Rule::CallerNotAllowed => Self::CallerNotAllowed,
            Rule::SubmissionMissing => Self::SubmissionMissing,
            Rule::ReviewRejected => Self::ReviewRejected,
            Rule::ReviewMissing => Self::ReviewMissing,
            Rule::SelfServeNotAllowed => Self::SelfServeNotAllowed,
            Rule::SelfServeNotReviewed => Self::SelfServeNotReviewed,
            Rule::SelfServeSpent => Self::SelfServeSpent,
            Rule::RequestMissing => Self::RequestMissing,
            Rule::RequestMismatch => Self::RequestMismatch,
            Rule::InputNotApproved => Self::InputNotApproved,
            Rule::BreakGlassNotAllowed => Self::BreakGlassNotAllowed,
            Rule::BreakGlassTooWide => Self::BreakGlassTooWide,
            Rule::AfterReviewOverdue => Self::AfterReviewOverdue,
            Rule::ApprovalMissing => Self::ApprovalMissing,
            Rule::GrantNotYet => Self::GrantNotYet,
            Rule::GrantExpired => Self::GrantExpired,
            Rule::UseSpent => Self::UseSpent,
            Rule::DocumentInvalid => Self::DocumentInvalid,
            Rule::BundleInvalid => Self::BundleInvalid,
            Rule::InputInvalid => Self::InputInvalid,
            Rule::AnalysisDiffers => Self::AnalysisDiffers,
            Rule::ComponentRefused => Self::ComponentRefused,
            Rule::NotRecorded => Self::NotRecorded,
            Rule::ClockWentBack => Self::ClockWentBack,
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
        let found = Self::ALL.iter().find(|code| code.code() == s).copied();
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
