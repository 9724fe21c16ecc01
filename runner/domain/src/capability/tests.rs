//! The algebra's laws, over random values and over absent fields.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Capabilities, OnPair, Pair, QueryScope, Scope, ScopeError};
use crate::limits::{Limits, QueryLimits};
use crate::{ColumnPath, QueryName};

fn limits() -> impl Strategy<Value = Limits> {
    prop::array::uniform5(0u64..4).prop_map(|[a, b, c, d, e]| Limits {
        fuel_max: a,
        memory_bytes_max: b,
        wall_ms_max: c,
        output_bytes_max: d,
        host_calls_max: e,
    })
}

fn query_limits() -> impl Strategy<Value = QueryLimits> {
    prop::array::uniform3(0u64..4).prop_map(|[a, b, c]| QueryLimits {
        calls_max: a,
        rows_total_max: b,
        bytes_total_max: c,
    })
}

fn pair() -> impl Strategy<Value = Pair> {
    (0..2u8, 0..2u8).prop_map(|(l, t)| Pair {
        logical: format!("l{l}").parse().unwrap(),
        target: format!("t{t}").parse().unwrap(),
    })
}

fn column() -> impl Strategy<Value = ColumnPath> {
    (0..3u8).prop_map(|c| format!("t.c{c}").parse().unwrap())
}

fn capabilities() -> impl Strategy<Value = Capabilities> {
    let queries = prop::collection::btree_map(
        (0..3u8).prop_map(|q| format!("q{q}").parse().unwrap()),
        query_limits(),
        0..3,
    );
    let columns = prop::collection::btree_set(column(), 0..3);
    let on = (queries, columns).prop_map(|(queries, unmasked)| OnPair { queries, unmasked });
    (prop::collection::btree_map(pair(), on, 0..3), limits())
        .prop_map(|(pairs, limits)| Capabilities { pairs, limits })
}

proptest! {
    #[test]
    fn meet_is_commutative(a in capabilities(), b in capabilities()) {
        prop_assert_eq!(a.meet(&b), b.meet(&a));
    }

    #[test]
    fn meet_is_associative(a in capabilities(), b in capabilities(), c in capabilities()) {
        prop_assert_eq!(a.meet(&b).meet(&c), a.meet(&b.meet(&c)));
    }

    #[test]
    fn meet_is_idempotent(a in capabilities()) {
        prop_assert_eq!(a.meet(&a), a);
    }

    #[test]
    fn meet_never_widens(a in capabilities(), b in capabilities()) {
        let m = a.meet(&b);
        prop_assert!(m.within(&a) && m.within(&b));
        for (pair, on) in &m.pairs {
            let both = a.pairs[pair].unmasked.intersection(&b.pairs[pair].unmasked);
            prop_assert!(on.unmasked.iter().eq(both), "raw only where both say so");
            for (name, l) in &on.queries {
                let (x, y) = (a.pairs[pair].queries[name], b.pairs[pair].queries[name]);
                prop_assert!(l.calls_max <= x.calls_max.min(y.calls_max));
                prop_assert!(l.rows_total_max <= x.rows_total_max.min(y.rows_total_max));
                prop_assert!(l.bytes_total_max <= x.bytes_total_max.min(y.bytes_total_max));
            }
        }
        prop_assert!(m.limits.fuel_max <= a.limits.fuel_max.min(b.limits.fuel_max));
        prop_assert!(m.limits.host_calls_max <= a.limits.host_calls_max.min(b.limits.host_calls_max));
    }

    #[test]
    fn dropping_any_entry_never_widens(a in capabilities(), b in capabilities()) {
        for pair in a.pairs.keys() {
            let mut less = a.clone();
            less.pairs.remove(pair);
            prop_assert!(less.meet(&b).within(&a.meet(&b)));
            for query in a.pairs[pair].queries.keys() {
                let mut less = a.clone();
                less.pairs.get_mut(pair).unwrap().queries.remove(query);
                prop_assert!(less.meet(&b).within(&a.meet(&b)));
            }
            for column in &a.pairs[pair].unmasked {
                let mut less = a.clone();
                less.pairs.get_mut(pair).unwrap().unmasked.remove(column);
                prop_assert!(less.meet(&b).within(&a.meet(&b)));
            }
        }
    }

    #[test]
    fn the_written_form_is_faithful(a in capabilities()) {
        prop_assert_eq!(a.scope().capabilities().unwrap(), a);
    }
}

#[test]
fn an_absent_field_in_a_signed_scope_is_an_error_not_a_default() {
    let full = r#"{"targets":[{"logical":"a","target":"b","queries":[],"unmasked":[]}],
        "limits":{"fuel_max":1,"memory_bytes_max":1,"wall_ms_max":1,"output_bytes_max":1,"host_calls_max":1}}"#;
    let json: serde_json::Value = serde_json::from_str(full).unwrap();
    assert!(serde_json::from_value::<Scope>(json.clone()).is_ok());
    for path in
        ["/targets", "/limits", "/limits/fuel_max", "/targets/0/queries", "/targets/0/unmasked"]
    {
        let (parent, key) = path.rsplit_once('/').unwrap();
        let mut less = json.clone();
        less.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
        assert!(serde_json::from_value::<Scope>(less).is_err(), "{path} may not be absent");
    }
}

#[test]
fn masked_is_the_same_without_anything_raw() {
    let pair = Pair { logical: "a".parse().unwrap(), target: "b".parse().unwrap() };
    let on = OnPair { queries: BTreeMap::new(), unmasked: ["t.c".parse().unwrap()].into() };
    let all = Capabilities { pairs: BTreeMap::from([(pair.clone(), on)]), limits: Limits::DEFAULT };
    let masked = all.clone().masked();
    assert!(masked.within(&all) && !all.within(&masked));
    assert_eq!(masked.pairs[&pair], OnPair::default());
}

#[test]
fn a_scope_cannot_hide_a_second_entry_for_a_pair() {
    let pair = Pair { logical: "a".parse().unwrap(), target: "b".parse().unwrap() };
    let one = Capabilities {
        pairs: BTreeMap::from([(pair.clone(), OnPair::default())]),
        limits: Limits::DEFAULT,
    };
    let mut scope = one.scope();
    scope.targets.push(scope.targets[0].clone());
    assert_eq!(scope.capabilities(), Err(ScopeError::PairTwice(pair)));
}

#[test]
fn a_scope_cannot_hide_a_second_entry_for_a_query() {
    let pair = Pair { logical: "a".parse().unwrap(), target: "b".parse().unwrap() };
    let query: QueryName = "q".parse().unwrap();
    let limits = QueryLimits { calls_max: 1, rows_total_max: 1, bytes_total_max: 1 };
    let one = Capabilities {
        pairs: BTreeMap::from([(
            pair.clone(),
            OnPair {
                queries: BTreeMap::from([(query.clone(), limits)]),
                unmasked: ["t.c".parse().unwrap()].into(),
            },
        )]),
        limits: Limits::DEFAULT,
    };
    let mut twice = one.scope();
    twice.targets[0].unmasked.push("t.c".parse().unwrap());
    let column = "t.c".parse().unwrap();
    assert_eq!(twice.capabilities(), Err(ScopeError::UnmaskedTwice(pair.clone(), column)));
    let mut scope = one.scope();
    let wider = QueryScope { calls_max: 100, ..scope.targets[0].queries[0].clone() };
    scope.targets[0].queries.push(wider);
    assert_eq!(scope.capabilities(), Err(ScopeError::QueryTwice(pair, query)));
}
