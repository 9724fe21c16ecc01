//! Inputs: the exact bytes that a run request names by their digest.

use std::sync::Arc;

use api::shapes;
use api::types::InputStored;
use app::App;
use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use domain::{RequestId, RunId};

use super::Answer;
use crate::body::{At, Raw};
use crate::openapi::{Files, Finds, Shows};
use crate::session::Session;

/// Keep an input's exact bytes
#[utoipa::path(post, path = "/v1/inputs", tag = "runs", security(("session" = [])),
    request_body(content = shapes::AnyJson, description = "The input, exactly as it is to be hashed."),
    responses((status = 200, body = InputStored, description = "Its digest."), Files))]
pub(crate) async fn input(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Raw(bytes): Raw,
) -> Answer<Json<InputStored>> {
    Ok(Json(InputStored { digest: app.input(&who, &bytes).await? }))
}

/// The input of an access request, for whoever asks and whoever may approve
#[utoipa::path(get, path = "/v1/access-requests/{id}/input", tag = "access", security(("session" = [])),
    params(("id" = shapes::AccessRequest, Path, description = "The access request.")),
    responses((status = 200, body = shapes::AnyJson, content_type = "application/json",
        description = "The exact bytes whose digest it names."), Shows))]
pub(crate) async fn input_of_request(
    State(app): State<Arc<App>>,
    Session(who): Session,
    At(id): At<RequestId>,
) -> Answer<Response> {
    Ok(json(app.input_of_request(&who, &id).await?))
}

/// The input of a run that started
#[utoipa::path(get, path = "/v1/runs/{id}/input", tag = "runs", security(("session" = [])),
    params(("id" = shapes::Run, Path, description = "The run.")),
    responses((status = 200, body = shapes::AnyJson, content_type = "application/json",
        description = "The exact bytes whose digest its run request names."), Finds))]
pub(crate) async fn input_of_run(
    State(app): State<Arc<App>>,
    Session(who): Session,
    At(id): At<RunId>,
) -> Answer<Response> {
    Ok(json(app.input_of_run(&who, &id).await?))
}

fn json(bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/json")], bytes).into_response()
}
