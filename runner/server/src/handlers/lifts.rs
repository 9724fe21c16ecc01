//! Lifts: the end of a stop, or of a rejecting review.

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

/// File a lift that the holders of the role signed; what it names does not ban any more
#[utoipa::path(post, path = "/v1/lifts", tag = "stops", security(("session" = [])),
    request_body = EnvelopeShape,
    responses((status = 200, body = Filed, description = "It is in force and on file."), Files))]
pub(crate) async fn lift(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Raw(envelope): Raw,
) -> Answer<Json<Filed>> {
    Ok(Json(render::filed(app.lift(&who, &envelope).await?)))
}
