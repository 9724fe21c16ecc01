//! A small company: Alice writes and runs, Bob reviews and approves, Carol could, Mallory holds a key
//! and no group. Every document that they sign can be altered before it is signed.

mod desk;
mod notices;
mod successors;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use domain::decide::{BreakGlassRules, InputRule, Quorum, Verdict, Window};
use domain::manifest::Engine;
use domain::{
    ApprovalId, Clock, Digest, DirectoryId, Entropy, KeyringId, Limits, Manifest, Pair, PersonId,
    PolicyId, QueryLimits, RequestId, ReviewId, RunId, RunRequestId, Scope, StopId, SubmissionId,
    TrustDomain,
};
use ledger::{LogKey, Origin};
use trust::document::{Full, NullOnly};
use trust::{
    AccessRequest, Approval, Directory, Document, Envelope, Floors, Header, KeyStatus, Keyring,
    KeyringKey, Person, PersonKey, PersonKind, Policy, PolicyRunner, PolicyTarget, Read, Review,
    Role, RoleRule, RunRequest, Salt, SecretKey, SqliteIdentity, Stop, Submission, TargetIdentity,
    VersionRef,
};

pub use desk::blocking;
pub use successors::{change_person, newcomer, version_of};

/// The people, and the groups that they are in.
pub const PEOPLE: &[(&str, &[&str])] =
    &[("alice", &["dev"]), ("bob", &["dev"]), ("carol", &["dev"]), ("mallory", &[])];

/// `PRAGMA application_id` of the sample shop.
pub const SHOP_APPLICATION_ID: u32 = 0x5348_4F50;

/// The real target that scripts run on.
pub const TARGET: &str = "shop-replica";

/// What each query may read.
const QUERY: QueryLimits =
    QueryLimits { calls_max: 100, rows_total_max: 100_000, bytes_total_max: 64 << 20 };

/// The runner's name.
pub const RUNNER: &str = "runner-1";

/// People, keys and the three documents that say who may do what.
pub struct Company {
    /// The audience of everything.
    pub domain: TrustDomain,
    /// Who may sign what, at first.
    pub keyring: Envelope,
    /// The keyrings that follow it.
    pub successors: Vec<Envelope>,
    /// The people.
    pub directory: Envelope,
    /// The targets.
    pub policy: Envelope,
    /// Seed of the runner's log key.
    pub log_seed: [u8; 32],
    keys: BTreeMap<String, SecretKey>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    desk: Mutex<Option<desk::Desk>>,
}

/// The three documents that say who may do what, before they are signed.
pub struct Founding {
    /// Who may sign what.
    pub keyring: Keyring,
    /// The people.
    pub directory: Directory,
    /// The targets.
    pub policy: Policy,
}

/// Parses a text that the scenario knows to be right.
pub fn p<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

impl Company {
    /// Founds the company: fresh keys, keyring signed by Carol, directory and policy by her too.
    pub fn found(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self::found_with(clock, entropy, |_, _| {})
    }

    /// [`Self::found`], where `change` may alter keyring and policy before they are signed.
    pub fn found_with(
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        change: impl FnOnce(&mut Keyring, &mut Policy),
    ) -> Self {
        Self::peopled(clock, entropy, &[], |_, f| change(&mut f.keyring, &mut f.policy))
    }

    /// [`Self::found`] with keys of these names, too, for `change` to give to people.
    pub fn peopled(
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        more: &[String],
        change: impl FnOnce(&mut Self, &mut Founding),
    ) -> Self {
        let names = PEOPLE.iter().map(|(name, _)| *name).chain(["runner"]);
        let names = names.chain(more.iter().map(String::as_str));
        let keys: BTreeMap<_, _> =
            names.map(|n| (n.to_owned(), SecretKey::generate(&*entropy).unwrap())).collect();
        let mut log_seed = [0; 32];
        entropy.fill(&mut log_seed);
        let mut this = Self {
            domain: p("company.test"),
            keyring: placeholder(&keys["carol"]),
            successors: vec![],
            directory: placeholder(&keys["carol"]),
            policy: placeholder(&keys["carol"]),
            log_seed,
            keys,
            clock,
            entropy,
            desk: Mutex::default(),
        };
        let (keyring, policy) = (this.keyring_document(), this.policy_document());
        let mut founding = Founding { keyring, directory: this.directory_document(), policy };
        change(&mut this, &mut founding);
        let Founding { keyring, mut directory, mut policy } = founding;
        this.keyring = this.signed_by(&holders(&keyring, Role::Root), &keyring);
        (directory.keyring, policy.keyring) = (this.keyring_ref(), this.keyring_ref());
        this.directory = this.signed_by(&holders(&keyring, Role::Directory), &directory);
        this.policy = this.signed_by(&holders(&keyring, Role::Policy), &policy);
        this
    }

