//! A company behind a real server on a loopback port: store, blobs, runner, control plane and HTTP in
//! this process, on the scenario's clock.

mod down;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::types::{ChallengeRequest, Envelope as Wire, RunOrdered, RunView, Uploaded};
use api::{Authorities, Client, ClientConfig, ClientError};
use app::{App, AppLimits, AppOptions, RunnerBlobs};
use domain::{Clock as _, Digest, Manifest, Timestamp};
use executor::{AuthorityDocuments, LocalRunner, OsEntropy, RunnerOptions};
use ledger::{Ledger, Options};
use sandbox::{Sandbox, SandboxOptions};
use server::{ServerLimits, Tls, TlsFiles};
use store::{Blobs, Store};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use trust::{Envelope, Keyring, Login, Policy, Salt, SecretKey};

use crate::ambient::{ManualClock, SeededEntropy};
use crate::certificates::{Authority, Pair};
use crate::company::{Company, Founding, RUNNER, p};
use crate::raw_http::{Answer, exchange};
use crate::rig::told;
use crate::watch::{Seen, WatchedConnectors};

pub use down::Down;

/// Runs that the runner executes at a time: more than the control plane hands to it.
const RUNS_MAX: u32 = 5;

/// The server with everything behind it.
pub struct Served {
    /// The people.
    pub company: Company,
    /// The clock.
    pub clock: Arc<ManualClock>,
    /// What the target saw.
    pub seen: Arc<Seen>,
    /// The runner, as nobody outside may ask it.
    pub runner: LocalRunner,
    /// Where it listens.
    pub address: SocketAddr,
    /// Whom clients believe, PEM; `None` without TLS.
    pub authority: Option<String>,
    /// The documents that the server was founded with, as its operator keeps them.
    pub founding: AuthorityDocuments,
    dir: TempDir,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

/// An access request that may be used, with its input.
pub struct Granted {
    /// The script's manifest.
    pub manifest: Manifest,
    /// The signed access request.
    pub request: Envelope,
    /// The input's digest.
    pub input: Digest,
}

/// An envelope as bodies carry it.
pub fn wire(envelope: &Envelope) -> Wire {
    serde_json::from_slice(&envelope.to_json().unwrap()).unwrap()
}

impl Served {
    /// With ordinary limits.
    pub async fn start() -> Self {
        Self::with(AppLimits::DEFAULT, ServerLimits::DEFAULT).await
    }

    /// With these limits.
    pub async fn with(app_limits: AppLimits, limits: ServerLimits) -> Self {
        Self::opened(None, app_limits, limits, &[], |_, _| {}).await
    }

    /// With ordinary limits, where `change` may alter keyring and policy before they are signed.
    pub async fn founded_with(change: impl FnOnce(&mut Keyring, &mut Policy)) -> Self {
        let change = |_: &mut Company, f: &mut Founding| change(&mut f.keyring, &mut f.policy);
        Self::peopled(&[], AppLimits::DEFAULT, ServerLimits::DEFAULT, change).await
    }

    /// With these limits and keys of these names, which `change` may give to people.
    pub async fn peopled(
        more: &[String],
        app_limits: AppLimits,
        limits: ServerLimits,
        change: impl FnOnce(&mut Company, &mut Founding),
    ) -> Self {
        Self::opened(None, app_limits, limits, more, change).await
    }

    /// Over TLS, with a certificate for its address.
    pub async fn over_tls(app_limits: AppLimits, limits: ServerLimits) -> Self {
        let authority = Authority::default();
        let pair = authority.signs("127.0.0.1");
        let now = ManualClock::default().now();
        Self::with_certificate(Some((&authority, &pair, now)), app_limits, limits).await
    }

    /// Over TLS with this certificate, which is looked at at this time.
    pub async fn with_certificate(
        tls: Option<(&Authority, &Pair, Timestamp)>,
        app_limits: AppLimits,
        limits: ServerLimits,
    ) -> Self {
        Self::opened(tls, app_limits, limits, &[], |_, _| {}).await
    }

