//! `Idempotency-Key`: a POST that is repeated with its key has no second effect and gets the first
//! answer. Around every POST of somebody who is logged in; uploads, whose bodies are not held in
//! memory, do the same from their handler.
//!
//! The first call goes on when its connection is lost: that is when the caller comes again.

use std::sync::Arc;

use api::{Code, IDEMPOTENCY_KEY};
use app::{App, Once, Ticket, Who};
use axum::body::{Body, to_bytes};
use axum::extract::{
    FromRef as _, FromRequest as _, FromRequestParts as _, MatchedPath, Request, State,
};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::Digest;
use tracing::Instrument as _;

use crate::body::Raw;
use crate::guard::panicked;
use crate::problem::Refusal;
use crate::routes::Shell;
use crate::session::Session;

/// Says that an answer is an earlier call's.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Posts of nobody who is logged in: there is nobody whose key it could be, and whoever makes many of
/// them is slowed down ([`crate::guard`]).
pub(crate) const NOBODYS: [&str; 3] = ["/v1/challenges", "/v1/sessions", "/v1/key-claims"];
/// Its handler asks for the key.
pub(crate) const UPLOAD: &str = "/v1/revisions";

/// The middleware.
pub(crate) async fn once(State(shell): State<Shell>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|p| p.as_str().to_owned());
    match route {
        Some(route)
            if request.method() == Method::POST
                && request.headers().contains_key(IDEMPOTENCY_KEY)
                && route != UPLOAD
                && !NOBODYS.contains(&&*route) =>
        {
            let called = call(&shell, &route, request, next).await;
            called.unwrap_or_else(IntoResponse::into_response)
        }
        _ => next.run(request).await,
    }
}

async fn call(
    shell: &Shell,
    route: &str,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let (mut parts, body) = request.into_parts();
    let Session(who) = Session::from_request_parts(&mut parts, shell).await?;
    let path = parts.uri.path().to_owned();
    let body = Request::from_parts(parts.clone(), body);
    let Raw(bytes) = Raw::from_request(body, shell).await?;
    let commits = Digest::of(&[path.as_bytes(), b"\n", &bytes].concat());
    let app = Arc::<App>::from_ref(shell);
    let key = key(&parts.headers).unwrap_or_default();
    let request = Request::from_parts(parts, Body::from(bytes));
    let act = async move { next.run(request).await };
    acted_once(&app, &who, &format!("POST {route}"), &key, commits, act).await
}

/// Acts, unless somebody has with this key.
pub(crate) async fn acted_once(
    app: &Arc<App>,
    who: &Who,
    route: &str,
    key: &str,
    commits: Digest,
    act: impl Future<Output = Response> + Send + 'static,
) -> Result<Response, Refusal> {
    match app.once(who, route, key, commits).await? {
        Once::Answered { status, response } => Ok(replayed(status, response)),
        Once::First(ticket) => {
            let acting = async move { keep(ticket, act.await).await };
            let acting = tokio::spawn(acting.in_current_span()).await;
            Ok(acting.unwrap_or_else(|e| match e.try_into_panic() {
                Ok(panic) => panicked(panic),
                Err(_) => Refusal::new(Code::Unavailable, "the server is stopping", "try again")
                    .into_response(),
            }))
        }
    }
}

/// The key of a call; `None` without one. Several, or one that is no text, are none that anybody
/// accepts.
pub(crate) fn key(headers: &HeaderMap) -> Option<String> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let first = keys.next()?;
    let one = keys.next().is_none().then(|| first.to_str().ok()).flatten();
    Some(one.unwrap_or_default().to_owned())
}

/// Tells the ticket what the answer was. Bodies of answers to POST are small and in memory.
async fn keep(ticket: Ticket, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    ticket.answered(parts.status.as_u16(), &bytes).await;
    Response::from_parts(parts, Body::from(bytes))
}

fn replayed(status: u16, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
