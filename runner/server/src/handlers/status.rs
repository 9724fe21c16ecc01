//! What this server serves from. It is not the signed status document, which comes later; a runner
//! relies on nothing here.

use std::sync::Arc;

use api::types::{StatusView, VersionView};
use app::{App, Status, Versions};
use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::openapi::Reads;
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
    Ok(Json(StatusView { keyring, directory, policy, stops, log_size, live_runs, ready, reason }))
}