    async fn opened(
        tls: Option<(&Authority, &Pair, Timestamp)>,
        app_limits: AppLimits,
        limits: ServerLimits,
        more: &[String],
        change: impl FnOnce(&mut Company, &mut Founding),
    ) -> Self {
        let clock = Arc::new(ManualClock::default());
        let entropy = Arc::new(SeededEntropy::new("company"));
        let company = Company::peopled(Arc::clone(&clock) as _, entropy, more, change);
        let dir = tempfile::tempdir().unwrap();
        executor::state::enrol(dir.path(), &crate::rig::pin(&company)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let authority = tls.map(|(authority, ..)| authority.pem.clone());
        let tls = tls.map(|(_, pair, now)| {
            let (certificate, key) = (dir.path().join("tls.pem"), dir.path().join("tls.key"));
            pair.write(&certificate, &key);
            Arc::new(Tls::read(TlsFiles { certificate, key }, now).unwrap())
        });
        let origin = url(address, authority.is_some());
        let founding = company.documents();
        let way = (&clock, &seen, dir.path(), origin);
        let (app, runner) = open(&company, &founding, way, app_limits).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        let serving = tokio::spawn(server::serve(listener, tls, app, limits, shutdown));
        Self { company, clock, seen, runner, address, authority, founding, dir, stop, serving }
    }

    /// Stops the server, alters what is on its disk, and starts it again over the same directory.
    ///
    /// # Errors
    /// Why it refuses service.
    pub async fn restart(self, change: impl FnOnce(&Path)) -> Result<Self, String> {
        let down = self.down().await;
        change(down.dir());
        down.up().await
    }

    /// The address that people dial.
    pub fn url(&self) -> String {
        url(self.address, self.authority.is_some())
    }

    /// A client that nobody is logged in with.
    pub fn client(&self) -> Client {
        self.client_of(&self.url())
    }

    /// The same that dials another address.
    pub fn client_of(&self, url: &str) -> Client {
        let authorities = self.authority.as_deref().map(|pem| Authorities::from_pem(pem).unwrap());
        self.client_believing(url, authorities.unwrap_or_default())
    }

    /// The same that believes others.
    pub fn client_believing(&self, url: &str, authorities: Authorities) -> Client {
        Client::new(ClientConfig {
            base: url.to_owned(),
            authorities,
            token: None,
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(60),
            entropy: Arc::new(OsEntropy),
        })
        .unwrap()
    }

    /// Logs in and gives the token.
    pub async fn token(&self, person: &str) -> String {
        let signed = self.answer(person, |_| {}).await;
        self.client().open_session(&signed).await.unwrap().token
    }

    /// A person's signed answer to a new challenge; `change` may alter it before it is signed.
    pub async fn answer(&self, person: &str, change: impl FnOnce(&mut Login)) -> Wire {
        let client = self.client();
        let asked = ChallengeRequest { person: p(person), origin: self.url() };
        let challenge = client.challenge(&asked).await.unwrap();
        let mut nonce = [0; 16];
        hex::decode_to_slice(&challenge.challenge, &mut nonce).unwrap();
        let ends = i64::try_from(challenge.expires_ms / 1000).unwrap();
        let mut login = Login {
            trust_domain: self.company.domain.clone(),
            person: p(person),
            origin: self.url(),
            nonce: Salt(nonce),
            not_after: Timestamp::from_unix_s(ends),
        };
        change(&mut login);
        wire(&self.company.sign(person, &login))
    }

    /// A client of a person who is logged in.
    pub async fn login(&self, person: &str) -> Client {
        self.client().with_token(self.token(person).await)
    }

    /// Uploads a guest as alice; `change` may alter its files before.
    pub async fn upload(
        &self,
        alice: &Client,
        guest: &str,
        change: impl FnOnce(&mut Vec<(String, Vec<u8>)>),
    ) -> (Manifest, Digest) {
        let mut files = crate::guests::files(guest);
        change(&mut files);
        let uploaded = self.try_upload(alice, files.clone()).await.unwrap();
        let manifest = files.iter().find(|(path, _)| path == "script.toml").unwrap();
        (Manifest::parse(&manifest.1).unwrap(), uploaded.revision)
    }

    /// Uploads the files of a bundle, which the server may refuse.
    ///
    /// # Errors
    /// What the client says.
    pub async fn try_upload(
        &self,
        alice: &Client,
        mut files: Vec<(String, Vec<u8>)>,
    ) -> Result<Uploaded, ClientError> {
        let digests = files.iter().map(|(path, bytes)| (p(path), Digest::of(bytes))).collect();
        let index = domain::BundleIndex::new(digests).unwrap();
        let manifest = files.iter().find(|(path, _)| path == "script.toml");
        if let Some(manifest) = manifest.and_then(|(_, bytes)| Manifest::parse(bytes).ok()) {
            self.company.read(index.revision(), &manifest, &files);
        }
        files.push(("bundle.sha256".to_owned(), index.to_bytes()));
        let dir = tempfile::tempdir().unwrap();
        let mut sent = Vec::new();
        for (n, (path, bytes)) in files.iter().enumerate() {
            let file = dir.path().join(n.to_string());
            std::fs::write(&file, bytes).unwrap();
            sent.push((p(path), file));
        }
        alice.upload(&sent).await
    }

    /// A guest that alice submitted, bob reviewed and approved for this input.
    pub async fn granted(
        &self,
        guest: &str,
        input: &str,
        change: impl FnOnce(&mut Vec<(String, Vec<u8>)>),
    ) -> Granted {
        let (alice, bob) = (self.login("alice").await, self.login("bob").await);
        let (manifest, revision) = self.upload(&alice, guest, change).await;
        let c = &self.company;
        let submission = c.sign("alice", &c.submission(&manifest, revision));
        alice.submit(&wire(&submission)).await.unwrap();
        let review = c.sign("bob", &c.review(&manifest, revision));
        bob.review(&wire(&review)).await.unwrap();
        let input = alice.store_input(input.as_bytes().to_vec()).await.unwrap().digest;
        let request = c.sign("alice", &c.access_request(&manifest, revision, input));
        alice.request_access(&wire(&request)).await.unwrap();
        let approval = c.sign("bob", &c.approval(&manifest, &request, &[&review]));
        bob.approve(&wire(&approval)).await.unwrap();
        Granted { manifest, request, input }
    }

    /// Alice's signed order for use `use_number`.
    pub fn order(&self, granted: &Granted, use_number: u64) -> RunOrdered {
        let Granted { manifest, request, input } = granted;
        let order = self.company.run_request(manifest, request, *input, use_number);
        RunOrdered { run_request: wire(&self.company.sign("alice", &order)), input: None }
    }

    /// Orders a run as alice and waits for its end.
    pub async fn ran(&self, alice: &Client, granted: &Granted, use_number: u64) -> RunView {
        let order = self.order(granted, use_number);
        alice.order_run(&order, Duration::from_secs(60), None).await.unwrap()
    }

    /// One request by hand: method, path, further header lines, body.
    pub async fn raw(&self, line: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut head = format!("{line} HTTP/1.1");
        for header in headers {
            head.push_str("\r\n");
            head.push_str(header);
        }
        exchange(self.address, &head, body).await
    }

    /// Where the server keeps everything.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Asks the server to stop and waits until it has.
    pub async fn close(self) {
        self.stop_and_keep().await;
    }

    /// Stops the server; what it kept is still there.
    pub async fn stop_and_keep(self) -> TempDir {
        // A server that has ended by itself hears nothing, and its error comes next.
        let _ = self.stop.send(());
        self.serving.await.unwrap().unwrap();
        self.dir
    }

    /// The current time of the scenario, milliseconds.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }
}

fn url(address: SocketAddr, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://{address}")
}

/// Opens everything behind the server, or says why that does not go.
async fn open(
    company: &Company,
    founding: &AuthorityDocuments,
    (clock, seen, dir, origin): (&Arc<ManualClock>, &Arc<Seen>, &Path, String),
    limits: AppLimits,
) -> Result<(Arc<App>, LocalRunner), String> {
    let clock: Arc<dyn domain::Clock> = Arc::clone(clock) as _;
    let options = Options {
        dir: dir.join("ledger"),
        key: company.log_key(),
        clock: Arc::clone(&clock),
        entropy: Arc::new(OsEntropy),
    };
    let blobs = Blobs::open(&dir.join("blobs"), 1 << 30).await.unwrap();
    let (shop, kept) = (crate::rig::shop_file().await, blobs.clone());
    let keep = move |bytes: &[u8]| {
        let (blobs, bytes) = (kept.clone(), bytes.to_vec());
        crate::company::blocking(async move { blobs.put(&bytes).await }).unwrap();
    };
    let unwatched = WatchedConnectors::new(shop.clone(), Arc::default());
    company.sit(Arc::new(unwatched), Box::new(keep));
    let sandbox = Sandbox::new(SandboxOptions {
        artifact_dir: Some(crate::rig::artifacts()),
        mac_key: [7; 32],
        concurrent_runs_max: RUNS_MAX,
        concurrent_compiles_max: 1,
        compile_ms_max: 120_000,
    });
    let runner = LocalRunner::open(RunnerOptions {
        dir: dir.to_owned(),
        name: p(RUNNER),
        key: SecretKey::from_seed(&company.key("runner").seed()).unwrap(),
        ledger: Ledger::open(options).map_err(|e| told(&e))?,
        sandbox: sandbox.unwrap(),
        connectors: Arc::new(WatchedConnectors::new(shop, Arc::clone(seen))),
        blobs: Arc::new(RunnerBlobs::new(blobs.clone())),
        clock: Arc::clone(&clock),
        entropy: Arc::new(OsEntropy),
        concurrent_runs_max: RUNS_MAX as usize,
    })
    .await
    .map_err(|e| told(&e))?;
    let app = App::open(AppOptions {
        store: Store::open(&dir.join("store.sqlite")).await.map_err(|e| told(&e))?,
        blobs,
        runner: runner.clone(),
        documents: founding.clone(),
        origins: vec![origin],
        clock,
        entropy: Arc::new(OsEntropy),
        limits,
        target_runs_max: std::collections::BTreeMap::new(),
    });
    Ok((app.await.map_err(|e| told(&e))?, runner))
}
