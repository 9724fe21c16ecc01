//! Two targets in one run, and rules that hold for either of two reasons: each by itself.

use super::*;

const TWO: &str = r#"
    [script]
    name = "both"
    version = "1.0.0"
    summary = "s"
    [targets.books]
    engine = "sqlite"
    [targets.shop]
    engine = "sqlite"
    [[query]]
    name = "q"
    target = "shop"
    file = "queries/q.sql"
    calls_max = 5
    [[query]]
    name = "b"
    target = "books"
    file = "queries/b.sql"
    calls_max = 5
"#;

fn books() -> Pair {
    Pair { logical: "books".parse().unwrap(), target: "books-1".parse().unwrap() }
}

/// The ordinary facts, for a script that reads shop and books.
fn on_both(manifest: &Manifest) -> Facts<'_> {
    let mut f = facts(manifest);
    f.run.pairs = vec![books(), pair()];
    let whole = manifest.asks(&f.run.pairs);
    f.reviews[0].ceiling = whole.clone();
    f.reviews[0].analyses.insert(books(), Digest::of(b"analysis of books"));
    f.request.as_mut().unwrap().scope = whole.clone();
    f.approvals[0].scope = whole;
    let other = TargetRules { id: books().target, ..f.targets[0].clone() };
    f.targets.push(other);
    f
}

fn both() -> Manifest {
    Manifest::parse(TWO.as_bytes()).unwrap()
}

#[test]
fn the_limits_of_every_target_bind_the_run() {
    let manifest = both();
    for (place, other) in [(0, 1), (1, 0)] {
        let mut f = on_both(&manifest);
        f.targets[place].limits.fuel_max = 7;
        f.targets[other].limits.memory_bytes_max = 65_536;
        let limits = decide(&f).unwrap().effective.limits;
        assert_eq!((limits.fuel_max, limits.memory_bytes_max), (7, 65_536));
    }
}

#[test]
fn an_approver_speaks_for_every_target_of_the_run_or_for_none() {
    let manifest = both();
    let mut f = on_both(&manifest);
    f.targets[1].approvals.groups = vec!["accounting".parse().unwrap()];
    let scope = f.approvals[0].scope.clone();
    let of = |groups: &[&str], a: ApprovalFact| ApprovalFact {
        groups: groups.iter().map(|g| g.parse().unwrap()).collect(),
        scope: scope.clone(),
        ..a
    };
    // One of each group: neither can say yes to what the other answers for.
    f.approvals = vec![of(&["dev"], approval(1, "bob")), of(&["accounting"], approval(2, "carol"))];
    assert_eq!(denial(&f).unwrap().rule, Rule::ApprovalMissing);
    f.approvals.push(of(&["dev", "accounting"], approval(3, "dave")));
    assert_eq!(denial(&f), None);
}

#[test]
fn of_several_after_reviews_the_earliest_is_owed() {
    let manifest = both();
    let mut f = on_both(&manifest);
    f.request.as_mut().unwrap().break_glass = true;
    let rules = |after_review_s| BreakGlassRules {
        approvals: quorum(1),
        groups: vec!["dev".parse().unwrap()],
        duration_s_max: 3600,
        uses_max: 2,
        limits: Limits::CEILING,
        query: QueryLimits::CEILING,
        after_review_s,
        after_review: quorum(1),
    };
    f.targets[0].break_glass = Some(rules(60));
    f.targets[1].break_glass = Some(rules(600));
    assert_eq!(decide(&f).unwrap().way, Way::BreakGlass { after_review_s: 60 });
    f.targets.swap(0, 1);
    assert_eq!(decide(&f).unwrap().way, Way::BreakGlass { after_review_s: 60 });
}

#[test]
fn one_target_that_is_not_named_is_enough_to_refuse() {
    let manifest = both();
    let mut f = on_both(&manifest);
    f.request.as_mut().unwrap().scope.pairs.remove(&books());
    let told = denial(&f).unwrap();
    assert_eq!(told.rule, Rule::RequestMismatch);
    assert!(told.fact.contains("does not name books"), "{told}");
}

#[test]
fn a_stop_of_the_caller_and_one_of_the_author_each_stop_it() {
    for who in ["alice", "dora"] {
        let stopped = after(|f| {
            f.submissions = vec![submission(1, "dora")];
            f.stops = vec![StopSubject::Person(person(who))];
        });
        assert_eq!(stopped, Some(Rule::Stopped), "{who}");
    }
}

#[test]
fn what_nobody_submitted_is_nobodys_to_run() {
    assert_eq!(after(|f| f.submissions.clear()), Some(Rule::SubmissionMissing));
}

#[test]
fn a_wish_for_changes_is_told_as_a_no_and_not_as_a_yes() {
    let manifest = manifest();
    let mut f = facts(&manifest);
    f.reviews[0].verdict = Verdict::RequestChanges;
    let steps = explain(&f);
    for rule in [Rule::ReviewRejected, Rule::ReviewMissing] {
        assert!(steps.iter().any(|s| s.rule == rule && !s.satisfied), "{rule:?}: {steps:?}");
    }
}

#[test]
fn who_is_in_no_group_neither_bars_nor_narrows() {
    let nobody = |f: &mut Facts<'_>| {
        let verdict = Verdict::RequestChanges;
        f.reviews.push(ReviewFact { verdict, groups: vec![], ..review(2, "mallory") });
    };
    assert_eq!(after(nobody), None);
    let manifest = manifest();
    let mut f = facts(&manifest);
    f.approvals.push(ApprovalFact { groups: vec![], scope: scope(1), ..approval(2, "mallory") });
    assert_eq!(calls(&f), 3);
}

#[test]
fn an_author_does_not_reject_their_own_revision_by_a_word_that_the_order_leaves_out() {
    let own = RejectionFact {
        id: id("rev", 9).parse().unwrap(),
        digest: Digest::of(&[9]),
        reviewer: person("alice"),
        human: true,
        groups: vec!["dev".parse().unwrap()],
        pairs: vec![pair()],
    };
    assert_eq!(after(|f| f.rejections = vec![own.clone()]), None);
    let service = RejectionFact { reviewer: person("carol"), human: false, ..own };
    assert_eq!(after(|f| f.rejections = vec![service]), None, "no human");
}

#[test]
fn nobody_is_counted_for_a_quorum_that_does_not_admit_them() {
    let (bob, carol) = (person("bob"), person("carol"));
    let dev = ["dev".parse().unwrap()];
    let people = BTreeMap::from([(&bob, dev.as_slice()), (&carol, &[])]);
    let short = quorum(2).shortfall(&people).unwrap();
    assert_eq!((short.counted, short.required), (1, 2));
}
