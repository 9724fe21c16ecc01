//! The HTTP shell of a status keeper: it takes stops. Nobody logs in here, because a stop is signed by
//! those who may make one, and must not depend on anything else.

use std::future::Future;
use std::io;
use std::sync::Arc;

use api::Code;
use api::types::Filed;
use app::Keeper;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::Clock;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

use crate::ServerLimits;
use crate::body::Raw;
use crate::connections::{Connections, Peer};
use crate::failures::Failures;
use crate::guard::{Guard, guard, panicked};
use crate::handlers::Answer;
use crate::meter::Meter;
use crate::problem::Refusal;
use crate::render;
use crate::tls::Tls;

/// Bytes of a stop: names, a reason, a few signatures.
const STOP_BYTES_MAX: usize = 64 << 10;

#[derive(Clone)]
struct Shell {
    keeper: Arc<Keeper>,
    failures: Arc<Failures>,
}

/// Serves `POST /v1/stops` and `GET /healthz`, over TLS if there is a certificate, until `shutdown`
/// resolves.
///
/// # Errors
/// When the listener fails.
pub async fn serve_keeper(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    keeper: Arc<Keeper>,
    clock: Arc<dyn Clock>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let limits = ServerLimits::DEFAULT;
    let failures = Arc::new(Failures::new(limits, Arc::clone(&clock)));
    let meter = Arc::new(Meter::new(Arc::clone(&failures)));
    let around = Arc::new(Guard::new(limits, meter, Arc::clone(&failures), clock));
    let router = Router::new()
        .route("/v1/stops", post(stop))
        .route("/healthz", get(|| async { "ok" }))
        .layer(DefaultBodyLimit::max(STOP_BYTES_MAX))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(around, guard))
        .with_state(Shell { keeper, failures: Arc::clone(&failures) })
        .into_make_service_with_connect_info::<Peer>();
    let listener = Connections::new(listener, tls, limits, failures);
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

async fn stop(
    State(Shell { keeper, failures }): State<Shell>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    Raw(envelope): Raw,
) -> Answer<Json<Filed>> {
    if let Some(seconds) = failures.full(peer.ip()) {
        failures.refused(true);
        let detail = "too many stops that were refused";
        return Err(Refusal::new(Code::RateLimited, detail, "wait").retry_after(seconds));
    }
    let taken = tokio::task::spawn_blocking(move || keeper.take(&envelope)).await;
    let taken = taken.map_err(|_| {
        let detail = "the keeper failed; its log has the reason";
        Refusal::new(Code::Internal, detail, "send the stop again")
    })?;
    if taken.is_err() {
        failures.attempt(peer.ip());
    }
    Ok(Json(render::filed(taken?)))
}