    /// Takes ids and salts from another source from now on.
    pub fn draw_from(&mut self, entropy: Arc<dyn Entropy>) {
        self.entropy = entropy;
    }

    /// Somebody's key.
    pub fn key(&self, person: &str) -> &SecretKey {
        &self.keys[person]
    }

    /// The key of the runner's log.
    pub fn log_key(&self) -> LogKey {
        self.log_key_of(RUNNER)
    }

    /// The key of a runner's log.
    pub fn log_key_of(&self, runner: &str) -> LogKey {
        let origin: Origin = p(&format!("company.test/{runner}"));
        if runner == RUNNER {
            return LogKey::from_seed(origin, &self.log_seed);
        }
        LogKey::from_seed(origin, Digest::of(format!("log of {runner}").as_bytes()).as_bytes())
    }

    /// The key that a runner signs receipts with.
    pub fn runner_key_of(&self, runner: &str) -> SecretKey {
        if runner == RUNNER {
            return SecretKey::from_seed(&self.key("runner").seed()).unwrap();
        }
        another_runner(runner)
    }

    /// Signs a document as `person`, whatever it says.
    pub fn sign<D: Document>(&self, person: &str, document: &D) -> Envelope {
        trust::sign(document, self.key(person)).unwrap()
    }

    /// A header that is valid from an hour ago for `days`.
    pub fn header<I>(&self, id: I, days: i64) -> Header<I> {
        let now = self.clock.now();
        Header {
            trust_domain: self.domain.clone(),
            id,
            not_before: now.plus_s(-3600),
            not_after: now.plus_s(days * 86_400),
            salt: Salt(self.entropy.salt()),
        }
    }

    fn c(&self) -> (&dyn Clock, &dyn Entropy) {
        (&*self.clock, &*self.entropy)
    }

    /// Version 1 of the keyring; Carol holds every role, Bob may stop too.
    pub fn keyring_document(&self) -> Keyring {
        let (clock, entropy) = self.c();
        let role = |role, people: &[&str]| RoleRule {
            role,
            threshold: 1,
            people: people.iter().map(|n| p(n)).collect(),
        };
        let key = |name: &str| KeyringKey { person: p(name), key: self.key(name).public().clone() };
        Keyring {
            header: self.header(KeyringId::new(clock, entropy), 365),
            version: 1,
            previous: None,
            keys: vec![key("carol"), key("bob")],
            roles: vec![
                role(Role::Root, &["carol"]),
                role(Role::Directory, &["carol"]),
                role(Role::Policy, &["carol"]),
                role(Role::Stop, &["carol", "bob"]),
                role(Role::Lift, &["carol"]),
                role(Role::Status, &["carol"]),
            ],
            floors: Floors {
                reviews_required: 1,
                approvals_required: 1,
                self_serve: false,
                break_glass_approvals_required: 1,
            },
        }
    }

    /// The newest keyring's version as other documents name it.
    pub fn keyring_ref(&self) -> VersionRef {
        let newest = self.successors.last().unwrap_or(&self.keyring);
        // At the founding there is none yet, and what names it is made anew.
        let version = trust::read_unverified(newest).map_or(1, |k: Keyring| k.version);
        VersionRef { version, digest: newest.payload_digest() }
    }

    /// The newest directory's version as other documents name it.
    pub fn directory_ref(&self) -> VersionRef {
        let read: Directory = trust::read_unverified(&self.directory).unwrap();
        VersionRef { version: read.version, digest: self.directory.payload_digest() }
    }

