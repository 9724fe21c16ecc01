//! Each test is somebody trying to run what they may not.

mod analysis;
mod base;
mod break_glass;
mod lattice;
mod narrowing;
mod production;
mod reviews;
mod self_serve;
mod several;
mod solo;
mod unmask;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::limits::{Limits, QueryLimits};
use crate::manifest::{Engine, Manifest};
use crate::{ColumnPath, Digest, OnPair, PersonId};

const MANIFEST: &str = r#"
    [script]
    name = "stuck"
    version = "1.0.0"
    summary = "s"
    [targets.shop]
    engine = "sqlite"
    unmask = ["people.email", "people.phone", "people.ssn"]
    [[query]]
    name = "q"
    target = "shop"
    file = "queries/q.sql"
    calls_max = 5
"#;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix_s(1_800_000_000 + minute * 60)
}

fn window(from: i64, to: i64) -> Window {
    Window { not_before: at(from), not_after: at(to) }
}

fn id(kind: &str, n: u8) -> String {
    format!("{kind}_019ab000-0000-7000-8000-0000000000{n:02x}")
}

fn person(name: &str) -> PersonId {
    name.parse().unwrap()
}

fn pair() -> Pair {
    Pair { logical: "shop".parse().unwrap(), target: "shop-1".parse().unwrap() }
}

/// Some columns of a table that is masked.
fn columns(names: &[&str]) -> BTreeSet<ColumnPath> {
    names.iter().map(|name| format!("people.{name}").parse().unwrap()).collect()
}

fn scope(calls_max: u64) -> Capabilities {
    raw_scope(calls_max, &["email", "phone"])
}

/// What also names columns to be read without their masks.
fn raw_scope(calls_max: u64, raw: &[&str]) -> Capabilities {
    let l = QueryLimits { calls_max, ..QueryLimits::DEFAULT };
    Capabilities {
        pairs: BTreeMap::from([(
            pair(),
            OnPair { queries: [("q".parse().unwrap(), l)].into(), unmasked: columns(raw) },
        )]),
        limits: Limits::DEFAULT,
    }
}

fn submission(n: u8, who: &str) -> SubmissionFact {
    SubmissionFact { id: id("sub", n).parse().unwrap(), author: person(who) }
}

fn quorum(required: u32) -> Quorum {
    Quorum { required, groups: vec!["dev".parse().unwrap()], from_each: vec![] }
}

fn review(n: u8, who: &str) -> ReviewFact {
    ReviewFact {
        id: id("rev", n).parse().unwrap(),
        digest: Digest::of(&[n]),
        reviewer: person(who),
        human: true,
        groups: vec!["dev".parse().unwrap()],
        verdict: Verdict::Approve,
        ceiling: scope(4),
        analyses: [(pair(), Digest::of(b"analysis"))].into(),
        self_serve: vec![],
        window: window(-60, 600),
    }
}

fn approval(n: u8, who: &str) -> ApprovalFact {
    ApprovalFact {
        id: id("apr", n).parse().unwrap(),
        approver: person(who),
        human: true,
        groups: vec!["dev".parse().unwrap()],
        request: Digest::of(b"request"),
        reviews: vec![Digest::of(&[1])],
        policy_version: 1,
        scope: scope(3),
        window: window(0, 60),
    }
}

/// Alice wrote it and wants to run it; Bob reviewed and approved it.
fn facts(manifest: &Manifest) -> Facts<'_> {
    Facts {
        now: at(1),
        run: RunFact {
            id: id("run", 1).parse().unwrap(),
            caller: person("alice"),
            revision: Digest::of(b"revision"),
            request: Some(Digest::of(b"request")),
            runner: "runner-1".parse().unwrap(),
            pairs: vec![pair()],
            input: Digest::of(b"{}"),
            use_number: 1,
            window: window(0, 5),
        },
        manifest,
        submissions: vec![submission(1, "alice")],
        reviews: vec![review(1, "bob")],
        rejections: vec![],
        base: None,
        request: Some(RequestFact {
            id: id("req", 1).parse().unwrap(),
            digest: Digest::of(b"request"),
            caller: person("alice"),
            revision: Digest::of(b"revision"),
            scope: scope(5),
            input: InputRule::Exact { digest: Digest::of(b"{}") },
            window: window(0, 120),
            duration_s: 1800,
            uses: 2,
            break_glass: false,
        }),
        approvals: vec![approval(1, "bob")],
        stops: vec![],
        status: None,
        targets: vec![TargetRules {
            id: "shop-1".parse().unwrap(),
            engine: Engine::Sqlite,
            prod: false,
            runners: vec!["runner-1".parse().unwrap()],
            callers: vec!["dev".parse().unwrap()],
            reviews: quorum(1),
            reviews_unchanged: None,
            approvals: quorum(1),
            self_serve: None,
            break_glass: None,
            limits: Limits::CEILING,
            query: QueryLimits { calls_max: 100, rows_total_max: 200, bytes_total_max: 1 << 30 },
            unmaskable: columns(&["email", "phone"]),
        }],
        policy_version: 1,
        self_serve_floor: true,
        solo: false,
        caller_groups: vec!["dev".parse().unwrap()],
        run_id_spent: false,
        uses_spent: vec![],
        self_serve_runs: vec![],
        after_reviews_overdue: vec![],
    }
}

fn manifest() -> Manifest {
    Manifest::parse(MANIFEST.as_bytes()).unwrap()
}

/// The rule that denies after `change`, or `None` when the run is allowed.
fn after(change: impl FnOnce(&mut Facts<'_>)) -> Option<Rule> {
    let manifest = manifest();
    let mut facts = facts(&manifest);
    change(&mut facts);
    denial(&facts).map(|d| d.rule)
}

/// What denies, and the same by the derivation: its first step that is not satisfied.
fn denial(facts: &Facts<'_>) -> Option<Denial> {
    let denied = decide(facts).err();
    let told = explain(facts).into_iter().find(|step| !step.satisfied);
    let told = told.map(|s| Denial::new(s.rule, s.fact, s.help.unwrap()));
    assert_eq!(denied, told, "decide and explain tell different stories");
    denied
}

/// The calls that `q` may make when it is allowed.
fn calls(facts: &Facts<'_>) -> u64 {
    let decision = decide(facts).unwrap();
    decision.effective.query(&"q".parse().unwrap()).unwrap().1.calls_max
}
