//! The one place where errors become HTTP: code, status and words for the caller, exhaustively.
//!
//! A new variant of [`AppError`] is a compile error here until somebody decides its status. What is
//! ours or the operator's to mend is logged with its causes and answered without them.

use api::{Code, Problem};
use app::AppError;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ledger::ReadError;
use store::{BlobError, StoreError};

/// What a handler refuses with.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) Problem);

const OURS: &str = "the server failed; its log has the reason under this request's id";
const TELL_OPERATOR: &str = "tell the operator the request's id";

impl Refusal {
    pub(crate) fn new(code: Code, detail: impl Into<String>, help: &str) -> Self {
        Self(Problem::new(code, detail, help))
    }

    /// The same with the seconds after which to try again.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self(self.0.retry_after(seconds))
    }
}

impl IntoResponse for Refusal {
    /// [`crate::guard`] writes the body: it knows the request's id.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status);
        let mut response = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}

impl From<AppError> for Refusal {
    fn from(error: AppError) -> Self {
        let (code, detail, help) = describe(&error);
        if code == Code::Internal {
            tracing::error!(error = %app::chain(&error), "request failed");
        }
        let refusal = Self::new(code, detail, help);
        match error {
            AppError::Quota { retry_after_s, .. } => refusal.retry_after(retry_after_s),
            AppError::KeyInUse => refusal.retry_after(1),
            AppError::Busy { .. } | AppError::Store(StoreError::Full { .. }) => {
                refusal.retry_after(BUSY_RETRY_S)
            }
            _ => refusal,
        }
    }
}

/// Seconds after which a queue or table that is full has most likely some room.
const BUSY_RETRY_S: u64 = 10;

impl From<domain::ParseError> for Refusal {
    fn from(error: domain::ParseError) -> Self {
        Self::from(AppError::Parse(error))
    }
}

/// Code, detail and help.
pub(crate) fn describe(error: &AppError) -> (Code, String, &'static str) {
    let own = error.to_string();
    match error {
        AppError::Unauthorized(_) => (Code::Unauthorized, own, "run `borescope login`"),
        AppError::Forbidden { help, what } => (Code::Forbidden, what.clone(), help),
        AppError::NotFound(_) => {
            (Code::NotFound, own, "check the id; you may also lack the right to see it")
        }
        AppError::BadRequest(_) => (Code::BadRequest, own, "correct the request"),
        AppError::Parse(e) => (Code::BadRequest, e.to_string(), "correct the request"),
        AppError::Conflict { .. } => (Code::Conflict, own, "what exists cannot be changed"),
        AppError::TooLarge { .. } => (Code::TooLarge, own, "send less"),
        AppError::Busy { .. } => (Code::RateLimited, own, "wait, then try again"),
        AppError::Quota { .. } => {
            (Code::QuotaExceeded, own, "wait as long as `Retry-After` says, or ask the operator")
        }
        AppError::KeyReused => (Code::IdempotencyKeyReused, own, "a random UUID is a good key"),
        AppError::KeyInUse => (Code::IdempotencyKeyInUse, own, "try again with the same key"),
        AppError::Stopping => (Code::Unavailable, own, "try again when the server is back"),
        AppError::ReadOnly(_) => {
            (Code::ReadOnly, own, "the operator must repair the log's storage and restart")
        }
        AppError::Document { .. } => (
            Code::DocumentInvalid,
            own,
            "sign a corrected document; a signed one cannot be changed",
        ),
        AppError::Missing(_) => {
            (Code::SignaturesMissing, own, "have it signed: borescope inbox shows it to who can")
        }
        AppError::Bundle(_) => (Code::BundleInvalid, own, "correct the files and upload again"),
        AppError::BundleFault(_) => {
            (Code::BundleInvalid, app::chain(error), "correct the files and upload again")
        }
        AppError::Component(_) => {
            (Code::ComponentRefused, app::chain(error), "change the component and upload again")
        }
        AppError::NoEvidence(_) => (Code::NotFound, own, "look at the run's state"),
        AppError::NoCatalog(_) => (
            Code::NoCatalog,
            app::chain(error),
            "nothing was read; `borescope check` at the runner says more",
        ),
        AppError::NoPlan(_) => (
            Code::NoPlan,
            app::chain(error),
            "nothing ran; `borescope check` at the runner says more",
        ),
        AppError::Store(e) => of_store(e),
        AppError::Blobs(e) => of_blobs(e),
        AppError::Log(e) => of_log(e),
        AppError::Recording(_) | AppError::EntryUnreadable { .. } => internal(),
    }
}

fn internal() -> (Code, String, &'static str) {
    (Code::Internal, OURS.to_owned(), TELL_OPERATOR)
}

fn of_store(error: &StoreError) -> (Code, String, &'static str) {
    match error {
        StoreError::Full { .. } => (Code::RateLimited, error.to_string(), "wait, then try again"),
        StoreError::Conflict { .. } | StoreError::Exists { .. } => {
            (Code::Conflict, error.to_string(), "what exists cannot be changed")
        }
        StoreError::Absent { .. } => (Code::NotFound, error.to_string(), "check the id"),
        StoreError::TooLarge { .. } => (Code::BadRequest, error.to_string(), "correct the request"),
        StoreError::Database(_)
        | StoreError::Migration(_)
        | StoreError::Corrupt { .. }
        | StoreError::Move { .. }
        | StoreError::NoLedgerEntry { .. }
        | StoreError::Backwards { .. }
        | StoreError::AheadOfLedger { .. } => internal(),
    }
}

fn of_blobs(error: &BlobError) -> (Code, String, &'static str) {
    match error {
        BlobError::Quota { .. } => (Code::TooLarge, error.to_string(), "ask the operator"),
        BlobError::Differs { .. } => (Code::BadRequest, error.to_string(), "send the bytes again"),
        BlobError::Io { .. } => internal(),
    }
}

fn of_log(error: &ReadError) -> (Code, String, &'static str) {
    match error {
        ReadError::NotThere { .. } => {
            (Code::NotFound, error.to_string(), "ask for a smaller index")
        }
        ReadError::Io { .. } | ReadError::Damaged { .. } | ReadError::Checkpoint(_) => internal(),
    }
}
