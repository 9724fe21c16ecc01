//! What reviewers saw that the queries come to: those count together that saw the same.

use super::*;

fn saw(text: &str) -> BTreeMap<Pair, Digest> {
    [(pair(), Digest::of(text.as_bytes()))].into()
}

fn two_are_needed(f: &mut Facts<'_>) {
    f.targets[0].reviews.required = 2;
    f.approvals[0].reviews = vec![Digest::of(&[1]), Digest::of(&[2])];
}

#[test]
fn the_decision_names_what_its_reviewers_saw() {
    let manifest = manifest();
    assert_eq!(decide(&facts(&manifest)).unwrap().analyses, saw("analysis"));
}

#[test]
fn an_approval_without_an_analysis_of_the_target_is_none() {
    assert_eq!(after(|f| f.reviews[0].analyses.clear()), Some(Rule::ReviewMissing));
    let elsewhere = Pair { logical: "shop".parse().unwrap(), target: "other".parse().unwrap() };
    assert_eq!(
        after(|f| f.reviews[0].analyses = [(elsewhere, Digest::of(b"analysis"))].into()),
        Some(Rule::ReviewMissing)
    );
    // Whoever says no has not to look at anything.
    assert_eq!(
        after(|f| f.reviews.push(ReviewFact {
            verdict: Verdict::RequestChanges,
            analyses: BTreeMap::new(),
            ..review(2, "carol")
        })),
        Some(Rule::ReviewRejected)
    );
}

/// The incident: Bob approved a query over a view; the view was replaced; Carol, who saw the new one,
/// would have been the second of two although nobody else had seen what would run.
#[test]
fn two_who_saw_different_things_are_not_two() {
    let carol = || ReviewFact { window: window(-30, 600), ..review(2, "carol") };
    assert_eq!(
        after(|f| {
            two_are_needed(f);
            f.reviews.push(carol());
        }),
        None
    );
    let manifest = manifest();
    let mut f = facts(&manifest);
    two_are_needed(&mut f);
    f.reviews.push(ReviewFact { analyses: saw("another view"), ..carol() });
    let told = denial(&f).unwrap();
    assert_eq!(told.rule, Rule::ReviewMissing);
    assert!(told.fact.contains("1 of 2 reviews"), "{told}");
    assert!(told.fact.contains("bob saw another analysis of the target"), "{told}");
    // It is the newest that says what will run.
    f.targets[0].reviews.required = 1;
    f.approvals[0].reviews = vec![Digest::of(&[2])];
    assert_eq!(decide(&f).unwrap().analyses, saw("another view"));
    assert_eq!(calls(&f), 3);
    // And who saw something else still bounds it.
    f.reviews[0].ceiling = scope(1);
    assert_eq!(calls(&f), 1);
    assert_eq!(decide(&f).unwrap().reviews.len(), 1);
}

#[test]
fn an_approval_of_a_run_that_other_reviewers_allowed_is_another() {
    let manifest = manifest();
    let mut f = facts(&manifest);
    let newer = window(-30, 600);
    f.reviews.push(ReviewFact { analyses: saw("new"), window: newer, ..review(2, "carol") });
    // The approver read Bob's review, which does not count any more.
    assert_eq!(denial(&f).unwrap().rule, Rule::ApprovalMissing);
    f.approvals[0].reviews = vec![Digest::of(&[2])];
    assert_eq!(denial(&f), None);
}

#[test]
fn an_earlier_revision_helps_only_if_its_reviewers_saw_the_same() {
    let with = |analyses: BTreeMap<Pair, Digest>| {
        after(|f| {
            f.targets[0].reviews.required = 2;
            f.targets[0].reviews_unchanged = Some(1);
            let earlier = |n, who| ReviewFact { analyses: analyses.clone(), ..review(n, who) };
            f.base = Some(BaseFact {
                revision: Digest::of(b"earlier"),
                submissions: vec![submission(3, "alice")],
                reviews: vec![earlier(3, "carol"), earlier(4, "dave")],
                rejections: vec![],
                difference: None,
            });
            f.approvals[0].reviews = [1, 3, 4].into_iter().map(|n| Digest::of(&[n])).collect();
        })
    };
    assert_eq!(with(saw("analysis")), None);
    assert_eq!(with(saw("then")), Some(Rule::ReviewMissing));
    assert_eq!(with(BTreeMap::new()), Some(Rule::ReviewMissing));
}
