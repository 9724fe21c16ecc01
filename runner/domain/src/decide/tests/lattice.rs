//! Everything that can go wrong, together with everything else: no second harm makes a no into a
//! yes, and the derivation always tells the story of the decision.

use super::*;

type Change = fn(&mut Facts<'_>);

/// Each takes something away or adds something against the run; none helps.
const HARMS: [Change; 11] = [
    |f| f.reviews.clear(),
    |f| f.submissions.push(submission(9, "bob")),
    |f| f.approvals.clear(),
    |f| f.approvals.iter_mut().for_each(|a| a.approver = person("alice")),
    |f| f.reviews.push(ReviewFact { verdict: Verdict::Reject, ..review(7, "carol") }),
    |f| f.stops.push(StopSubject::Person(person("bob"))),
    |f| f.stops.push(StopSubject::Target("shop-1".parse().unwrap())),
    |f| f.run.input = Digest::of(b"x"),
    |f| f.uses_spent.push(f.run.use_number),
    |f| f.targets[0].prod = true,
    |f| f.now = at(2000),
];

/// The three ways, each allowed when nothing goes wrong.
const WAYS: [Change; 3] = [
    |_| (),
    |f| {
        let request = f.request.as_mut().unwrap();
        (request.break_glass, request.uses) = (true, 1);
        f.targets[0].break_glass = Some(BreakGlassRules {
            approvals: quorum(1),
            groups: vec!["dev".parse().unwrap()],
            duration_s_max: 1800,
            uses_max: 1,
            limits: Limits::CEILING,
            query: QueryLimits::CEILING,
            after_review_s: 1,
            after_review: quorum(1),
        });
    },
    |f| {
        (f.run.request, f.request, f.run.use_number) = (None, None, 0);
        f.approvals.clear();
        let groups = vec!["dev".parse().unwrap()];
        f.targets[0].self_serve = Some(SelfServeRules { groups: groups.clone(), runs_per_day: 1 });
        let targets = vec!["shop-1".parse().unwrap()];
        f.reviews[0].self_serve = vec![SelfServeClause { groups, targets, runs_per_day: 1 }];
    },
];

#[test]
fn no_harm_mends_another_and_the_derivation_agrees() {
    let manifest = manifest();
    for way in WAYS {
        let mut allowed = vec![false; 1 << HARMS.len()];
        for harms in 0..1usize << HARMS.len() {
            let mut f = facts(&manifest);
            way(&mut f);
            let set = || (0..HARMS.len()).filter(|i| harms >> i & 1 == 1);
            set().for_each(|i| HARMS[i](&mut f));
            // `denial` compares decision and derivation.
            allowed[harms] = denial(&f).is_none();
            assert!(
                !allowed[harms] || set().all(|i| allowed[harms & !(1 << i)]),
                "harms {harms:#b} are allowed, and one of them less is not"
            );
        }
        assert!(allowed[0], "without any harm it runs");
    }
}

#[test]
fn a_derivation_tells_what_was_counted_and_goes_on_after_a_no() {
    let manifest = manifest();
    let mut f = facts(&manifest);
    let steps = explain(&f);
    assert!(steps.iter().all(|s| s.satisfied && s.help.is_none()));
    let of = |steps: &[Step], rule| steps.iter().find(|s| s.rule == rule).unwrap().clone();
    assert_eq!(of(&steps, Rule::ReviewMissing).documents, [id("rev", 1)]);
    assert_eq!(of(&steps, Rule::ReviewMissing).fact, "shop=shop-1: reviewed by bob");
    assert_eq!(of(&steps, Rule::ApprovalMissing).documents, [id("apr", 1)]);
    assert_eq!(of(&steps, Rule::SubmissionMissing).documents, [id("sub", 1)]);
    f.reviews.clear();
    f.uses_spent = vec![1];
    let steps = explain(&f);
    let failed: Vec<Rule> = steps.iter().filter(|s| !s.satisfied).map(|s| s.rule).collect();
    assert_eq!(failed, [Rule::ReviewMissing, Rule::ApprovalMissing, Rule::UseSpent]);
}

#[test]
fn codes_are_unique_and_what_json_has() {
    let codes: std::collections::BTreeSet<&str> = Rule::ALL.iter().map(|r| r.code()).collect();
    assert_eq!(codes.len(), Rule::ALL.len());
    for rule in Rule::ALL {
        let json = serde_json::to_string(rule).unwrap();
        assert_eq!(json, format!("\"{}\"", rule.code()));
        assert_eq!(serde_json::from_str::<Rule>(&json).unwrap(), *rule);
    }
}
