//! Approvals: an approver's signature over one access request.

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

/// File a signed approval of an access request
#[utoipa::path(post, path = "/v1/approvals", tag = "access", security(("session" = [])),
    request_body = EnvelopeShape,
    responses((status = 200, body = Filed, description = "It is on file."), Files))]
pub(crate) async fn approve(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Raw(envelope): Raw,
) -> Answer<Json<Filed>> {
    Ok(Json(render::filed(app.approve(&who, &envelope).await?)))
}
