//! What every request meets before and after its handler.

use std::sync::Arc;

use api::{PROBLEM_JSON, Problem};
use app::AppError;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use tower::ServiceExt as _;
use tower_http::catch_panic::CatchPanicLayer;

use crate::ServerLimits;
use crate::body::{Posted, Raw};
use crate::failures::Failures;
use crate::guard::{Guard, guard, panicked};
use crate::meter::Meter;
use crate::prefer::Wait;
use crate::problem::Refusal;

fn guarded(limits: ServerLimits) -> Guard {
    let failures = Arc::new(Failures::new(limits, Arc::new(Stands)));
    Guard::new(limits, Arc::new(Meter::new(Arc::clone(&failures))), failures, Arc::new(Stands))
}

/// A clock that stands.
struct Stands;

impl domain::Clock for Stands {
    fn now_ms(&self) -> u64 {
        1_795_464_000_000
    }
    fn elapsed_ms(&self) -> u64 {
        0
    }
}

fn router(limits: ServerLimits) -> Router {
    Router::new()
        .route("/ok", get(|| async { "ok" }))
        .route("/refused", get(|| async { Refusal::from(AppError::NotFound("run x".to_owned())) }))
        .route("/panics", get(panics))
        .route("/hangs", get(std::future::pending::<()>))
        .route("/bytes", post(|Raw(bytes): Raw| async move { bytes.len().to_string() }))
        .route("/json", post(|Posted(n): Posted<u64>| async move { n.to_string() }))
        .layer(DefaultBodyLimit::max(10))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::new(guarded(limits)), guard))
}

async fn panics() {
    panic!("SECRET");
}

async fn get_from(router: &Router, path: &str) -> Response {
    let request = Request::get(path).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

async fn post_to(router: &Router, path: &str, body: &'static str) -> Response {
    let request = Request::post(path).body(Body::from(body)).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

/// The problem in a response, after checking that status, type and id say the same.
async fn problem(response: Response) -> Problem {
    assert_eq!(response.headers()["content-type"], PROBLEM_JSON);
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let problem: Problem = serde_json::from_slice(&body).unwrap();
    assert_eq!((problem.status, problem.instance.clone()), (status, Some(id)));
    problem
}

#[tokio::test]
async fn a_refusal_is_a_problem_that_names_its_request() {
    let router = router(ServerLimits::DEFAULT);
    let first = problem(get_from(&router, "/refused").await).await;
    assert_eq!((first.status, first.detail.as_str()), (404, "there is no run x"));
    let second = problem(get_from(&router, "/refused").await).await;
    assert_ne!(first.instance, second.instance);
    assert!(get_from(&router, "/ok").await.headers().contains_key("x-request-id"));
}

#[tokio::test]
async fn a_handler_that_panics_answers_and_tells_nothing() {
    let router = router(ServerLimits::DEFAULT);
    let said = problem(get_from(&router, "/panics").await).await;
    assert_eq!(said.code, api::Code::Internal);
    assert!(!said.detail.contains("SECRET"), "{}", said.detail);
    assert_eq!(get_from(&router, "/ok").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered() {
    let router = router(ServerLimits { request_s_max: 0, ..ServerLimits::DEFAULT });
    let said = problem(get_from(&router, "/hangs").await).await;
    assert_eq!(said.code, api::Code::Unavailable);
    assert!(said.detail.contains("longer than 0 s"), "{}", said.detail);
}

#[tokio::test]
async fn more_requests_than_the_server_takes_are_refused_at_once() {
    let none = router(ServerLimits { requests_max: 0, ..ServerLimits::DEFAULT });
    let said = problem(get_from(&none, "/ok").await).await;
    assert_eq!(said.code, api::Code::Unavailable);
    // A slot is free again after an answer and after a panic.
    let one = router(ServerLimits { requests_max: 1, ..ServerLimits::DEFAULT });
    for path in ["/ok", "/panics", "/ok"] {
        drop(get_from(&one, path).await);
    }
    assert_eq!(get_from(&one, "/ok").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn bodies_that_do_not_fit_are_problems_too() {
    let router = router(ServerLimits::DEFAULT);
    let long = problem(post_to(&router, "/bytes", "12345678901").await).await;
    assert_eq!(long.code, api::Code::TooLarge);
    let broken = problem(post_to(&router, "/json", "{").await).await;
    assert_eq!(broken.code, api::Code::BadRequest);
    assert_eq!(post_to(&router, "/bytes", "1234567890").await.status(), StatusCode::OK);
}

#[test]
fn the_preference_to_wait_is_read_among_others() {
    let wait = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("prefer", value.parse().unwrap());
        Wait::read(&headers).seconds()
    };
    assert_eq!(wait("wait=30"), 30);
    assert_eq!(wait("respond-async, wait=5"), 5);
    assert_eq!(wait("wait=soon"), 0);
    assert_eq!(Wait::read(&HeaderMap::new()).seconds(), 0);
}
