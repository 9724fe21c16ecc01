//! `borescope serve`: the API with a runner in this process, until a signal.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::Call;
use crate::exit::Exit;
use crate::node;
use crate::out::{Log, Style};
use crate::server_config::{FILE, ServerConfig};
use crate::session::World;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope serve                        reads ./borescope.toml
  borescope serve --config /srv/borescope/borescope.toml

SIGINT or SIGTERM: no new connections, live runs may end, then they are cancelled.")]
pub(crate) struct ServeArgs {
    /// Configuration file, or the folder with borescope.toml
    #[arg(long, value_name = "FILE", default_value = FILE)]
    config: PathBuf,
}

/// Serves until a signal.
pub(crate) async fn command(call: &Call<'_>, args: ServeArgs) -> anyhow::Result<Exit> {
    logging(call);
    let config = ServerConfig::load(&args.config)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let port = address.port();
    let mut origins = vec![format!("http://{address}")];
    if address.ip().is_loopback() {
        origins.extend([format!("http://localhost:{port}"), format!("http://127.0.0.1:{port}")]);
        origins.sort();
        origins.dedup();
    }
    let app = node::open(&config, origins, &World::real()).await?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let out = call.out;
    if out.json {
        out.json(&serde_json::json!({ "listening": format!("http://{address}") }))?;
    } else {
        out.line(format!("listening on {}", out.style(Style::Bold, &format!("http://{address}"))))?;
    }
    tracing::info!(server.address = %address, "listening");
    let shutdown = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        out.note("stopping: waiting for live runs");
    };
    server::serve(listener, app, config.limits.shell(), shutdown).await?;
    Ok(Exit::Ok)
}

/// Operational logs go to standard error.
fn logging(call: &Call<'_>) {
    let json = call.out.json;
    let filter = call.env.log.as_deref().unwrap_or("info,sqlx=warn,wasmtime=warn,cranelift=warn");
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(move || Log { json })
        .with_ansi(false);
    if json {
        subscriber.json().init();
    } else {
        subscriber.init();
    }
}
