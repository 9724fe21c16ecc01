//! Login: challenges and sessions. The first two routes are open to everybody, and take no
//! idempotency key: there is nobody whose key it could be.

use std::sync::Arc;

use api::shapes::EnvelopeShape;
use api::types::{Challenge, ChallengeRequest, SessionOpened, SessionView};
use app::App;
use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::body::{Posted, Raw};
use crate::openapi::{Login, Reads};
use crate::render;
use crate::session::Session;

/// Ask for a login challenge; the answer does not say whether the person exists
#[utoipa::path(post, path = "/v1/challenges", tag = "login", security(()),
    request_body = ChallengeRequest,
    responses((status = 200, body = Challenge, description = "What to sign, within a minute."), Login))]
pub(crate) async fn challenge(
    State(app): State<Arc<App>>,
    Posted(asked): Posted<ChallengeRequest>,
) -> Answer<Json<Challenge>> {
    let challenge = app.challenge(asked.person, &asked.origin).await?;
    Ok(Json(Challenge { challenge: challenge.nonce, expires_ms: challenge.expires_ms }))
}

/// Open a session with a signed login
#[utoipa::path(post, path = "/v1/sessions", tag = "login", security(()),
    request_body = EnvelopeShape,
    responses((status = 200, body = SessionOpened, description = "The token, shown once."), Login))]
pub(crate) async fn open(
    State(app): State<Arc<App>>,
    Raw(envelope): Raw,
) -> Answer<Json<SessionOpened>> {
    Ok(Json(render::opened(app.login(&envelope).await?)))
}

/// Who am I?
#[utoipa::path(get, path = "/v1/sessions/me", tag = "login", security(("session" = [])),
    responses((status = 200, body = SessionView, description = "The session of this token."), Reads))]
pub(crate) async fn me(Session(who): Session) -> Json<SessionView> {
    Json(SessionView {
        id: who.session,
        person: who.person,
        expires_ms: who.expires_ms,
        key_fingerprint: who.key_fingerprint,
    })
}
