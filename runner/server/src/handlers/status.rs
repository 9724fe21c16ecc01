//! What this server serves from, unsigned, so that a runner relies on nothing of it; and the signed
//! status, without which production is not reached.

use std::sync::Arc;

use api::shapes::EnvelopeShape;
use api::types::{DocumentView, Filed, StatusView, VersionView};
use app::{App, Status, Versions};
use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::body::Raw;
use crate::openapi::{Files, Finds, Reads};
use crate::render;
use crate::session::Session;

/// Versions in force, stops, size of the log, readiness; unsigned
#[utoipa::path(get, path = "/v1/status", tag = "operate", security(("session" = [])),
    responses((status = 200, body = StatusView, description = "As of now."), Reads))]
pub(crate) async fn status(State(app): State<Arc<App>>, _: Session) -> Answer<Json<StatusView>> {
    let Status { versions, stops, log_size, live_runs } = app.status().await?;
    let Versions { keyring, directory, policy } = versions;
    let [keyring, directory, policy] =
        [keyring, directory, policy].map(|(version, digest)| VersionView { version, digest });
    let reason = app.ready().await.err().map(|e| crate::problem::describe(&e).1);
    let ready = reason.is_none();
    let notify = app.hooks().into_iter().map(render::hook).collect();
    Ok(Json(StatusView {
        keyring,
        directory,
        policy,
        stops,
        log_size,
        live_runs,
        ready,
        reason,
        notify,
    }))
}

/// Bring a status that the holders of the role signed; it is kept until a newer one comes
#[utoipa::path(post, path = "/v1/status", tag = "operate", security(("session" = [])),
    request_body = EnvelopeShape,
    responses((status = 200, body = Filed, description = "Runs on production may rely on it."), Files))]
pub(crate) async fn new_status(
    State(app): State<Arc<App>>,
    _: Session,
    Raw(envelope): Raw,
) -> Answer<Json<Filed>> {
    Ok(Json(render::filed(app.new_status(&envelope).await?)))
}

/// The newest status that the holders of the role signed, while it is valid
#[utoipa::path(get, path = "/v1/status/signed", tag = "operate", security(("session" = [])),
    responses((status = 200, body = DocumentView, description = "What is in force, signed."), Finds))]
pub(crate) async fn signed_status(
    State(app): State<Arc<App>>,
    _: Session,
) -> Answer<Json<DocumentView>> {
    Ok(Json(render::signed_status(app.signed_status()?)?))
}
