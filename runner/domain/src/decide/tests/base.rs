//! The ordinary way: an access request, its approvals, the people and the clock.

use super::*;

#[test]
fn two_people_are_enough_and_everybody_narrowed() {
    let manifest = manifest();
    let decision = decide(&facts(&manifest)).unwrap();
    let (_, l) = decision.effective.query(&"q".parse().unwrap()).unwrap();
    assert_eq!((l.calls_max, l.rows_total_max), (3, 200), "approval and policy were the narrowest");
    assert_eq!(decision.grant_ends, at(30), "start + duration comes before all not-afters");
}

#[test]
fn nobody_runs_what_was_not_reviewed() {
    assert_eq!(after(|f| f.reviews.clear()), Some(Rule::ReviewMissing));
    assert_eq!(after(|f| f.targets[0].reviews.required = 0), None);
    assert_eq!(
        after(|f| {
            f.targets[0].reviews.required = 0;
            f.reviews.clear();
        }),
        Some(Rule::ReviewMissing),
        "a policy of zero reviews still needs one"
    );
}

#[test]
fn an_author_does_not_review_their_own_script() {
    assert_eq!(after(|f| f.reviews[0].reviewer = person("alice")), Some(Rule::ReviewMissing));
    assert_eq!(
        after(|f| f.submissions.push(submission(2, "bob"))),
        Some(Rule::ReviewMissing),
        "whoever submits a digest is an author"
    );
}

#[test]
fn somebody_who_is_stopped_approves_nothing() {
    let by_carol = |f: &mut Facts<'_>| f.approvals[0].approver = person("carol");
    assert_eq!(after(by_carol), None);
    assert_eq!(
        after(|f| {
            by_carol(f);
            f.stops.push(StopSubject::Person(person("carol")));
        }),
        Some(Rule::ApprovalMissing)
    );
}

#[test]
fn one_person_with_two_reviews_is_one_person() {
    let both = |f: &mut Facts<'_>| f.targets[0].reviews.required = 2;
    assert_eq!(
        after(|f| {
            both(f);
            f.reviews.push(review(2, "bob"));
        }),
        Some(Rule::ReviewMissing)
    );
    assert_eq!(
        after(|f| {
            both(f);
            f.reviews.push(review(2, "carol"));
        }),
        None
    );
    let twice = |f: &mut Facts<'_>| f.targets[0].approvals.required = 2;
    assert_eq!(
        after(|f| {
            twice(f);
            f.approvals.push(approval(2, "bob"));
        }),
        Some(Rule::ApprovalMissing)
    );
    assert_eq!(
        after(|f| {
            twice(f);
            f.approvals.push(approval(2, "carol"));
        }),
        None
    );
}

#[test]
fn services_outsiders_and_stopped_people_do_not_count() {
    assert_eq!(after(|f| f.reviews[0].human = false), Some(Rule::ReviewMissing));
    assert_eq!(after(|f| f.reviews[0].groups.clear()), Some(Rule::ReviewMissing));
    assert_eq!(after(|f| f.approvals[0].human = false), Some(Rule::ApprovalMissing));
    assert_eq!(after(|f| f.approvals[0].groups.clear()), Some(Rule::ApprovalMissing));
    assert_eq!(
        after(|f| f.stops = vec![StopSubject::Person(person("bob"))]),
        Some(Rule::ReviewMissing)
    );
    assert_eq!(after(|f| f.targets[0].reviews.groups.clear()), Some(Rule::ReviewMissing));
}

#[test]
fn a_no_by_a_reviewer_is_a_no() {
    let no = |verdict| {
        after(|f| {
            f.reviews.push(ReviewFact { verdict, ..review(2, "carol") });
        })
    };
    assert_eq!(no(Verdict::Reject), Some(Rule::ReviewRejected));
    assert_eq!(no(Verdict::RequestChanges), Some(Rule::ReviewRejected));
    assert_eq!(no(Verdict::Approve), None);
}

#[test]
fn a_caller_does_not_approve_their_own_request() {
    assert_eq!(after(|f| f.approvals[0].approver = person("alice")), Some(Rule::ApprovalMissing));
}

#[test]
fn an_approval_is_for_one_request_and_the_reviews_that_were_seen() {
    assert_eq!(
        after(|f| f.approvals[0].request = Digest::of(b"other")),
        Some(Rule::ApprovalMissing)
    );
    assert_eq!(
        after(|f| f.approvals[0].reviews.push(Digest::of(&[9]))),
        Some(Rule::ApprovalMissing)
    );
    assert_eq!(after(|f| f.approvals[0].reviews.clear()), Some(Rule::ApprovalMissing));
    assert_eq!(
        after(|f| f.approvals[0].policy_version = 2),
        Some(Rule::ApprovalMissing),
        "policy rolled back"
    );
}

#[test]
fn dropping_a_narrow_review_from_the_order_does_not_widen() {
    let with_two = |f: &mut Facts<'_>| {
        f.reviews.push(ReviewFact { ceiling: scope(1), ..review(2, "carol") });
        f.approvals[0].reviews.push(Digest::of(&[2]));
    };
    let manifest = manifest();
    let mut both = facts(&manifest);
    with_two(&mut both);
    assert_eq!(
        decide(&both).unwrap().effective.query(&"q".parse().unwrap()).unwrap().1.calls_max,
        1
    );
    both.reviews.pop();
    assert_eq!(decide(&both).unwrap_err().rule, Rule::ApprovalMissing);
}

