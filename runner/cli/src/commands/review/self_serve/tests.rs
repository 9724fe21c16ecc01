//! What may be typed for a self-serve clause, and what it comes to.

use super::parse;

#[test]
fn a_clause_is_for_all_targets_of_the_review_unless_it_names_some() {
    let pair =
        domain::Pair { logical: "shop".parse().unwrap(), target: "shop-replica".parse().unwrap() };
    let all = parse("on-call,support:5").unwrap().clause(std::slice::from_ref(&pair));
    assert_eq!((all.groups.len(), all.runs_per_day), (2, 5));
    assert_eq!(all.targets, std::slice::from_ref(&pair.target));
    let one = parse("on-call@db:5432:2").unwrap().clause(&[pair]);
    assert_eq!((one.targets[0].as_str(), one.runs_per_day), ("db:5432", 2));
}

#[test]
fn what_opens_nothing_is_a_mistake() {
    for text in ["on-call", "on-call:0", ":5", "on-call:", "on-call:x", "@shop:5", "on-call@:5"] {
        assert!(parse(text).is_err(), "{text}");
    }
}
