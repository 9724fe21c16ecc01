//! Who calls: a bearer token becomes a person, in the handler's signature.

use std::sync::Arc;

use app::{App, AppError, Who};
use axum::extract::{FromRef as _, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::problem::Refusal;
use crate::routes::Shell;

/// A person who is logged in. A handler without it is open to everybody.
pub(crate) struct Session(pub(crate) Who);

impl FromRequestParts<Shell> for Session {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shell: &Shell) -> Result<Self, Refusal> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|h| h.to_str().ok());
        let token = header.and_then(|h| h.strip_prefix("Bearer "));
        let token = token.ok_or(AppError::Unauthorized("log in first: no token came along"))?;
        Ok(Self(Arc::<App>::from_ref(shell).session(token).await?))
    }
}
