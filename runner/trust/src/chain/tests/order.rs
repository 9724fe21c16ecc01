//! The ordinary way, and a carrier who changes something on it.

use super::*;

#[test]
fn a_complete_order_is_decided_with_a_yes() {
    let runner = Runner::new();
    let facts = runner.facts(&documents()).unwrap();
    let decision = decide(&facts).unwrap();
    assert_eq!(decision.reviews, vec![id("rev", 5)]);
    assert_eq!(decision.approvals, vec![id("apr", 7)]);
    assert_eq!(decision.effective.limits, domain::Limits::DEFAULT);
}

#[test]
fn an_order_survives_json() {
    let order = serde_json::to_vec(&documents()).unwrap();
    assert_eq!(serde_json::from_slice::<ChainDocuments>(&order).unwrap(), documents());
}

#[test]
fn a_carrier_who_changes_any_statement_is_found_out() {
    let runner = Runner::new();
    let with = |change: &dyn Fn(&mut ChainDocuments)| {
        let mut d = documents();
        change(&mut d);
        runner.refusal(&d)
    };
    // Otto's key signs what the others would have to say.
    let mut forged = review();
    forged.ceiling.limits.fuel_max += 1;
    let forged = sign(&forged, &key(OTTO)).unwrap();
    assert_eq!(
        with(&|d| d.reviews = vec![forged.clone()]),
        "review 1 of the order is refused: review: it names carol, and otto signed it"
    );
    let mut other = submission();
    other.revision = Digest::of(b"another");
    let other = sign(&other, &key(ANNA)).unwrap();
    assert!(with(&|d| d.submissions = vec![other.clone()]).contains("about another revision"));
    let mut other = approval();
    other.request = Digest::of(b"another");
    let other = sign(&other, &key(RUTH)).unwrap();
    assert!(with(&|d| d.approvals = vec![other.clone()]).contains("another access request"));
    let mut order = run_request();
    order.input = Digest::of(b"{\"since\":0}");
    let order = sign(&order, &key(OTTO)).unwrap();
    assert!(with(&|d| d.run_request = order.clone()).contains("about another input"));
    let mut order = run_request();
    order.runner = t("elsewhere");
    let order = sign(&order, &key(OTTO)).unwrap();
    assert!(with(&|d| d.run_request = order.clone()).contains("about another runner"));
    assert!(
        with(&|d| d.reviews.push(d.reviews[0].clone()))
            .contains("review 2 of the order is there twice")
    );
    let many = vec![documents().reviews[0].clone(); DOCUMENTS_MAX + 1];
    assert!(with(&|d| d.reviews = many.clone()).contains("at most 64"));
    assert!(with(&|d| d.approvals = d.reviews.clone()).contains("the envelope carries"));
}

#[test]
fn a_stopped_key_no_longer_speaks() {
    let runner = Runner::stopped(StopSubject::Key(key(CAROL).fingerprint().to_string()));
    assert!(runner.refusal(&documents()).contains("is stopped; sign with another key"));
}

#[test]
fn a_stop_in_the_order_denies_even_after_its_window() {
    let mut late = stop();
    late.header.not_after = at(-5);
    let mut order = documents();
    order.stops = vec![sign(&late, &key(RUTH)).unwrap()];
    let runner = Runner::new();
    let facts = runner.facts(&order).unwrap();
    assert_eq!(decide(&facts).unwrap_err().rule, Rule::Stopped);
}

#[test]
fn only_a_holder_of_the_role_stops() {
    let mut by_anna: Stop = stop();
    by_anna.by = t("anna");
    let mut order = documents();
    order.stops = vec![sign(&by_anna, &key(ANNA)).unwrap()];
    assert!(Runner::new().refusal(&order).contains("stop 1 of the order is refused"));
    let mut by_rosa: Stop = stop();
    by_rosa.by = t("rosa");
    order.stops = vec![sign(&by_rosa, &key(ROOT2)).unwrap()];
    assert!(Runner::new().refusal(&order).contains("rosa does not hold the role `stop`"));
}

#[test]
fn an_expired_grant_is_a_denial_and_an_expired_submission_a_refusal() {
    let mut request = access_request();
    request.header.not_after = at(-1);
    let mut approved = approval();
    approved.request = digest_of(&request);
    let mut run = run_request();
    run.request = Some(digest_of(&request));
    let mut order = documents();
    order.access_request = Some(sign(&request, &key(OTTO)).unwrap());
    order.approvals = vec![sign(&approved, &key(RUTH)).unwrap()];
    order.run_request = sign(&run, &key(OTTO)).unwrap();
    let runner = Runner::new();
    assert_eq!(decide(&runner.facts(&order).unwrap()).unwrap_err().rule, Rule::GrantExpired);

    let mut old = submission();
    old.header.not_after = at(-1);
    let mut order = documents();
    order.submissions = vec![sign(&old, &key(ANNA)).unwrap()];
    assert!(runner.refusal(&order).contains("submission 1"));
}

