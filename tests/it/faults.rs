//! A log that cannot write. Nothing unrecorded happens, and the operator learns why.

use domain::{Outcome, Rule};
use executor::Runner as _;
use ledger::{Health, Position};
use tests::faults::Disk;
use tests::rig::{Rig, STUCK_ORDERS_INPUT};

/// The disk fails after the start was recorded, before the first query's intent is.
async fn the_target_never_sees_the_query(disk: Disk) {
    let rig = Rig::new().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    rig.adopt().await;
    let entries = rig.runner.ledger().size();

    // One more sync succeeds: the run's start. The next would be the intent.
    rig.disk.set_after(1, disk);
    let (events, ended) = rig.run(&run, &order).await;
    assert_eq!(events.len(), 1, "it started: {events:?}");
    assert_eq!(ended.outcome, Outcome::Lost, "{ended:?}");
    assert!(ended.output.is_none() && ended.receipt.is_none());
    assert_eq!(rig.seen.sessions(), 0, "the target saw a connection");
    assert_eq!(rig.seen.statements(), Vec::<String>::new());

    let why = rig.runner.not_ready().unwrap();
    assert!(why.contains("the log does not take entries"), "{why}");
    let first = rig.runner.ledger().entry(Position::from_index(entries - 1));
    assert!(first.is_ok(), "reads go on");

    let (again, order) = rig.order_use(&story, 2, |_, _| {});
    let (_, ended) = rig.run(&again, &order).await;
    assert_eq!(ended.denial.unwrap().rule, Rule::NotRecorded);
    let stop = rig.company.stop(domain::decide::StopSubject::Everything);
    let refused = rig.runner.accept(Rig::wire(&rig.company.sign("carol", &stop))).await;
    assert!(refused.is_err(), "a stop that cannot be recorded says so");
    let in_force = rig.runner.state().stops().len();
    assert_eq!(in_force, 1, "and is in force all the same, until a restart");

    // The operator repairs the disk and restarts; the interrupted run is closed, its use is spent.
    rig.disk.set_after(0, Disk::Sound);
    let rig = rig.restart().await;
    assert!(rig.runner.not_ready().is_none());
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(ended.outcome, Outcome::Denied);
    let (again, order) = rig.order(&story, |_, _| {});
    let (_, ended) = rig.run(&again, &order).await;
    assert_eq!(ended.denial.unwrap().rule, Rule::UseSpent, "the use went with the start");
    let (again, order) = rig.order_use(&story, 2, |_, _| {});
    let (_, ended) = rig.run(&again, &order).await;
    assert_eq!(ended.outcome, Outcome::Succeeded);
    assert!(!rig.seen.statements().is_empty(), "with a sound disk the target sees the queries");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_run_before_the_query() {
    the_target_never_sees_the_query(Disk::Full).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_cannot_sync_stops_the_run_before_the_query() {
    the_target_never_sees_the_query(Disk::CannotSync).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_at_the_start_starts_nothing() {
    let rig = Rig::new().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    rig.adopt().await;
    rig.disk.set_after(0, Disk::Full);
    let (events, ended) = rig.run(&run, &order).await;
    assert!(events.is_empty());
    assert_eq!(ended.denial.unwrap().rule, Rule::NotRecorded);
    assert_eq!(rig.seen.sessions(), 0);
    assert!(matches!(rig.runner.ledger().health(), Health::Poisoned(_)));
    rig.disk.set_after(0, Disk::Sound);
    let rig = rig.restart().await;
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(ended.outcome, Outcome::Succeeded, "what was never recorded was never spent");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn output_is_withheld_when_its_release_cannot_be_recorded() {
    let rig = Rig::new().await;
    let story = rig.story("fuel-burner", "{}");
    let (run, order) = rig.order(&story, |_, _| {});
    rig.adopt().await;
    // Start and intent succeed; the release does not.
    rig.disk.set_after(2, Disk::Full);
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(rig.seen.statements().len(), 1, "the query had left");
    assert_eq!(ended.outcome, Outcome::Lost);
    assert!(ended.output.is_none(), "nothing leaves unrecorded");
    let recording = rig.runner.recording(&run).await.unwrap();
    assert!(recording.is_none(), "the recording carries the same rows");
    rig.disk.set_after(0, Disk::Sound);
    let rig = rig.restart().await;
    assert!(rig.runner.recording(&run).await.unwrap().is_none(), "a lost run stays unreleased");
    rig.close().await;
}
