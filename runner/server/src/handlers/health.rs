//! Whether the process lives, and whether it takes writes. Open to everybody; says no secret.

use std::sync::Arc;

use api::types::Ready;
use app::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

pub(crate) async fn live() -> &'static str {
    "ok\n"
}

pub(crate) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Ready>) {
    match app.ready().await {
        Ok(()) => (StatusCode::OK, Json(Ready { ready: true, reason: None })),
        Err(e) => {
            let reason = Some(crate::problem::describe(&e).1);
            (StatusCode::SERVICE_UNAVAILABLE, Json(Ready { ready: false, reason }))
        }
    }
}
