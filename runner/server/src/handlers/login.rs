//! Challenges and sessions.

use std::sync::Arc;

use api::types::{Challenge, ChallengeRequest, SessionOpened, SessionView};
use app::App;
use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::body::{Posted, Raw};
use crate::render;
use crate::session::Session;

pub(crate) async fn challenge(
    State(app): State<Arc<App>>,
    Posted(asked): Posted<ChallengeRequest>,
) -> Answer<Json<Challenge>> {
    let challenge = app.challenge(asked.person, &asked.origin).await?;
    Ok(Json(Challenge { challenge: challenge.nonce, expires_ms: challenge.expires_ms }))
}

pub(crate) async fn open(
    State(app): State<Arc<App>>,
    Raw(envelope): Raw,
) -> Answer<Json<SessionOpened>> {
    Ok(Json(render::opened(app.login(&envelope).await?)))
}

pub(crate) async fn me(Session(who): Session) -> Json<SessionView> {
    Json(SessionView {
        id: who.session,
        person: who.person,
        expires_ms: who.expires_ms,
        key_fingerprint: who.key_fingerprint,
    })
}
