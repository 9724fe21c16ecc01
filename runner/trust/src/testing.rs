//! A small trust domain for the tests of this crate: carol reviews, anna writes, otto is on call,
//! ruth approves and holds every role. Keys, ids and salts are fixed, so golden files are stable.

pub(crate) mod generated;
mod keygen;
mod notices;
mod security_key;

pub(crate) use keygen::keygen;
pub(crate) use notices::*;
pub(crate) use security_key::SecurityKey;

use domain::analysis::AnalysisRef;
use domain::decide::{InputRule, SelfServeClause, Verdict, Window};
use domain::{
    Capabilities, Digest, Limits, Outcome, Pair, QueryLimits, Scope, Timestamp, TrustDomain,
};

use crate::document::{Document, Header, InProcess, NullOnly, Salt, VersionRef};
use crate::*;

pub(crate) const NOW: i64 = 1_795_464_000;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_s(NOW)
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    now().plus_s(seconds)
}

pub(crate) fn t<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

pub(crate) fn key(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32]).unwrap()
}

pub(crate) const ANNA: u8 = 1;
pub(crate) const CAROL: u8 = 2;
pub(crate) const OTTO: u8 = 3;
pub(crate) const RUTH: u8 = 4;
pub(crate) const ROOT2: u8 = 5;
pub(crate) const RUNNER: u8 = 9;
pub(crate) const BOT: u8 = 10;

pub(crate) fn id<I: std::str::FromStr>(prefix: &str, n: u8) -> I
where
    I::Err: std::fmt::Debug,
{
    t(&format!("{prefix}_019ab000-0000-7000-8000-0000000000{n:02x}"))
}

pub(crate) fn header<I: std::str::FromStr>(prefix: &str, n: u8) -> Header<I>
where
    I::Err: std::fmt::Debug,
{
    Header {
        trust_domain: t("shop.example/test"),
        id: id(prefix, n),
        not_before: at(-3600),
        not_after: at(3600),
        salt: Salt([n; 16]),
    }
}

pub(crate) fn keyring() -> Keyring {
    let k = |person: &str, n| KeyringKey { person: t(person), key: key(n).public().clone() };
    let role = |role, threshold, people: &[&str]| RoleRule {
        role,
        threshold,
        people: people.iter().map(|p| t(p)).collect(),
    };
    Keyring {
        header: header("kr", 1),
        version: 1,
        previous: None,
        keys: vec![k("ruth", RUTH), k("rosa", ROOT2), k("ruth", 14)],
        roles: vec![
            role(Role::Root, 2, &["ruth", "rosa"]),
            role(Role::Directory, 1, &["ruth"]),
            role(Role::Policy, 1, &["ruth"]),
            role(Role::Stop, 1, &["ruth"]),
            role(Role::Lift, 2, &["ruth", "rosa"]),
            role(Role::Status, 1, &["rosa"]),
        ],
        floors: Floors {
            reviews_required: 1,
            approvals_required: 1,
            self_serve: true,
            break_glass_approvals_required: 1,
        },
    }
}

pub(crate) fn keyring_ref() -> VersionRef {
    VersionRef { version: 1, digest: Digest::of(&payload(&keyring()).unwrap()) }
}

pub(crate) fn person(id: &str, n: u8, kind: PersonKind, groups: &[&str]) -> Person {
    Person {
        id: t(id),
        name: id.to_uppercase(),
        kind,
        owner: (kind != PersonKind::Human).then(|| t("otto")),
        keys: vec![PersonKey {
            key: key(n).public().clone(),
            status: KeyStatus::Active,
            since: None,
        }],
        groups: groups.iter().map(|g| t(g)).collect(),
    }
}

pub(crate) fn directory() -> Directory {
    let mut people = vec![
        person("anna", ANNA, PersonKind::Human, &["authors"]),
        person("carol", CAROL, PersonKind::Human, &["reviewers"]),
        person("otto", OTTO, PersonKind::Human, &["oncall"]),
        person("ruth", RUTH, PersonKind::Human, &["approvers"]),
        person("bot", BOT, PersonKind::Agent, &["oncall"]),
    ];
    let old = |n, status| PersonKey { key: key(n).public().clone(), status, since: Some(at(-60)) };
    people[1].keys.push(old(12, KeyStatus::Retired));
    people[1].keys.push(old(13, KeyStatus::Compromised));
    Directory {
        header: header("dir", 2),
        version: 1,
        previous: None,
        keyring: keyring_ref(),
        people,
    }
}

