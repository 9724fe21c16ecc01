//! A runner with its own directory, a real shop database and signed documents: what an attack needs.
//!
//! The control plane is missing on purpose. A scenario holds the order, the blobs and the documents
//! itself, which is exactly the power of a control plane that has been taken over.

mod said;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use domain::{BundleIndex, BundlePath, Digest, Manifest, RunId};
use executor::evidence::RunEvidence;
use executor::{
    AuthorityDocuments, Ended, LocalRunner, OsEntropy, Output, RunEvent, RunOrder, Runner,
    RunnerOptions,
};
use futures_util::StreamExt as _;
use ledger::{Ledger, Options, TrustFile};
use sandbox::{Recording, Replay, Sandbox, SandboxOptions};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use trust::{
    AccessRequest, Approval, ChainDocuments, Envelope, Pinned, Review, RunRequest, Submission,
};

use crate::ambient::{ManualClock, SeededEntropy};
use crate::blobs::MemoryBlobs;
use crate::company::{Company, Founding, RUNNER, p};
use crate::faults::DiskSwitch;
use crate::watch::{Seen, WatchedConnectors};

#[path = "../../runner/cli/src/demo/shop/mod.rs"]
mod shop;

/// An input of `stuck-orders` that finds something in the sample shop.
pub const STUCK_ORDERS_INPUT: &str =
    r#"{"since":"2026-11-01T00:00:00Z","paid_before":"2026-11-21T00:00:00Z"}"#;

/// What the policy grants on the sample shop: no name, e-mail or phone number.
pub const SHOP_READS: &[(&str, &[&str])] = shop::READS;

/// What the sample shop is made of; another text makes another file.
const SHOP_SOURCES: &[&str] = &[
    include_str!("../../runner/cli/src/demo/shop/mod.rs"),
    include_str!("../../runner/cli/src/demo/shop/fate.rs"),
    include_str!("../../runner/cli/src/demo/shop/random.rs"),
    include_str!("../../runner/cli/src/demo/shop/rows.rs"),
    include_str!("../../runner/cli/src/demo/shop/schema.sql"),
    include_str!("../../runner/cli/src/demo/shop/indexes.sql"),
];

/// The sample shop, made once and then shared by all scenarios: they only read it.
pub(crate) async fn shop_file() -> PathBuf {
    static SHOP: OnceCell<PathBuf> = OnceCell::const_new();
    let make = || async { tokio::task::spawn_blocking(make_shop).await.unwrap() };
    SHOP.get_or_init(make).await.clone()
}

fn make_shop() -> PathBuf {
    let dir = std::env::temp_dir().join("borescope-test-shop");
    let sources = Digest::of(SHOP_SOURCES.concat().as_bytes()).short();
    let path = dir.join(format!("{sources}.sqlite"));
    if !path.exists() {
        std::fs::create_dir_all(&dir).unwrap();
        // Two processes may make it at once; each moves a whole one into place.
        let making = tempfile::tempdir_in(&dir).unwrap();
        shop::create(&making.path().join("shop.sqlite")).unwrap();
        std::fs::rename(making.path().join("shop.sqlite"), &path).unwrap();
    }
    path
}

/// A bundle in the blob store.
#[derive(Clone)]
pub struct Uploaded {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its revision.
    pub revision: Digest,
    /// The list of its files.
    pub index: BundleIndex,
    /// Its files.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Uploaded {
    fn component(&self) -> Arc<[u8]> {
        let (_, bytes) = self.files.iter().find(|(path, _)| path == "component.wasm").unwrap();
        bytes.as_slice().into()
    }
}

/// One script's whole chain, before and after signing: a scenario alters the documents it is about.
pub struct Story {
    /// Alice's submission.
    pub submission: Submission,
    /// Bob's review.
    pub review: Review,
    /// Alice's access request.
    pub request: AccessRequest,
    /// What the input is.
    pub input: Digest,
    /// The bundle.
    pub uploaded: Uploaded,
}

