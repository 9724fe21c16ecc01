//! Inputs and runs.

use std::sync::Arc;

use api::Code;
use api::types::{EventView, InputStored, ReceiptView, RunOrdered, RunView};
use app::App;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Answer;
use crate::body::{Posted, Raw, wait_s};
use crate::problem::Refusal;
use crate::render;
use crate::session::Session;

pub(crate) async fn input(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Raw(bytes): Raw,
) -> Answer<Json<InputStored>> {
    Ok(Json(InputStored { digest: app.input(&who, &bytes).await? }))
}

pub(crate) async fn order(
    State(app): State<Arc<App>>,
    Session(who): Session,
    headers: HeaderMap,
    Posted(ordered): Posted<RunOrdered>,
) -> Answer<Json<RunView>> {
    let input = ordered.input.map(|text| STANDARD.decode(text)).transpose().map_err(|_| {
        let detail = "`input` is not standard base64 with padding";
        Refusal::new(Code::BadRequest, detail, "or send the bytes to /v1/inputs before")
    })?;
    let envelope = ordered.run_request.get().as_bytes();
    let run = app.launch(&who, envelope, input.as_deref()).await?;
    Ok(Json(render::run(app.wait(&who, &run.id, wait_s(&headers)).await?)))
}

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Session(who): Session,
) -> Answer<Json<Vec<RunView>>> {
    Ok(Json(app.runs(&who).await?.into_iter().map(render::run).collect()))
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer<Json<RunView>> {
    Ok(Json(render::run(app.wait(&who, &id.parse()?, wait_s(&headers)).await?)))
}

pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Path(id): Path<String>,
) -> Answer<Json<RunView>> {
    Ok(Json(render::run(app.cancel(&who, &id.parse()?).await?)))
}

/// The output's exact bytes: their digest is in the receipt.
pub(crate) async fn result(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Path(id): Path<String>,
) -> Answer<Response> {
    let bytes = app.result(&who, &id.parse()?).await?;
    Ok(([(CONTENT_TYPE, "application/json")], bytes).into_response())
}

pub(crate) async fn recording(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Path(id): Path<String>,
) -> Answer<Bytes> {
    Ok(app.recording(&who, &id.parse()?).await?.into())
}

pub(crate) async fn receipt(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Path(id): Path<String>,
) -> Answer<Json<ReceiptView>> {
    Ok(Json(render::receipt(app.receipt(&who, &id.parse()?).await?)?))
}

pub(crate) async fn evidence(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Path(id): Path<String>,
) -> Answer<Response> {
    Ok(Json(app.evidence(&who, &id.parse()?).await?).into_response())
}

pub(crate) async fn events(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Path(id): Path<String>,
) -> Answer<Json<Vec<EventView>>> {
    let events = app.events(&who, &id.parse()?, 0).await?.into_iter().map(render::event);
    Ok(Json(events.collect::<Result<_, _>>()?))
}
