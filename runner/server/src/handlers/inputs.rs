//! Inputs: the exact bytes that a run request names by their digest.

use std::sync::Arc;

use api::shapes;
use api::types::InputStored;
use app::App;
use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::body::Raw;
use crate::openapi::Files;
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