    /// The newest policy's version as other documents name it.
    pub fn policy_ref(&self) -> VersionRef {
        let read: Policy = trust::read_unverified(&self.policy).unwrap();
        VersionRef { version: read.version, digest: self.policy.payload_digest() }
    }

    /// Version 1 of the directory.
    pub fn directory_document(&self) -> Directory {
        let (clock, entropy) = self.c();
        let person = |(name, groups): &(&str, &[&str])| Person {
            id: p(name),
            name: p(&name.to_uppercase()),
            kind: PersonKind::Human,
            owner: None,
            keys: vec![PersonKey {
                key: self.key(name).public().clone(),
                status: KeyStatus::Active,
                since: None,
            }],
            groups: groups.iter().map(|g| p(g)).collect(),
        };
        Directory {
            header: self.header(DirectoryId::new(clock, entropy), 90),
            version: 1,
            previous: None,
            keyring: self.keyring_ref(),
            people: PEOPLE.iter().map(person).collect(),
        }
    }

    /// Version 1 of the policy: one target, not prod, one review and one approval by `dev`.
    pub fn policy_document(&self) -> Policy {
        let (clock, entropy) = self.c();
        let quorum = || Quorum { required: 1, groups: vec![p("dev")], from_each: vec![] };
        let read = |table: &str, columns: &[&str]| Read {
            table: table.to_owned(),
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        };
        Policy {
            header: self.header(PolicyId::new(clock, entropy), 90),
            version: 1,
            previous: None,
            keyring: self.keyring_ref(),
            targets: vec![PolicyTarget {
                id: p(TARGET),
                engine: Engine::Sqlite,
                prod: false,
                groups: vec![],
                identity: TargetIdentity::Sqlite(SqliteIdentity {
                    application_id: SHOP_APPLICATION_ID,
                }),
                runners: vec![p(RUNNER)],
                callers: vec![p("dev")],
                reviews: quorum(),
                reviews_unchanged: None,
                approvals: quorum(),
                self_serve: None,
                break_glass: Some(BreakGlassRules {
                    approvals: quorum(),
                    groups: vec![p("dev")],
                    duration_s_max: 3600,
                    uses_max: 2,
                    limits: Limits { wall_ms_max: 60_000, ..Limits::CEILING },
                    query: QUERY,
                    after_review_s: 600,
                    after_review: quorum(),
                }),
                limits: Limits { wall_ms_max: 60_000, ..Limits::CEILING },
                query: QUERY,
                reads: crate::rig::SHOP_READS.iter().map(|(t, c)| read(t, c)).collect(),
                denied: Vec::new(),
                masks: Vec::new(),
                row_filters: Vec::new(),
                recording: Full,
                statement_ms_max: 10_000,
                cost_max: None,
                recursion: false,
                lag_s_max: None,
                readers: vec![p("dev")],
                retention_days: 30,
            }],
            runners: vec![PolicyRunner {
                name: p(RUNNER),
                key: self.key("runner").public().clone(),
                log_vkey: self.log_key().verifier().to_string(),
            }],
            scripts: vec![],
        }
    }

    /// Alice's submission.
    pub fn submission(&self, manifest: &Manifest, revision: Digest) -> Submission {
        let (clock, entropy) = self.c();
        Submission {
            header: self.header(SubmissionId::new(clock, entropy), 30),
            author: p("alice"),
            owner: NullOnly,
            script: manifest.name.clone(),
            version: manifest.version.clone(),
            revision,
        }
    }

    /// Bob's approving review with the manifest as its ceiling.
    pub fn review(&self, manifest: &Manifest, revision: Digest) -> Review {
        self.review_of(scope(manifest), revision)
    }

    /// The same with another ceiling.
    pub fn review_of(&self, ceiling: Scope, revision: Digest) -> Review {
        let (clock, entropy) = self.c();
        Review {
            header: self.header(ReviewId::new(clock, entropy), 30),
            reviewer: p("bob"),
            revision,
            verdict: Verdict::Approve,
            analysis: self.saw(revision, &ceiling),
            ceiling,
            self_serve: vec![],
            rebuilt: trust::Rebuilt::NotTried,
            comment: p("reads orders only"),
        }
    }

