//! What a review does to another one, and what fewer reviews need.

use super::*;

fn rejection(who: &str) -> RejectionFact {
    RejectionFact {
        id: id("rev", 9).parse().unwrap(),
        digest: Digest::of(&[9]),
        reviewer: person(who),
        human: true,
        groups: vec!["dev".parse().unwrap()],
        pairs: vec![pair()],
    }
}

#[test]
fn a_rejection_bars_whatever_its_window_and_nothing_supersedes_it() {
    let no = |change: &dyn Fn(&mut ReviewFact)| {
        after(|f| {
            let mut no = ReviewFact { verdict: Verdict::Reject, ..review(2, "carol") };
            change(&mut no);
            f.reviews.push(no);
            f.reviews.push(ReviewFact { window: window(0, 600), ..review(3, "carol") });
        })
    };
    assert_eq!(no(&|_| ()), Some(Rule::ReviewRejected));
    assert_eq!(no(&|r| r.window = window(-60, -30)), Some(Rule::ReviewRejected), "expired");
    assert_eq!(no(&|r| r.window = window(30, 60)), Some(Rule::ReviewRejected), "not yet valid");
    assert_eq!(no(&|r| r.groups.clear()), None, "no reviewer");
    assert_eq!(no(&|r| r.human = false), None, "no human");
    assert_eq!(no(&|r| r.reviewer = person("alice")), None, "an author");
    assert_eq!(no(&|r| r.ceiling.pairs.clear()), None, "about another target");
}

#[test]
fn a_rejection_that_the_order_leaves_out_bars_as_well() {
    assert_eq!(after(|f| f.rejections = vec![rejection("carol")]), Some(Rule::ReviewRejected));
    assert_eq!(
        after(|f| {
            f.rejections = vec![rejection("carol")];
            f.stops = vec![StopSubject::Person(person("carol"))];
        }),
        Some(Rule::ReviewRejected),
        "barring more is the safe side"
    );
    let other = Pair { logical: "shop".parse().unwrap(), target: "shop-2".parse().unwrap() };
    assert_eq!(
        after(|f| f.rejections = vec![RejectionFact { pairs: vec![other], ..rejection("carol") }]),
        None
    );
}

