//! Bodies, paths and headers as handlers take them; what does not fit is a problem of ours, not the
//! framework's text.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Refusal;
use api::Code;

/// Bytes of every body but an upload's.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;

/// A body's exact bytes.
pub(crate) struct Raw(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        Bytes::from_request(request, state).await.map(Self).map_err(|e| match e {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                let detail = format!("the body has more than {BODY_BYTES_MAX} bytes");
                Refusal::new(Code::TooLarge, detail, "send less")
            }
            e => Refusal::new(Code::BadRequest, e.body_text(), "send the body again"),
        })
    }
}

/// A JSON body.
pub(crate) struct Posted<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Posted<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let Raw(bytes) = Raw::from_request(request, state).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|e| {
            let detail = domain::display::neutralise(&e.to_string());
            Refusal::new(Code::BadRequest, detail, "send the JSON that the API documents")
        })
    }
}

/// The query part of the address.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(t)| Self(t)).map_err(|e| {
            let detail = domain::display::neutralise(&e.body_text());
            Refusal::new(Code::BadRequest, detail, "correct the query part of the address")
        })
    }
}

/// `Prefer: wait=N` (RFC 7240): seconds to wait for a run's end; 0 without it.
pub(crate) fn wait_s(headers: &HeaderMap) -> u64 {
    let values = headers.get_all("prefer").iter().filter_map(|v| v.to_str().ok());
    let mut preferences = values.flat_map(|v| v.split([',', ';']));
    let wait = preferences.find_map(|p| p.trim().strip_prefix("wait="));
    wait.and_then(|n| n.parse().ok()).unwrap_or(0)
}
