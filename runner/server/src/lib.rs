//! The HTTP shell `/v1`: handlers parse, call a use-case, and render.
//!
//! Who may call is an extractor in a handler's signature (`session`); what goes wrong becomes a
//! problem in one place (`problem`); limits are in `guard`. Not here: rules (crates `app`,
//! `domain`), the choice of the address and of the certificate (crate `cli`), pages (later).

mod body;
mod connections;
mod failures;
mod guard;
mod handlers;
mod keeper;
mod meter;
mod once;
mod openapi;
mod prefer;
mod problem;
mod render;
mod routes;
mod session;
mod tls;
mod upload;
mod wire;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use app::App;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::connections::{Connections, Peer};
use crate::failures::Failures;

pub use crate::keeper::serve_keeper;
pub use crate::tls::{Tls, TlsError, TlsFiles};

/// Named limits of the HTTP server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections at a time, of whomever; further ones wait until one ends. Below what a process may
    /// usually open, so that files can be opened always.
    pub connections_max: usize,
    /// Seconds that nothing may move on a connection: longer than any request, because its client waits
    /// in silence.
    pub connection_silence_s_max: u64,
    /// Seconds of one TLS handshake: two round trips and a signature, so that ten are many on any line,
    /// and one that does not go on gives back its place.
    pub handshake_s_max: u64,
    /// Requests at a time; further ones are refused at once.
    pub requests_max: usize,
    /// Seconds of one request. Longer than an upload on a slow line or the wait for a run.
    pub request_s_max: u64,
    /// Attempts to log in and calls with a wrong token, of one address in a minute. People behind
    /// one address share it.
    pub failures_per_peer_per_minute_max: u64,
    /// The same of all addresses together: each costs the server a signature or a read.
    pub failures_per_minute_max: u64,
    /// Streams of events at a time; each holds a connection until its run ends.
    pub streams_max: usize,
    /// Seconds that a stream's client may take no event before it is dropped: longer than any pause
    /// of an honest one.
    pub stream_stall_s_max: u64,
    /// Seconds that live runs have to end at shutdown, before they are cancelled.
    pub drain_s: u64,
}

impl ServerLimits {
    /// For one team and one machine.
    pub const DEFAULT: Self = Self {
        connections_max: 768,
        connection_silence_s_max: 150,
        handshake_s_max: 10,
        requests_max: 512,
        request_s_max: 120,
        failures_per_peer_per_minute_max: 120,
        failures_per_minute_max: 1_200,
        streams_max: 256,
        stream_stall_s_max: 30,
        drain_s: 10,
    };
}

/// `openapi.json` as this version serves it, pretty-printed; empty only if it cannot be written.
#[must_use]
pub fn openapi_json() -> String {
    routes::description().to_pretty_json().unwrap_or_default()
}

/// How often it is looked whether refusals are to be summed up.
const SUM_UP_EVERY: Duration = Duration::from_secs(10);

/// Seconds that handlers have to finish after the runs have ended.
const FINISH_S_MAX: u64 = 10;

/// Serves, over TLS if there is a certificate, until `shutdown` resolves; then stops accepting, lets handlers finish, and gives live runs
/// their time before it cancels them.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    app: Arc<App>,
    limits: ServerLimits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let failures = Arc::new(Failures::new(limits, app.clock()));
    let router = routes::router(Arc::clone(&app), limits, Arc::clone(&failures));
    let router = router.into_make_service_with_connect_info::<Peer>();
    let listener = Connections::new(listener, tls, limits, Arc::clone(&failures));
    let (stopping, mut stopped) = watch::channel(false);
    let mut began = stopped.clone();
    let signal = async move {
        shutdown.await;
        stopping.send_replace(true);
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(signal);
    let drain = async {
        // An error means that the server ended by itself, and then there is nothing to drain for.
        drop(stopped.wait_for(|s| *s).await);
        app.drain(limits.drain_s).await;
    };
    let give_up = async {
        drop(began.wait_for(|s| *s).await);
        let most = limits.drain_s.saturating_mul(2).saturating_add(FINISH_S_MAX);
        tokio::time::sleep(Duration::from_secs(most)).await;
    };
    let summing_up = async {
        loop {
            tokio::time::sleep(SUM_UP_EVERY).await;
            failures.tell(false);
        }
    };
    let served = tokio::select! {
        (served, ()) = async { tokio::join!(async { serving.await }, drain) } => served,
        () = give_up => {
            tracing::warn!("connections are cut: they did not end in time");
            Ok(())
        }
        () = summing_up => Ok(()),
    };
    failures.tell(true);
    served
}

#[cfg(test)]
mod tests;
