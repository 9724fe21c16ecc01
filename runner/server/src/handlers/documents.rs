//! Any signed document, by its id or the digest of its payload.

use std::sync::Arc;

use api::shapes;
use api::types::DocumentView;
use app::App;
use axum::Json;
use axum::extract::State;
use store::Reference;

use super::Answer;
use crate::body::At;
use crate::openapi::Finds;
use crate::render;
use crate::session::Session;

/// A signed document; those of a run only for people who may see the run
#[utoipa::path(get, path = "/v1/documents/{reference}", tag = "documents",
    security(("session" = [])),
    params(("reference" = shapes::Reference, Path, description = "Its id, or its payload's digest.")),
    responses((status = 200, body = DocumentView, description = "Its exact bytes."), Finds))]
pub(crate) async fn document(
    State(app): State<Arc<App>>,
    Session(who): Session,
    At(reference): At<Reference>,
) -> Answer<Json<DocumentView>> {
    Ok(Json(render::document(app.document(&who, &reference).await?)?))
}
