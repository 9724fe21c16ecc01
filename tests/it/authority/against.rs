//! What is said against runs, and its ends. Each way round: in force at once, also for live runs, also
//! after a restart, also when an order does not carry it.

use domain::decide::StopSubject;
use domain::{Outcome, Rule};
use executor::Runner as _;
use tests::company::p;
use tests::rig::{Rig, STUCK_ORDERS_INPUT};

use super::rule;
use crate::live::{endless, interrupted};

#[tokio::test(flavor = "multi_thread")]
async fn a_lifted_stop_bans_no_more_also_after_a_restart() {
    let rig = Rig::new().await;
    rig.adopt().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let stop = rig.company.stop(StopSubject::Revision(story.uploaded.revision));
    let stop = rig.company.sign("carol", &stop);
    rig.accept(&stop).await.unwrap();
    let (run, order) = rig.order(&story, |_, _| {});
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::Stopped);

    let lift = rig.company.lift(stop.payload_digest());
    let forged = rig.company.sign("bob", &lift);
    assert!(rig.accept(&forged).await.is_err(), "bob does not hold the role");
    let lift = rig.company.sign("carol", &lift);
    rig.accept(&lift).await.unwrap();
    let (run, order) = rig.order(&story, |_, _| {});
    assert_eq!(rig.run(&run, &order).await.1.outcome, Outcome::Succeeded);

    let rig = rig.restart().await;
    let (run, order) = rig.order_use(&story, 2, |_, _| {});
    assert_eq!(rig.run(&run, &order).await.1.outcome, Outcome::Succeeded);
    rig.accept(&stop).await.unwrap();
    assert_eq!(rig.runner.state().stops(), [], "the same stop again is the lifted one");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lift_that_comes_before_its_stop_ends_it() {
    let rig = Rig::new().await;
    rig.adopt().await;
    let stop = rig.company.sign("carol", &rig.company.stop(StopSubject::Everything));
    let lift = rig.company.sign("carol", &rig.company.lift(stop.payload_digest()));
    rig.accept(&lift).await.unwrap();
    let story = endless(&rig);
    let (run, order) = rig.order(&story, |_, _| {});
    let ended = interrupted(&rig, &run, &order, async || {
        rig.accept(&stop).await.unwrap();
        rig.clock.advance_s(3600);
    });
    // Not by the stop, but when its time was over.
    let limit = domain::LimitName::Wall;
    assert_eq!(ended.await.outcome, Outcome::LimitExceeded { limit });
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_bars_until_its_reviewer_withdraws_it() {
    let rig = Rig::new().await;
    rig.adopt().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (manifest, revision) = (&story.uploaded.manifest, story.uploaded.revision);
    let no = rig.company.sign("carol", &rig.company.rejection("carol", manifest, revision));
    rig.accept(&no).await.unwrap();
    let yes = rig.company.sign("bob", &story.review);
    assert!(rig.accept(&yes).await.is_err(), "a review that bars nothing belongs into orders");

    let rig = rig.restart().await;
    let (run, order) = rig.order(&story, |_, _| {});
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::ReviewRejected, "nobody carried it");

    let mut others = rig.company.withdrawal(&no);
    others.reviewer = p("bob");
    rig.accept(&rig.company.sign("bob", &others)).await.unwrap();
    let (run, order) = rig.order(&story, |_, _| {});
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::ReviewRejected, "it is not bob's");

    rig.accept(&rig.company.sign("carol", &rig.company.withdrawal(&no))).await.unwrap();
    let rig = rig.restart().await;
    let (run, order) = rig.order(&story, |_, _| {});
    assert_eq!(rig.run(&run, &order).await.1.outcome, Outcome::Succeeded);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_that_one_order_carried_bars_the_next() {
    let rig = Rig::new().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (manifest, revision) = (&story.uploaded.manifest, story.uploaded.revision);
    let no = rig.company.sign("carol", &rig.company.rejection("carol", manifest, revision));
    let (run, mut order) = rig.order(&story, |_, _| {});
    order.documents.reviews.push(no);
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::ReviewRejected);
    let rig = rig.restart().await;
    let (run, order) = rig.order(&story, |_, _| {});
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::ReviewRejected);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_ends_a_live_run_if_its_reviewer_may_review_there() {
    let rig = Rig::new().await;
    let story = endless(&rig);
    let (manifest, revision) = (&story.uploaded.manifest, story.uploaded.revision);
    let stray = rig.company.rejection("mallory", manifest, revision);
    let stray = rig.company.sign("mallory", &stray);
    let no = rig.company.sign("carol", &rig.company.rejection("carol", manifest, revision));
    let (run, order) = rig.order(&story, |_, _| {});
    let ended = interrupted(&rig, &run, &order, async || {
        rig.accept(&stray).await.unwrap();
        rig.accept(&no).await.unwrap();
    });
    assert_eq!(ended.await.outcome, Outcome::Cancelled);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_with_a_bad_word_against_runs_is_refused() {
    let rig = Rig::new().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, mut order) = rig.order(&story, |_, _| {});
    let mut stop = rig.company.stop(StopSubject::Everything);
    stop.by = p("mallory");
    order.documents.stops = vec![rig.company.sign("mallory", &stop)];
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::DocumentInvalid);
    assert_eq!(rig.runner.state().stops(), []);
    rig.close().await;
}