#[test]
fn what_counts_as_read_before_is_what_a_run_would_count() {
    let read = |change: &dyn Fn(&mut Facts<'_>)| -> Vec<String> {
        let manifest = manifest();
        let mut facts = facts(&manifest);
        change(&mut facts);
        approving(&facts).iter().map(|r| r.reviewer.to_string()).collect()
    };
    let later = |n, who: &str| ReviewFact { window: window(-30, 600), ..review(n, who) };
    assert_eq!(read(&|_| ()), ["bob"]);
    assert_eq!(read(&|f| f.reviews.insert(0, later(2, "carol"))), ["bob", "carol"], "newest last");
    let none: [&dyn Fn(&mut Facts<'_>); 8] = [
        &|f| f.reviews[0].reviewer = person("alice"),
        &|f| f.reviews[0].groups.clear(),
        &|f| f.reviews[0].human = false,
        &|f| f.reviews[0].window = window(-60, 0),
        &|f| f.reviews[0].ceiling.pairs.clear(),
        &|f| f.submissions.clear(),
        &|f| f.rejections = vec![rejection("carol")],
        &|f| f.stops = vec![StopSubject::Revision(Digest::of(b"revision"))],
    ];
    for (i, change) in none.iter().enumerate() {
        assert!(read(change).is_empty(), "change {i}");
    }
    let other = Pair { logical: "crm".parse().unwrap(), target: "shop-1".parse().unwrap() };
    assert!(
        read(&|f| f.run.pairs.push(other.clone())).is_empty(),
        "a target that nobody read it for"
    );
}

#[test]
fn asking_for_changes_ends_with_the_same_persons_newer_review() {
    let changes = |n, from| ReviewFact {
        verdict: Verdict::RequestChanges,
        window: window(from, 600),
        ..review(n, "carol")
    };
    assert_eq!(after(|f| f.reviews.push(changes(2, -60))), Some(Rule::ReviewRejected));
    assert_eq!(
        after(|f| {
            f.reviews.push(changes(2, -60));
            f.reviews.push(ReviewFact { window: window(-30, 600), ..review(3, "carol") });
        }),
        None
    );
    assert_eq!(
        after(|f| {
            f.reviews.push(changes(3, -30));
            f.reviews.push(ReviewFact { window: window(-60, 600), ..review(2, "carol") });
        }),
        Some(Rule::ReviewRejected),
        "an older yes does not end it"
    );
    assert_eq!(
        after(|f| {
            f.reviews.push(changes(2, -60));
            f.reviews.push(ReviewFact { window: window(-30, 600), ..review(3, "dave") });
        }),
        Some(Rule::ReviewRejected),
        "nor does somebody else"
    );
}

#[test]
fn of_one_person_the_newest_review_counts() {
    let manifest = manifest();
    let mut f = facts(&manifest);
    f.approvals[0].scope = scope(5);
    assert_eq!(calls(&f), 4);
    let narrower = ReviewFact { ceiling: scope(1), window: window(-5, 600), ..review(2, "bob") };
    f.reviews.push(narrower);
    // The approval saw the old one only.
    assert_eq!(denial(&f).unwrap().rule, Rule::ApprovalMissing);
    f.approvals[0].reviews = vec![Digest::of(&[2])];
    assert_eq!(calls(&f), 1);
    // One that has not begun is not the newest yet.
    f.reviews[1].window = window(5, 600);
    f.approvals[0].reviews = vec![Digest::of(&[1])];
    assert_eq!(calls(&f), 4);
    // The id decides where two begin in the same second.
    f.reviews[1].window = f.reviews[0].window;
    f.approvals[0].reviews = vec![Digest::of(&[2])];
    assert_eq!(calls(&f), 1);
}

/// Dave reviewed an earlier revision together with Bob; two reviews are needed, one if unchanged.
fn unchanged(f: &mut Facts<'_>) {
    f.targets[0].reviews.required = 2;
    f.targets[0].reviews_unchanged = Some(1);
    f.base = Some(BaseFact {
        revision: Digest::of(b"earlier"),
        submissions: vec![submission(8, "alice")],
        reviews: vec![review(5, "bob"), ReviewFact { ceiling: scope(2), ..review(6, "dave") }],
        rejections: vec![],
        difference: None,
    });
}

#[test]
fn a_change_of_nothing_but_the_component_may_need_fewer_reviews() {
    let manifest = manifest();
    let mut f = facts(&manifest);
    unchanged(&mut f);
    assert_eq!(calls(&f), 2, "the ceilings of the earlier reviews bind, too");
    let decision = decide(&f).unwrap();
    assert_eq!((decision.reviews.len(), decision.base_reviews.len()), (1, 2));
    f.base.as_mut().unwrap().reviews[1].window = window(-60, 7);
    assert_eq!(decide(&f).unwrap().grant_ends, at(7));

    let denied = |change: &dyn Fn(&mut Facts<'_>)| {
        after(|f| {
            unchanged(f);
            change(f);
        })
    };
    let base = |change: &'static dyn Fn(&mut BaseFact)| {
        denied(&|f: &mut Facts<'_>| change(f.base.as_mut().unwrap()))
    };
    let missing = Some(Rule::ReviewMissing);
    assert_eq!(denied(&|f| f.targets[0].reviews_unchanged = None), missing);
    assert_eq!(denied(&|f| f.base = None), missing);
    assert_eq!(denied(&|f| f.reviews.clear()), missing, "its own review is needed whatever else");
    let nobody = |f: &mut Facts<'_>| {
        f.targets[0].reviews_unchanged = Some(0);
        f.reviews.clear();
    };
    assert_eq!(denied(&nobody), missing, "also where a policy asks for none");
    assert_eq!(denied(&|f| f.request.as_mut().unwrap().break_glass = true), missing);
    assert_eq!(base(&|b| b.revision = Digest::of(b"revision")), missing);
    assert_eq!(base(&|b| b.difference = Some("queries/q.sql differs".to_owned())), missing);
    assert_eq!(base(&|b| drop(b.reviews.pop())), missing);
    assert_eq!(base(&|b| b.reviews[1].window = window(-60, 0)), missing);
    assert_eq!(base(&|b| b.reviews[1].reviewer = person("bob")), missing);
    assert_eq!(base(&|b| b.submissions.push(submission(9, "dave"))), missing);
    assert_eq!(base(&|b| b.submissions.clear()), missing);
    assert_eq!(base(&|b| b.rejections.push(rejection("carol"))), missing);
    assert_eq!(denied(&|f| f.stops = vec![StopSubject::Revision(Digest::of(b"earlier"))]), missing);
}

