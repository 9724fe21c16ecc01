//! Around every request: its id and span, the cap on requests at a time, its time, panics, its place
//! in the figures, and the body of a problem.

use std::any::Any;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::{Code, PROBLEM_JSON, Problem};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::Clock;
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use crate::ServerLimits;
use crate::connections::Peer;
use crate::failures::Failures;
use crate::meter::Meter;
use crate::once::NOBODYS;
use crate::problem::Refusal;

/// The request's id, also in problems and in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Seconds of a call that logs in, or claims a key. Nobody is logged in yet, and whoever sends a byte a second must not
/// hold the places of those who are.
const LOGIN_S_MAX: u64 = 10;

/// Seconds after which a server that is full or slow may answer again.
const BUSY_RETRY_S: u64 = 1;

/// What all requests share.
pub(crate) struct Guard {
    slots: Semaphore,
    requests_max: usize,
    most: Duration,
    number: AtomicU64,
    meter: Arc<Meter>,
    failures: Arc<Failures>,
    clock: Arc<dyn Clock>,
}

impl Guard {
    pub(crate) fn new(
        limits: ServerLimits,
        meter: Arc<Meter>,
        failures: Arc<Failures>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            slots: Semaphore::new(limits.requests_max),
            requests_max: limits.requests_max,
            most: Duration::from_secs(limits.request_s_max),
            number: AtomicU64::new(1),
            meter,
            failures,
            clock,
        }
    }

    /// A call of nobody counts as an attempt; over the limit it is refused without being looked at.
    async fn of_nobody(&self, request: Request, next: Next) -> Response {
        let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|c| c.0.0.ip());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let path = request.extensions().get::<MatchedPath>().map(|p| p.as_str().to_owned());
        let posted = path.as_deref().filter(|_| request.method() == Method::POST);
        let opens = posted == Some("/v1/sessions");
        let logs_in = posted.is_some_and(|path| NOBODYS.contains(&path));
        if logs_in {
            if let Some(seconds) = self.failures.full(peer) {
                return self.over_limit(seconds);
            }
            self.failures.attempt(peer);
        }
        let most =
            if logs_in { self.most.min(Duration::from_secs(LOGIN_S_MAX)) } else { self.most };
        let response = self.within_limits(request, next, most).await;
        if opens && response.status().is_success() {
            // Its challenge, and itself.
            self.failures.forgive(peer, 2);
        }
        if response.status() != StatusCode::UNAUTHORIZED {
            return response;
        }
        let full = self.failures.full(peer);
        if !logs_in {
            self.failures.attempt(peer);
        }
        match full {
            Some(seconds) => self.over_limit(seconds),
            None => {
                self.failures.refused(false);
                response
            }
        }
    }

    fn over_limit(&self, seconds: u64) -> Response {
        self.failures.refused(true);
        let detail = "too many calls of nobody who is logged in";
        Refusal::new(Code::RateLimited, detail, "wait; somebody who is logged in may go on")
            .retry_after(seconds)
            .into_response()
    }

    async fn within_limits(&self, request: Request, next: Next, most: Duration) -> Response {
        let Ok(_slot) = self.slots.try_acquire() else {
            let detail = format!("{} requests are at work", self.requests_max);
            return Refusal::new(Code::Unavailable, detail, "try again in a moment")
                .retry_after(BUSY_RETRY_S)
                .into_response();
        };
        match tokio::time::timeout(most, next.run(request)).await {
            Ok(response) => response,
            Err(_) => {
                let detail = format!("the request took longer than {} s", most.as_secs());
                Refusal::new(Code::Unavailable, detail, "try again; whether it acted is unknown")
                    .retry_after(BUSY_RETRY_S)
                    .into_response()
            }
        }
    }
}

/// The middleware.
pub(crate) async fn guard(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let id = format!("req-{}", guard.number.fetch_add(1, Ordering::Relaxed));
    let span = tracing::info_span!(
        "request",
        request.id = %id,
        http.method = %request.method(),
        http.path = %domain::display::neutralise(request.uri().path()),
    );
    async {
        let _at_work = guard.meter.begin();
        let began_ms = guard.clock.now_ms();
        let method = request.method().clone();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let mut response = guard.of_nobody(request, next).await;
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            log(&problem);
            let problem = Problem { instance: Some(id.clone()), ..problem };
            write(&mut response, &problem);
        }
        let status = response.status().as_u16();
        tracing::debug!(http.status = status, "request is answered");
        let route = route.as_ref().map(MatchedPath::as_str);
        let took = Duration::from_millis(guard.clock.now_ms().saturating_sub(began_ms));
        guard.meter.answered(&method, route, status, took);
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }
    .instrument(span)
    .await
}

/// Refusals of nobody are summed up elsewhere: whoever has no token must not fill the log.
fn log(problem: &Problem) {
    let (code, detail) = (problem.code.code(), &problem.detail);
    match problem.code {
        Code::Unauthorized | Code::RateLimited => {
            tracing::debug!(code, detail, "request is refused");
        }
        _ => tracing::info!(code, detail, "request is refused"),
    }
}

/// Writes the problem into its response, whose other headers stay.
fn write(response: &mut Response, problem: &Problem) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    if let Some(seconds) = problem.retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.code == Code::Unauthorized {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    *response.body_mut() = serde_json::to_vec(problem).unwrap_or_default().into();
}

/// A handler that panics is a bug of ours; the others go on.
#[expect(clippy::needless_pass_by_value, reason = "the signature that the panic layer calls")]
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    tracing::error!(panic = text, "a handler panicked");
    let detail = "the server failed; its log has the reason under this request's id";
    Refusal::new(Code::Internal, detail, "tell the operator the request's id").into_response()
}
