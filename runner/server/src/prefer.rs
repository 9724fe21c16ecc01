//! `Prefer` (RFC 7240): of all preferences this API knows `wait`. Others, and malformed ones, are
//! ignored, as the standard asks.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::VARY;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponseParts, ResponseParts};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

const PREFER: HeaderName = HeaderName::from_static("prefer");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// `wait=N`: seconds that the caller waits for a run's end; without it the answer comes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait(pub(crate) Option<u64>);

impl Wait {
    /// Reads the first `wait` of all `Prefer` headers.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let values = headers.get_all(PREFER).iter().filter_map(|v| v.to_str().ok());
        let mut preferences = values.flat_map(|v| v.split(','));
        Self(preferences.find_map(|p| {
            // What follows a semicolon are parameters of this preference, which `wait` has none of.
            let (name, value) = p.split(';').next()?.split_once('=')?;
            let is_wait = name.trim().eq_ignore_ascii_case("wait");
            is_wait.then(|| value.trim().trim_matches('"').parse().ok()).flatten()
        }))
    }

    /// Seconds.
    pub(crate) fn seconds(self) -> u64 {
        self.0.unwrap_or(0)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Wait {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::read(&parts.headers))
    }
}

impl IntoParams for Wait {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let about = "RFC 7240: `wait=N` waits up to N seconds, and never longer than the server's \
                     limit, for the run's end.";
        let wait = ParameterBuilder::new()
            .name("Prefer")
            .parameter_in(ParameterIn::Header)
            .required(utoipa::openapi::Required::False)
            .description(Some(about))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String).examples(["wait=30"])));
        vec![wait.build()]
    }
}

/// Says that the wait was honoured, and that the answer depends on it.
impl IntoResponseParts for Wait {
    type Error = Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Infallible> {
        response.headers_mut().insert(VARY, HeaderValue::from_name(PREFER));
        if let Some(n) = self.0
            && let Ok(value) = HeaderValue::from_str(&format!("wait={n}"))
        {
            response.headers_mut().insert(APPLIED, value);
        }
        Ok(response)
    }
}
