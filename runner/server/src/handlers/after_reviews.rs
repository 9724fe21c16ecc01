//! After-reviews: somebody's look at what was done in an emergency.

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

/// File a signed after-review of an access request under which the glass was broken
#[utoipa::path(post, path = "/v1/after-reviews", tag = "access", security(("session" = [])),
    request_body = EnvelopeShape,
    responses((status = 200, body = Filed, description = "It is on file, and counts against what is owed."), Files))]
pub(crate) async fn after_review(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Raw(envelope): Raw,
) -> Answer<Json<Filed>> {
    Ok(Json(render::filed(app.after_review(&who, &envelope).await?)))
}
