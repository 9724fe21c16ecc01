//! Bodies of logging in, and of looking after one's sessions.

use domain::{PersonId, SessionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::shapes;

/// `POST /v1/challenges`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengeRequest {
    /// Who wants to log in.
    #[schema(value_type = shapes::Person)]
    pub person: PersonId,
    /// The origin that the client dials, as `https://host:port`.
    pub origin: String,
}

/// What to sign for a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Challenge {
    /// The nonce to put into the login document.
    pub challenge: String,
    /// When it ends.
    pub expires_ms: u64,
}

/// `POST /v1/sessions` (its body is the signed login's envelope)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionOpened {
    /// The bearer token; shown once.
    pub token: String,
    /// When it ends.
    pub expires_ms: u64,
    /// Who logged in.
    #[schema(value_type = shapes::Person)]
    pub person: PersonId,
}

/// `GET /v1/sessions/me`, and one of `GET /v1/sessions`. Its token is never told again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// Its id.
    #[schema(value_type = shapes::Session)]
    pub id: SessionId,
    /// Who.
    #[schema(value_type = shapes::Person)]
    pub person: PersonId,
    /// When it began.
    pub created_ms: u64,
    /// When it ends.
    pub expires_ms: u64,
    /// The key that logged in.
    pub key_fingerprint: String,
    /// Whether it is the session of this very call.
    pub current: bool,
}
