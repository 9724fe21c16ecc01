//! Who calls: a bearer token becomes a person, in the handler's signature.

use std::sync::Arc;

use app::{App, AppError, Who};
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::problem::Refusal;

/// A person who is logged in. A handler without it is open to everybody.
pub(crate) struct Session(pub(crate) Who);

impl FromRequestParts<Arc<App>> for Session {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|h| h.to_str().ok());
        let token = header.and_then(|h| h.strip_prefix("Bearer "));
        let token = token.ok_or(AppError::Unauthorized("log in first: no token came along"))?;
        Ok(Self(app.session(token).await?))
    }
}
