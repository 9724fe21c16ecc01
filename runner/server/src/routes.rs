//! Every route, in one table.

use std::sync::Arc;

use api::Code;
use app::App;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use domain::bundle::BUNDLE_BYTES_MAX;
use tower_http::catch_panic::CatchPanicLayer;

use crate::ServerLimits;
use crate::body::BODY_BYTES_MAX;
use crate::guard::{Guard, guard, panicked};
use crate::handlers::{documents, health, log, login, policy, runs, scripts};
use crate::problem::Refusal;

/// Bytes of an upload: a bundle, its list, and what multipart adds to each of its files.
const UPLOAD_BYTES_MAX: u64 = BUNDLE_BYTES_MAX + (1 << 20);

pub(crate) fn router(app: Arc<App>, limits: ServerLimits) -> Router {
    let upload_bytes_max = usize::try_from(UPLOAD_BYTES_MAX).unwrap_or(usize::MAX);
    let upload = post(scripts::upload).layer(DefaultBodyLimit::max(upload_bytes_max));
    Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/v1/challenges", post(login::challenge))
        .route("/v1/sessions", post(login::open))
        .route("/v1/sessions/me", get(login::me))
        .route("/v1/revisions", upload)
        .route("/v1/scripts", get(scripts::list))
        .route("/v1/revisions/{digest}", get(scripts::show))
        .route("/v1/revisions/{digest}/files/{*path}", get(scripts::file))
        .route("/v1/submissions", post(documents::submit))
        .route("/v1/reviews", post(documents::review))
        .route("/v1/access-requests", post(documents::request_access))
        .route("/v1/access-requests/{id}", get(documents::access_request))
        .route("/v1/approvals", post(documents::approve))
        .route("/v1/stops", post(documents::stop))
        .route("/v1/documents/{reference}", get(documents::show))
        .route("/v1/inbox", get(documents::inbox))
        .route("/v1/inputs", post(runs::input))
        .route("/v1/runs", post(runs::order).get(runs::list))
        .route("/v1/runs/{id}", get(runs::show))
        .route("/v1/runs/{id}/result", get(runs::result))
        .route("/v1/runs/{id}/receipt", get(runs::receipt))
        .route("/v1/runs/{id}/evidence", get(runs::evidence))
        .route("/v1/runs/{id}/recording", get(runs::recording))
        .route("/v1/runs/{id}/events", get(runs::events))
        .route("/v1/runs/{id}/cancel", post(runs::cancel))
        .route("/v1/keyring", get(policy::keyring))
        .route("/v1/directory", get(policy::directory))
        .route("/v1/policy", get(policy::policy))
        .route("/v1/targets", get(policy::targets))
        .route("/v1/log/checkpoint", get(log::checkpoint))
        .route("/v1/log/proof", get(log::proof))
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::new(Guard::new(limits)), guard))
        .with_state(app)
}

async fn nowhere() -> Refusal {
    Refusal::new(Code::NotFound, "there is no such route", "the API is under /v1")
}

async fn not_so() -> Refusal {
    Refusal::new(Code::BadRequest, "the route has no such method", "use GET to read, POST to act")
}