#[test]
fn an_approver_who_saw_an_earlier_review_relied_on_it() {
    let seen = |change: &dyn Fn(&mut Facts<'_>)| {
        after(|f| {
            unchanged(f);
            f.approvals[0].reviews.push(Digest::of(&[6]));
            change(f);
        })
    };
    assert_eq!(seen(&|_| ()), None);
    // Enough new reviews make the earlier ones superfluous, but not what was approved on their word.
    let enough = |f: &mut Facts<'_>| f.reviews.push(review(2, "carol"));
    assert_eq!(seen(&enough), None);
    assert_eq!(
        seen(&|f| {
            enough(f);
            f.base = None;
        }),
        Some(Rule::ApprovalMissing)
    );
    assert_eq!(
        seen(&|f| {
            enough(f);
            f.base.as_mut().unwrap().difference = Some("it differs".to_owned());
        }),
        Some(Rule::ApprovalMissing)
    );
}

#[test]
fn an_earlier_revision_that_does_not_help_says_why() {
    let manifest = manifest();
    let mut f = facts(&manifest);
    unchanged(&mut f);
    f.base.as_mut().unwrap().difference = Some("queries/q.sql differs".to_owned());
    let told = denial(&f).unwrap().fact;
    assert!(told.starts_with("1 of 2 reviews"), "{told}");
    assert!(told.ends_with("does not help: queries/q.sql differs"), "{told}");
}

#[test]
fn only_the_version_and_what_does_not_reach_data_may_differ() {
    let index = |changed: &str| {
        let paths = ["component.wasm", "script.toml", "queries/q.sql", "input.schema.json"];
        let file =
            |p: &&str| (p.parse().unwrap(), Digest::of(if *p == changed { b"x" } else { b"" }));
        crate::BundleIndex::new(paths.iter().map(file).collect()).unwrap()
    };
    let (mine, now) = (manifest(), index(""));
    let later = Manifest { version: "1.0.1".parse().unwrap(), ..mine.clone() };
    assert_eq!(difference((&index("component.wasm"), &mine), (&now, &later)), None);
    for path in ["queries/q.sql", "input.schema.json"] {
        let told = difference((&index(path), &mine), (&now, &later)).unwrap();
        assert_eq!(told, format!("{path} differs"));
    }
    let mut wider = later.clone();
    wider.queries[0].limits.calls_max += 1;
    assert!(difference((&now, &mine), (&now, &wider)).unwrap().contains("manifest"));
    let mut more: BTreeMap<crate::BundlePath, Digest> =
        now.files().map(|(p, d)| (p.clone(), *d)).collect();
    more.insert("queries/r.sql".parse().unwrap(), Digest::of(b""));
    let more = crate::BundleIndex::new(more).unwrap();
    assert_eq!(difference((&now, &mine), (&more, &later)).unwrap(), "queries/r.sql differs");
}

#[test]
fn each_group_speaks_by_its_own_person() {
    let sre = "sre".parse::<crate::GroupName>().unwrap();
    let split = |f: &mut Facts<'_>| {
        f.targets[0].reviews = Quorum {
            required: 2,
            groups: vec!["dev".parse().unwrap(), "sre".parse().unwrap()],
            from_each: vec!["dev".parse().unwrap(), "sre".parse().unwrap()],
        };
    };
    let with = |groups: Vec<crate::GroupName>| {
        after(|f| {
            split(f);
            f.reviews.push(ReviewFact { groups, ..review(2, "carol") });
        })
    };
    assert_eq!(with(vec!["dev".parse().unwrap()]), Some(Rule::ReviewMissing));
    assert_eq!(with(vec![sre.clone()]), None);
    assert_eq!(
        after(|f| {
            split(f);
            f.reviews[0].groups.push(sre.clone());
        }),
        Some(Rule::ReviewMissing),
        "one person in both groups is one person"
    );
}
