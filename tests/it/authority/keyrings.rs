//! Keyrings that follow one another: the pin moves forward with them, durably, and never back.

use domain::decide::StopSubject;
use domain::{Outcome, Rule};
use executor::Runner as _;
use tests::faults::Disk;
use tests::rig::{Rig, STUCK_ORDERS_INPUT, pin};

use super::rule;

#[tokio::test(flavor = "multi_thread")]
async fn the_pin_moves_to_a_keyring_that_follows_and_never_back() {
    let mut rig = Rig::new().await;
    rig.adopt().await;
    let old = rig.authority_documents();
    rig.company.succeed(|_| {});
    rig.adopt().await;
    assert_eq!(rig.runner.state().pinned().keyring, rig.company.keyring_ref());
    assert!(rig.runner.adopt(&old).await.is_err(), "the older keyring came back");

    let rig = rig.restart().await;
    assert_eq!(rig.runner.state().pinned().keyring.version, 2, "forgotten");
    assert!(rig.runner.adopt(&old).await.is_err(), "the older keyring came back with a restart");
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(ended.outcome, Outcome::Succeeded, "{ended:?}");
    rig.evidence(&order, &ended).verify(Some(&rig.trust_file())).unwrap();

    let (run, mut order) = rig.order_use(&story, 2, |_, _| {});
    order.successors = vec![];
    order.directory = old.directory;
    order.policy = old.policy;
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::DocumentInvalid);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_a_crash_left_behind_catches_up() {
    let mut rig = Rig::new().await;
    rig.adopt().await;
    let first = pin(&rig.company);
    rig.company.succeed(|_| {});
    rig.adopt().await;
    // As if the process had died between the entry and the file.
    let file = rig.dir().join("pinned.json");
    std::fs::write(&file, serde_json::to_vec(&first).unwrap()).unwrap();
    let rig = rig.restart().await;
    assert_eq!(rig.runner.state().pinned().keyring, rig.company.keyring_ref());
    let written: trust::Pinned = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(written, rig.runner.state().pinned());
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_its_predecessors_roots_did_not_sign_is_not_followed() {
    let mut rig = Rig::new().await;
    rig.adopt().await;
    rig.company.succeed(|_| {});
    let next = rig.company.successors.pop().unwrap();
    let next: trust::Keyring = trust::read_unverified(&next).unwrap();
    let forged = rig.company.sign("mallory", &next);
    rig.company.successors.push(forged);
    assert!(rig.runner.adopt(&rig.authority_documents()).await.is_err());
    assert_eq!(rig.runner.state().pinned().keyring.version, 1);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_died_between_the_entries_of_an_adoption_finishes_it() {
    let mut rig = Rig::new().await;
    rig.adopt().await;
    let founding = rig.authority_documents();
    rig.company.succeed(|_| {});
    let next = rig.authority_documents();
    // The entry of the keyring is durable, that of the directory is not.
    rig.disk.set_after(1, Disk::Full);
    assert!(rig.runner.adopt(&next).await.is_err());
    rig.disk.set_after(0, Disk::Sound);
    let rig = rig.restart().await;
    let pinned = rig.runner.state().pinned().keyring;
    assert_eq!(pinned, rig.company.keyring_ref(), "the keyring is adopted");
    assert!(rig.runner.adopt(&founding).await.is_err(), "nothing goes back to what was");
    let found = rig.runner.state().documents(&founding).unwrap();
    assert!(found == next, "what was adopted with it is not found in its entry");
    rig.runner.adopt(&found).await.unwrap();
    assert_eq!(rig.runner.state().newest().policy, Some(rig.company.policy_ref()));

    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(ended.outcome, Outcome::Succeeded, "{ended:?}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_stopped_changes_nothing_of_who_may_do_what() {
    let mut rig = Rig::new().await;
    rig.adopt().await;
    let stop = StopSubject::Key(rig.company.key("carol").public().fingerprint().to_string());
    let stop = rig.company.sign("carol", &rig.company.stop(stop));
    rig.runner.accept(Rig::wire(&stop)).await.unwrap();
    // Whoever has carol's stolen key signs a directory with friends in it, and orders a run by it.
    let next = rig.company.next_directory(|_| {});
    rig.company.directory = rig.company.sign("carol", &next);
    let Err(refused) = rig.runner.adopt(&rig.authority_documents()).await else {
        panic!("a stolen key that is stopped changed the directory")
    };
    assert!(refused.to_string().contains("nobody who is stopped"), "{refused}");
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    assert_eq!(rule(&rig.run(&run, &order).await.1), Rule::DocumentInvalid);
    assert_eq!(rig.runner.state().newest().directory.unwrap().version, 1);
    rig.close().await;
}
