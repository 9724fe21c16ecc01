//! Everyone can only narrow: over random chains, what is effective is within what each said, and one
//! more person's word never gives more or longer.

use proptest::prelude::*;

use super::*;

fn some_window() -> impl Strategy<Value = Window> {
    (-20i64..2, 1i64..60).prop_map(|(from, to)| window(from, to))
}

fn some_scope() -> impl Strategy<Value = Capabilities> {
    let columns = prop::sample::subsequence(vec!["email", "phone", "ssn", "card"], 0..4);
    (1u64..6, columns).prop_map(|(calls, raw)| raw_scope(calls, &raw))
}

fn some_review(who: &'static str, n: u8) -> impl Strategy<Value = ReviewFact> {
    let saw = prop_oneof![1 => Just(""), 10 => Just("analysis"), 2 => Just("another")];
    let all = (some_scope(), some_window(), 0u64..4, saw);
    all.prop_map(move |(ceiling, window, runs_per_day, saw)| {
        let clause = SelfServeClause {
            groups: vec!["dev".parse().unwrap()],
            targets: vec!["shop-1".parse().unwrap()],
            runs_per_day,
        };
        let self_serve = if runs_per_day == 0 { vec![] } else { vec![clause] };
        let saw = (!saw.is_empty()).then(|| (pair(), Digest::of(saw.as_bytes())));
        let analyses = saw.into_iter().collect();
        ReviewFact { ceiling, window, analyses, self_serve, ..review(n, who) }
    })
}

fn some_approval(who: &'static str, n: u8) -> impl Strategy<Value = ApprovalFact> {
    (some_scope(), some_window()).prop_map(move |(scope, window)| ApprovalFact {
        scope,
        window,
        ..approval(n, who)
    })
}

/// What one chain varies in.
#[derive(Debug, Clone)]
struct Chain {
    reviews: Vec<ReviewFact>,
    approvals: Vec<ApprovalFact>,
    request: (Capabilities, Window, u64),
    required: (u32, u32),
    base: Option<Vec<ReviewFact>>,
    self_serve: bool,
}

fn chain() -> impl Strategy<Value = Chain> {
    let reviews = (some_review("bob", 1), prop::option::of(some_review("carol", 2)));
    let approvals = (some_approval("bob", 1), prop::option::of(some_approval("dave", 2)));
    let base = prop::option::of((some_review("bob", 11), some_review("erin", 12)));
    let request = (some_scope(), some_window(), 60u64..3600);
    (reviews, approvals, request, (1u32..3, 1u32..3), base, any::<bool>()).prop_map(
        |((r, rs), (a, aps), request, required, base, self_serve)| Chain {
            reviews: [r].into_iter().chain(rs).collect(),
            approvals: [a].into_iter().chain(aps).collect(),
            request,
            required,
            base: base.map(|(a, b)| vec![a, b]),
            self_serve,
        },
    )
}

fn build<'m>(manifest: &'m Manifest, c: &Chain) -> Facts<'m> {
    let mut f = facts(manifest);
    f.reviews = c.reviews.clone();
    f.approvals = c.approvals.clone();
    let request = f.request.as_mut().unwrap();
    (request.scope, request.window, request.duration_s) =
        (c.request.0.clone(), c.request.1, c.request.2);
    (f.targets[0].reviews.required, f.targets[0].approvals.required) = c.required;
    f.targets[0].reviews_unchanged = Some(1);
    f.targets[0].self_serve =
        Some(SelfServeRules { groups: vec!["dev".parse().unwrap()], runs_per_day: 2 });
    f.base = c.base.clone().map(|reviews| BaseFact {
        revision: Digest::of(b"earlier"),
        submissions: vec![submission(8, "alice")],
        reviews,
        rejections: vec![],
        difference: None,
    });
    if c.self_serve {
        (f.run.request, f.request, f.run.use_number) = (None, None, 0);
        f.approvals.clear();
    }
    f
}

/// That `after` gives at most what `before` gave, if both give anything.
fn no_wider(before: &Facts<'_>, after: &Facts<'_>) -> Result<(), TestCaseError> {
    let (Ok(before), Ok(after)) = (decide(before), decide(after)) else { return Ok(()) };
    prop_assert!(after.effective.within(&before.effective));
    prop_assert!(after.grant_ends <= before.grant_ends);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn effective_is_within_everything_that_was_said(c in chain()) {
        let manifest = manifest();
        let f = build(&manifest, &c);
        let story = denial(&f);
        prop_assume!(story.is_none());
        let decision = decide(&f).unwrap();
        let effective = &decision.effective;
        prop_assert!(effective.within(&manifest.asks(&f.run.pairs)));
        prop_assert!(effective.within(&f.targets[0].bound(&manifest.asks(&f.run.pairs))));
        for r in f.reviews.iter().filter(|r| decision.reviews.contains(&r.id)) {
            prop_assert!(effective.within(&r.ceiling) && decision.grant_ends <= r.window.not_after);
        }
        for r in f.reviews.iter().filter(|r| decision.reviews.contains(&r.id)) {
            prop_assert_eq!(&r.analyses, &decision.analyses, "all saw the same");
        }
        for r in f.base.iter().flat_map(|b| &b.reviews) {
            let counted = decision.base_reviews.contains(&r.id);
            prop_assert!(!counted || effective.within(&r.ceiling));
        }
        for a in f.approvals.iter().filter(|a| decision.approvals.contains(&a.id)) {
            prop_assert!(effective.within(&a.scope) && decision.grant_ends <= a.window.not_after);
        }
        let raw = effective.pairs.values().map(|on| on.unmasked.len()).sum::<usize>();
        prop_assert!(decision.way != Way::SelfServe || raw == 0, "self-serve unmasks nothing");
        if let Some(request) = &f.request {
            prop_assert!(effective.within(&request.scope));
            prop_assert!(decision.grant_ends <= request.window.not_after);
        }
    }

    #[test]
    fn one_more_approval_never_gives_more(c in chain(), more in some_approval("zoe", 9)) {
        let manifest = manifest();
        let before = build(&manifest, &c);
        let mut after = build(&manifest, &c);
        after.approvals.push(more);
        no_wider(&before, &after)?;
    }

    #[test]
    fn one_more_review_never_gives_more(c in chain(), more in some_review("zoe", 9)) {
        let manifest = manifest();
        let before = build(&manifest, &c);
        let mut after = build(&manifest, &c);
        after.reviews.push(more);
        no_wider(&before, &after)?;
    }

    #[test]
    fn an_earlier_revision_never_gives_more(c in chain()) {
        let manifest = manifest();
        let (after, mut before) = (build(&manifest, &c), build(&manifest, &c));
        before.base = None;
        no_wider(&before, &after)?;
    }
}
