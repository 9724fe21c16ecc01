//! Withdrawals: a reviewer's end of their own rejection.

use std::sync::Arc;

use api::shapes::EnvelopeShape;
use api::types::{DocumentView, Filed};
use app::App;
use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::body::Raw;
use crate::openapi::{Files, Reads};
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

/// All withdrawals, newest first; each ends the rejection that it names
#[utoipa::path(get, path = "/v1/withdrawals", tag = "reviews", security(("session" = [])),
    responses((status = 200, body = [DocumentView], description = "Signed withdrawals."), Reads))]
pub(crate) async fn withdrawals(
    State(app): State<Arc<App>>,
    _: Session,
) -> Answer<Json<Vec<DocumentView>>> {
    Ok(Json(render::documents(app.withdrawals_on_file().await?)))
}