pub(crate) const TARGETS_TOML: &str = r#"
[[target]]
id = "shop"
engine = "sqlite"
prod = false
identity = { sqlite = { application_id = 7 } }
runners = ["local"]
callers = ["oncall"]
reviews = { required = 1, groups = ["reviewers"] }
approvals = { required = 1, groups = ["approvers"] }
reviews_unchanged = 1
self_serve = { groups = ["oncall"], runs_per_day = 20 }
query = { calls_max = 20, rows_total_max = 5000 }
reads = [{ table = "orders", columns = ["id", "state"] }]
[target.break_glass]
approvals = { required = 1, groups = ["approvers", "reviewers"] }
groups = ["oncall"]
after_review = { required = 1, groups = ["approvers"] }
"#;

pub(crate) fn policy() -> Policy {
    let runner = format!(
        "[[runner]]\nname = \"local\"\nkey = \"{}\"\nlog_vkey = \"local+00000000+AA\"\n",
        key(RUNNER).public()
    );
    let issue = source::Issue {
        header: header("pol", 3),
        version: 1,
        previous: None,
        keyring: keyring_ref(),
    };
    source::policy(&format!("{TARGETS_TOML}\n{runner}"), issue).unwrap()
}

pub(crate) fn pinned() -> Pinned {
    Pinned { trust_domain: t("shop.example/test"), keyring: keyring_ref() }
}

pub(crate) fn authority_with(directory: &Directory, policy: &Policy) -> Authority {
    establish(
        &Seen::default(),
        &signed_keyring(),
        &sign(directory, &key(RUTH)).unwrap(),
        &sign(policy, &key(RUTH)).unwrap(),
    )
    .unwrap()
}

pub(crate) fn establish(
    seen: &Seen,
    k: &Envelope,
    d: &Envelope,
    p: &Envelope,
) -> Result<Authority, AuthorityError> {
    Authority::establish(k, &[], d, p, &pinned(), seen, now())
}

/// The same people under another keyring.
pub(crate) fn establish_under(
    keyring: &Keyring,
    policy: &Policy,
) -> Result<Authority, AuthorityError> {
    let bound = VersionRef { version: 1, digest: digest_of(keyring) };
    let pinned = Pinned { trust_domain: keyring.header.trust_domain.clone(), keyring: bound };
    let directory = Directory { keyring: bound, ..directory() };
    let policy = Policy { keyring: bound, ..policy.clone() };
    let k = sign_all(keyring, &[&key(RUTH), &key(ROOT2)]).unwrap();
    let (d, p) = (sign(&directory, &key(RUTH)).unwrap(), sign(&policy, &key(RUTH)).unwrap());
    Authority::establish(&k, &[], &d, &p, &pinned, &Seen::default(), now())
}

pub(crate) fn signed_keyring() -> Envelope {
    sign_all(&keyring(), &[&key(RUTH), &key(ROOT2)]).unwrap()
}

pub(crate) fn authority() -> Authority {
    authority_with(&directory(), &policy())
}

pub(crate) fn manifest_toml(version: &str) -> String {
    format!(
        r#"
[script]
name = "stuck-orders"
version = "{version}"
summary = "Orders paid but not shipped"
[targets.orders]
engine = "sqlite"
[[query]]
name = "stuck"
target = "orders"
file = "queries/stuck.sql"
"#
    )
}

/// The list of a bundle with this component; everything else stays.
pub(crate) fn bundle(version: &str, component: &[u8]) -> domain::BundleIndex {
    let files = [
        ("component.wasm", Digest::of(component)),
        ("script.toml", Digest::of(manifest_toml(version).as_bytes())),
        ("queries/stuck.sql", Digest::of(b"SELECT 1")),
    ];
    domain::BundleIndex::new(files.map(|(path, digest)| (t(path), digest)).into()).unwrap()
}

pub(crate) fn revision() -> Digest {
    bundle("1.2.0", b"component").revision()
}

pub(crate) fn pair() -> Pair {
    Pair { logical: t("orders"), target: t("shop") }
}