/// A runner and everything around it.
pub struct Rig {
    /// The clock.
    pub clock: Arc<ManualClock>,
    /// The people.
    pub company: Company,
    /// The blob store, which an attacker may own.
    pub blobs: Arc<MemoryBlobs>,
    /// What the target saw.
    pub seen: Arc<Seen>,
    /// The disk under the log.
    pub disk: DiskSwitch,
    /// The runner.
    pub runner: LocalRunner,
    name: &'static str,
    dir: Home,
    artifacts: PathBuf,
    uploads: Mutex<BTreeMap<Digest, Uploaded>>,
}

/// Where a runner lives.
enum Home {
    /// For one scenario.
    Temporary(TempDir),
    /// Where it lived before.
    Lasting(PathBuf),
}

impl Home {
    fn path(&self) -> &Path {
        match self {
            Self::Temporary(dir) => dir.path(),
            Self::Lasting(path) => path,
        }
    }
}

/// What the runner of this company believes.
pub fn pin(company: &Company) -> Pinned {
    Pinned { trust_domain: company.domain.clone(), keyring: company.keyring_ref() }
}

/// Starts a runner, or says why it does not start.
async fn open_runner(
    name: &'static str,
    company: &Company,
    clock: &Arc<ManualClock>,
    blobs: &Arc<MemoryBlobs>,
    seen: &Arc<Seen>,
    disk: &DiskSwitch,
    dirs: (&Path, &Path),
) -> Result<LocalRunner, String> {
    let clock: Arc<dyn domain::Clock> = Arc::clone(clock) as _;
    let (dir, artifacts) = dirs;
    let options = Options {
        dir: dir.join("ledger"),
        key: company.log_key_of(name),
        clock: Arc::clone(&clock),
        entropy: Arc::new(OsEntropy),
    };
    let disk = disk.clone();
    let ledger = Ledger::open_with(options, move |file| disk.wrap(file)).map_err(|e| told(&e))?;
    let sandbox = Sandbox::new(SandboxOptions {
        artifact_dir: Some(artifacts.to_owned()),
        mac_key: [7; 32],
        concurrent_runs_max: 4,
        concurrent_compiles_max: 1,
        compile_ms_max: 120_000,
    })
    .unwrap();
    let (shop, kept) = (shop_file().await, Arc::clone(blobs));
    let unwatched = WatchedConnectors::new(shop.clone(), Arc::default());
    company.sit(Arc::new(unwatched), Box::new(move |bytes| _ = kept.put(bytes)));
    LocalRunner::open(RunnerOptions {
        dir: dir.to_owned(),
        name: p(name),
        key: company.runner_key_of(name),
        ledger,
        sandbox,
        connectors: Arc::new(WatchedConnectors::new(shop, Arc::clone(seen))),
        blobs: Arc::clone(blobs) as _,
        clock,
        entropy: Arc::new(OsEntropy),
        concurrent_runs_max: 4,
    })
    .await
    .map_err(|e| told(&e))
}

