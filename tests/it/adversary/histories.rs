//! Attacks that take more than one order: the same thing once more, somewhere else, or as if it had
//! never happened. Kills in between are in `crash.rs` and `faults.rs`, the clock of a live run in
//! `authority/production.rs`.

use domain::{Outcome, Rule};
use executor::RunOrder;
use futures_util::future::join_all;
use tests::company::{another_runner, p};
use tests::rig::{Rig, STUCK_ORDERS_INPUT};
use tests::served::Served;
use trust::{Keyring, Policy, PolicyRunner, RunRequest};

/// The name of the second runner of a company that has two.
pub(crate) const SECOND: &str = "runner-2";

/// Lets a second runner reach the same target.
pub(crate) fn two_runners(_: &mut Keyring, policy: &mut Policy) {
    policy.targets[0].runners.push(p(SECOND));
    policy.runners.push(PolicyRunner {
        name: p(SECOND),
        key: another_runner(SECOND).public().clone(),
        log_vkey: String::new(),
    });
}

fn rule(ended: &executor::Ended) -> Rule {
    ended.denial.as_ref().unwrap_or_else(|| panic!("not denied: {ended:?}")).rule
}

/// The same order for the same run, with another run request.
fn with_run_request(rig: &Rig, order: &RunOrder, change: impl FnOnce(&mut RunRequest)) -> RunOrder {
    let mut order = order.clone();
    let mut run: RunRequest = trust::read_unverified(&order.documents.run_request).unwrap();
    change(&mut run);
    order.documents.run_request = rig.company.sign("alice", &run);
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn one_order_to_two_runners_runs_on_the_one_that_it_names() {
    let first = Rig::founded_with("two", two_runners).await;
    let second = Rig::named(SECOND, "two", two_runners).await;
    assert_eq!(first.company.policy, second.company.policy, "it is one company");
    let story = first.story("stuck-orders", STUCK_ORDERS_INPUT);
    second.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = first.order(&story, |_, _| {});
    assert_eq!(rule(&second.run(&run, &order).await.1), Rule::DocumentInvalid);
    assert_eq!(second.seen.sessions(), 0);
    assert_eq!(first.run(&run, &order).await.1.outcome, Outcome::Succeeded);

    // Alice signs for the second runner as well, but the grant is the first one's.
    let (run, order) = first.order_use(&story, 2, |_, run| run.runner = p(SECOND));
    assert_eq!(rule(&second.run(&run, &order).await.1), Rule::DocumentInvalid);
    assert_eq!(second.seen.sessions(), 0);
    first.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_delivered_again_and_again_runs_once() {
    let rig = Rig::new().await;
    rig.adopt().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    let all = join_all((0..8).map(|_| rig.run(&run, &order))).await;
    let ran = all.iter().filter(|(_, e)| e.outcome == Outcome::Succeeded).count();
    assert_eq!((ran, rig.seen.sessions()), (1, 1));
    let rig = rig.restart().await;
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::RunIdSpent);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_id_of_a_run_is_not_used_for_another() {
    let rig = Rig::new().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    assert_eq!(rig.run(&run, &order).await.1.outcome, Outcome::Succeeded);
    let second_use = with_run_request(&rig, &order, |r| r.use_number = 2);
    assert_eq!(rule(&rig.run(&run, &second_use).await.1), Rule::RunIdSpent);
    assert_eq!(rig.seen.sessions(), 1);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_runs_at_once_as_anybody_orders_are_no_more_than_the_uses() {
    let rig = Rig::new().await;
    rig.adopt().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let orders: Vec<_> = (0..6).map(|n| rig.order_use(&story, 1 + n % 2, |_, _| {})).collect();
    let all = join_all(orders.iter().map(|(run, order)| rig.run(run, order))).await;
    let ran = all.iter().filter(|(_, e)| e.outcome == Outcome::Succeeded).count();
    assert_eq!((ran, rig.seen.sessions()), (2, 2));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_is_over_does_not_come_back_with_the_clock() {
    let rig = Rig::new().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    rig.adopt().await;
    rig.clock.advance_s(4000);
    let (late, over) = rig.order(&story, |_, _| {});
    assert_eq!(rule(&rig.run(&late, &over).await.1), Rule::GrantExpired);
    rig.clock.set_back_s(4000);
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::ClockWentBack);
    let rig = rig.restart().await;
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::ClockWentBack, "forgotten");
    assert_eq!(rig.seen.sessions(), 0);
    rig.close().await;
}

/// The runner alone cannot know that its whole directory is an older one; the store keeps the anchor.
#[tokio::test(flavor = "multi_thread")]
async fn a_runner_whose_whole_directory_is_an_older_copy_is_not_served() {
    let served = Served::start().await;
    let granted = served.granted("stuck-orders", STUCK_ORDERS_INPUT, |_| {}).await;
    let down = served.down().await;
    let older = tempfile::tempdir().unwrap();
    let kept = |name: &str| (down.dir().join("ledger").join(name), older.path().join(name));
    for name in ["journal", "checkpoint"] {
        let (from, to) = kept(name);
        std::fs::copy(from, to).unwrap();
    }
    let dir = down.dir().to_owned();
    let served = down.up().await.unwrap();
    let alice = served.login("alice").await;
    for number in [1, 2] {
        let run = served.ran(&alice, &granted, number).await;
        assert_eq!(run.state.code(), "succeeded", "{run:?}");
    }
    let down = served.down().await;
    for name in ["journal", "checkpoint"] {
        std::fs::copy(older.path().join(name), dir.join("ledger").join(name)).unwrap();
    }
    let Err(said) = down.up().await else { panic!("the uses are there again") };
    assert!(said.contains("ledger"), "{said}");
}
