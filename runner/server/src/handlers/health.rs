//! Whether the process lives and takes writes, its figures, and the description of this API. Open to
//! everybody; tells no secret, no name and no value of anybody's data.

use std::sync::Arc;

use api::shapes;
use api::types::Ready;
use app::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::Answer;
use crate::meter::{Meter, TEXT_FORMAT};
use crate::openapi::Open;
use crate::routes::Description;

/// Whether the process lives
#[utoipa::path(get, path = "/healthz", tag = "operate", security(()),
    responses((status = 200, body = String, content_type = "text/plain", description = "It does."), Open))]
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// Whether writes are accepted
#[utoipa::path(get, path = "/readyz", tag = "operate", security(()),
    responses((status = 200, body = Ready, description = "They are."),
        (status = 503, content((Ready = "application/json"), (api::Problem = "application/problem+json")),
            description = "They are not: the body says why. Or nothing can be answered now."),
        (status = 500, body = api::Problem, content_type = "application/problem+json",
            description = "Our fault.")))]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Ready>) {
    match app.ready().await {
        Ok(()) => (StatusCode::OK, Json(Ready { ready: true, reason: None })),
        Err(e) => {
            let reason = Some(crate::problem::describe(&e).1);
            (StatusCode::SERVICE_UNAVAILABLE, Json(Ready { ready: false, reason }))
        }
    }
}

/// Figures in the Prometheus text format
#[utoipa::path(get, path = "/metrics", tag = "operate", security(()),
    responses((status = 200, body = String, content_type = "text/plain",
        description = "Counters and gauges; labels come from closed lists."), Open))]
pub(crate) async fn metrics(
    State(app): State<Arc<App>>,
    State(meter): State<Arc<Meter>>,
) -> Answer<Response> {
    Ok(([(CONTENT_TYPE, TEXT_FORMAT)], meter.render(&app.figures().await?)).into_response())
}

/// This description
#[utoipa::path(get, path = "/openapi.json", tag = "operate", security(()),
    responses((status = 200, body = shapes::AnyJson, content_type = "application/json",
        description = "OpenAPI 3.1."), Open))]
pub(crate) async fn openapi(State(Description(text)): State<Description>) -> Response {
    ([(CONTENT_TYPE, "application/json")], text.to_string()).into_response()
}
