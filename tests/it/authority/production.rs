//! Production: not without a fresh word on what is in force, and no longer than it lasts. And the ends
//! of live runs on a clock that nobody sets.

use domain::decide::StopSubject;
use domain::{Clock as _, LimitName, Outcome, Rule};
use executor::{RunOrder, Runner as _};
use tests::rig::{Rig, STUCK_ORDERS_INPUT};
use trust::{Envelope, InForce, Keyring, Negative, Policy, Receipt};

use super::rule;
use crate::live::{endless, interrupted};

fn prod(_: &mut Keyring, policy: &mut Policy) {
    policy.targets[0].prod = true;
}

/// What is in force, for so many seconds: less than the run's own time.
fn lasting(rig: &Rig, seconds: i64) -> Envelope {
    let mut status = rig.company.status(&rig.runner.state().in_force());
    status.header.not_after = rig.clock.now().plus_s(seconds);
    rig.company.sign("carol", &status)
}

fn with_status(mut order: RunOrder, status: Envelope) -> RunOrder {
    order.documents.status = Some(status);
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn production_is_reached_with_a_status_that_says_what_is_in_force() {
    let rig = Rig::founded_with("company", prod).await;
    rig.adopt().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::StatusMissing);

    let status = rig.status();
    let (run, order) = rig.order(&story, |_, _| {});
    let (_, ended) = rig.run(&run, &with_status(order, status.clone())).await;
    assert_eq!(ended.outcome, Outcome::Succeeded, "{ended:?}");

    let (run, order) = rig.order_use(&story, 2, |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(ended.outcome, Outcome::Succeeded, "it came with the order before: {ended:?}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_was_kept_from_the_runner_keeps_it_from_production() {
    let rig = Rig::founded_with("company", prod).await;
    rig.adopt().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let subject = StopSubject::Person(tests::company::p("mallory"));
    let stop = rig.company.sign("carol", &rig.company.stop(subject.clone()));
    let mut known = InForce::default();
    known.apply(Negative::Stop(stop.payload_digest(), subject));
    let status = rig.company.sign("carol", &rig.company.status(&known));
    let (run, order) = rig.order(&story, |_, _| {});
    let (_, ended) = rig.run(&run, &with_status(order, status.clone())).await;
    assert_eq!(rule(&ended), Rule::StatusDiffers, "omitted");

    rig.accept(&stop).await.unwrap();
    let (run, order) = rig.order(&story, |_, _| {});
    let (_, ended) = rig.run(&run, &with_status(order, status)).await;
    assert_eq!(ended.outcome, Outcome::Succeeded, "it has heard of it: {ended:?}");

    let older = rig.company.sign("carol", &rig.company.status(&InForce::default()));
    let (run, order) = rig.order_use(&story, 2, |_, _| {});
    let (_, ended) = rig.run(&run, &with_status(order, older)).await;
    assert_eq!(rule(&ended), Rule::StatusDiffers, "the signer has not heard of it");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_status_does_not_hide_a_newer_one() {
    let rig = Rig::founded_with("company", prod).await;
    rig.adopt().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let good = rig.status();
    rig.clock.advance_s(5);
    let subject = StopSubject::Everything;
    let stop = rig.company.sign("carol", &rig.company.stop(subject.clone()));
    let mut known = InForce::default();
    known.apply(Negative::Stop(stop.payload_digest(), subject));
    let newer = rig.company.sign("carol", &rig.company.status(&known));
    rig.accept(&newer).await.unwrap();
    let (run, order) = rig.order(&story, |_, _| {});
    let (_, ended) = rig.run(&run, &with_status(order, good)).await;
    assert_eq!(rule(&ended), Rule::StatusDiffers);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_status_starts_nothing_and_ends_a_live_run() {
    let rig = Rig::founded_with("company", prod).await;
    rig.adopt().await;
    let story = endless(&rig);
    let status = lasting(&rig, 20);
    let (run, order) = rig.order(&story, |_, _| {});
    let order = with_status(order, status.clone());
    // A suspended machine and a clock that is set back do not prolong it.
    let ended = interrupted(&rig, &run, &order, async || rig.clock.elapse_s(30)).await;
    assert_eq!(ended.outcome, Outcome::Cancelled, "{ended:?}");

    rig.clock.advance_s(300);
    let (run, order) = rig.order_use(&story, 2, |_, _| {});
    let (_, ended) = rig.run(&run, &with_status(order, status)).await;
    assert_eq!(rule(&ended), Rule::StatusExpired);
    rig.close().await;
}

/// A run that a status ends is cancelled; this one lives on when the runner has looked at the clock after
/// the first status was over, and ends by its own time.
#[tokio::test(flavor = "multi_thread")]
async fn a_newer_status_lets_a_live_run_go_on() {
    let rig = Rig::founded_with("company", prod).await;
    rig.adopt().await;
    let story = endless(&rig);
    let (run, order) = rig.order(&story, |_, _| {});
    let order = with_status(order, lasting(&rig, 20));
    let ended = interrupted(&rig, &run, &order, async || {
        rig.clock.advance_s(15);
        rig.accept(&rig.status()).await.unwrap();
        rig.clock.advance_s(15);
        // One look may have begun before; what was decided at the next is done by the third.
        rig.clock.looked_at(3).await;
        rig.clock.advance_s(60);
    });
    let limit = LimitName::Wall;
    assert_eq!(ended.await.outcome, Outcome::LimitExceeded { limit });
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_over_also_for_a_machine_that_slept() {
    let rig = Rig::new().await;
    let story = endless(&rig);
    let (run, order) = rig.order(&story, |_, _| {});
    let ended = interrupted(&rig, &run, &order, async || rig.clock.elapse_s(7200)).await;
    assert_eq!(ended.outcome, Outcome::LimitExceeded { limit: LimitName::Wall }, "{ended:?}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_goes_back_during_a_run_does_not_turn_its_receipt_around() {
    let rig = Rig::new().await;
    let (run, order) = rig.order(&endless(&rig), |_, _| {});
    let ended = interrupted(&rig, &run, &order, async || {
        rig.clock.set_back_s(1800);
        assert!(rig.runner.cancel(&run));
    })
    .await;
    let receipt: Receipt = trust::read_unverified(ended.receipt.as_ref().unwrap()).unwrap();
    assert!(receipt.started_at <= receipt.ended_at, "{receipt:?}");
    rig.evidence(&order, &ended).verify(Some(&rig.trust_file())).unwrap();
    rig.close().await;
}