#[test]
fn an_approval_made_under_a_newer_policy_waits_for_the_runner() {
    let mut newer = approval();
    newer.policy.version = 2;
    let mut order = documents();
    order.approvals = vec![sign(&newer, &key(RUTH)).unwrap()];
    assert!(Runner::new().refusal(&order).contains("policy version 2"));
    // The same version with another text is a twin that somebody made up.
    let mut twin = approval();
    twin.directory.digest = Digest::of(b"twin");
    order.approvals = vec![sign(&twin, &key(RUTH)).unwrap()];
    assert!(Runner::new().refusal(&order).contains("directory version 1"));
}

#[test]
fn an_agent_counts_as_its_owner_and_does_not_get_the_owners_grant() {
    let mut order = documents();
    let mut run = run_request();
    run.caller = t("bot");
    order.run_request = sign(&run, &key(BOT)).unwrap();
    assert!(Runner::new().refusal(&order).contains("about another caller: otto, not bot"));

    // An agent's submission makes its owner an author.
    let mut by_bot = submission();
    by_bot.author = t("bot");
    let mut order = documents();
    order.submissions.push(sign(&by_bot, &key(BOT)).unwrap());
    let runner = Runner::new();
    let facts = runner.facts(&order).unwrap();
    let authors: Vec<String> = facts.submissions.iter().map(|s| s.author.to_string()).collect();
    assert_eq!(authors, ["anna", "otto"]);

    let runner = Runner::stopped(StopSubject::Person(t("bot")));
    assert!(runner.refusal(&order).contains("submission 2 of the order is signed by bot"));
}

#[test]
fn keys_that_are_not_active_do_not_sign() {
    for (n, word) in [(12, "retired"), (13, "compromised")] {
        let mut order = documents();
        order.reviews = vec![sign(&review(), &key(n)).unwrap()];
        assert!(Runner::new().refusal(&order).contains(word));
    }
    let mut order = documents();
    order.reviews = vec![sign(&review(), &key(99)).unwrap()];
    assert!(Runner::new().refusal(&order).contains("nobody known holds the key"));
}

#[test]
fn what_runs_out_between_adoption_and_order_refuses_the_order() {
    let mut short = policy();
    short.header.not_after = at(-1);
    let mut runner = Runner::new();
    // It was in its time when it was adopted.
    runner.authority = crate::Authority::establish(
        &signed_keyring(),
        &[],
        &sign(&directory(), &key(RUTH)).unwrap(),
        &sign(&short, &key(RUTH)).unwrap(),
        &pinned(),
        &crate::Seen::default(),
        at(-60),
    )
    .unwrap();
    let said = runner.refusal(&documents());
    assert!(said.contains("policy: it is valid"), "{said}");
}

#[test]
fn a_grant_ends_with_the_document_that_asks_for_it() {
    let mut request = access_request();
    request.header.not_after = at(100);
    let mut approved = approval();
    approved.request = digest_of(&request);
    let mut run = run_request();
    run.request = Some(digest_of(&request));
    let order = ChainDocuments {
        access_request: Some(sign(&request, &key(OTTO)).unwrap()),
        approvals: vec![sign(&approved, &key(RUTH)).unwrap()],
        run_request: sign(&run, &key(OTTO)).unwrap(),
        ..documents()
    };
    let runner = Runner::new();
    let ends = decide(&runner.facts(&order).unwrap()).unwrap().grant_ends;
    assert_eq!(ends, at(100), "the window that was asked for is longer");
}

#[test]
fn an_approval_relied_on_these_documents_or_on_older_ones() {
    let runner = Runner::new();
    let with = |change: fn(&mut Approval)| {
        let mut approved = approval();
        change(&mut approved);
        let approvals = vec![sign(&approved, &key(RUTH)).unwrap()];
        runner.facts(&ChainDocuments { approvals, ..documents() }).err().map(|e| e.to_string())
    };
    for change in [
        (|a| a.keyring.digest = Digest::of(b"twin")) as fn(&mut Approval),
        |a| a.directory.digest = Digest::of(b"twin"),
        |a| a.policy.digest = Digest::of(b"twin"),
        |a| a.keyring.version = 2,
        |a| a.directory.version = 2,
        |a| a.policy.version = 2,
    ] {
        let said = with(change).expect("it relied on what nobody here has");
        assert!(said.starts_with("approval 1 of the order"), "{said}");
    }
}

#[test]
fn more_stops_than_anybody_reads_refuse_the_order() {
    let stops = vec![sign(&stop(), &key(RUTH)).unwrap(); DOCUMENTS_MAX + 1];
    let said = Runner::new().refusal(&ChainDocuments { stops, ..documents() });
    assert!(said.contains("at most 64"), "{said}");
}

#[test]
fn an_access_request_is_for_this_runner() {
    let mut request = access_request();
    request.runner = t("elsewhere");
    let access_request = Some(sign(&request, &key(OTTO)).unwrap());
    let said = Runner::new().refusal(&ChainDocuments { access_request, ..documents() });
    assert!(said.contains("about another runner"), "{said}");
}

#[test]
fn a_run_request_is_about_the_bundle_in_hand() {
    let mut run = run_request();
    run.revision = Digest::of(b"another");
    let run_request = sign(&run, &key(OTTO)).unwrap();
    let said = Runner::new().refusal(&ChainDocuments { run_request, ..documents() });
    assert!(said.starts_with("the run request") && said.contains("another revision"), "{said}");
}
