//! A small team with a server: anna writes, carol reviews and owns the service bot, otto is on call, ruth approves and holds
//! every role, rita may read results. The clock is manual, keys are fixed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use domain::decide::{InputRule, StopSubject, Verdict};
use domain::{Analysis, AnalysisRef, Clock, Digest, Entropy, Manifest, PersonId, RunId, Scope};
use executor::ports::{TargetAccess, Ways};
use executor::runner::RunnerOptions;
use executor::{AuthorityDocuments, LocalRunner};
use ledger::{FileStorage, Ledger, LogKey, Storage};
use sandbox::{Sandbox, SandboxOptions};
use store::Store;
use trust::document::NullOnly;
use trust::*;

use crate::*;

pub(super) const ORIGIN: &str = "http://127.0.0.1:7070";
const NOW_MS: u64 = 1_795_464_000_000;

pub(super) struct Manual(AtomicU64);

impl Clock for Manual {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
    fn elapsed_ms(&self) -> u64 {
        self.now_ms()
    }
}

/// Unpredictable enough for tests: a counter in every block, never the same twice.
#[derive(Default)]
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let n = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            let bytes = Digest::of(&n.to_be_bytes());
            chunk.copy_from_slice(&bytes.as_bytes()[..chunk.len()]);
        }
    }
}

pub(super) fn t<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(super) fn key(person: &str) -> SecretKey {
    let seed = Digest::of(person.as_bytes());
    SecretKey::from_seed(seed.as_bytes()).unwrap()
}

pub(super) struct Team {
    pub(super) dir: tempfile::TempDir,
    pub(super) clock: Arc<Manual>,
    entropy: Arc<Counted>,
    documents: AuthorityDocuments,
    disk_is_full: Arc<AtomicBool>,
}

/// A disk under the ledger that fills when told.
struct Disk {
    file: FileStorage,
    full: Arc<AtomicBool>,
}

impl Storage for Disk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.full.load(Ordering::SeqCst) {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on device"));
        }
        self.file.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }
}

/// What the team's scripts come to on a target: they ask nothing.
const NO_QUERIES: Analysis = Analysis { queries: Vec::new() };

fn saw(ceiling: &Scope) -> Vec<AnalysisRef> {
    let see = |pair: domain::Pair| AnalysisRef {
        logical: pair.logical,
        target: pair.target,
        digest: NO_QUERIES.digest(),
    };
    ceiling.pairs().map(see).collect()
}

impl Team {
    pub(super) fn new() -> Self {
        let clock = Arc::new(Manual(AtomicU64::new(NOW_MS)));
        let entropy = Arc::new(Counted::default());
        let dir = tempfile::tempdir().unwrap();
        let (documents, pinned) = authority(&*clock, &*entropy);
        std::fs::create_dir_all(dir.path().join("runner")).unwrap();
        executor::state::enrol(&dir.path().join("runner"), &pinned).unwrap();
        Self { dir, clock, entropy, documents, disk_is_full: Arc::default() }
    }

    pub(super) fn advance_s(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) async fn store(&self) -> Store {
        Store::open(&self.path("store.sqlite")).await.unwrap()
    }

    pub(super) async fn open(&self) -> Result<Arc<App>, OpenError> {
        let store = self.store().await;
        let blobs = store::Blobs::open(&self.path("blobs"), 64 << 20).await.unwrap();
        let runner = LocalRunner::open(RunnerOptions {
            dir: self.path("runner"),
            name: t("local"),
            key: key("runner"),
            ledger: self.ledger(),
            sandbox: sandbox(),
            connectors: Arc::new(Ways(
                [(t("shop"), TargetAccess::Sqlite(self.path("shop.sqlite")))].into(),
            )),
            blobs: Arc::new(RunnerBlobs::new(blobs.clone())),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            concurrent_runs_max: 2,
        });
        blobs.put(&NO_QUERIES.to_bytes()).await.unwrap();
        App::open(AppOptions {
            store,
            blobs,
            runner: runner.await.unwrap(),
            documents: self.documents.clone(),
            origins: vec![ORIGIN.to_owned()],
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            limits: AppLimits::DEFAULT,
            target_runs_max: BTreeMap::new(),
        })
        .await
    }

    pub(super) fn ledger(&self) -> (Ledger, ledger::Recovered) {
        let options = ledger::Options {
            dir: self.path("ledger"),
            key: LogKey::from_seed(t("shop.example/test/local"), &[7; 32]),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        };
        let full = Arc::clone(&self.disk_is_full);
        Ledger::open_with(options, |file| Box::new(Disk { file, full })).unwrap()
    }

    /// Fills the disk under the ledger, or makes room again.
    pub(super) fn fill_disk(&self, full: bool) {
        self.disk_is_full.store(full, Ordering::SeqCst);
    }

    /// Closes the server as a clean stop does.
    pub(super) async fn close(&self, app: Arc<App>) {
        app.drain(5).await;
        app.store.close().await;
    }

    pub(super) fn header<I>(&self, id: I) -> Header<I> {
        self.header_for(id, 3600)
    }

