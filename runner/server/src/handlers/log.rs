//! The log: checkpoint, leaves and proofs. Leaves tell nothing, but ask for a session all the same.
//! There are no tiles yet; leaves and proofs let anybody check what tiles would.

use std::sync::Arc;

use api::types::{ConsistencyView, LeavesView, ProofView};
use app::App;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Answer;
use crate::body::Asked;
use crate::openapi::{Finds, Reads};
use crate::render;
use crate::session::Session;

/// Which inclusion is to be proved.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Inclusion {
    /// The entry, counted from 0
    index: u64,
    /// The size of the log that it is proved to be in
    size: u64,
}

/// Which consistency is to be proved.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Consistency {
    /// Size of the smaller log
    old: u64,
    /// Size of the larger log
    new: u64,
}

/// Which leaves.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Range {
    /// The index of the first one
    from: u64,
    /// At most so many
    #[param(minimum = 1, maximum = 256)]
    count: u64,
}

/// The newest signed checkpoint
#[utoipa::path(get, path = "/v1/log/checkpoint", tag = "log", security(("session" = [])),
    responses((status = 200, body = String, content_type = "text/plain",
        description = "A signed note (C2SP tlog-checkpoint)."), Reads))]
pub(crate) async fn checkpoint(State(app): State<Arc<App>>, _: Session) -> Answer<String> {
    Ok(app.checkpoint()?)
}

/// That an entry is in the log of a given size
#[utoipa::path(get, path = "/v1/log/proof", tag = "log", security(("session" = [])),
    params(Inclusion),
    responses((status = 200, body = ProofView, description = "Leaf, proof and checkpoint."), Finds))]
pub(crate) async fn proof(
    State(app): State<Arc<App>>,
    _: Session,
    Asked(which): Asked<Inclusion>,
) -> Answer<Json<ProofView>> {
    Ok(Json(render::proof(app.proof(which.index, which.size)?)))
}

/// That a smaller log is the beginning of a larger one
#[utoipa::path(get, path = "/v1/log/consistency", tag = "log", security(("session" = [])),
    params(Consistency),
    responses((status = 200, body = ConsistencyView, description = "The proof (RFC 6962)."), Finds))]
pub(crate) async fn consistency(
    State(app): State<Arc<App>>,
    _: Session,
    Asked(Consistency { old, new }): Asked<Consistency>,
) -> Answer<Json<ConsistencyView>> {
    Ok(Json(ConsistencyView { old, new, proof: app.consistency(old, new)? }))
}

/// Leaves as hashed, in order
#[utoipa::path(get, path = "/v1/log/leaves", tag = "log", security(("session" = [])),
    params(Range),
    responses((status = 200, body = LeavesView, description = "The leaves."), Finds))]
pub(crate) async fn leaves(
    State(app): State<Arc<App>>,
    _: Session,
    Asked(Range { from, count }): Asked<Range>,
) -> Answer<Json<LeavesView>> {
    let app::Leaves { from, size, leaves } = app.leaves(from, count)?;
    Ok(Json(LeavesView { from, size, leaves }))
}
