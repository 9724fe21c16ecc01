//! Every route, in one table, with what surrounds them all; the description of the API comes from
//! the same table.

use std::sync::Arc;
use std::time::Duration;

use api::Code;
use app::App;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware::from_fn_with_state;
use domain::bundle::BUNDLE_BYTES_MAX;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use crate::ServerLimits;
use crate::body::BODY_BYTES_MAX;
use crate::failures::Failures;
use crate::guard::{Guard, guard, panicked};
use crate::handlers::{
    after_reviews, against, approvals, audit, documents, events, health, inbox, inputs, key_claims,
    lifts, log, policy, proposals, requests, reviews, revisions, run_files, runs, scripts,
    sessions, status, stops, submissions, withdrawals,
};
use crate::meter::Meter;
use crate::once::once;
use crate::openapi;
use crate::problem::Refusal;

/// Bytes of an upload: a bundle, its list, and what multipart adds to each of its files.
const UPLOAD_BYTES_MAX: u64 = BUNDLE_BYTES_MAX + (1 << 20);

/// What handlers and extractors may ask for.
#[derive(Clone)]
pub(crate) struct Shell {
    app: Arc<App>,
    meter: Arc<Meter>,
    streams: Streams,
    description: Description,
}

/// What all streams of events share.
#[derive(Clone)]
pub(crate) struct Streams {
    /// A permit for each.
    pub(crate) permits: Arc<Semaphore>,
    /// How long a client may take no event.
    pub(crate) stall_max: Duration,
}

/// `openapi.json`.
#[derive(Clone)]
pub(crate) struct Description(pub(crate) Arc<str>);

impl FromRef<Shell> for Arc<App> {
    fn from_ref(shell: &Shell) -> Self {
        Self::clone(&shell.app)
    }
}

impl FromRef<Shell> for Arc<Meter> {
    fn from_ref(shell: &Shell) -> Self {
        Self::clone(&shell.meter)
    }
}

impl FromRef<Shell> for Streams {
    fn from_ref(shell: &Shell) -> Self {
        shell.streams.clone()
    }
}

impl FromRef<Shell> for Description {
    fn from_ref(shell: &Shell) -> Self {
        shell.description.clone()
    }
}

fn table() -> OpenApiRouter<Shell> {
    let upload_bytes_max = usize::try_from(UPLOAD_BYTES_MAX).unwrap_or(usize::MAX);
    let upload = routes!(revisions::upload).layer(DefaultBodyLimit::max(upload_bytes_max));
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .routes(routes!(health::openapi))
        .routes(routes!(sessions::challenge))
        .routes(routes!(sessions::open, sessions::sessions))
        .routes(routes!(sessions::me))
        .routes(routes!(sessions::revoke))
        .routes(upload)
        .routes(routes!(revisions::revision))
        .routes(routes!(revisions::file))
        .routes(routes!(scripts::scripts))
        .routes(routes!(submissions::submit))
        .routes(routes!(reviews::review))
        .routes(routes!(requests::request_access, requests::access_requests))
        .routes(routes!(requests::access_request))
        .routes(routes!(inputs::input_of_request))
        .routes(routes!(approvals::approve))
        .routes(routes!(stops::stop))
        .routes(routes!(lifts::lift))
        .routes(routes!(withdrawals::withdraw))
        .routes(routes!(after_reviews::after_review, after_reviews::after_reviews))
        .routes(routes!(after_reviews::emergencies))
        .routes(routes!(against::against))
        .routes(routes!(documents::document))
        .routes(routes!(inbox::inbox))
        .routes(routes!(inputs::input))
        .routes(routes!(runs::order, runs::runs))
        .routes(routes!(runs::run))
        .routes(routes!(runs::cancel))
        .routes(routes!(events::events))
        .routes(routes!(inputs::input_of_run))
        .routes(routes!(run_files::result))
        .routes(routes!(run_files::recording))
        .routes(routes!(run_files::receipt))
        .routes(routes!(run_files::evidence))
        .routes(routes!(policy::keyring))
        .routes(routes!(policy::keyrings))
        .routes(routes!(policy::directory))
        .routes(routes!(policy::policy))
        .routes(routes!(policy::targets))
        .routes(routes!(policy::catalog))
        .routes(routes!(policy::analysis))
        .routes(routes!(policy::stored_analysis))
        .routes(routes!(policy::plan))
        .routes(routes!(proposals::propose, proposals::proposals))
        .routes(routes!(proposals::proposal))
        .routes(routes!(proposals::adopt))
        .routes(routes!(proposals::withdraw))
        .routes(routes!(key_claims::claim, key_claims::key_claims))
        .routes(routes!(key_claims::forget))
        .routes(routes!(audit::audit))
        .routes(routes!(status::status, status::new_status))
        .routes(routes!(status::signed_status))
        .routes(routes!(log::checkpoint))
        .routes(routes!(log::proof))
        .routes(routes!(log::consistency))
        .routes(routes!(log::leaves))
}

/// The description of the API, from the routes that are served.
pub(crate) fn description() -> OpenApi {
    openapi::finish(table().into_openapi())
}

pub(crate) fn router(app: Arc<App>, limits: ServerLimits, failures: Arc<Failures>) -> Router {
    let (router, api) = table().split_for_parts();
    let text = openapi::finish(api).to_pretty_json().unwrap_or_default();
    let shell = Shell {
        app,
        meter: Arc::new(Meter::new(Arc::clone(&failures))),
        streams: Streams {
            permits: Arc::new(Semaphore::new(limits.streams_max)),
            stall_max: Duration::from_secs(limits.stream_stall_s_max),
        },
        description: Description(text.into()),
    };
    let around =
        Arc::new(Guard::new(limits, Arc::clone(&shell.meter), failures, shell.app.clock()));
    router
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .layer(from_fn_with_state(shell.clone(), once))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(around, guard))
        .with_state(shell)
}

async fn nowhere() -> Refusal {
    Refusal::new(Code::NotFound, "there is no such route", "the API is under /v1")
}

async fn not_so() -> Refusal {
    let detail = "the route has no such method; the header `Allow` has those that it has";
    Refusal::new(
        Code::MethodNotAllowed,
        detail,
        "use GET to read, POST to act, DELETE to end a session",
    )
}