    fn header_for<I>(&self, id: I, seconds: i64) -> Header<I> {
        let now = self.clock.now();
        Header {
            trust_domain: t("shop.example/test"),
            id,
            not_before: now,
            not_after: now.plus_s(seconds),
            salt: Salt(self.entropy.salt()),
        }
    }

    pub(super) fn id<I>(&self, new: fn(&dyn Clock, &dyn Entropy) -> I) -> I {
        new(&*self.clock, &*self.entropy)
    }

    pub(super) fn submission(&self, revision: Digest) -> Vec<u8> {
        let doc = Submission {
            header: self.header(self.id(domain::SubmissionId::new)),
            author: t("anna"),
            owner: NullOnly,
            script: t("answer"),
            version: t("1.0.0"),
            revision,
        };
        signed(&doc, "anna")
    }

    pub(super) fn review(&self, revision: Digest, ceiling: Scope) -> Vec<u8> {
        let doc = Review {
            header: self.header(self.id(domain::ReviewId::new)),
            reviewer: t("carol"),
            revision,
            verdict: Verdict::Approve,
            analysis: saw(&ceiling),
            ceiling,
            self_serve: vec![],
            rebuilt: trust::Rebuilt::NotTried,
            comment: t("fine"),
        };
        signed(&doc, "carol")
    }

    pub(super) fn access_request(&self, revision: Digest, uses: u64) -> AccessRequest {
        let header = self.header(self.id(domain::RequestId::new));
        AccessRequest {
            window: header.window(),
            header,
            caller: t("otto"),
            revision,
            scope: scope(),
            input: InputRule::Exact { digest: Digest::of(INPUT) },
            duration_s: 3600,
            uses,
            runner: t("local"),
            reason: t("INC-1"),
            ticket: None,
            break_glass: false,
        }
    }

    pub(super) fn approval(&self, request: &AccessRequest, reviews: Vec<Digest>) -> Vec<u8> {
        let version = |e: &Envelope| VersionRef { version: 1, digest: e.payload_digest() };
        let doc = Approval {
            header: self.header(self.id(domain::ApprovalId::new)),
            approver: t("ruth"),
            request: Digest::of(&payload(request).unwrap()),
            request_id: request.header.id.clone(),
            reviews,
            keyring: version(&self.documents.keyring),
            directory: version(&self.documents.directory),
            policy: version(&self.documents.policy),
            scope: request.scope.clone(),
            comment: t("fine"),
        };
        signed(&doc, "ruth")
    }

    pub(super) fn run_request(&self, request: &AccessRequest, use_number: u64) -> RunRequest {
        RunRequest {
            header: self.header_for(self.id(domain::RunRequestId::new), 60),
            caller: t("otto"),
            run: self.id(RunId::new),
            revision: request.revision,
            request: Some(Digest::of(&payload(request).unwrap())),
            runner: t("local"),
            pairs: request.scope.pairs().collect(),
            input: Digest::of(INPUT),
            use_number,
            reason: None,
            ticket: None,
        }
    }

    pub(super) fn stop(&self, subject: StopSubject) -> Vec<u8> {
        let doc = Stop {
            header: self.header(self.id(domain::StopId::new)),
            by: t("ruth"),
            subject,
            reason: t("stop it"),
        };
        signed(&doc, "ruth")
    }

    /// A submitted, reviewed revision with an approved access request for two uses.
    pub(super) async fn approved(&self, app: &Arc<App>) -> AccessRequest {
        let revision = upload(app, &bundle("answer")).await.unwrap().revision;
        app.submit(&who("anna"), &self.submission(revision)).await.unwrap();
        let review = app.review(&who("carol"), &self.review(revision, scope())).await.unwrap();
        let request = self.access_request(revision, 2);
        app.request_access(&who("otto"), &signed(&request, "otto")).await.unwrap();
        let approval = self.approval(&request, vec![review.digest]);
        app.approve(&who("ruth"), &approval).await.unwrap();
        request
    }
}

/// What a script without schema takes.
pub(super) const INPUT: &[u8] = b"{}";

pub(super) fn who(person: &str) -> Who {
    Who {
        person: t(person),
        session: t("ses_019ab000-0000-7000-8000-000000000001"),
        created_ms: 0,
        expires_ms: u64::MAX,
        key_fingerprint: key(person).fingerprint().as_str().to_owned(),
    }
}

pub(super) fn signed<D: Document>(doc: &D, person: &str) -> Vec<u8> {
    sign(doc, &key(person)).unwrap().to_json().unwrap()
}

/// What the script asks for.
pub(super) fn scope() -> Scope {
    let manifest = Manifest::parse(MANIFEST.as_bytes()).unwrap();
    let pair = domain::Pair { logical: t("shop"), target: t("shop") };
    manifest.asks(&[pair]).scope()
}

const MANIFEST: &str = r#"
[script]
name = "answer"
version = "1.0.0"
summary = "Answers"

[targets.shop]
engine = "sqlite"
"#;

