//! A control plane that has been taken over: it can write every byte of the store, the blobs and the
//! order. It cannot sign. The runner refuses each alteration and says which document or file it is.

use domain::{Outcome, Rule};
use executor::RunOrder;
use tests::rig::{Rig, STUCK_ORDERS_INPUT, Story};
use trust::Envelope;

/// Replaces `from` by `to` in an envelope's payload and keeps the signatures.
fn alter(envelope: &Envelope, from: &str, to: &str) -> Envelope {
    let payload = String::from_utf8(envelope.payload().to_vec()).unwrap();
    assert!(payload.contains(from), "{from} is not in {payload}");
    let altered = payload.replacen(from, to, 1).into_bytes();
    let signatures = envelope.signatures().to_vec();
    Envelope::assemble(envelope.payload_type().to_owned(), altered, signatures).unwrap()
}

fn alter_request(order: &mut RunOrder, from: &str, to: &str) {
    let request = order.documents.access_request.as_mut().unwrap();
    *request = alter(request, from, to);
}

/// Runs an attack against a fresh runner; then shows that the same order unaltered runs.
async fn refused(attack: impl FnOnce(&Rig, &Story, &mut RunOrder), rule: Rule, says: &str) {
    let rig = Rig::new().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, honest) = rig.order(&story, |_, _| {});
    let mut order = honest.clone();
    attack(&rig, &story, &mut order);
    let (events, ended) = rig.run(&run, &order).await;
    let denial = ended.denial.clone().unwrap_or_else(|| panic!("not denied: {ended:?}"));
    assert_eq!((ended.outcome, denial.rule), (Outcome::Denied, rule), "{denial}");
    assert!(denial.to_string().contains(says), "{denial} does not say {says}");
    assert!(events.is_empty() && ended.output.is_none() && ended.receipt.is_none());
    assert_eq!(rig.seen.sessions(), 0, "the target saw the attacker");
    assert!(ended.proof.is_some(), "a denial is recorded like any other outcome");

    rig.restore(&story, STUCK_ORDERS_INPUT);
    let (_, ended) = rig.run(&run, &honest).await;
    assert_eq!(ended.outcome, Outcome::Succeeded, "without the attack it runs: {ended:?}");
    rig.close().await;
}

macro_rules! attacks {
    ($($name:ident: $rule:ident, $says:literal, |$rig:ident, $story:ident, $order:ident| $attack:expr;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            refused(|$rig, $story, $order| { let _ = ($rig, $story); $attack }, Rule::$rule, $says).await;
        }
    )*};
}

