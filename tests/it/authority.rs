//! Who may say what, at the runner's outer boundary: the ways besides an ordinary access request, what
//! is said against runs, production, and keyrings that follow one another.

mod against;
mod keeper;
mod keyrings;
mod production;

use domain::decide::{SelfServeClause, SelfServeRules};
use domain::{Outcome, Rule};
use executor::{Ended, Runner as _};
use tests::company::{TARGET, p};
use tests::rig::{Rig, STUCK_ORDERS_INPUT, Story};
use trust::{Keyring, Policy, Receipt};

const DAY_S: u64 = 24 * 60 * 60;

/// The rule that a run was denied by.
fn rule(ended: &Ended) -> Rule {
    ended.denial.as_ref().unwrap_or_else(|| panic!("not denied: {ended:?}")).rule
}

fn self_serve(keyring: &mut Keyring, policy: &mut Policy) {
    keyring.floors.self_serve = true;
    let rules = SelfServeRules { groups: vec![p("dev")], runs_per_day: 3 };
    policy.targets[0].self_serve = Some(rules);
}

/// A script that Bob opens to everybody in `dev`, twice a day.
fn opened(rig: &Rig) -> Story {
    let mut story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let clause =
        SelfServeClause { groups: vec![p("dev")], targets: vec![p(TARGET)], runs_per_day: 2 };
    story.review.self_serve = vec![clause];
    story
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_reviewers_opened_runs_without_an_approval_so_many_times_a_day() {
    let rig = Rig::founded_with("company", self_serve).await;
    let story = opened(&rig);
    for _ in 0..2 {
        let (run, order) = rig.self_serve_order(&story);
        let (_, ended) = rig.run(&run, &order).await;
        assert_eq!(ended.outcome, Outcome::Succeeded, "{ended:?}");
        let receipt: Receipt = trust::read_unverified(ended.receipt.as_ref().unwrap()).unwrap();
        assert_eq!(receipt.request, None);
        rig.evidence(&order, &ended).verify(Some(&rig.trust_file())).unwrap();
    }
    let (run, order) = rig.self_serve_order(&story);
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::SelfServeSpent);

    let rig = rig.restart().await;
    let (run, order) = rig.self_serve_order(&story);
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::SelfServeSpent, "forgotten");

    rig.clock.advance_s(DAY_S + 1);
    let (run, order) = rig.self_serve_order(&story);
    assert_eq!(rig.run(&run, &order).await.1.outcome, Outcome::Succeeded);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_runs_at_once_only_so_many_as_are_left_start() {
    let rig = Rig::founded_with("company", self_serve).await;
    let mut story = opened(&rig);
    story.review.self_serve[0].runs_per_day = 1;
    let (one, two) = (rig.self_serve_order(&story), rig.self_serve_order(&story));
    let (first, second) = tokio::join!(rig.run(&one.0, &one.1), rig.run(&two.0, &two.1));
    let ended = [first.1, second.1];
    let succeeded = ended.iter().filter(|e| e.outcome == Outcome::Succeeded).count();
    assert_eq!(succeeded, 1, "{ended:?}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_does_not_open_a_script_to_themself() {
    let rig = Rig::founded_with("company", self_serve).await;
    let story = opened(&rig);
    let (_, mut order) = rig.self_serve_order(&story);
    let c = &rig.company;
    let manifest = &story.uploaded.manifest;
    let mut run = c.self_serve_request(manifest, story.uploaded.revision, story.input);
    run.caller = p("bob");
    order.documents.run_request = c.sign("bob", &run);
    let (_, ended) = rig.run(&run.run, &order).await;
    assert_eq!(rule(&ended), Rule::SelfServeNotReviewed);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_opened_where_the_keyring_lets_nobody() {
    let rig = Rig::new().await;
    let story = opened(&rig);
    let (run, order) = rig.self_serve_order(&story);
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::SelfServeNotAllowed);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_broke_the_glass_breaks_no_other_until_somebody_has_looked() {
    let rig = Rig::new().await;
    let mut story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    story.request.break_glass = true;
    let (run, order) = rig.order(&story, |_, _| {});
    assert_eq!(rig.run(&run, &order).await.1.outcome, Outcome::Succeeded);
    let request = order.documents.access_request.unwrap();

    let rig = rig.restart().await;
    assert_eq!(rig.runner.state().owed().len(), 1, "forgotten");
    rig.adopt().await;
    rig.clock.advance_s(700);
    let (run, order) = rig.order_use(&story, 2, |_, _| {});
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::AfterReviewOverdue);

    let own = rig.company.sign("alice", &rig.company.after_review("alice", &request));
    rig.accept(&own).await.unwrap();
    let (run, order) = rig.order_use(&story, 2, |_, _| {});
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::AfterReviewOverdue, "her own look");

    let look = rig.company.sign("bob", &rig.company.after_review("bob", &request));
    rig.accept(&look).await.unwrap();
    rig.accept(&look).await.unwrap();
    assert_eq!(rig.runner.state().owed(), []);
    let rig = rig.restart().await;
    assert_eq!(rig.runner.state().owed(), [], "owed again");
    let (run, order) = rig.order_use(&story, 2, |_, _| {});
    assert_eq!(rig.run(&run, &order).await.1.outcome, Outcome::Succeeded);
    assert_eq!(rig.runner.state().owed().len(), 1, "he has not seen this one");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_may_bring_the_look_that_it_needs() {
    let rig = Rig::new().await;
    let mut story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    story.request.break_glass = true;
    let (run, order) = rig.order(&story, |_, _| {});
    assert_eq!(rig.run(&run, &order).await.1.outcome, Outcome::Succeeded);
    let request = order.documents.access_request.unwrap();
    rig.clock.advance_s(700);
    let (run, mut order) = rig.order_use(&story, 2, |_, _| {});
    let look = rig.company.sign("bob", &rig.company.after_review("bob", &request));
    order.documents.after_reviews = vec![look];
    assert_eq!(rig.run(&run, &order).await.1.outcome, Outcome::Succeeded);
    rig.close().await;
}
