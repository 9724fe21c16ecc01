//! What waits for the person who asks.

use std::sync::Arc;

use api::types::Inbox;
use app::App;
use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::openapi::Reads;
use crate::render;
use crate::session::Session;

/// Revisions that want your review or came back from it, access requests that want your approval, your live runs
#[utoipa::path(get, path = "/v1/inbox", tag = "access", security(("session" = [])),
    responses((status = 200, body = Inbox, description = "What waits for you."), Reads))]
pub(crate) async fn inbox(
    State(app): State<Arc<App>>,
    Session(who): Session,
) -> Answer<Json<Inbox>> {
    Ok(Json(render::inbox(app.inbox(&who).await?)))
}