attacks! {
    another_component_under_the_same_digest: BundleInvalid, "component.wasm",
        |rig, story, _order| rig.exchange(story, "component.wasm", &tests::guests::file("fuel-burner", "component.wasm"));
    another_manifest_under_the_same_digest: BundleInvalid, "script.toml",
        |rig, story, _order| rig.exchange(story, "script.toml", b"[script]\n");
    another_query_under_the_same_digest: BundleInvalid, ".sql",
        |rig, story, _order| {
            let query = story.uploaded.manifest.queries[0].file.to_string();
            rig.exchange(story, &query, b"select * from customers");
        };
    another_file_list_under_the_same_digest: BundleInvalid, "bundle.sha256",
        |rig, story, _order| {
            let other = rig.upload("payment-mismatch", |_| {});
            rig.blobs.exchange(story.uploaded.revision, &other.index.to_bytes());
        };
    a_withheld_component: BundleInvalid, "component.wasm",
        |rig, story, _order| rig.blobs.withhold(story.uploaded.index.get("component.wasm").unwrap());
    another_input_under_the_same_digest: InputInvalid, "the input",
        |rig, story, _order| rig.blobs.exchange(story.input, br#"{"since":"2020-01-01T00:00:00Z","paid_before":"2026-11-21T00:00:00Z"}"#);
    an_altered_author: DocumentInvalid, "submission 1",
        |_rig, _story, order| order.documents.submissions[0] = alter(&order.documents.submissions[0], "\"alice\"", "\"carol\"");
    a_dropped_submission: SubmissionMissing, "submitted",
        |_rig, _story, order| order.documents.submissions.clear();
    a_raised_ceiling: DocumentInvalid, "review 1",
        |_rig, _story, order| order.documents.reviews[0] = alter(&order.documents.reviews[0], "\"calls_max\":", "\"calls_max\":1");
    a_turned_verdict: DocumentInvalid, "review 1",
        |_rig, _story, order| order.documents.reviews[0] = alter(&order.documents.reviews[0], "\"approve\"", "\"reject\"");
    a_dropped_review: ReviewMissing, "0 of 1 reviews",
        |_rig, _story, order| order.documents.reviews.clear();
    a_review_by_somebody_in_no_group: ReviewMissing, "mallory is in no reviewing group",
        |rig, story, order| {
            let mut review = story.review.clone();
            review.reviewer = tests::company::p("mallory");
            order.documents.reviews = vec![rig.company.sign("mallory", &review)];
        };
    a_review_in_another_name: DocumentInvalid, "names bob, and mallory signed it",
        |rig, story, order| order.documents.reviews = vec![rig.company.sign("mallory", &story.review)];
    a_review_of_another_revision: DocumentInvalid, "another revision",
        |rig, story, order| {
            let other = rig.upload("payment-mismatch", |_| {});
            let review = rig.company.review(&story.uploaded.manifest, other.revision);
            order.documents.reviews = vec![rig.company.sign("bob", &review)];
        };
    a_review_for_another_trust_domain: DocumentInvalid, "trust domain",
        |rig, story, order| {
            let mut review = story.review.clone();
            review.header.trust_domain = tests::company::p("staging.test");
            order.documents.reviews = vec![rig.company.sign("bob", &review)];
        };
    an_approval_passed_off_as_a_review: DocumentInvalid, "review 1",
        |_rig, _story, order| order.documents.reviews = order.documents.approvals.clone();
    another_caller: DocumentInvalid, "run-request",
        |_rig, _story, order| order.documents.run_request = alter(&order.documents.run_request, "\"alice\"", "\"carol\"");
    somebody_else_uses_the_grant: DocumentInvalid, "another caller",
        |rig, story, order| {
            let mut run = rig.company.run_request(&story.uploaded.manifest, order.documents.access_request.as_ref().unwrap(), story.input, 1);
            run.run = trust::read_unverified::<trust::RunRequest>(&order.documents.run_request).unwrap().run;
            run.caller = tests::company::p("carol");
            order.documents.run_request = rig.company.sign("carol", &run);
        };
    another_input_in_the_run_request: DocumentInvalid, "run-request",
        |rig, story, order| {
            let other = rig.blobs.put(b"{}").to_string();
            order.documents.run_request = alter(&order.documents.run_request, &story.input.to_string(), &other);
        };
    another_target_in_the_run_request: DocumentInvalid, "run-request",
        |_rig, _story, order| order.documents.run_request = alter(&order.documents.run_request, "shop-replica", "shop-primary");
    a_later_expiry_of_the_run_request: DocumentInvalid, "run-request",
        |_rig, _story, order| order.documents.run_request = alter(&order.documents.run_request, "\"not_after\":\"2026", "\"not_after\":\"2027");
    raised_limits_in_the_access_request: DocumentInvalid, "access request",
        |_rig, _story, order| alter_request(order, "\"fuel_max\":", "\"fuel_max\":9");
    a_wider_window_of_the_access_request: DocumentInvalid, "access request",
        |_rig, _story, order| alter_request(order, "\"duration_s\":3600", "\"duration_s\":86400");
    more_uses_of_the_access_request: DocumentInvalid, "access request",
        |_rig, _story, order| alter_request(order, "\"uses\":2", "\"uses\":9");
    another_target_in_the_access_request: DocumentInvalid, "access request",
        |_rig, _story, order| alter_request(order, "shop-replica", "shop-primary");
    a_dropped_approval: ApprovalMissing, "0 of 1 approvals",
        |_rig, _story, order| order.documents.approvals.clear();
    an_extended_approval: DocumentInvalid, "approval 1",
        |_rig, _story, order| order.documents.approvals[0] = alter(&order.documents.approvals[0], "\"not_after\":\"2026", "\"not_after\":\"2027");
    an_approval_of_another_request: DocumentInvalid, "another access request",
        |rig, story, order| {
            let other = rig.company.access_request(&story.uploaded.manifest, story.uploaded.revision, story.input);
            let other = rig.company.sign("alice", &other);
            let approval = rig.company.approval(&story.uploaded.manifest, &other, &[&order.documents.reviews[0]]);
            order.documents.approvals = vec![rig.company.sign("bob", &approval)];
        };
    the_same_approval_twice_for_a_quorum: DocumentInvalid, "there twice",
        |_rig, _story, order| order.documents.approvals.push(order.documents.approvals[0].clone());
    a_keyring_of_the_attacker: DocumentInvalid, "keyring",
        |rig, _story, order| {
            let mut keyring = rig.company.keyring_document();
            keyring.keys[0].key = rig.company.key("mallory").public().clone();
            order.keyring = rig.company.sign("mallory", &keyring);
        };
    a_directory_with_mallory_in_the_group: DocumentInvalid, "directory",
        |_rig, _story, order| order.directory = alter(&order.directory, "\"groups\":[]", "\"groups\":[\"dev\"]");
    a_directory_signed_by_mallory: DocumentInvalid, "directory",
        |rig, _story, order| order.directory = rig.company.sign("mallory", &rig.company.directory_document());
    a_policy_without_reviews: DocumentInvalid, "policy",
        |_rig, _story, order| order.policy = alter(&order.policy, "\"required\":1", "\"required\":0");
    a_policy_that_grants_more_columns: DocumentInvalid, "policy",
        |_rig, _story, order| order.policy = alter(&order.policy, "\"country\"", "\"email\"");
    a_policy_with_another_database: DocumentInvalid, "policy",
        |_rig, _story, order| order.policy = alter(&order.policy, "\"application_id\":", "\"application_id\":1");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_order_are_refused() {
    let rig = Rig::new().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    let text = String::from_utf8(order.to_bytes()).unwrap();
    for bad in [
        String::new(),
        "null".to_owned(),
        text.replacen("{\"v\":1", "{\"v\":2", 1),
        text.replacen("{\"v\":1", "{\"v\":1,\"skip_checks\":true", 1),
        text[..text.len() - 1].to_owned(),
    ] {
        let (_, ended) = rig.run_bytes(&run, bad.into_bytes()).await;
        assert_eq!(ended.denial.unwrap().rule, Rule::DocumentInvalid);
    }
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_policy_is_refused_once_a_newer_was_seen() {
    let mut rig = Rig::new().await;
    rig.adopt().await;
    let old = rig.company.policy.clone();
    let mut next = rig.company.policy_document();
    next.version = 2;
    next.previous = Some(old.payload_digest());
    rig.company.policy = rig.company.sign("carol", &next);
    rig.adopt().await;
    let rig = rig.restart().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, mut order) = rig.order(&story, |approval, _| {
        approval.policy.version = 2;
        approval.policy.digest = rig.company.policy.payload_digest();
    });
    order.policy = old;
    let (_, ended) = rig.run(&run, &order).await;
    let denial = ended.denial.unwrap();
    assert!(denial.rule == Rule::DocumentInvalid && denial.fact.contains("version 2"), "{denial}");
    rig.close().await;
}

/// What was adopted is remembered; that must not make it immortal, or forgeable.
#[tokio::test(flavor = "multi_thread")]
async fn documents_that_are_known_are_still_judged() {
    let rig = Rig::new().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    assert_eq!(rig.run(&run, &order).await.1.outcome, Outcome::Succeeded);

    let (run, mut order) = rig.order_use(&story, 2, |_, _| {});
    order.policy = rig.company.sign("mallory", &rig.company.policy_document());
    let (kind, payload) = (rig.company.policy.payload_type(), rig.company.policy.payload());
    let signatures = order.policy.signatures().to_vec();
    order.policy = Envelope::assemble(kind.to_owned(), payload.to_vec(), signatures).unwrap();
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(
        ended.denial.unwrap().rule,
        Rule::DocumentInvalid,
        "the right bytes, wrongly signed"
    );

    assert!(rig.runner.adopt(&rig.authority_documents()).await.is_ok());
    rig.clock.advance_s(91 * 86_400);
    let refused = rig.runner.adopt(&rig.authority_documents()).await.unwrap_err();
    assert!(format!("{refused:?}").contains("valid"), "{refused:?}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_went_back_starts_nothing() {
    let rig = Rig::new().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    rig.adopt().await;
    rig.clock.set_back_s(3600);
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(ended.denial.unwrap().rule, Rule::ClockWentBack);
    rig.clock.advance_s(3600);
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(ended.outcome, Outcome::Succeeded);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_versions_at_once_never_leave_the_older_one() {
    for _ in 0..8 {
        let mut rig = Rig::new().await;
        let old = rig.authority_documents();
        let mut next = rig.company.policy_document();
        next.version = 2;
        next.previous = Some(old.policy.payload_digest());
        rig.company.policy = rig.company.sign("carol", &next);
        let new = rig.authority_documents();
        let (_, newer) = tokio::join!(rig.runner.adopt(&old), rig.runner.adopt(&new));
        newer.unwrap();
        assert!(rig.runner.adopt(&old).await.is_err(), "the older policy came back");
        let rig = rig.restart().await;
        assert!(rig.runner.adopt(&old).await.is_err(), "the older policy came back with a restart");
        rig.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_names_another_key_for_this_runner_is_refused() {
    let mut rig = Rig::new().await;
    let mut policy = rig.company.policy_document();
    policy.runners[0].key = rig.company.key("mallory").public().clone();
    rig.company.policy = rig.company.sign("carol", &policy);
    let (run, order) = rig.order(&rig.story("stuck-orders", STUCK_ORDERS_INPUT), |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    let denial = ended.denial.unwrap();
    assert!(denial.fact.contains("runner's key"), "nobody could verify its receipts: {denial}");
    rig.close().await;
}
