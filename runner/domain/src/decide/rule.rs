//! The rules that can deny, each with its stable code. What they ask is in the modules beside this one.

use serde::{Deserialize, Serialize};

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// A rule that can deny, with its stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Rule {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable code, as errors and receipts carry it.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }
        }
    };
}

rules! {
    /// Something that the run depends on is stopped.
    Stopped = "stopped",
    /// The run request is not valid now, or lives too long.
    RunRequestExpired = "run-request-expired",
    /// The run id has been used.
    RunIdSpent = "run-id-spent",
    /// The bindings do not fit the manifest.
    Targets = "targets",
    /// The policy does not know the target, or does not let this runner reach it.
    TargetUnknown = "target-unknown",
    /// The target is marked prod, and one person holds every role.
    SoloProd = "solo-prod",
    /// The target is marked prod, and nothing says what is in force now.
    StatusMissing = "status-missing",
    /// The status is not valid now, or lives too long.
    StatusExpired = "status-expired",
    /// The status says that something else is in force than this runner knows.
    StatusDiffers = "status-differs",
    /// The caller may not run anything on this target.
    CallerNotAllowed = "caller-not-allowed",
    /// Nobody known has submitted the revision.
    SubmissionMissing = "submission-missing",
    /// A reviewer rejected the revision or asked for changes.
    ReviewRejected = "review-rejected",
    /// Too few reviews count.
    ReviewMissing = "review-missing",
    /// Policy or keyring do not let this caller run without an approval.
    SelfServeNotAllowed = "self-serve-not-allowed",
    /// Too few reviewers let this caller run without an approval.
    SelfServeNotReviewed = "self-serve-not-reviewed",
    /// The caller's runs without an approval are used up for the last 24 hours.
    SelfServeSpent = "self-serve-spent",
    /// There is no access request.
    RequestMissing = "request-missing",
    /// The access request is about something else: another caller, revision, target or runner.
    RequestMismatch = "request-mismatch",
    /// The input is not the approved one.
    InputNotApproved = "input-not-approved",
    /// Policy does not let this caller break the glass on this target.
    BreakGlassNotAllowed = "break-glass-not-allowed",
    /// The access request asks for more than a broken glass may give.
    BreakGlassTooWide = "break-glass-too-wide",
    /// The caller broke the glass before, and nobody has looked at it in time.
    AfterReviewOverdue = "after-review-overdue",
    /// Too few approvals count.
    ApprovalMissing = "approval-missing",
    /// The grant has not begun.
    GrantNotYet = "grant-not-yet",
    /// The grant has ended.
    GrantExpired = "grant-expired",
    /// All uses are spent, or this one is.
    UseSpent = "use-spent",
    /// A document of the run order is malformed, falsely signed, or about something else.
    DocumentInvalid = "document-invalid",
    /// The bundle's files are not those that the revision digest names.
    BundleInvalid = "bundle-invalid",
    /// The input does not fit the schema, or lacks what a query needs.
    InputInvalid = "input-invalid",
    /// What the queries come to on the target is not what the reviewers saw.
    AnalysisDiffers = "analysis-differs",
    /// The component cannot run within what is effective.
    ComponentRefused = "component-refused",
    /// The run cannot be recorded.
    NotRecorded = "not-recorded",
    /// The clock shows a time before one that was recorded.
    ClockWentBack = "clock-went-back",
}
