//! A trust domain for one: the same steps, by one person, never on production.

use super::*;

/// Alice writes, reviews, asks and approves.
fn alone(f: &mut Facts<'_>) {
    f.solo = true;
    f.reviews[0].reviewer = person("alice");
    f.approvals[0].approver = person("alice");
}

#[test]
fn one_person_may_hold_every_role_there_and_nowhere_else() {
    assert_eq!(after(alone), None);
    assert_eq!(
        after(|f| {
            alone(f);
            f.solo = false;
        }),
        Some(Rule::ReviewMissing)
    );
    let manifest = manifest();
    let mut f = facts(&manifest);
    assert!(!decide(&f).unwrap().solo);
    alone(&mut f);
    assert!(decide(&f).unwrap().solo, "the receipt has to say so");
}

#[test]
fn every_step_is_still_taken() {
    let with = |change: fn(&mut Facts<'_>)| {
        after(|f| {
            alone(f);
            change(f);
        })
    };
    assert_eq!(with(|f| f.reviews.clear()), Some(Rule::ReviewMissing));
    assert_eq!(with(|f| f.approvals.clear()), Some(Rule::ApprovalMissing));
    assert_eq!(with(|f| f.reviews[0].human = false), Some(Rule::ReviewMissing));
    assert_eq!(with(|f| f.targets[0].reviews.required = 2), Some(Rule::ReviewMissing));
    assert_eq!(with(|f| f.reviews[0].verdict = Verdict::Reject), Some(Rule::ReviewRejected));
}

#[test]
fn production_is_not_for_one() {
    assert_eq!(
        after(|f| {
            alone(f);
            f.targets[0].prod = true;
            f.status = Some(StatusFact {
                id: id("sts", 1).parse().unwrap(),
                window: window(-5, 5),
                differs: vec![],
            });
        }),
        Some(Rule::SoloProd)
    );
}
