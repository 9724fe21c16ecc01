//! What the benches lie on: a company of 500 people that wants three reviews and two approvals, a
//! database of readings, and a server with a runner over both. All of it is real: clock, entropy,
//! signatures, disk, loopback.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::types::{ChallengeRequest, RunOrdered};
use api::{Client, ClientConfig};
use app::{App, AppLimits, AppOptions, RunnerBlobs, Who};
use domain::manifest::Engine;
use domain::{BundleIndex, Clock as _, Digest, Manifest, PersonId, QueryLimits, RunId, Timestamp};
use executor::{
    AuthorityDocuments, Ended, LocalRunner, OsEntropy, RunEvent, RunOrder, Runner as _,
    RunnerOptions, SystemClock,
};
use futures_util::StreamExt as _;
use ledger::{Ledger, Options};
use sandbox::{Sandbox, SandboxOptions};
use store::{Blobs, Store};
use tempfile::TempDir;
use tests::company::{Company, RUNNER, p};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use trust::{
    AccessRequest, ChainDocuments, Envelope, KeyStatus, Login, Person, PersonKey, PersonKind,
    Pinned, Read, Salt, SecretKey,
};

use super::readings::Readings;

/// People in the directory.
const PEOPLE: usize = 500;
/// Who reviews, besides Alice, who writes and runs.
const REVIEWERS: [&str; 3] = ["bob", "carol", "mallory"];
/// Who approves.
const APPROVERS: [&str; 2] = ["bob", "carol"];
/// Bytes that the blob store may hold.
const BLOBS_BYTES_MAX: u64 = 1 << 30;

/// Where the benches work: in cargo's target directory, so on the disk of the checkout and not in a
/// `/tmp` that may be memory.
pub(super) fn workshop() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// The guest that does as much as it is told.
pub(super) struct Meter {
    pub(super) manifest: Arc<Manifest>,
    pub(super) component: Arc<[u8]>,
    pub(super) revision: Digest,
    pub(super) index: BundleIndex,
    pub(super) files: Vec<(String, Vec<u8>)>,
}

impl Meter {
    /// For a target of this engine, as a manifest writes it.
    pub(super) fn of(engine: Engine) -> Self {
        let mut files = tests::guests::files("meter");
        if engine == Engine::Postgres {
            let manifest = files.iter_mut().find(|(path, _)| path == "script.toml").unwrap();
            let text = String::from_utf8(manifest.1.clone()).unwrap();
            manifest.1 = text.replace("\"sqlite\"", "\"postgres\"").into_bytes();
        }
        let digests = files.iter().map(|(path, bytes)| (p(path), Digest::of(bytes)));
        let index = BundleIndex::new(digests.collect()).unwrap();
        let revision = index.revision();
        let file = |name: &str| files.iter().find(|(path, _)| path == name).unwrap().1.clone();
        let (manifest, component) = (file("script.toml"), file("component.wasm"));
        files.push(("bundle.sha256".to_owned(), index.to_bytes()));
        let manifest = Arc::new(Manifest::parse(&manifest).unwrap());
        Self { manifest, component: component.into(), revision, index, files }
    }
}

/// A company of 500 people whose one target has these readings.
pub(super) fn company(readings: &Readings) -> Company {
    let mut company = Company::found(Arc::new(SystemClock), Arc::new(OsEntropy));
    let mut directory = company.directory_document();
    for person in &mut directory.people {
        person.groups = vec![p("dev")];
    }
    for number in directory.people.len()..PEOPLE {
        let key = SecretKey::generate(&OsEntropy).unwrap().public().clone();
        directory.people.push(Person {
            id: p(&format!("person-{number}")),
            name: format!("Person {number}"),
            kind: PersonKind::Human,
            owner: None,
            keys: vec![PersonKey { key, status: KeyStatus::Active, since: None }],
            groups: vec![p("dev")],
        });
    }
    company.directory = company.sign("carol", &directory);
    let mut policy = company.policy_document();
    let target = &mut policy.targets[0];
    target.engine = readings.identity.engine();
    target.identity = readings.identity.clone();
    target.lag_s_max = readings.lag_s_max;
    target.cost_max = readings.lag_s_max.map(|_| trust::source::COST_DEFAULT);
    target.reviews.required = 3;
    target.approvals.required = 2;
    target.query = QueryLimits::CEILING;
    target.statement_ms_max = 300_000;
    target.limits = domain::Limits::CEILING;
    let columns = ["id", "at", "sensor", "value"].map(str::to_owned).to_vec();
    target.reads = vec![Read { table: readings.table.to_owned(), columns }];
    company.policy = company.sign("carol", &policy);
    company
}

