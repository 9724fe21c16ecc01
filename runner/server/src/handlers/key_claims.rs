//! Key claims: strangers hand them in, holders of the role `directory` look at them. Handing one in is
//! open to everybody, counts as an attempt to log in, and takes no idempotency key.

use std::sync::Arc;

use api::shapes::{self, EnvelopeShape};
use api::types::{KeyClaimView, KeyClaimed};
use app::App;
use axum::Json;
use axum::extract::State;
use domain::Digest;

use super::Answer;
use crate::body::{At, Raw};
use crate::failures::Network;
use crate::openapi::{Acts, Claims, Holds};
use crate::render;
use crate::session::Session;

/// Claim a key, signed by itself; the answer does not say who exists
#[utoipa::path(post, path = "/v1/key-claims", tag = "login", security(()),
    request_body = EnvelopeShape,
    responses((status = 200, body = KeyClaimed, description = "Somebody may look at it for some days."), Claims))]
pub(crate) async fn claim(
    State(app): State<Arc<App>>,
    Network(peer): Network,
    Raw(envelope): Raw,
) -> Answer<Json<KeyClaimed>> {
    Ok(Json(render::claimed(app.claim_key(&envelope, peer).await?)))
}

/// Key claims, newest first, for holders of the role `directory`
#[utoipa::path(get, path = "/v1/key-claims", tag = "policy", security(("session" = [])),
    responses((status = 200, body = [KeyClaimView], description = "What strangers say."), Holds))]
pub(crate) async fn key_claims(
    State(app): State<Arc<App>>,
    Session(who): Session,
) -> Answer<Json<Vec<KeyClaimView>>> {
    Ok(Json(render::key_claims(app.key_claims(&who).await?)))
}

/// Forget a key claim, for holders of the role `directory`
#[utoipa::path(post, path = "/v1/key-claims/{digest}/drop", tag = "policy",
    security(("session" = [])),
    params(("digest" = shapes::Sha256, Path, description = "The digest of its payload.")),
    responses((status = 200, body = KeyClaimView, description = "It is gone."), Acts))]
pub(crate) async fn forget(
    State(app): State<Arc<App>>,
    Session(who): Session,
    At(digest): At<Digest>,
) -> Answer<Json<KeyClaimView>> {
    Ok(Json(render::key_claim(app.drop_key_claim(&who, &digest).await?)?))
}
