//! After-reviews: somebody's look at what was done in an emergency.

use std::sync::Arc;

use api::shapes::EnvelopeShape;
use api::types::{DocumentView, EmergencyView, Filed};
use app::App;
use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::body::Raw;
use crate::openapi::{Files, Reads};
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

/// All after-reviews, newest first, at most 1,000
#[utoipa::path(get, path = "/v1/after-reviews", tag = "access", security(("session" = [])),
    responses((status = 200, body = [DocumentView], description = "Signed after-reviews."), Reads))]
pub(crate) async fn after_reviews(
    State(app): State<Arc<App>>,
    _: Session,
) -> Answer<Json<Vec<DocumentView>>> {
    Ok(Json(render::documents(app.after_reviews_on_file().await?)))
}

/// Emergencies that somebody still has to look at: what ran under break-glass access requests
#[utoipa::path(get, path = "/v1/emergencies", tag = "access", security(("session" = [])),
    responses((status = 200, body = [EmergencyView], description = "What is owed, and until when."), Reads))]
pub(crate) async fn emergencies(
    State(app): State<Arc<App>>,
    _: Session,
) -> Answer<Json<Vec<EmergencyView>>> {
    Ok(Json(render::emergencies(app.emergencies().await?)))
}
