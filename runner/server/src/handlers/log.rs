//! The log's checkpoint and proofs. Leaves tell nothing, but ask for a session all the same.

use std::sync::Arc;

use api::types::ProofView;
use app::App;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::Answer;
use crate::body::Asked;
use crate::render;
use crate::session::Session;

/// The query part of a proof's address.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    index: u64,
    size: u64,
}

pub(crate) async fn checkpoint(State(app): State<Arc<App>>, _: Session) -> Answer<String> {
    Ok(app.checkpoint()?)
}

pub(crate) async fn proof(
    State(app): State<Arc<App>>,
    _: Session,
    Asked(which): Asked<Which>,
) -> Answer<Json<ProofView>> {
    Ok(Json(render::proof(app.proof(which.index, which.size)?)))
}
