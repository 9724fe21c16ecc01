//! What a run left: its output, recording, receipt and evidence, for those who may read the run. Reading
//! output or recording is recorded before it is sent.

use std::sync::Arc;

use api::shapes;
use api::types::ReceiptView;
use app::App;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use domain::RunId;

use super::Answer;
use crate::body::At;
use crate::openapi::Finds;
use crate::render;
use crate::session::Session;

/// A run's output: the exact bytes whose digest its receipt names. That you read it is recorded
#[utoipa::path(get, path = "/v1/runs/{id}/result", tag = "runs", security(("session" = [])),
    params(("id" = shapes::Run, Path, description = "The run.")),
    responses((status = 200, body = shapes::AnyJson, content_type = "application/json",
        description = "Value, tables, artifacts, log."), Finds))]
pub(crate) async fn result(
    State(app): State<Arc<App>>,
    Session(who): Session,
    At(id): At<RunId>,
) -> Answer<Response> {
    let bytes = app.result(&who, &id).await?;
    Ok(([(CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// A run's recording, once it is released. That you read it is recorded
#[utoipa::path(get, path = "/v1/runs/{id}/recording", tag = "runs", security(("session" = [])),
    params(("id" = shapes::Run, Path, description = "The run.")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream",
        description = "What `borescope replay` takes."), Finds))]
pub(crate) async fn recording(
    State(app): State<Arc<App>>,
    Session(who): Session,
    At(id): At<RunId>,
) -> Answer<Bytes> {
    Ok(app.recording(&who, &id).await?.into())
}

/// A run's receipt, with the proof that its last entry is in the log
#[utoipa::path(get, path = "/v1/runs/{id}/receipt", tag = "runs", security(("session" = [])),
    params(("id" = shapes::Run, Path, description = "The run.")),
    responses((status = 200, body = ReceiptView, description = "Signed by the runner."), Finds))]
pub(crate) async fn receipt(
    State(app): State<Arc<App>>,
    Session(who): Session,
    At(id): At<RunId>,
) -> Answer<Json<ReceiptView>> {
    Ok(Json(render::receipt(app.receipt(&who, &id).await?)?))
}

/// Everything that offline verification needs about a run, in one file
#[utoipa::path(get, path = "/v1/runs/{id}/evidence", tag = "runs", security(("session" = [])),
    params(("id" = shapes::Run, Path, description = "The run.")),
    responses((status = 200, body = shapes::AnyJson, content_type = "application/json",
        description = "What `borescope verify` takes."), Finds))]
pub(crate) async fn evidence(
    State(app): State<Arc<App>>,
    Session(who): Session,
    At(id): At<RunId>,
) -> Answer<Response> {
    Ok(Json(app.evidence(&who, &id).await?).into_response())
}
