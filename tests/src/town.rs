//! A larger company behind a real server: everybody stands in another relation to one script, owns keys
//! in every state, and there is a target of every kind.
//!
//! What somebody does here is done over HTTP with a document of their own. A [`Plan`] says who said what
//! about a script; [`Town::play`] does it, and stops at the first step that the server refuses.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use app::{AppLimits, QuotaLimits};
use domain::decide::{SelfServeClause, SelfServeRules, StopSubject};
use domain::{Digest, Manifest, Pair, Scope};
use executor::Runner as _;
use serde_json::json;
use server::ServerLimits;
use trust::{
    AccessRequest, Approval, Document, Envelope, KeyStatus, Keyring, KeyringKey, Login, Person,
    PersonKey, PersonKind, Policy, PolicyTarget, PublicKey, Review, RunRequest, Salt, SecretKey,
    Submission,
};

use crate::company::{Company, Founding, TARGET, p};
use crate::raw_http::Answer;
use crate::served::Served;

/// Everybody, what they are, and the groups that they are in. `dev` may do everything that is not
/// administration: so that whatever differs between its members is their relation to the script. The
/// groups `sec` and `ops` are there for policies that name them.
pub const PEOPLE: &[(&str, PersonKind, &[&str])] = &[
    ("alice", PersonKind::Human, &["dev"]),
    ("ada", PersonKind::Human, &["dev", "sec"]),
    ("bob", PersonKind::Human, &["dev"]),
    ("vera", PersonKind::Human, &["dev"]),
    ("cleo", PersonKind::Human, &["dev"]),
    ("otto", PersonKind::Human, &["dev", "sec", "ops"]),
    ("bot", PersonKind::Agent, &["dev"]),
    ("ci", PersonKind::Service, &["dev"]),
    ("rhea", PersonKind::Human, &["audit"]),
    ("mallory", PersonKind::Human, &[]),
    ("carol", PersonKind::Human, &[]),
];

/// Somebody who is in no directory.
pub const NOBODY: &str = "nemo";

/// Targets by what they are.
pub const PROD: &str = "shop-prod";
/// Where reviewers may open scripts to callers.
pub const OPEN: &str = "shop-open";

/// How a key stands in directory and keyring, and whether it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// The key that somebody logs in with.
    Active,
    /// Another active key of the same person.
    Second,
    /// The directory has retired it.
    Retired,
    /// The directory says that somebody else may have it.
    Compromised,
    /// Active in the directory, and stopped by a stop.
    Stopped,
    /// In no document.
    Unknown,
}

impl KeyState {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Active,
        Self::Second,
        Self::Retired,
        Self::Compromised,
        Self::Stopped,
        Self::Unknown,
    ];

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Second => "second",
            Self::Retired => "retired",
            Self::Compromised => "compromised",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
        }
    }

    /// What the key of `person` in this state is called.
    #[must_use]
    pub fn of(self, person: &str) -> String {
        match self {
            Self::Active => person.to_owned(),
            other => format!("{person}/{}", other.name()),
        }
    }
}

/// Who said what about a script, and who wants to run it.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// Where.
    pub target: &'a str,
    /// Who submits it.
    pub authors: Vec<&'a str>,
    /// Who approves it in a review.
    pub reviewers: Vec<&'a str>,
    /// Whether the reviews open it to `dev` without an approval, and nobody asks for one.
    pub self_serve: bool,
    /// Who asks, and runs.
    pub caller: &'a str,
    /// Whether it is an emergency.
    pub break_glass: bool,
    /// Who approves the access request, by which key.
    pub approvers: Vec<(&'a str, KeyState)>,
}

impl Plan<'_> {
    /// The ordinary run: ada and alice wrote it, bob reviewed it, cleo asks, vera approves.
    #[must_use]
    pub fn ordinary() -> Self {
        Self {
            target: TARGET,
            authors: vec!["alice", "ada"],
            reviewers: vec!["bob"],
            self_serve: false,
            caller: "cleo",
            break_glass: false,
            approvers: vec![("vera", KeyState::Active)],
        }
    }
}