/// An error with its causes, in one line.
pub fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Compiled components are shared by the scenarios; they are authenticated by the same test key.
pub(crate) fn artifacts() -> PathBuf {
    let dir = std::env::temp_dir().join("borescope-test-artifacts");
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

impl Rig {
    /// A new company with a new runner.
    pub async fn new() -> Self {
        Self::founded("company").await
    }

    /// A new company whose keys depend on `seed`, with a new runner.
    pub async fn founded(seed: &str) -> Self {
        Self::founded_with(seed, |_, _| {}).await
    }

    /// [`Self::founded`], where `change` may alter keyring and policy before they are signed.
    pub async fn founded_with(
        seed: &str,
        change: impl FnOnce(&mut trust::Keyring, &mut trust::Policy),
    ) -> Self {
        Self::named(RUNNER, seed, change).await
    }

    /// [`Self::founded_with`] for the runner of this name. The company is the same for each runner that
    /// is founded so: two of them are two runners of one company.
    pub async fn named(
        name: &'static str,
        seed: &str,
        change: impl FnOnce(&mut trust::Keyring, &mut trust::Policy),
    ) -> Self {
        Self::begun(name, seed, &[], |_, f| change(&mut f.keyring, &mut f.policy)).await
    }

    /// [`Self::founded`] with keys of these names, too, for `change` to give to people.
    pub async fn peopled(
        seed: &str,
        more: &[String],
        change: impl FnOnce(&mut Company, &mut Founding),
    ) -> Self {
        Self::begun(RUNNER, seed, more, change).await
    }

    async fn begun(
        name: &'static str,
        seed: &str,
        more: &[String],
        change: impl FnOnce(&mut Company, &mut Founding),
    ) -> Self {
        let clock = Arc::new(ManualClock::default());
        let entropy = Arc::new(SeededEntropy::new(seed));
        let company = Company::peopled(Arc::clone(&clock) as _, entropy, more, change);
        let (blobs, seen) = (Arc::new(MemoryBlobs::default()), Arc::new(Seen::default()));
        let (disk, dir) = (DiskSwitch::default(), Home::Temporary(tempfile::tempdir().unwrap()));
        executor::state::enrol(dir.path(), &pin(&company)).unwrap();
        let artifacts = artifacts();
        let dirs = (dir.path(), artifacts.as_path());
        let runner = open_runner(name, &company, &clock, &blobs, &seen, &disk, dirs).await.unwrap();
        let uploads = Mutex::default();
        Self { clock, company, blobs, seen, disk, runner, name, dir, artifacts, uploads }
    }

    /// The same with a directory of its own for compiled components, beside what is the runner's.
    pub async fn with_own_artifacts(self) -> Self {
        let artifacts = self.dir.path().join("artifacts");
        Self { artifacts, ..self }.restart().await
    }

    /// The runner of a directory that outlives the process, enrolled when it is new. The company is
    /// the same each time; only what it signs from now on is new.
    pub async fn at(dir: PathBuf) -> Self {
        let name = RUNNER;
        let clock = Arc::new(ManualClock::default());
        let seeded = Arc::new(SeededEntropy::new("company"));
        let mut company = Company::found(Arc::clone(&clock) as _, seeded);
        company.draw_from(Arc::new(OsEntropy));
        let (blobs, seen) = (Arc::new(MemoryBlobs::default()), Arc::new(Seen::default()));
        let disk = DiskSwitch::default();
        if !dir.join("ledger").exists() {
            executor::state::enrol(&dir, &pin(&company)).unwrap();
        }
        let artifacts = artifacts();
        let dirs = (dir.as_path(), artifacts.as_path());
        let runner = open_runner(name, &company, &clock, &blobs, &seen, &disk, dirs).await.unwrap();
        let (dir, uploads) = (Home::Lasting(dir), Mutex::default());
        Self { clock, company, blobs, seen, disk, runner, name, dir, artifacts, uploads }
    }

    /// Stops the runner and starts it again over the same directory.
    pub async fn restart(self) -> Self {
        self.restart_after(|_| {}).await.unwrap()
    }

    /// Stops the runner, lets `change` have its directory, and starts it again.
    ///
    /// # Errors
    /// Why it does not start.
    pub async fn restart_after(self, change: impl FnOnce(&Path)) -> Result<Self, String> {
        let Self { clock, company, blobs, seen, disk, runner, name, dir, artifacts, uploads } =
            self;
        drop(runner);
        change(dir.path());
        let dirs = (dir.path(), artifacts.as_path());
        let runner = open_runner(name, &company, &clock, &blobs, &seen, &disk, dirs).await?;
        Ok(Self { clock, company, blobs, seen, disk, runner, name, dir, artifacts, uploads })
    }

    /// Ends a scenario, and audits it: no run is unfinished, the log verifies from its first entry,
    /// and every complete recording replays.
    pub async fn close(self) {
        assert_eq!(self.runner.ledger().open_runs(), [], "runs are unfinished");
        for entry in std::fs::read_dir(self.dir.path().join("recordings")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "rec") {
                let bytes = std::fs::read(&path).unwrap();
                let replay = self.replay(&bytes).await;
                assert!(matches!(replay, Replay::Matches { .. }), "{}: {replay:?}", path.display());
            }
        }
        self.runner.ledger().checkpoint().unwrap();
        let (ledger, trust, dir) = (self.ledger_dir(), self.trust_file(), self.dir);
        drop(self.runner);
        let report = ledger::verify_journal(&ledger, Some(&trust)).unwrap();
        assert_eq!(report.runs_open, 0);
        drop(dir);
    }

    /// What an auditor of this company trusts.
    pub fn trust_file(&self) -> TrustFile {
        let c = &self.company;
        let text = format!(
            "trust_domain = \"{}\"\nkeyring = \"{}\"\n[[log]]\nvkey = \"{}\"\n",
            c.domain,
            c.keyring.payload_digest(),
            c.log_key_of(self.name).verifier()
        );
        TrustFile::parse(&text).unwrap()
    }

    /// The released output of a run.
    pub fn output(&self, ended: &Ended) -> Output {
        serde_json::from_str(ended.output.as_deref().unwrap()).unwrap()
    }

    /// The evidence of a run.
    pub fn evidence(&self, order: &RunOrder, ended: &Ended) -> RunEvidence {
        RunEvidence {
            v: 1,
            receipt: ended.receipt.clone().unwrap(),
            proof: ended.proof.clone().unwrap(),
            keyring: order.keyring.clone(),
            successors: order.successors.clone(),
            directory: order.directory.clone(),
            policy: order.policy.clone(),
        }
    }

    /// The complete recording of a run.
    pub async fn recording(&self, run: &RunId) -> Vec<u8> {
        self.runner.recording(run).await.unwrap().unwrap()
    }

    /// Replays a recording with the bundle that it is of.
    pub async fn replay(&self, recording: &[u8]) -> Replay {
        let parsed = Recording::parse(recording).unwrap();
        let revision = parsed.header().unwrap().revision;
        let uploaded = self.uploaded(&revision);
        let manifest = Arc::new(uploaded.manifest.clone());
        let sandbox = self.runner.sandbox();
        executor::replay::replay(sandbox, recording, uploaded.component(), manifest).await.unwrap()
    }

    fn uploaded(&self, revision: &Digest) -> Uploaded {
        self.uploads.lock().unwrap().get(revision).cloned().unwrap()
    }

    /// The attack on the blob store: other bytes under the digest of a bundle's file.
    pub fn exchange(&self, story: &Story, path: &str, bytes: &[u8]) {
        self.blobs.exchange(*story.uploaded.index.get(path).unwrap(), bytes);
    }

    /// Undoes what an attack did to the blob store.
    pub fn restore(&self, story: &Story, input: &str) {
        for (_, bytes) in &story.uploaded.files {
            self.blobs.put(bytes);
        }
        self.blobs.put(&story.uploaded.index.to_bytes());
        self.blobs.put(input.as_bytes());
    }

    /// The runner's own directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The ledger's directory.
    pub fn ledger_dir(&self) -> PathBuf {
        self.dir.path().join("ledger")
    }

    /// Puts a guest's bundle into the blob store; `change` may alter its files before.
    pub fn upload(
        &self,
        guest: &str,
        change: impl FnOnce(&mut Vec<(String, Vec<u8>)>),
    ) -> Uploaded {
        let mut files = crate::guests::files(guest);
        change(&mut files);
        self.upload_files(files)
    }

    /// Puts the files of a bundle into the blob store.
    pub fn upload_files(&self, files: Vec<(String, Vec<u8>)>) -> Uploaded {
        let digests =
            files.iter().map(|(path, bytes)| (p::<BundlePath>(path), self.blobs.put(bytes)));
        let index = BundleIndex::new(digests.collect()).unwrap();
        let revision = self.blobs.put(&index.to_bytes());
        let manifest = files.iter().find(|(path, _)| path == "script.toml").unwrap();
        let manifest = Manifest::parse(&manifest.1).unwrap();
        self.company.read(revision, &manifest, &files);
        let uploaded = Uploaded { manifest, revision, index, files };
        self.uploads.lock().unwrap().insert(revision, uploaded.clone());
        uploaded
    }

    /// The documents of an ordinary run of `guest` with `input`, not signed yet.
    pub fn story(&self, guest: &str, input: &str) -> Story {
        let uploaded = self.upload(guest, |_| {});
        self.story_of(uploaded, input)
    }

    /// [`Self::story`] of a bundle that is uploaded already.
    pub fn story_of(&self, uploaded: Uploaded, input: &str) -> Story {
        let input = self.blobs.put(input.as_bytes());
        let (manifest, revision) = (&uploaded.manifest, uploaded.revision);
        Story {
            submission: self.company.submission(manifest, revision),
            review: self.company.review(manifest, revision),
            request: self.company.access_request(manifest, revision, input),
            input,
            uploaded,
        }
    }

    /// Signs the story's documents with Bob's approval and Alice's run request; `change` may alter
    /// approval and run request before they are signed.
    pub fn order(
        &self,
        story: &Story,
        change: impl FnOnce(&mut Approval, &mut RunRequest),
    ) -> (RunId, RunOrder) {
        self.order_use(story, 1, change)
    }

    /// [`Self::order`] for another use of the same access request.
    pub fn order_use(
        &self,
        story: &Story,
        use_number: u64,
        change: impl FnOnce(&mut Approval, &mut RunRequest),
    ) -> (RunId, RunOrder) {
        let c = &self.company;
        let manifest = &story.uploaded.manifest;
        let submission = c.sign(story.submission.author.as_str(), &story.submission);
        let review = c.sign(story.review.reviewer.as_str(), &story.review);
        let request = c.sign(story.request.caller.as_str(), &story.request);
        let mut approval = c.approval(manifest, &request, &[&review]);
        let mut run = c.run_request(manifest, &request, story.input, use_number);
        change(&mut approval, &mut run);
        let order = RunOrder {
            v: 1,
            keyring: c.keyring.clone(),
            successors: c.successors.clone(),
            directory: c.directory.clone(),
            policy: c.policy.clone(),
            documents: ChainDocuments {
                approvals: vec![c.sign(approval.approver.as_str(), &approval)],
                run_request: c.sign(run.caller.as_str(), &run),
                access_request: Some(request),
                submissions: vec![submission],
                reviews: vec![review],
                stops: vec![],
                lifts: vec![],
                withdrawals: vec![],
                after_reviews: vec![],
                status: None,
                base: None,
            },
        };
        (run.run, order)
    }

    /// Starts an order and collects everything that the runner says until the run is over.
    pub async fn run(&self, run: &RunId, order: &RunOrder) -> (Vec<RunEvent>, Ended) {
        self.run_bytes(run, order.to_bytes()).await
    }

    /// [`Self::run`] with the order's bytes.
    pub async fn run_bytes(&self, run: &RunId, order: Vec<u8>) -> (Vec<RunEvent>, Ended) {
        let mut events: Vec<RunEvent> = self.runner.start(run.clone(), order).await.collect().await;
        match events.pop() {
            Some(RunEvent::Ended(ended)) => (events, *ended),
            other => panic!("the last event is {other:?}"),
        }
    }

    /// The documents that say who may do what.
    pub fn authority_documents(&self) -> AuthorityDocuments {
        self.company.documents()
    }

    /// Goes on with what the runner's log says was adopted.
    pub async fn go_on(&mut self) {
        let found = self.runner.state().documents(&self.company.documents()).unwrap();
        self.company.go_on_with(found);
        self.adopt().await;
    }

    /// Adopts them, as the control plane does at its start.
    pub async fn adopt(&self) {
        self.runner.adopt(&self.authority_documents()).await.unwrap();
    }

    /// The bytes of an envelope, as they travel.
    pub fn wire(envelope: &Envelope) -> Vec<u8> {
        serde_json::to_vec(envelope).unwrap()
    }
}
