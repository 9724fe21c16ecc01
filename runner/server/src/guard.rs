//! Around every request: its id and span, the cap on requests at a time, its time, panics, and the
//! body of a problem.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::{Code, PROBLEM_JSON, Problem};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use crate::ServerLimits;
use crate::problem::Refusal;

/// The request's id, also in problems and in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What all requests share.
pub(crate) struct Guard {
    slots: Semaphore,
    requests_max: usize,
    most: Duration,
    number: AtomicU64,
}

impl Guard {
    pub(crate) fn new(limits: ServerLimits) -> Self {
        Self {
            slots: Semaphore::new(limits.requests_max),
            requests_max: limits.requests_max,
            most: Duration::from_secs(limits.request_s_max),
            number: AtomicU64::new(1),
        }
    }

    async fn within_limits(&self, request: Request, next: Next) -> Response {
        let Ok(_slot) = self.slots.try_acquire() else {
            let detail = format!("{} requests are at work", self.requests_max);
            return Refusal::new(Code::Unavailable, detail, "try again in a moment")
                .into_response();
        };
        match tokio::time::timeout(self.most, next.run(request)).await {
            Ok(response) => response,
            Err(_) => {
                let detail = format!("the request took longer than {} s", self.most.as_secs());
                Refusal::new(Code::Unavailable, detail, "try again; whether it acted is unknown")
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
        let mut response = guard.within_limits(request, next).await;
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            tracing::info!(
                code = problem.code.code(),
                detail = problem.detail,
                "request is refused"
            );
            response = write(Problem { instance: Some(id.clone()), ..problem });
        }
        tracing::debug!(http.status = response.status().as_u16(), "request is answered");
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }
    .instrument(span)
    .await
}

fn write(problem: Problem) -> Response {
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = Refusal(problem).into_response();
    *response.body_mut() = body.into();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    response
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