/// The documents of one access request, signed.
pub(super) struct Story {
    pub(super) input: Vec<u8>,
    pub(super) request: Envelope,
    submission: Envelope,
    reviews: Vec<Envelope>,
    approvals: Vec<Envelope>,
}

/// What people sign before `meter` may run with this input, any number of times.
pub(super) fn story(company: &Company, meter: &Meter, input: &str) -> Story {
    let manifest = &meter.manifest;
    let mut request: AccessRequest =
        company.access_request(manifest, meter.revision, Digest::of(input.as_bytes()));
    request.uses = 1_000_000;
    let request = company.sign("alice", &request);
    let reviews: Vec<Envelope> = REVIEWERS
        .iter()
        .map(|name| {
            let mut review = company.review(manifest, meter.revision);
            review.reviewer = p(name);
            company.sign(name, &review)
        })
        .collect();
    let seen: Vec<&Envelope> = reviews.iter().collect();
    let approvals = APPROVERS
        .iter()
        .map(|name| {
            let mut approval = company.approval(manifest, &request, &seen);
            approval.approver = p(name);
            company.sign(name, &approval)
        })
        .collect();
    let submission = company.sign("alice", &company.submission(manifest, meter.revision));
    Story { input: input.as_bytes().to_vec(), request, submission, reviews, approvals }
}

/// Alice's signed order to run, with its id.
pub(super) fn run_request(
    company: &Company,
    meter: &Meter,
    story: &Story,
    use_number: u64,
) -> (RunId, Envelope) {
    let input = Digest::of(&story.input);
    let run = company.run_request(&meter.manifest, &story.request, input, use_number);
    (run.run.clone(), company.sign("alice", &run))
}

/// What a runner gets.
pub(super) fn order(company: &Company, story: &Story, run_request: Envelope) -> RunOrder {
    RunOrder {
        v: 1,
        keyring: company.keyring.clone(),
        successors: vec![],
        directory: company.directory.clone(),
        policy: company.policy.clone(),
        documents: ChainDocuments {
            run_request,
            access_request: Some(story.request.clone()),
            approvals: story.approvals.clone(),
            submissions: vec![story.submission.clone()],
            reviews: story.reviews.clone(),
            stops: vec![],
            lifts: vec![],
            withdrawals: vec![],
            after_reviews: vec![],
            status: None,
            base: None,
        },
    }
}

/// The sandbox as a server has it.
pub(super) fn sandbox() -> Sandbox {
    let artifacts = workshop().join("artifacts");
    std::fs::create_dir_all(&artifacts).unwrap();
    Sandbox::new(SandboxOptions {
        artifact_dir: Some(artifacts),
        mac_key: [7; 32],
        concurrent_runs_max: u32::try_from(AppLimits::DEFAULT.concurrent_runs_max).unwrap(),
        concurrent_compiles_max: 1,
        compile_ms_max: 120_000,
    })
    .unwrap()
}

/// A server of this process with everything that belongs to it.
pub(super) struct Bed {
    pub(super) company: Company,
    pub(super) meter: Meter,
    pub(super) runner: LocalRunner,
    app: Arc<App>,
    url: String,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
    _dir: TempDir,
}

impl Bed {
    /// Opens it over readings.
    pub(super) async fn open(readings: &Readings) -> Self {
        let (company, meter) = (company(readings), Meter::of(readings.identity.engine()));
        let dir = tempfile::tempdir_in(workshop()).unwrap();
        let blobs = Blobs::open(&dir.path().join("blobs"), BLOBS_BYTES_MAX).await.unwrap();
        let runner = open_runner(&company, &blobs, dir.path(), readings).await;
        let kept = blobs.clone();
        let keep = move |bytes: &[u8]| {
            let (blobs, bytes) = (kept.clone(), bytes.to_vec());
            tests::company::blocking(async move { blobs.put(&bytes).await }).unwrap();
        };
        company.sit(Arc::clone(&readings.connectors), Box::new(keep));
        company.read(meter.revision, &meter.manifest, &meter.files);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = App::open(AppOptions {
            store: Store::open(&dir.path().join("store.sqlite")).await.unwrap(),
            blobs,
            runner: runner.clone(),
            documents: AuthorityDocuments {
                keyring: company.keyring.clone(),
                successors: vec![],
                directory: company.directory.clone(),
                policy: company.policy.clone(),
            },
            origins: vec![url.clone()],
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            target_runs_max: std::collections::BTreeMap::new(),
            limits: AppLimits::DEFAULT,
        })
        .await
        .unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        let limits = server::ServerLimits::DEFAULT;
        let serving =
            tokio::spawn(server::serve(listener, None, Arc::clone(&app), limits, shutdown));
        let mut upload = app.upload(&who("alice")).unwrap();
        for (path, bytes) in &meter.files {
            upload.begin(path).await.unwrap();
            upload.piece(bytes).await.unwrap();
        }
        assert_eq!(upload.finish().await.unwrap().revision, meter.revision);
        Self { company, meter, runner, app, url, stop, serving, _dir: dir }
    }