#[test]
fn a_request_is_for_one_caller_revision_target_and_input() {
    let request =
        |f: &mut Facts<'_>, change: fn(&mut RequestFact)| change(f.request.as_mut().unwrap());
    assert_eq!(after(|f| f.request = None), Some(Rule::RequestMissing));
    assert_eq!(after(|f| f.run.request = None), Some(Rule::RequestMismatch));
    assert_eq!(
        after(|f| request(f, |r| r.caller = person("mallory"))),
        Some(Rule::RequestMismatch)
    );
    assert_eq!(
        after(|f| request(f, |r| r.revision = Digest::of(b"x"))),
        Some(Rule::RequestMismatch)
    );
    assert_eq!(after(|f| request(f, |r| r.scope.pairs.clear())), Some(Rule::RequestMismatch));
    assert_eq!(after(|f| f.approvals[0].scope.pairs.clear()), Some(Rule::RequestMismatch));
    assert_eq!(after(|f| f.run.input = Digest::of(b"x")), Some(Rule::InputNotApproved));
    assert_eq!(
        after(|f| {
            f.run.input = Digest::of(b"x");
            request(f, |r| r.input = InputRule::Schema);
        }),
        None
    );
}

#[test]
fn targets_are_bound_exactly_and_known() {
    assert_eq!(after(|f| f.run.pairs.clear()), Some(Rule::Targets));
    assert_eq!(after(|f| f.run.pairs.push(pair())), Some(Rule::Targets));
    assert_eq!(
        after(|f| f.run.pairs[0].target = "other".parse().unwrap()),
        Some(Rule::TargetUnknown)
    );
    assert_eq!(after(|f| f.targets[0].engine = Engine::Postgres), Some(Rule::Targets));
    assert_eq!(after(|f| f.run.runner = "runner-2".parse().unwrap()), Some(Rule::TargetUnknown));
    assert_eq!(after(|f| f.caller_groups.clear()), Some(Rule::CallerNotAllowed));
}

#[test]
fn time_is_absolute() {
    assert_eq!(after(|f| f.now = at(6)), Some(Rule::RunRequestExpired));
    assert_eq!(
        after(|f| f.run.window = window(0, 6)),
        Some(Rule::RunRequestExpired),
        "lives too long"
    );
    let later = |f: &mut Facts<'_>, m| {
        f.now = at(m);
        f.run.window = window(m, m + 5);
    };
    assert_eq!(after(|f| later(f, 30)), None);
    assert_eq!(after(|f| later(f, 31)), Some(Rule::GrantExpired));
    assert_eq!(
        after(|f| {
            later(f, 10);
            f.approvals[0].window = window(0, 9);
        }),
        Some(Rule::GrantExpired)
    );
    assert_eq!(after(|f| f.approvals[0].window = window(2, 60)), Some(Rule::GrantNotYet));
    assert_eq!(after(|f| f.reviews[0].window = window(-60, 0)), Some(Rule::ReviewMissing));
}

#[test]
fn a_use_and_a_run_id_are_spent_once() {
    assert_eq!(after(|f| f.uses_spent = vec![1]), Some(Rule::UseSpent));
    assert_eq!(after(|f| f.run.use_number = 0), Some(Rule::UseSpent));
    assert_eq!(after(|f| f.run.use_number = 3), Some(Rule::UseSpent));
    assert_eq!(
        after(|f| {
            f.uses_spent = vec![1];
            f.run.use_number = 2;
        }),
        None
    );
    assert_eq!(after(|f| f.run_id_spent = true), Some(Rule::RunIdSpent));
}

#[test]
fn a_stop_of_anything_it_depends_on_stops_it() {
    let stops = [
        StopSubject::Everything,
        StopSubject::Person(person("alice")),
        StopSubject::Revision(Digest::of(b"revision")),
        StopSubject::Request(id("req", 1).parse().unwrap()),
        StopSubject::Target("shop-1".parse().unwrap()),
    ];
    for stop in stops {
        assert_eq!(after(|f| f.stops = vec![stop.clone()]), Some(Rule::Stopped), "{stop}");
    }
    assert_eq!(after(|f| f.stops = vec![StopSubject::Target("other".parse().unwrap())]), None);
}

#[test]
fn a_denial_tells_the_fact_and_the_way_forward() {
    let manifest = manifest();
    let mut f = facts(&manifest);
    f.reviews[0].reviewer = person("alice");
    let told = decide(&f).unwrap_err().to_string();
    assert!(
        told.contains("alice is an author") && told.contains("ask for a review by somebody other"),
        "{told}"
    );
}

#[test]
fn a_review_cannot_push_out_another_one_by_taking_its_id() {
    let manifest = manifest();
    let mut f = facts(&manifest);
    // Carol's review has Bob's id and a wider ceiling; Bob's narrow one must still count.
    f.reviews[0].ceiling = scope(1);
    let mut carols = review(1, "carol");
    carols.digest = Digest::of(&[9]);
    f.reviews.insert(0, carols);
    f.approvals[0].reviews = vec![Digest::of(&[9])];
    let decision = decide(&f).unwrap();
    assert_eq!(decision.effective.query(&"q".parse().unwrap()).unwrap().1.calls_max, 1);
}

#[test]
fn a_reviewer_does_not_run_alone_where_policy_asks_for_no_approval() {
    assert_eq!(
        after(|f| {
            f.targets[0].approvals.required = 0;
            f.approvals.clear();
        }),
        Some(Rule::ApprovalMissing)
    );
}

#[test]
fn a_grant_ends_with_the_reviews_that_it_rests_on() {
    let manifest = manifest();
    let mut f = facts(&manifest);
    f.reviews[0].window = window(-60, 10);
    assert_eq!(decide(&f).unwrap().grant_ends, at(10));
}
