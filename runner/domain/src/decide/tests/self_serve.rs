//! Without an approval: what reviewers, policy and keyring each have to allow.

use super::*;

const DAY_MIN: i64 = 24 * 60;

fn clause(runs_per_day: u64) -> SelfServeClause {
    SelfServeClause {
        groups: vec!["dev".parse().unwrap()],
        targets: vec!["shop-1".parse().unwrap()],
        runs_per_day,
    }
}

/// Bob's review opens it to alice.
fn open(f: &mut Facts<'_>) {
    f.run.request = None;
    f.run.use_number = 0;
    f.request = None;
    f.approvals.clear();
    f.reviews[0].self_serve = vec![clause(3)];
    f.targets[0].self_serve =
        Some(SelfServeRules { groups: vec!["dev".parse().unwrap()], runs_per_day: 5 });
}

fn with(change: impl FnOnce(&mut Facts<'_>)) -> Option<Rule> {
    after(|f| {
        open(f);
        change(f);
    })
}

#[test]
fn what_reviewers_opened_runs_without_an_approval() {
    let manifest = manifest();
    let mut f = facts(&manifest);
    open(&mut f);
    let decision = decide(&f).unwrap();
    assert_eq!(decision.way, Way::SelfServe);
    assert_eq!(calls(&f), 4, "the ceiling binds");
    assert_eq!(decision.grant_ends, f.now.plus_s(30), "one run, as long as the wall limit");
    f.reviews[0].window = window(-60, 1);
    assert_eq!(decide(&f).unwrap().grant_ends, at(1), "no longer than the review");
}

#[test]
fn everybody_has_to_allow_it() {
    let denied = Some(Rule::SelfServeNotAllowed);
    assert_eq!(with(|f| f.self_serve_floor = false), denied);
    assert_eq!(with(|f| f.targets[0].self_serve = None), denied);
    assert_eq!(with(|f| f.targets[0].self_serve.as_mut().unwrap().groups.clear()), denied);
    assert_eq!(with(|f| f.run.use_number = 1), denied);
    let denied = Some(Rule::SelfServeNotReviewed);
    assert_eq!(with(|f| f.reviews[0].self_serve.clear()), denied);
    assert_eq!(with(|f| f.reviews[0].self_serve[0].groups.clear()), denied);
    assert_eq!(
        with(|f| f.reviews[0].self_serve[0].targets = vec!["other".parse().unwrap()]),
        denied
    );
    assert_eq!(
        with(|f| f.caller_groups = vec!["ops".parse().unwrap()]),
        Some(Rule::CallerNotAllowed)
    );
}

#[test]
fn the_callers_own_review_opens_nothing_to_them() {
    // Bob runs what Bob reviewed.
    assert_eq!(with(|f| f.run.caller = person("bob")), Some(Rule::SelfServeNotReviewed));
    let second = |f: &mut Facts<'_>| {
        f.run.caller = person("bob");
        f.reviews.push(ReviewFact { self_serve: vec![clause(1)], ..review(2, "carol") });
    };
    assert_eq!(with(second), None);
    assert_eq!(
        with(|f| {
            f.targets[0].reviews.required = 2;
            second(f);
        }),
        Some(Rule::SelfServeNotReviewed),
        "of two reviewers two others have to open it"
    );
}

#[test]
fn the_smallest_number_of_runs_counts_over_a_day() {
    let ran = |minutes: &[i64]| -> Vec<SelfServeRun> {
        let run = |m: &i64| SelfServeRun { target: "shop-1".parse().unwrap(), at: at(*m) };
        minutes.iter().map(run).collect()
    };
    assert_eq!(with(|f| f.self_serve_runs = ran(&[0, 0])), None);
    assert_eq!(with(|f| f.self_serve_runs = ran(&[0, 0, 0])), Some(Rule::SelfServeSpent));
    // The facts are at minute 1: what started a day before that is a day old.
    assert_eq!(with(|f| f.self_serve_runs = ran(&[0, 0, 1 - DAY_MIN])), None);
    assert_eq!(with(|f| f.self_serve_runs = ran(&[0, 0, 2 - DAY_MIN])), Some(Rule::SelfServeSpent));
    let policy = |f: &mut Facts<'_>| f.targets[0].self_serve.as_mut().unwrap().runs_per_day = 1;
    assert_eq!(
        with(|f| {
            policy(f);
            f.self_serve_runs = ran(&[0]);
        }),
        Some(Rule::SelfServeSpent)
    );
    assert_eq!(
        with(|f| {
            f.reviews.push(ReviewFact { self_serve: vec![clause(1)], ..review(2, "carol") });
            f.self_serve_runs = ran(&[0]);
        }),
        Some(Rule::SelfServeSpent),
        "each reviewer can only make it less"
    );
    assert_eq!(
        with(|f| {
            f.self_serve_runs = ran(&[0, 0, 0]);
            f.self_serve_runs.iter_mut().for_each(|s| s.target = "other".parse().unwrap());
        }),
        None
    );
}

#[test]
fn reviews_and_stops_bind_it_as_any_other_run() {
    assert_eq!(with(|f| f.reviews.clear()), Some(Rule::ReviewMissing));
    assert_eq!(with(|f| f.reviews[0].verdict = Verdict::Reject), Some(Rule::ReviewRejected));
    assert_eq!(with(|f| f.stops = vec![StopSubject::Everything]), Some(Rule::Stopped));
    assert_eq!(
        with(|f| f.stops = vec![StopSubject::Person(person("bob"))]),
        Some(Rule::ReviewMissing)
    );
}

#[test]
fn a_run_that_names_a_request_does_not_fall_back_to_it() {
    assert_eq!(with(|f| f.run.request = Some(Digest::of(b"request"))), Some(Rule::RequestMissing));
}
