//! `borescope status`: who says what is in force, without which production is not reached.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use api::ClientError;
use app::{Keeper, Learned};
use clap::{Args, Subcommand};
use domain::{Digest, StatusId};
use server::{Tls, TlsFiles};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use trust::Status;

use super::Call;
use crate::commands::serve::logging;
use crate::exit::{Exit, Failure};
use crate::out::Style;
use crate::session::{Session, World, envelope, wire};
use crate::signer::Signer;
use crate::status_signing::{LIFE_S, Last, tell};

/// How often the server is asked what was said against runs.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope status keep --status-key status-key --dir kept")]
pub(crate) struct StatusArgs {
    /// What about it
    #[command(subcommand)]
    what: StatusCommand,
}

/// What can be done with it.
#[derive(Debug, Subcommand)]
enum StatusCommand {
    /// Say what is in force, again and again, with the key of the role `status`
    Keep(KeepArgs),
}

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope status keep --status-key status-key --dir kept
  borescope status keep --status-key status-key --dir kept --listen 0.0.0.0:7788 \\
      --certificate keeper.pem --certificate-key keeper.key

Runs until a signal. It logs in with your context, as anybody; asks the server every few seconds what
was said against runs; verifies and keeps that in --dir; and brings the server a new status every
minute, or at once when something changed. Production is closed when nobody does.

On another host than the server it protects from it: with --listen people tell it of their stops
directly (borescope login … --keeper URL, then every `borescope stop` goes to both). A server that is
taken over and hides a stop from its runner then gets a status that the runner does not share, and
starts nothing on production. In the server's own process ([status] in borescope.toml) whoever
controls the server can hide a stop until the last status ends, five minutes later.

The key must not need a touch or a passphrase. Nothing else may use it.")]
pub(crate) struct KeepArgs {
    /// Private key file of a holder of the role `status`
    #[arg(long, value_name = "FILE")]
    status_key: PathBuf,
    /// Folder for what was said against runs
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Take stops directly, at this address
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Certificate with its chain, PEM; needed to listen beyond this machine
    #[arg(long, value_name = "FILE", requires_all = ["listen", "certificate_key"])]
    certificate: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    certificate_key: Option<PathBuf>,
}

/// Does what is asked.
pub(crate) async fn command(call: &Call<'_>, args: StatusArgs) -> anyhow::Result<Exit> {
    match args.what {
        StatusCommand::Keep(args) => keep(call, args).await,
    }
}

async fn keep(call: &Call<'_>, args: KeepArgs) -> anyhow::Result<Exit> {
    logging(call);
    let world = World::real();
    let key = Signer::open(&args.status_key)?;
    let keeper = Arc::new(Keeper::open(&args.dir)?);
    let door = door(&args, &world).await?;
    let mut rounds = Rounds {
        call,
        key,
        keeper: Arc::clone(&keeper),
        session: None,
        versions: None,
        next: 0,
        last: Last::default(),
    };
    // Whoever starts it sees at once what is wrong; later it goes on trying.
    rounds.one().await?;
    if let Some((listener, tls)) = &door {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr()?);
        if call.out.json {
            call.out.json(&serde_json::json!({ "listening": url }))?;
        } else {
            call.out.line(format!("listening on {}", call.out.style(Style::Bold, &url)))?;
        }
        tracing::info!(keeper.address = %url, "taking stops");
    }
    tracing::info!("production is open for as long as this goes on");
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let listening = async {
        match door {
            Some((listener, tls)) => {
                let forever = std::future::pending();
                server::serve_keeper(listener, tls, keeper, world.clock, forever).await
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        listened = listening => listened?,
        () = rounds.on_and_on() => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(Exit::Ok)
}

/// Where stops are taken, if anywhere.
async fn door(
    args: &KeepArgs,
    world: &World,
) -> anyhow::Result<Option<(TcpListener, Option<Arc<Tls>>)>> {
    let Some(address) = args.listen else {
        return Ok(None);
    };
    let files = args.certificate.clone().zip(args.certificate_key.clone());
    if files.is_none() && !address.ip().is_loopback() {
        return Err(Failure::usage(
            format!("--listen {address} is beyond this machine, and there is no certificate"),
            "give --certificate and --certificate-key, or listen on 127.0.0.1",
        )
        .into());
    }
    let files = files.map(|(certificate, key)| TlsFiles { certificate, key });
    let tls = files.map(|files| Tls::read(files, world.now()).map(Arc::new)).transpose();
    let tls = tls.map_err(|e| Failure::usage(app::chain(&e), e.help()))?;
    let listener = TcpListener::bind(address).await;
    Ok(Some((listener.with_context(|| format!("cannot listen on {address}"))?, tls)))
}

/// Asking, learning, signing.
struct Rounds<'c> {
    call: &'c Call<'c>,
    key: Signer,
    keeper: Arc<Keeper>,
    session: Option<Session>,
    /// Of keyring, directory and policy, as believed now.
    versions: Option<[Digest; 3]>,
    /// Where the server's next page begins.
    next: u64,
    last: Last,
}

impl Rounds<'_> {
    async fn on_and_on(&mut self) {
        let keeper = Arc::clone(&self.keeper);
        let mut is_well = true;
        loop {
            tokio::select! {
                () = tokio::time::sleep(ASK_EVERY) => {}
                () = keeper.changed() => {}
            }
            let done = self.one().await;
            tell(&done, &mut is_well);
        }
    }

    async fn one(&mut self) -> anyhow::Result<()> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.call.session().await?,
        };
        let done = self.with(&session).await;
        // A session that ended is opened anew, the next time.
        let over = done.as_ref().is_err_and(|e| {
            let problem = e.downcast_ref::<ClientError>();
            matches!(problem, Some(ClientError::Problem(p)) if p.code == api::Code::Unauthorized)
        });
        self.session = (!over).then_some(session);
        done
    }

    async fn with(&mut self, session: &Session) -> anyhow::Result<()> {
        // Of versions the server is believed: those who make new ones look whether they are in force.
        let said = session.client.status().await?;
        let versions = [said.keyring.digest, said.directory.digest, said.policy.digest];
        if self.versions != Some(versions) {
            let authority = session.authority().await?;
            self.versions = Some([
                authority.keyring_ref().digest,
                authority.directory_ref().digest,
                authority.policy_ref().digest,
            ]);
            self.keeper.follow(Arc::new(authority));
        }
        loop {
            let page = session.client.against(self.next).await?;
            for document in &page.documents {
                if self.keeper.learn(&envelope(document)?)? == Learned::Unverified {
                    let help = "it counts until this process ends; have it lifted, or stop again";
                    tracing::warn!(document = %document.digest, help, "nobody vouches for it now");
                }
            }
            if page.next <= self.next {
                break;
            }
            self.next = page.next;
        }
        let id = StatusId::new(&*session.world.clock, &*session.world.entropy);
        let status = self.keeper.status_to_sign(session.header(id, LIFE_S));
        match status.filter(|s| self.last.is_due(s)) {
            Some(status) => self.bring(session, &status).await,
            None => Ok(()),
        }
    }

    async fn bring(&mut self, session: &Session, status: &Status) -> anyhow::Result<()> {
        let signed = wire(&self.key.sign(status)?)?;
        session.client.new_status(&signed).await?;
        self.last.signed(status);
        Ok(())
    }
}