pub(crate) fn scope() -> Scope {
    let queries = [(t("stuck"), QueryLimits::DEFAULT)].into();
    let on = domain::OnPair { queries, unmasked: [].into() };
    Capabilities { pairs: [(pair(), on)].into(), limits: Limits::DEFAULT }.scope()
}

pub(crate) fn submission() -> Submission {
    Submission {
        header: header("sub", 4),
        author: t("anna"),
        owner: NullOnly,
        script: t("stuck-orders"),
        version: t("1.2.0"),
        revision: revision(),
    }
}

pub(crate) fn review() -> Review {
    Review {
        header: header("rev", 5),
        reviewer: t("carol"),
        revision: revision(),
        verdict: Verdict::Approve,
        ceiling: scope(),
        analysis: vec![AnalysisRef {
            logical: t("orders"),
            target: t("shop"),
            digest: Digest::of(b"an analysis"),
        }],
        self_serve: vec![SelfServeClause {
            groups: vec![t("oncall")],
            targets: vec![t("shop")],
            runs_per_day: 5,
        }],
        rebuilt: crate::Rebuilt::NotTried,
        comment: t("reads states only"),
    }
}

pub(crate) fn access_request() -> AccessRequest {
    AccessRequest {
        header: header("req", 6),
        caller: t("otto"),
        revision: revision(),
        scope: scope(),
        input: InputRule::Exact { digest: Digest::of(b"{}") },
        window: Window { not_before: at(-600), not_after: at(600) },
        duration_s: 3600,
        uses: 2,
        runner: t("local"),
        reason: t("orders are stuck"),
        ticket: Some(t("INC-1234")),
        break_glass: false,
    }
}

pub(crate) fn digest_of<D: Document>(doc: &D) -> Digest {
    Digest::of(&payload(doc).unwrap())
}

pub(crate) fn approval() -> Approval {
    Approval {
        header: header("apr", 7),
        approver: t("ruth"),
        request: digest_of(&access_request()),
        request_id: id("req", 6),
        reviews: vec![digest_of(&review())],
        keyring: keyring_ref(),
        directory: VersionRef { version: 1, digest: digest_of(&directory()) },
        policy: VersionRef { version: 1, digest: digest_of(&policy()) },
        scope: scope(),
        comment: t(""),
    }
}

pub(crate) fn run_request() -> RunRequest {
    let mut header = header("rrq", 8);
    header.not_before = at(-10);
    header.not_after = at(290);
    RunRequest {
        header,
        caller: t("otto"),
        run: id("run", 8),
        revision: revision(),
        request: Some(digest_of(&access_request())),
        runner: t("local"),
        pairs: vec![pair()],
        input: Digest::of(b"{}"),
        use_number: 1,
        reason: None,
        ticket: None,
    }
}

pub(crate) fn plan_request() -> PlanRequest {
    PlanRequest {
        header: header("plr", 20),
        person: t("carol"),
        revision: revision(),
        pair: Pair { logical: t("orders"), target: t("shop") },
        runner: t("local"),
    }
}

pub(crate) fn receipt() -> Receipt {
    Receipt {
        header: header("rcp", 10),
        run: id("run", 8),
        request: Some(digest_of(&access_request())),
        run_request: digest_of(&run_request()),
        revision: revision(),
        component: Digest::of(b"component"),
        engine_build: Digest::of(b"engine"),
        runner: t("local"),
        outcome: Outcome::LimitExceeded { limit: domain::LimitName::Fuel },
        started_at: now(),
        ended_at: at(1),
        effective: scope(),
        input: Digest::of(b"{}"),
        output: None,
        recording: Some(Digest::of(b"recording")),
        fuel_used: 12,
        limits_hit: vec![domain::LimitName::Fuel],
        rows: 3,
        bytes: 40,
        stdout_dropped: 0,
        stderr_dropped: 0,
        isolation: InProcess,
        solo: false,
        log: LogPosition { origin: "local".to_owned(), index: 4, leaf: Digest::of(b"leaf") },
        reviews: vec![id("rev", 5)],
        approvals: vec![id("apr", 7)],
        denial: None,
    }
}

pub(crate) fn login() -> Login {
    Login {
        trust_domain: t::<TrustDomain>("shop.example/test"),
        person: t("otto"),
        origin: "http://127.0.0.1:7000".to_owned(),
        nonce: Salt([11; 16]),
        not_after: at(60),
    }
}