/// A submitted revision with its reviews.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its digest.
    pub revision: Digest,
    /// Where it was reviewed for.
    pub target: String,
    /// Reviews that are on file.
    pub reviews: Vec<Envelope>,
}

impl Script {
    /// Its logical targets bound to where it was reviewed for.
    #[must_use]
    pub fn pairs(&self) -> Vec<Pair> {
        let bind = |l: &domain::LogicalTarget| Pair { logical: l.clone(), target: p(&self.target) };
        self.manifest.targets.keys().map(bind).collect()
    }

    /// Everything that it asks for.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.manifest.asks(&self.pairs()).scope()
    }
}

/// A plan that was played: what may be run by now.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The script.
    pub script: Script,
    /// The access request; `None` for self-serve.
    pub request: Option<Envelope>,
    /// Its approvals.
    pub approvals: Vec<Envelope>,
    /// Who asked.
    pub caller: String,
}

/// A step that the server refused.
#[derive(Debug, Clone)]
pub struct Refused {
    /// What was tried.
    pub step: &'static str,
    /// What the server said.
    pub answer: Answer,
}

/// The company, its server, and who is logged in.
pub struct Town {
    /// The server.
    pub served: Served,
    /// The input of every run here.
    pub input: Digest,
    tokens: Mutex<BTreeMap<String, String>>,
    scripts: Mutex<BTreeMap<String, Script>>,
    versions: AtomicU64,
}

impl Town {
    /// Founds it, logs everybody in, and stops the keys that are to be stopped.
    pub async fn found() -> Self {
        Self::founded_with(|_| {}).await
    }

    /// The same, where `change` may alter the policy before it is signed.
    pub async fn founded_with(change: impl FnOnce(&mut Policy)) -> Self {
        let mut names: Vec<String> = vec![NOBODY.to_owned()];
        for (person, ..) in PEOPLE {
            names.extend(KeyState::ALL.iter().map(|state| state.of(person)));
            names.push(format!("{person}/touch"));
        }
        let everybody = crate::company::PEOPLE.iter().map(|(name, _)| *name);
        names.retain(|name| !everybody.clone().any(|there| there == name));
        let quotas = QuotaLimits {
            uploads_per_hour_max: u64::MAX,
            pending_requests_max: u64::MAX,
            ..QuotaLimits::DEFAULT
        };
        let limits = ServerLimits {
            failures_per_peer_per_minute_max: u64::MAX,
            failures_per_minute_max: u64::MAX,
            ..ServerLimits::DEFAULT
        };
        let app = AppLimits { quotas, ..AppLimits::DEFAULT };
        let founded = |company: &mut Company, founding: &mut Founding| {
            found(company, founding);
            change(&mut founding.policy);
        };
        let served = Served::peopled(&names, app, limits, founded).await;
        let input = Digest::of(b"{}");
        let (tokens, scripts) = (Mutex::default(), Mutex::default());
        let town = Self { served, input, tokens, scripts, versions: AtomicU64::new(1) };
        for (person, ..) in PEOPLE {
            town.enters(person).await;
        }
        let stored = town.call(Some("cleo"), "POST /v1/inputs", &[], b"{}").await;
        assert_eq!(stored.status, 200);
        for (person, ..) in PEOPLE {
            let key = town.key(person, KeyState::Stopped).fingerprint().as_str().to_owned();
            let stop = town.company().stop(StopSubject::Key(key));
            town.files("carol", "/v1/stops", "stop", &town.sign("carol", &stop)).await.unwrap();
        }
        town
    }

    /// The people, keys and documents.
    #[must_use]
    pub fn company(&self) -> &Company {
        &self.served.company
    }

    /// A key of somebody; of nobody there is one only.
    pub fn key(&self, person: &str, state: KeyState) -> &SecretKey {
        if person == NOBODY {
            return self.company().key(NOBODY);
        }
        self.company().key(&state.of(person))
    }

    /// The secret half of somebody's security key, as nobody has it who cannot touch it.
    pub fn token_key(&self, person: &str) -> &SecretKey {
        self.company().key(&format!("{person}/touch"))
    }

