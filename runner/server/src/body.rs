//! Bodies, addresses and headers as handlers take them; what does not fit is a problem of ours, not
//! the framework's text. Neighbours: [`crate::prefer`] reads preferences, [`crate::session`] tokens.

use std::str::FromStr;

use api::Code;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use domain::ParseError;
use serde::de::DeserializeOwned;

use crate::problem::Refusal;

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

/// The one variable part of the path.
pub(crate) struct At<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr<Err = ParseError>> FromRequestParts<S> for At<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let text: String = variables(parts, state).await?;
        Ok(Self(text.parse()?))
    }
}

/// The two variable parts of the path.
pub(crate) struct AtBoth<A, B>(pub(crate) A, pub(crate) B);

impl<S, A, B> FromRequestParts<S> for AtBoth<A, B>
where
    S: Send + Sync,
    A: FromStr<Err = ParseError>,
    B: FromStr<Err = ParseError>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let (a, b): (String, String) = variables(parts, state).await?;
        Ok(Self(a.parse()?, b.parse()?))
    }
}

async fn variables<S: Send + Sync, T: DeserializeOwned + Send>(
    parts: &mut Parts,
    state: &S,
) -> Result<T, Refusal> {
    let path = Path::<T>::from_request_parts(parts, state).await;
    path.map(|Path(t)| t).map_err(|e| {
        let detail = domain::display::neutralise(&e.body_text());
        Refusal::new(Code::BadRequest, detail, "correct the path of the address")
    })
}
