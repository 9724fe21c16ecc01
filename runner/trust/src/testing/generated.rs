//! Keyrings, directories and policies of every shape, for properties. Names are drawn from few, so
//! that two documents often share some.

mod masking;

use domain::decide::{BreakGlassRules, Quorum, SelfServeRules};
use domain::manifest::Engine;
use domain::{GroupName, Limits, QueryLimits};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;

use super::*;
use crate::document::Full;

/// The largest integer of a document.
const NUMBER_MAX: u64 = (1 << 53) - 1;

fn groups() -> impl Strategy<Value = Vec<GroupName>> {
    btree_set(0..5_u8, 0..4).prop_map(|all| all.iter().map(|n| t(&format!("g{n}"))).collect())
}

fn some_groups() -> impl Strategy<Value = Vec<GroupName>> {
    groups().prop_filter("nobody", |g| !g.is_empty())
}

fn quorum() -> impl Strategy<Value = Quorum> {
    (1..4_u32, groups(), any::<bool>()).prop_map(|(required, groups, each)| Quorum {
        required,
        from_each: groups.iter().filter(|_| each).take(1).cloned().collect(),
        groups,
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    vec(0..=NUMBER_MAX, 5).prop_map(|n| Limits {
        fuel_max: n[0],
        memory_bytes_max: n[1],
        wall_ms_max: n[2],
        output_bytes_max: n[3],
        host_calls_max: n[4],
    })
}

fn query() -> impl Strategy<Value = QueryLimits> {
    vec(0..=NUMBER_MAX, 3).prop_map(|n| QueryLimits {
        calls_max: n[0],
        rows_total_max: n[1],
        bytes_total_max: n[2],
    })
}

fn break_glass() -> impl Strategy<Value = BreakGlassRules> {
    let numbers = vec(1..=NUMBER_MAX, 3);
    (quorum(), some_groups(), numbers, limits(), query(), quorum()).prop_map(
        |(approvals, groups, n, limits, query, after_review)| BreakGlassRules {
            approvals,
            groups,
            duration_s_max: n[0],
            uses_max: n[1],
            limits,
            query,
            after_review_s: n[2],
            after_review,
        },
    )
}

fn self_serve() -> impl Strategy<Value = SelfServeRules> {
    (some_groups(), 1..=NUMBER_MAX)
        .prop_map(|(groups, runs_per_day)| SelfServeRules { groups, runs_per_day })
}

fn reads() -> impl Strategy<Value = Vec<Read>> {
    btree_map(".{0,6}", vec(".{0,6}", 0..3), 0..3)
        .prop_map(|all| all.into_iter().map(|(table, columns)| Read { table, columns }).collect())
}

type Rest = (u64, u64, Vec<GroupName>, bool);

fn target() -> impl Strategy<Value = PolicyTarget> {
    let people = (quorum(), quorum(), any::<bool>(), of(self_serve()), of(break_glass()));
    let rest = (0..=NUMBER_MAX, 0..=NUMBER_MAX, groups(), any::<bool>());
    (any::<bool>(), any::<u32>(), people, limits(), query(), reads(), rest).prop_map(
        |(prod, application_id, people, limits, query, reads, rest)| {
            let (reviews, approvals, fewer, self_serve, break_glass) = people;
            let (statement_ms_max, retention_days, groups, runs): Rest = rest;
            PolicyTarget {
                id: t("shop"),
                engine: Engine::Sqlite,
                prod,
                groups: if fewer { vec![t("shards")] } else { Vec::new() },
                identity: TargetIdentity::Sqlite(SqliteIdentity { application_id }),
                runners: if runs { vec![t("local")] } else { Vec::new() },
                callers: groups.clone(),
                reviews_unchanged: fewer.then_some(1),
                reviews,
                approvals,
                self_serve,
                break_glass,
                limits,
                query,
                reads,
                denied: Vec::new(),
                masks: Vec::new(),
                row_filters: Vec::new(),
                recording: Full,
                statement_ms_max,
                cost_max: fewer.then_some(statement_ms_max),
                recursion: runs,
                lag_s_max: fewer.then_some(retention_days),
                readers: groups,
                retention_days,
            }
        },
    )
}

/// Policies of at most two targets, which may lack each of them.
pub(crate) fn policies() -> impl Strategy<Value = Policy> {
    let owners = btree_map(0..3_u8, groups(), 0..2);
    let target = prop_oneof![target(), masking::target(target())];
    (vec(target, 0..3), owners, 20..22_u8, ".{0,8}").prop_map(|(mut targets, owners, n, vkey)| {
        for (i, target) in targets.iter_mut().enumerate() {
            target.id = t(&format!("shop-{i}"));
        }
        let owners = owners.into_iter();
        let runner =
            PolicyRunner { name: t("local"), key: key(n).public().clone(), log_vkey: vkey };
        Policy {
            header: header("pol", 3),
            version: 1,
            previous: None,
            keyring: keyring_ref(),
            targets,
            runners: vec![runner],
            scripts: owners
                .map(|(n, owners)| PolicyScript { name: t(&format!("script-{n}")), owners })
                .collect(),
        }
    })
}

fn human(n: u8) -> impl Strategy<Value = Person> {
    let status = prop_oneof![
        Just(KeyStatus::Active),
        Just(KeyStatus::Retired),
        Just(KeyStatus::Compromised)
    ];
    let key_of = move |i: usize, status, since: bool| PersonKey {
        key: key(100 + n * 4 + u8::try_from(i).unwrap()).public().clone(),
        status,
        since: since.then(|| at(-60)),
    };
    (".{0,8}", groups(), vec((status, any::<bool>()), 0..3)).prop_map(
        move |(name, groups, keys)| {
            let keys = keys.into_iter().enumerate();
            Person {
                id: t(&format!("person-{n}")),
                name,
                kind: PersonKind::Human,
                owner: None,
                keys: keys.map(|(i, (status, since))| key_of(i, status, since)).collect(),
                groups,
            }
        },
    )
}

/// Directories of at most four people, the last of whom may be an agent.
pub(crate) fn directories() -> impl Strategy<Value = Directory> {
    let all = (human(0), human(1), human(2), human(3));
    (all, 0..5_usize, any::<bool>()).prop_map(|((a, b, c, d), count, agent)| {
        let mut people = vec![a, b, c, d];
        people.truncate(count);
        if let [first, .., last] = people.as_mut_slice()
            && agent
        {
            (last.kind, last.owner) = (PersonKind::Agent, Some(first.id.clone()));
        }
        let header = header("dir", 2);
        Directory { header, version: 1, previous: None, keyring: keyring_ref(), people }
    })
}

/// Keyrings of three people, who hold some of the roles.
pub(crate) fn keyrings() -> impl Strategy<Value = Keyring> {
    let people = ["ruth", "rosa", "rolf"];
    let role = |role| {
        (1..4_u32, 0..3_usize).prop_map(move |(threshold, first)| {
            let holders: Vec<domain::PersonId> = people[first..].iter().map(|p| t(p)).collect();
            let threshold = threshold.min(u32::try_from(holders.len()).unwrap());
            RoleRule { role, threshold, people: holders }
        })
    };
    let needed = (role(Role::Root), role(Role::Directory), role(Role::Policy));
    let more = (of(role(Role::Stop)), of(role(Role::Lift)), of(role(Role::Status)));
    let floors = (0..4_u32, 0..4_u32, any::<bool>(), 0..4_u32);
    (needed, more, floors, 40..43_u8).prop_map(move |((a, b, c), (d, e, f), floors, n)| {
        let (reviews_required, approvals_required, self_serve, broken) = floors;
        let keys = people
            .iter()
            .zip(n..)
            .map(|(person, n)| KeyringKey { person: t(person), key: key(n).public().clone() });
        Keyring {
            header: header("kr", 1),
            version: 1,
            previous: None,
            keys: keys.collect(),
            roles: [Some(a), Some(b), Some(c), d, e, f].into_iter().flatten().collect(),
            floors: Floors {
                reviews_required,
                approvals_required,
                self_serve,
                break_glass_approvals_required: broken,
            },
        }
    })
}
