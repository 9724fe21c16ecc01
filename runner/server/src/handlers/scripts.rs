//! Scripts: the submitted revisions by name.

use std::sync::Arc;

use api::types::ScriptView;
use app::App;
use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::openapi::Reads;
use crate::render;
use crate::session::Session;

/// All submitted revisions, newest first within a script, at most 1,000
#[utoipa::path(get, path = "/v1/scripts", tag = "scripts", security(("session" = [])),
    responses((status = 200, body = [ScriptView], description = "The scripts."), Reads))]
pub(crate) async fn scripts(
    State(app): State<Arc<App>>,
    _: Session,
) -> Answer<Json<Vec<ScriptView>>> {
    Ok(Json(app.scripts().await?.into_iter().map(render::script).collect()))
}