    /// Signs and files everything that an input needs.
    pub(super) async fn story(&self, input: &str) -> Story {
        let story = story(&self.company, &self.meter, input);
        let bytes = |envelope: &Envelope| envelope.to_json().unwrap();
        let alice = who("alice");
        self.app.input(&alice, input.as_bytes()).await.unwrap();
        self.app.submit(&alice, &bytes(&story.submission)).await.ok();
        for (name, review) in REVIEWERS.iter().zip(&story.reviews) {
            self.app.review(&who(name), &bytes(review)).await.unwrap();
        }
        self.app.request_access(&alice, &bytes(&story.request)).await.unwrap();
        for (name, approval) in APPROVERS.iter().zip(&story.approvals) {
            self.app.approve(&who(name), &bytes(approval)).await.unwrap();
        }
        story
    }

    /// A signed order for the runner, as bytes.
    pub(super) fn order(&self, story: &Story, use_number: u64) -> (RunId, Vec<u8>) {
        let (run, request) = run_request(&self.company, &self.meter, story, use_number);
        (run, order(&self.company, story, request).to_bytes())
    }

    /// A run by the runner alone, from its order to its end.
    pub(super) async fn run(&self, (run, order): (RunId, Vec<u8>)) -> Ended {
        let mut events = self.runner.start(run, order).await;
        while let Some(event) = events.next().await {
            if let RunEvent::Ended(ended) = event {
                return *ended;
            }
        }
        panic!("a run without an end")
    }

    /// The complete recording of a run.
    pub(super) async fn recording(&self, run: &RunId) -> Vec<u8> {
        self.runner.recording(run).await.unwrap().unwrap()
    }

    /// What Alice sends to `POST /v1/runs`.
    pub(super) fn ordered(&self, story: &Story, use_number: u64) -> RunOrdered {
        let (_, request) = run_request(&self.company, &self.meter, story, use_number);
        let run_request = serde_json::from_slice(&request.to_json().unwrap()).unwrap();
        RunOrdered { run_request, input: None }
    }

    /// Alice at the server, logged in.
    pub(super) async fn client(&self) -> Client {
        let client = Client::new(ClientConfig {
            base: self.url.clone(),
            authorities: api::Authorities::default(),
            token: None,
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(60),
            entropy: Arc::new(executor::OsEntropy),
        })
        .unwrap();
        let person: PersonId = p("alice");
        let asked = ChallengeRequest { person: person.clone(), origin: self.url.clone() };
        let challenge = client.challenge(&asked).await.unwrap();
        let mut nonce = [0; 16];
        hex::decode_to_slice(&challenge.challenge, &mut nonce).unwrap();
        let ends = i64::try_from(challenge.expires_ms / 1000).unwrap();
        let login = Login {
            trust_domain: self.company.domain.clone(),
            person,
            origin: self.url.clone(),
            nonce: Salt(nonce),
            not_after: Timestamp::from_unix_s(ends),
        };
        let signed = self.company.sign("alice", &login).to_json().unwrap();
        let opened = client.open_session(&serde_json::from_slice(&signed).unwrap()).await.unwrap();
        client.with_token(opened.token)
    }

    /// Stops the server.
    pub(super) async fn close(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
    }
}

/// A person who has logged in, as the use-cases see it.
fn who(person: &str) -> Who {
    Who {
        person: p(person),
        session: domain::SessionId::new(&SystemClock, &OsEntropy),
        created_ms: SystemClock.now_ms(),
        expires_ms: SystemClock.now_ms() + 3_600_000,
        key_fingerprint: String::new(),
    }
}

async fn open_runner(
    company: &Company,
    blobs: &Blobs,
    dir: &Path,
    readings: &Readings,
) -> LocalRunner {
    let dir = dir.join("runner");
    std::fs::create_dir_all(&dir).unwrap();
    let pinned = Pinned { trust_domain: company.domain.clone(), keyring: company.keyring_ref() };
    executor::state::enrol(&dir, &pinned).unwrap();
    let ledger = Ledger::open(Options {
        dir: dir.join("ledger"),
        key: company.log_key(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
    })
    .unwrap();
    LocalRunner::open(RunnerOptions {
        dir,
        name: p(RUNNER),
        key: SecretKey::from_seed(&company.key("runner").seed()).unwrap(),
        ledger,
        sandbox: sandbox(),
        connectors: Arc::clone(&readings.connectors),
        blobs: Arc::new(RunnerBlobs::new(blobs.clone())),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        concurrent_runs_max: AppLimits::DEFAULT.concurrent_runs_max,
    })
    .await
    .unwrap()
}
