//! Reviews: a reviewer's signed verdict with its ceiling.

use std::sync::Arc;

use api::shapes::EnvelopeShape;
use api::types::Filed;
use app::App;
use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::body::Raw;
use crate::openapi::Files;
use crate::render;
use crate::session::Session;

/// File a signed review of a submitted revision
#[utoipa::path(post, path = "/v1/reviews", tag = "reviews", security(("session" = [])),
    request_body = EnvelopeShape,
    responses((status = 200, body = Filed, description = "It is on file."), Files))]
pub(crate) async fn review(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Raw(envelope): Raw,
) -> Answer<Json<Filed>> {
    Ok(Json(render::filed(app.review(&who, &envelope).await?)))
}
