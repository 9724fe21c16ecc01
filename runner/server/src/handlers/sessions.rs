//! Login: challenges and sessions. Asking for a challenge and opening a session are open to
//! everybody, and take no idempotency key: there is nobody whose key it could be.

use std::sync::Arc;

use api::shapes::{self, EnvelopeShape};
use api::types::{Challenge, ChallengeRequest, SessionOpened, SessionView};
use app::App;
use axum::Json;
use axum::extract::State;
use domain::SessionId;

use super::Answer;
use crate::body::{At, Posted, Raw};
use crate::openapi::{Finds, Login, Reads};
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
    let this = who.session.clone();
    Json(render::session(who, &this))
}

/// Your sessions that are open, newest first, at most 1,000; never their tokens
#[utoipa::path(get, path = "/v1/sessions", tag = "login", security(("session" = [])),
    responses((status = 200, body = [SessionView], description = "Yours only."), Reads))]
pub(crate) async fn sessions(
    State(app): State<Arc<App>>,
    Session(who): Session,
) -> Answer<Json<Vec<SessionView>>> {
    let all = app.sessions(&who).await?.into_iter();
    Ok(Json(all.map(|s| render::session(s, &who.session)).collect()))
}

/// End a session of yours at once, with the streams that are open under it
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "login", security(("session" = [])),
    params(("id" = shapes::Session, Path, description = "The session.")),
    responses((status = 200, body = SessionView, description = "It has ended; again is as once."), Finds))]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    Session(who): Session,
    At(id): At<SessionId>,
) -> Answer<Json<SessionView>> {
    Ok(Json(render::session(app.revoke_session(&who, &id).await?, &who.session)))
}
