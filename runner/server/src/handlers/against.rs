//! What was said against runs, for whoever signs the status and does not believe this server.

use std::sync::Arc;

use api::types::AgainstView;
use app::{Against, App};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Answer;
use crate::body::Asked;
use crate::openapi::Finds;
use crate::render;
use crate::session::Session;

/// Where to go on.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct From {
    /// The `next` of the page before; 0 at first
    from: u64,
}

/// Stops, rejecting reviews, and what ends them, in the order in which they were recorded
#[utoipa::path(get, path = "/v1/against", tag = "stops", security(("session" = [])), params(From),
    responses((status = 200, body = AgainstView, description = "One page; the last one is empty."), Finds))]
pub(crate) async fn against(
    State(app): State<Arc<App>>,
    _: Session,
    Asked(From { from }): Asked<From>,
) -> Answer<Json<AgainstView>> {
    let Against { documents, next } = app.said_against(from).await?;
    Ok(Json(AgainstView { documents: render::documents(documents), next }))
}
