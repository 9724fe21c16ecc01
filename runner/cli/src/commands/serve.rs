//! `borescope serve`: the API with a runner in this process, until a signal.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use app::App;
use clap::Args;
use server::Tls;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Call;
use crate::exit::{Exit, Failure};
use crate::node;
use crate::out::{Log, Style};
use crate::server_config::{FILE, ServerConfig};
use crate::session::World;
use crate::signer::Signer;
use crate::status_signing;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope serve                        reads ./borescope.toml
  borescope serve --config /srv/borescope/borescope.toml

For others than this machine, in borescope.toml:
  listen = \"0.0.0.0:443\"
  origin = \"https://borescope.shop.example\"     what people dial; logins are bound to it

  [tls]
  certificate_file = \"server.pem\"              with its chain
  key_file = \"server.key\"                      chmod 600

To tell people elsewhere what wants their attention, as often as you like:
  [[notify]]
  name = \"on-call\"                  in the log, in borescope doctor
  url_file = \"notify.url\"           chmod 600; or url = \"https://…\"
  format = \"slack\"                  or leave it out: Standard Webhooks, signed with
  secret_file = \"notify.secret\"     whsec_…, chmod 600
  kinds = [\"approval.wanted\", \"review.wanted\", \"run.finished\", \"break_glass\", \"key.used\", \"stop\"]
  groups = [\"oncall\"]               only what wants the attention of one of them, or of people = [...]

SIGHUP: read certificate and key again. SIGINT or SIGTERM: no new connections, live runs may end,
then they are cancelled.")]
pub(crate) struct ServeArgs {
    /// Configuration file, or the folder with borescope.toml
    #[arg(long, value_name = "FILE", default_value = FILE)]
    config: PathBuf,
}

/// Serves until a signal.
pub(crate) async fn command(call: &Call<'_>, args: ServeArgs) -> anyhow::Result<Exit> {
    logging(call);
    let config = ServerConfig::load(&args.config)?;
    let world = World::real();
    let tls = config.tls_files().map(|files| Tls::read(files, world.now()).map(Arc::new));
    let tls = tls.transpose().map_err(|e| Failure::usage(app::chain(&e), e.help()))?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    // What is wrong with a hook is said before anything is served.
    let hooks = config.hooks()?;
    let app = node::open(&config, config.origins(address), &world).await?;
    let signing = match &config.status {
        Some(status) => Some((Arc::clone(&app), Signer::open(&status.key_file)?, world.clone())),
        None => None,
    };
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // Without a certificate it means what it always does: the terminal is gone.
    let hangup = tls.as_ref().map(|_| signal(SignalKind::hangup())).transpose()?;
    let (out, url) = (call.out, config.url(address));
    if out.json {
        out.json(&serde_json::json!({ "listening": url }))?;
    } else {
        out.line(format!("listening on {}", out.style(Style::Bold, &url)))?;
    }
    tracing::info!(server.address = %address, "listening");
    let dialled = config.origin.clone().unwrap_or(url);
    let shutdown = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        out.note("stopping: waiting for live runs");
    };
    let renewing = renewing(hangup.zip(tls.clone()), world);
    let told = Arc::clone(&app);
    let telling = async { told.notify(hooks, dialled).await };
    tokio::select! {
        served = server::serve(listener, tls, app, config.limits.shell(), shutdown) => served?,
        () = renewing => {}
        () = saying(signing) => {}
        () = telling => {}
    }
    Ok(Exit::Ok)
}

/// Says what is in force, if this process does that.
async fn saying(signing: Option<(Arc<App>, Signer, World)>) {
    match signing {
        Some((app, key, world)) => status_signing::in_this_process(app, key, world).await,
        None => std::future::pending().await,
    }
}

/// Reads the certificate again whenever the operator says so; one that does not hold changes nothing.
async fn renewing(on: Option<(Signal, Arc<Tls>)>, world: World) {
    if let Some((mut hangup, tls)) = on {
        while hangup.recv().await.is_some() {
            match tls.renew(world.now()) {
                Ok(()) => tracing::info!("certificate and key are read again"),
                Err(e) => tracing::error!(
                    error = %app::chain(&e),
                    help = e.help(),
                    "certificate and key stay as they were"
                ),
            }
        }
    }
    // Nobody will say so any more.
    std::future::pending::<()>().await;
}

/// Operational logs go to standard error.
pub(crate) fn logging(call: &Call<'_>) {
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