    /// Alice's access request: this input, two uses, one hour.
    pub fn access_request(
        &self,
        manifest: &Manifest,
        revision: Digest,
        input: Digest,
    ) -> AccessRequest {
        let (clock, entropy) = self.c();
        let now = clock.now();
        AccessRequest {
            header: self.header(RequestId::new(clock, entropy), 1),
            caller: p("alice"),
            revision,
            scope: scope(manifest),
            input: InputRule::Exact { digest: input },
            window: Window { not_before: now.plus_s(-60), not_after: now.plus_s(3600) },
            duration_s: 3600,
            uses: 2,
            runner: p(RUNNER),
            reason: p("orders are stuck"),
            ticket: Some(p("INC-1234")),
            break_glass: false,
        }
    }

    /// Bob's approval of a request, having seen `reviews`.
    pub fn approval(
        &self,
        manifest: &Manifest,
        request: &Envelope,
        reviews: &[&Envelope],
    ) -> Approval {
        let (clock, entropy) = self.c();
        let read: AccessRequest = trust::read_unverified(request).unwrap();
        Approval {
            header: self.header(ApprovalId::new(clock, entropy), 1),
            approver: p("bob"),
            request: request.payload_digest(),
            request_id: read.header.id,
            reviews: reviews.iter().map(|r| r.payload_digest()).collect(),
            keyring: self.keyring_ref(),
            directory: self.directory_ref(),
            policy: self.policy_ref(),
            scope: scope(manifest),
            comment: p(""),
        }
    }

    /// Alice's order to run use `use_number` of a request, once.
    pub fn run_request(
        &self,
        manifest: &Manifest,
        request: &Envelope,
        input: Digest,
        use_number: u64,
    ) -> RunRequest {
        let (clock, entropy) = self.c();
        let read: AccessRequest = trust::read_unverified(request).unwrap();
        let mut header = self.header(RunRequestId::new(clock, entropy), 1);
        header.not_before = clock.now().plus_s(-10);
        header.not_after = clock.now().plus_s(60);
        RunRequest {
            header,
            caller: p("alice"),
            run: RunId::new(clock, entropy),
            revision: read.revision,
            request: Some(request.payload_digest()),
            runner: p(RUNNER),
            pairs: pairs(manifest),
            input,
            use_number,
            reason: None,
            ticket: None,
        }
    }

    /// A stop by Carol.
    pub fn stop(&self, subject: domain::decide::StopSubject) -> Stop {
        let (clock, entropy) = self.c();
        Stop {
            header: self.header(StopId::new(clock, entropy), 1),
            by: p("carol"),
            subject,
            reason: p("something is wrong"),
        }
    }

    /// The person of a name.
    pub fn person(name: &str) -> PersonId {
        p(name)
    }
}

/// The key of a runner besides the first, which a policy may list.
pub fn another_runner(name: &str) -> SecretKey {
    SecretKey::from_seed(Digest::of(name.as_bytes()).as_bytes()).unwrap()
}

/// As many holders of a role as its threshold asks for.
fn holders(keyring: &Keyring, role: Role) -> Vec<&str> {
    let rule = keyring.role(role).unwrap();
    rule.people.iter().take(rule.threshold as usize).map(PersonId::as_str).collect()
}

/// Every logical target of the manifest bound to the one real target.
pub fn pairs(manifest: &Manifest) -> Vec<Pair> {
    manifest.targets.keys().map(|l| Pair { logical: l.clone(), target: p(TARGET) }).collect()
}

/// Everything that the manifest asks for.
pub fn scope(manifest: &Manifest) -> Scope {
    manifest.asks(&pairs(manifest)).scope()
}

/// Fills a field until the real document is signed with the help of the others.
fn placeholder(key: &SecretKey) -> Envelope {
    let payload = b"{}".to_vec();
    let kind = "application/vnd.borescope.placeholder.v1+json".to_owned();
    let signature = trust::Sshsig::sign(key, "placeholder", &trust::pae(&kind, &payload));
    Envelope::assemble(kind, payload, vec![signature]).unwrap()
}