    /// A document by somebody's ordinary key.
    pub fn sign<D: Document>(&self, person: &str, document: &D) -> Envelope {
        trust::sign(document, self.key(person, KeyState::Active)).unwrap()
    }

    /// The token of somebody who is logged in.
    #[must_use]
    pub fn token(&self, person: &str) -> Option<String> {
        self.tokens.lock().unwrap().get(person).cloned()
    }

    /// Logs somebody in by their ordinary key; from now on they call with the new token.
    pub async fn enters(&self, person: &str) {
        self.enters_by(person, KeyState::Active).await;
    }

    /// The same by another of their keys.
    pub async fn enters_by(&self, person: &str, key: KeyState) {
        let answer = self.log_in(person, self.key(person, key), |_| {}).await;
        let token = answer.json()["token"].as_str().unwrap().to_owned();
        self.tokens.lock().unwrap().insert(person.to_owned(), token);
    }

    /// Somebody else than `person`, whose token or key is used in their place.
    #[must_use]
    pub fn other(person: &str) -> &'static str {
        if person == "mallory" { "alice" } else { "mallory" }
    }

    /// Asks for a challenge in the name of `person` and answers it by `key`.
    pub async fn log_in(
        &self,
        person: &str,
        key: &SecretKey,
        change: impl FnOnce(&mut Login),
    ) -> Answer {
        let asked = json!({ "person": person, "origin": self.served.url() }).to_string();
        let json = ["content-type: application/json"];
        let challenge = self.served.raw("POST /v1/challenges", &json, asked.as_bytes()).await;
        let challenge = challenge.json();
        let mut nonce = [0; 16];
        hex::decode_to_slice(challenge["challenge"].as_str().unwrap(), &mut nonce).unwrap();
        let ends_s = challenge["expires_ms"].as_i64().unwrap() / 1000;
        let mut login = Login {
            trust_domain: self.company().domain.clone(),
            person: p(person),
            origin: self.served.url(),
            nonce: Salt(nonce),
            not_after: domain::Timestamp::from_unix_s(ends_s),
        };
        change(&mut login);
        let signed = trust::sign(&login, key).unwrap().to_json().unwrap();
        self.served.raw("POST /v1/sessions", &json, &signed).await
    }

    /// One call with the token of `person`, if they have one.
    pub async fn call(
        &self,
        person: Option<&str>,
        line: &str,
        headers: &[&str],
        body: &[u8],
    ) -> Answer {
        let token = person.and_then(|person| self.token(person));
        let token = token.map(|token| format!("authorization: Bearer {token}"));
        let headers: Vec<&str> = headers.iter().copied().chain(token.as_deref()).collect();
        self.served.raw(line, &headers, body).await
    }

    /// Posts a document as `person`.
    pub async fn post(&self, person: &str, path: &str, envelope: &Envelope) -> Answer {
        let (line, json) = (format!("POST {path}"), ["content-type: application/json"]);
        self.call(Some(person), &line, &json, &envelope.to_json().unwrap()).await
    }

    /// Posts a document that should be taken.
    ///
    /// # Errors
    /// The refusal.
    pub async fn files(
        &self,
        person: &str,
        path: &str,
        step: &'static str,
        envelope: &Envelope,
    ) -> Result<(), Refused> {
        taken(step, self.post(person, path, envelope).await).map(drop)
    }

    /// Uploads and submits a revision that nobody has seen, and has it reviewed.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn fresh_script(&self, plan: &Plan<'_>) -> Result<Script, Refused> {
        let mut files = crate::guests::files("echo");
        let version = format!("version = \"1.{}.0\"", self.versions.fetch_add(1, Ordering::SeqCst));
        let manifest = files.iter_mut().find(|(path, _)| path == "script.toml").unwrap();
        let text = String::from_utf8(manifest.1.clone()).unwrap();
        manifest.1 = text.replace("version = \"1.0.0\"", &version).into_bytes();
        let parsed = Manifest::parse(&manifest.1).unwrap();
        let digests = files.iter().map(|(path, bytes)| (p(path), Digest::of(bytes))).collect();
        let index = domain::BundleIndex::new(digests).unwrap();
        self.company().read(index.revision(), &parsed, &files);
        files.push(("bundle.sha256".to_owned(), index.to_bytes()));
        let (kind, body) = multipart(&files);
        taken(
            "upload",
            self.call(plan.authors.first().copied(), "POST /v1/revisions", &[&kind], &body).await,
        )?;
        let mut script = Script {
            manifest: parsed,
            revision: index.revision(),
            target: plan.target.to_owned(),
            reviews: vec![],
        };
        for author in &plan.authors {
            let submission = self.sign(author, &self.submission(&script, author));
            self.files(author, "/v1/submissions", "submission", &submission).await?;
        }
        for reviewer in &plan.reviewers {
            let mut review = self.review(&script, reviewer);
            if plan.self_serve {
                let (groups, targets) = (vec![p("dev")], vec![p(plan.target)]);
                review.self_serve = vec![SelfServeClause { groups, targets, runs_per_day: 100 }];
            }
            let review = self.sign(reviewer, &review);
            self.files(reviewer, "/v1/reviews", "review", &review).await?;
            script.reviews.push(review);
        }
        Ok(script)
    }

    /// The same; who said the same about the same kind of script before is not asked again.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn script(&self, plan: &Plan<'_>) -> Result<Script, Refused> {
        let Plan { target, authors, reviewers, self_serve, .. } = plan;
        let key = format!("{target} {authors:?} {reviewers:?} {self_serve}");
        let known = self.scripts.lock().unwrap().get(&key).cloned();
        if let Some(script) = known {
            return Ok(script);
        }
        let script = self.fresh_script(plan).await?;
        self.scripts.lock().unwrap().insert(key, script.clone());
        Ok(script)
    }

    /// Does what the plan says, up to the run.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn play(&self, plan: &Plan<'_>) -> Result<Scene, Refused> {
        let script = self.script(plan).await?;
        self.play_with(plan, script).await
    }

    /// The same with a script that is there.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn play_with(&self, plan: &Plan<'_>, script: Script) -> Result<Scene, Refused> {
        let caller = plan.caller.to_owned();
        let mut scene = Scene { script, request: None, approvals: vec![], caller };
        if plan.self_serve {
            return Ok(scene);
        }
        let mut request = self.request(&scene.script, plan.caller);
        request.break_glass = plan.break_glass;
        let request = self.sign(plan.caller, &request);
        self.files(plan.caller, "/v1/access-requests", "request", &request).await?;
        for (approver, key) in &plan.approvers {
            let approval = self.approval(&scene.script, &request, approver);
            let approval = trust::sign(&approval, self.key(approver, *key)).unwrap();
            self.files(approver, "/v1/approvals", "approval", &approval).await?;
            scene.approvals.push(approval);
        }
        scene.request = Some(request);
        Ok(scene)
    }

    /// Orders a run as `person` and waits for its end.
    pub async fn order(&self, person: &str, run_request: &Envelope) -> Answer {
        let run_request = run_request.to_json().unwrap();
        let body = [br#"{"run_request":"#, &run_request[..], b"}"].concat();
        let headers = ["content-type: application/json", "prefer: wait=60"];
        self.call(Some(person), "POST /v1/runs", &headers, &body).await
    }

    /// Brings a status that says what is in force now.
    pub async fn freshen(&self) {
        let status = self.company().status(&self.served.runner.state().in_force());
        self.files("cleo", "/v1/status", "status", &self.sign("carol", &status)).await.unwrap();
    }

    /// Somebody's submission.
    pub fn submission(&self, script: &Script, author: &str) -> Submission {
        let submission = self.company().submission(&script.manifest, script.revision);
        Submission { author: p(author), ..submission }
    }

    /// Somebody's approving review.
    pub fn review(&self, script: &Script, reviewer: &str) -> Review {
        let review = self.company().review_of(script.scope(), script.revision);
        Review { reviewer: p(reviewer), ..review }
    }

    /// Somebody's access request for as much as an emergency may have.
    pub fn request(&self, script: &Script, caller: &str) -> AccessRequest {
        let request = self.company().access_request(&script.manifest, script.revision, self.input);
        AccessRequest { caller: p(caller), scope: script.scope(), ..request }
    }

    /// Somebody's approval.
    pub fn approval(&self, script: &Script, request: &Envelope, approver: &str) -> Approval {
        let reviews: Vec<&Envelope> = script.reviews.iter().collect();
        let approval = self.company().approval(&script.manifest, request, &reviews);
        Approval { approver: p(approver), scope: script.scope(), ..approval }
    }

    /// Somebody's order for a use of the scene.
    pub fn run_request(&self, scene: &Scene, caller: &str, use_number: u64) -> RunRequest {
        let (c, script) = (self.company(), &scene.script);
        let run = match &scene.request {
            Some(request) => c.run_request(&script.manifest, request, self.input, use_number),
            None => c.self_serve_request(&script.manifest, script.revision, self.input),
        };
        RunRequest { caller: p(caller), pairs: script.pairs(), ..run }
    }
}

