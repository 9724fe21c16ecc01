//! Proposals of keyring, directory and policy: who may do what changes by signatures, never by a
//! token.

use std::sync::Arc;

use api::shapes::{self, EnvelopeShape};
use api::types::ProposalView;
use app::App;
use axum::Json;
use axum::extract::State;
use domain::Digest;

use super::Answer;
use crate::body::{At, Raw};
use crate::openapi::{Acts, Files, Finds, Reads};
use crate::render;
use crate::session::Session;

/// Open proposals, newest first, without their envelopes
#[utoipa::path(get, path = "/v1/proposals", tag = "policy", security(("session" = [])),
    responses((status = 200, body = [ProposalView], description = "What people have proposed."), Reads))]
pub(crate) async fn proposals(
    State(app): State<Arc<App>>,
    _: Session,
) -> Answer<Json<Vec<ProposalView>>> {
    Ok(Json(app.proposals().await?.into_iter().map(render::proposal_in_list).collect()))
}

/// Propose a signed keyring, directory or policy, or add signatures to a proposal of the same payload
#[utoipa::path(post, path = "/v1/proposals", tag = "policy", security(("session" = [])),
    request_body = EnvelopeShape,
    responses((status = 200, body = ProposalView, description = "It waits for what it lacks."), Files))]
pub(crate) async fn propose(
    State(app): State<Arc<App>>,
    Session(who): Session,
    Raw(envelope): Raw,
) -> Answer<Json<ProposalView>> {
    Ok(Json(render::proposal(app.propose(&who, &envelope).await?)?))
}

/// One proposal, with all signatures so far
#[utoipa::path(get, path = "/v1/proposals/{digest}", tag = "policy", security(("session" = [])),
    params(("digest" = shapes::Sha256, Path, description = "The digest of its payload.")),
    responses((status = 200, body = ProposalView, description = "The proposal."), Finds))]
pub(crate) async fn proposal(
    State(app): State<Arc<App>>,
    _: Session,
    At(digest): At<Digest>,
) -> Answer<Json<ProposalView>> {
    Ok(Json(render::proposal(app.proposal(&digest).await?)?))
}

/// Put a proposal in force that lacks nothing; a keyring with the directory and policy that name it
#[utoipa::path(post, path = "/v1/proposals/{digest}/adopt", tag = "policy",
    security(("session" = [])),
    params(("digest" = shapes::Sha256, Path, description = "The digest of its payload.")),
    responses((status = 200, body = ProposalView, description = "It is in force."), Acts))]
pub(crate) async fn adopt(
    State(app): State<Arc<App>>,
    Session(who): Session,
    At(digest): At<Digest>,
) -> Answer<Json<ProposalView>> {
    Ok(Json(render::proposal(app.adopt(&who, &digest).await?)?))
}

/// Take back a proposal that you handed in or signed, or whose role you hold
#[utoipa::path(post, path = "/v1/proposals/{digest}/drop", tag = "policy",
    security(("session" = [])),
    params(("digest" = shapes::Sha256, Path, description = "The digest of its payload.")),
    responses((status = 200, body = ProposalView, description = "It is gone."), Acts))]
pub(crate) async fn withdraw(
    State(app): State<Arc<App>>,
    Session(who): Session,
    At(digest): At<Digest>,
) -> Answer<Json<ProposalView>> {
    Ok(Json(render::proposal(app.drop_proposal(&who, &digest).await?)?))
}