/// A component without imports that returns a text.
pub(super) fn component(answer: &str) -> Vec<u8> {
    let json = format!("\\22{answer}\\22");
    let len = answer.len() + 2;
    let text = format!(
        r#"(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2048))
    (data (i32.const 1024) "{json}")
    (func (export "run") (param i32 i32) (result i32)
      (i32.store (i32.const 0) (i32.const 0))
      (i32.store (i32.const 4) (i32.const 1024))
      (i32.store (i32.const 8) (i32.const {len}))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "run") (param "input" string) (result (result string (error string)))
    (canon lift (core func $i "run") (memory (core memory $i "memory"))
      (realloc (core func $i "realloc")))))"#
    );
    wat::parse_str(text).unwrap()
}

/// The files of a bundle, its list included.
pub(super) fn bundle(answer: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    files.insert("component.wasm".to_owned(), component(answer));
    files.insert("script.toml".to_owned(), MANIFEST.as_bytes().to_vec());
    let digests = files.iter().map(|(p, b)| (t(p), Digest::of(b))).collect();
    let index = domain::BundleIndex::new(digests).unwrap().to_bytes();
    files.insert("bundle.sha256".to_owned(), index);
    files
}

pub(super) async fn upload(
    app: &Arc<App>,
    files: &BTreeMap<String, Vec<u8>>,
) -> Result<Uploaded, AppError> {
    let mut upload = app.upload(&who("anna"))?;
    for (path, bytes) in files {
        upload.begin(path).await?;
        for piece in bytes.chunks(100) {
            upload.piece(piece).await?;
        }
    }
    upload.finish().await
}

fn sandbox() -> Sandbox {
    Sandbox::new(SandboxOptions {
        artifact_dir: None,
        mac_key: [1; 32],
        concurrent_runs_max: 2,
        concurrent_compiles_max: 1,
        compile_ms_max: 60_000,
    })
    .unwrap()
}

/// Copies the files of a directory, as a backup would.
pub(super) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn authority(clock: &dyn Clock, entropy: &dyn Entropy) -> (AuthorityDocuments, Pinned) {
    fn header<I>(clock: &dyn Clock, entropy: &dyn Entropy, id: I) -> Header<I> {
        let now = clock.now();
        Header {
            trust_domain: t("shop.example/test"),
            id,
            not_before: now.plus_s(-60),
            not_after: now.plus_s(90 * 24 * 3600),
            salt: Salt(entropy.salt()),
        }
    }
    let role = |role| RoleRule { role, threshold: 1, people: vec![t("ruth")] };
    let keyring = Keyring {
        header: header(clock, entropy, domain::KeyringId::new(clock, entropy)),
        version: 1,
        previous: None,
        keys: vec![KeyringKey { person: t("ruth"), key: key("ruth").public().clone() }],
        roles: [Role::Root, Role::Directory, Role::Policy, Role::Stop].map(role).into(),
        floors: Floors {
            reviews_required: 1,
            approvals_required: 1,
            self_serve: false,
            break_glass_approvals_required: 1,
        },
    };
    let keyring = sign(&keyring, &key("ruth")).unwrap();
    let bound = VersionRef { version: 1, digest: keyring.payload_digest() };
    let person = |id: &str, group: &str| Person {
        id: t(id),
        name: id.to_owned(),
        kind: PersonKind::Human,
        owner: None,
        keys: vec![PersonKey {
            key: key(id).public().clone(),
            status: KeyStatus::Active,
            since: None,
        }],
        groups: vec![t(group)],
    };
    let directory = Directory {
        header: header(clock, entropy, domain::DirectoryId::new(clock, entropy)),
        version: 1,
        previous: None,
        keyring: bound,
        people: vec![
            person("anna", "authors"),
            Person {
                kind: PersonKind::Service,
                owner: Some(t("carol")),
                ..person("bot", "reviewers")
            },
            person("carol", "reviewers"),
            person("otto", "oncall"),
            person("rita", "readers"),
            person("ruth", "approvers"),
        ],
    };
    let issue = source::Issue {
        header: header(clock, entropy, domain::PolicyId::new(clock, entropy)),
        version: 1,
        previous: None,
        keyring: bound,
    };
    let runner = key("runner").public().to_string();
    let policy =
        format!("{POLICY}\n[[runner]]\nname = \"local\"\nkey = \"{runner}\"\nlog_vkey = \"x\"\n");
    let policy = source::policy(&policy, issue).unwrap();
    let documents = AuthorityDocuments {
        keyring,
        successors: vec![],
        directory: sign(&directory, &key("ruth")).unwrap(),
        policy: sign(&policy, &key("ruth")).unwrap(),
    };
    (documents, Pinned { trust_domain: t("shop.example/test"), keyring: bound })
}

const POLICY: &str = r#"
[[target]]
id = "shop"
engine = "sqlite"
prod = false
identity = { sqlite = { application_id = 7 } }
runners = ["local"]
callers = ["oncall"]
reviews = { required = 1, groups = ["reviewers"] }
approvals = { required = 1, groups = ["approvers"] }
readers = ["readers"]
reads = [{ table = "orders", columns = ["id"] }]

[[script]]
name = "answer"
owners = ["authors"]
"#;

/// A person's id.
pub(super) fn person(name: &str) -> PersonId {
    t(name)
}