/// The answer, if it is a yes.
fn taken(step: &'static str, answer: Answer) -> Result<Answer, Refused> {
    if answer.status < 400 { Ok(answer) } else { Err(Refused { step, answer }) }
}

/// The header and body of an upload.
#[must_use]
pub fn multipart(files: &[(String, Vec<u8>)]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (path, bytes) in files {
        let head = format!("--part\r\ncontent-disposition: form-data; name=\"{path}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--part--\r\n");
    ("content-type: multipart/form-data; boundary=part".to_owned(), body)
}

fn found(company: &mut Company, founding: &mut Founding) {
    keyring(company, &mut founding.keyring);
    founding.directory.people = PEOPLE.iter().map(|person| enrolled(company, person)).collect();
    let targets = &mut founding.policy.targets;
    let ordinary = targets[0].clone();
    let ordinary = PolicyTarget { readers: vec![p("audit")], ..ordinary };
    let rules = SelfServeRules { groups: vec![p("dev")], runs_per_day: 100 };
    let open = PolicyTarget { id: p(OPEN), self_serve: Some(rules), ..ordinary.clone() };
    let prod = PolicyTarget { id: p(PROD), prod: true, ..ordinary.clone() };
    *targets = vec![ordinary, open, prod];
    for target in targets {
        // So many that nobody's look is the last one that is needed.
        target.break_glass.as_mut().unwrap().after_review.required = 99;
    }
}

/// Carol holds every role by keys in every state that a keyring knows.
fn keyring(company: &Company, keyring: &mut Keyring) {
    let key =
        |name: &str| KeyringKey { person: p("carol"), key: company.key(name).public().clone() };
    keyring.keys = vec![key("carol"), key("carol/second"), key("carol/stopped")];
    for role in &mut keyring.roles {
        role.people = vec![p("carol")];
    }
    keyring.floors.self_serve = true;
}

/// The public half of a key that is on a security key, as OpenSSH makes them.
fn on_security_key(key: &SecretKey) -> PublicKey {
    let mut blob = Vec::new();
    for part in [b"sk-ssh-ed25519@openssh.com".as_slice(), key.public().as_bytes(), b"ssh:"] {
        blob.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
        blob.extend_from_slice(part);
    }
    PublicKey::from_blob(&blob).unwrap()
}

fn enrolled(company: &Company, person: &(&str, PersonKind, &[&str])) -> Person {
    let (name, kind, groups) = person;
    let key = |state: KeyState| PersonKey {
        key: company.key(&state.of(name)).public().clone(),
        status: match state {
            KeyState::Retired => KeyStatus::Retired,
            KeyState::Compromised => KeyStatus::Compromised,
            _ => KeyStatus::Active,
        },
        since: None,
    };
    let known = KeyState::ALL.into_iter().filter(|state| *state != KeyState::Unknown).map(key);
    let touch = PersonKey {
        key: on_security_key(company.key(&format!("{name}/touch"))),
        status: KeyStatus::Active,
        since: None,
    };
    Person {
        id: p(name),
        name: name.to_uppercase(),
        kind: *kind,
        owner: (*kind != PersonKind::Human).then(|| p("otto")),
        keys: known.chain([touch]).collect(),
        groups: groups.iter().map(|group| p(group)).collect(),
    }
}
