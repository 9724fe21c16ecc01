//! Raw values: only where everybody says so, and never where nobody was asked about this run.

use super::*;

/// The columns that a run sees without their masks.
fn raw(facts: &Facts<'_>) -> Vec<String> {
    let decision = decide(facts).unwrap();
    let on = &decision.effective.pairs[&pair()];
    on.unmasked.iter().map(ToString::to_string).collect()
}

fn with(change: impl FnOnce(&mut Facts<'_>)) -> Vec<String> {
    let manifest = manifest();
    let mut facts = facts(&manifest);
    change(&mut facts);
    raw(&facts)
}

#[test]
fn each_voice_can_keep_a_mask_in_its_place() {
    assert_eq!(with(|_| ()), ["people.email", "people.phone"]);
    let phone = ["people.phone"];
    let less = || raw_scope(5, &["phone"]);
    assert_eq!(with(|f| f.reviews[0].ceiling = less()), phone);
    assert_eq!(with(|f| f.request.as_mut().unwrap().scope = less()), phone);
    assert_eq!(with(|f| f.approvals[0].scope = less()), phone);
    assert_eq!(with(|f| f.targets[0].unmaskable = columns(&["phone"])), phone);
    assert_eq!(with(|f| f.targets[0].unmaskable.clear()), [] as [&str; 0]);
    let manifest = MANIFEST.replace("\"people.email\", ", "");
    let manifest = Manifest::parse(manifest.as_bytes()).unwrap();
    assert_eq!(raw(&facts(&manifest)), phone);
}

#[test]
fn a_second_reviewer_who_says_less_counts() {
    let more = |f: &mut Facts<'_>| {
        f.reviews.push(ReviewFact { ceiling: raw_scope(4, &[]), ..review(2, "carol") });
    };
    assert_eq!(with(more), [] as [&str; 0]);
}

#[test]
fn what_the_manifest_does_not_ask_for_nobody_can_give() {
    let all = |names: &[&str]| raw_scope(5, names);
    let given = with(|f| {
        let names = ["email", "card"];
        f.reviews[0].ceiling = all(&names);
        f.request.as_mut().unwrap().scope = all(&names);
        f.approvals[0].scope = all(&names);
        f.targets[0].unmaskable = columns(&names);
    });
    assert_eq!(given, ["people.email"]);
}

#[test]
fn without_an_approval_nothing_is_raw() {
    let manifest = manifest();
    let mut f = facts(&manifest);
    (f.run.request, f.request, f.run.use_number) = (None, None, 0);
    f.approvals.clear();
    let groups = vec!["dev".parse().unwrap()];
    f.targets[0].self_serve = Some(SelfServeRules { groups: groups.clone(), runs_per_day: 1 });
    let targets = vec!["shop-1".parse().unwrap()];
    f.reviews[0].self_serve = vec![SelfServeClause { groups, targets, runs_per_day: 1 }];
    assert_eq!(decide(&f).unwrap().way, Way::SelfServe);
    assert_eq!(raw(&f), [] as [&str; 0]);
}

#[test]
fn an_emergency_that_nobody_approved_is_not_raw_either() {
    let manifest = manifest();
    let mut f = facts(&manifest);
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
    assert_eq!(raw(&f), ["people.email", "people.phone"], "somebody approved it");
    f.targets[0].break_glass.as_mut().unwrap().approvals.required = 0;
    f.approvals.clear();
    assert_eq!(raw(&f), [] as [&str; 0]);
}

#[test]
fn the_derivation_counts_what_is_raw() {
    let manifest = manifest();
    let mut f = facts(&manifest);
    let told = |f: &Facts<'_>| {
        let steps = explain(f);
        let step = steps.into_iter().rev().find(|s| s.rule == Rule::RequestMismatch).unwrap();
        step.fact
    };
    assert!(told(&f).ends_with(", 2 columns without their masks"), "{}", told(&f));
    f.targets[0].unmaskable.clear();
    assert!(told(&f).ends_with("within everybody's bounds"), "{}", told(&f));
}
