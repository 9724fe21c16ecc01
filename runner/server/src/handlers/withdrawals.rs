//! Withdrawals: a reviewer's end of their own rejection.

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

/// File a reviewer's withdrawal of their own rejection
#[utoipa::path(post, path = "/v1/withdrawals", tag = "reviews", security(("session" = [])),
    request_body = EnvelopeShape,
    responses((status = 200, body = Filed, description = "It is in force and on file."), Files))]
pub(crate) async fn withdraw(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Raw(envelope): Raw,
) -> Answer<Json<Filed>> {
    Ok(Json(render::filed(app.withdraw(&who, &envelope).await?)))
}
