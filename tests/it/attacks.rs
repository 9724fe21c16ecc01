//! A control plane that has been taken over, as stories: what is remembered is never older, never
//! immortal, and never somebody else's. Single manipulations are listed in `adversary.rs`.

use domain::{Outcome, Rule};
use tests::rig::{Rig, STUCK_ORDERS_INPUT};
use trust::Envelope;

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
