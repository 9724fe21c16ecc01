//! Emergencies: fewer approvals, and nothing else is fewer.

use super::*;

/// Alice may break the glass with one approval, for half an hour, once.
fn broken(f: &mut Facts<'_>) {
    let request = f.request.as_mut().unwrap();
    (request.break_glass, request.uses) = (true, 1);
    f.targets[0].approvals.required = 2;
    f.targets[0].break_glass = Some(BreakGlassRules {
        approvals: quorum(1),
        groups: vec!["dev".parse().unwrap()],
        duration_s_max: 1800,
        uses_max: 1,
        limits: Limits::CEILING,
        query: QueryLimits { calls_max: 2, ..QueryLimits::CEILING },
        after_review_s: 86_400,
        after_review: quorum(1),
    });
}

fn with(change: impl FnOnce(&mut Facts<'_>)) -> Option<Rule> {
    after(|f| {
        broken(f);
        change(f);
    })
}

fn rules<'f>(f: &'f mut Facts<'_>) -> &'f mut BreakGlassRules {
    f.targets[0].break_glass.as_mut().unwrap()
}

#[test]
fn an_emergency_needs_fewer_approvals_and_gets_less() {
    let manifest = manifest();
    let mut f = facts(&manifest);
    broken(&mut f);
    let decision = decide(&f).unwrap();
    assert_eq!(decision.way, Way::BreakGlass { after_review_s: 86_400 });
    assert_eq!(calls(&f), 2);
    f.request.as_mut().unwrap().break_glass = false;
    assert_eq!(denial(&f).unwrap().rule, Rule::ApprovalMissing, "the glass is whole");
}

#[test]
fn it_is_for_those_whom_policy_names_and_within_its_bounds() {
    let denied = Some(Rule::BreakGlassNotAllowed);
    assert_eq!(with(|f| f.targets[0].break_glass = None), denied);
    assert_eq!(with(|f| rules(f).groups = vec!["leads".parse().unwrap()]), denied);
    let denied = Some(Rule::BreakGlassTooWide);
    assert_eq!(with(|f| f.request.as_mut().unwrap().uses = 2), denied);
    assert_eq!(with(|f| f.request.as_mut().unwrap().duration_s = 1801), denied);
}

#[test]
fn only_reviewed_scripts_with_every_review() {
    assert_eq!(with(|f| f.reviews.clear()), Some(Rule::ReviewMissing));
    assert_eq!(with(|f| f.targets[0].reviews.required = 2), Some(Rule::ReviewMissing));
    assert_eq!(with(|f| f.reviews[0].verdict = Verdict::Reject), Some(Rule::ReviewRejected));
}

#[test]
fn somebody_else_says_yes_even_where_no_approval_is_needed() {
    assert_eq!(with(|f| f.approvals.clear()), Some(Rule::ApprovalMissing));
    assert_eq!(with(|f| f.approvals[0].approver = person("alice")), Some(Rule::ApprovalMissing));
    let none = |f: &mut Facts<'_>| {
        rules(f).approvals.required = 0;
        f.approvals.clear();
    };
    assert_eq!(with(none), None, "bob reviewed it");
    assert_eq!(
        with(|f| {
            none(f);
            f.run.caller = person("bob");
            f.request.as_mut().unwrap().caller = person("bob");
        }),
        Some(Rule::ApprovalMissing),
        "bob alone reviewed what bob wants to run"
    );
}

#[test]
fn who_owes_an_after_review_breaks_no_glass() {
    let owing = |f: &mut Facts<'_>| f.after_reviews_overdue = vec![id("req", 7).parse().unwrap()];
    assert_eq!(with(owing), Some(Rule::AfterReviewOverdue));
    assert_eq!(after(owing), None, "an ordinary access request goes on");
}

#[test]
fn an_after_review_is_somebody_elses_who_may() {
    let manifest = manifest();
    let mut f = facts(&manifest);
    broken(&mut f);
    let looked = |who: &str, human, groups: &[&str]| AfterReviewer {
        reviewer: person(who),
        human,
        groups: groups.iter().map(|g| g.parse().unwrap()).collect(),
    };
    let settled = |reviewers: &[AfterReviewer], targets: &[TargetRules], solo| {
        after_review_settled(&person("alice"), reviewers, targets, solo)
    };
    let t = &f.targets;
    assert!(!settled(&[], t, false));
    assert!(settled(&[looked("bob", true, &["dev"])], t, false));
    assert!(!settled(&[looked("alice", true, &["dev"])], t, false), "their own doing");
    assert!(settled(&[looked("alice", true, &["dev"])], t, true), "there is nobody else");
    assert!(!settled(&[looked("bob", false, &["dev"])], t, false), "no human");
    assert!(!settled(&[looked("bob", true, &["ops"])], t, false), "another group");
    let mut two = f.targets.clone();
    two[0].break_glass.as_mut().unwrap().after_review.required = 2;
    let bob = looked("bob", true, &["dev"]);
    assert!(!settled(&[bob.clone(), bob.clone()], &two, false), "one person twice");
    assert!(settled(&[bob.clone(), looked("carol", true, &["dev"])], &two, false));
    // The policy has forgotten that it ever was an emergency.
    two[0].break_glass = None;
    two[0].approvals.required = 0;
    assert!(!settled(&[], &two, false) && settled(std::slice::from_ref(&bob), &two, false));
    assert!(!settled(&[], &[], false) && settled(&[bob], &[], false));
}
