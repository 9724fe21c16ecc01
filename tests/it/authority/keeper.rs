//! Whoever signs the status does not believe the control plane: what bars is kept whatever happens,
//! and ends only by those who may end it.

use std::path::Path;
use std::sync::Arc;

use app::{Keeper, KeeperError, Learned};
use domain::decide::StopSubject;
use domain::{Clock as _, Digest};
use executor::Runner as _;
use tests::company::p;
use tests::rig::{Rig, STUCK_ORDERS_INPUT, pin};
use trust::{Authority, Envelope, InForce, Seen};

/// What the people of a rig have in force.
fn authority(rig: &Rig) -> Arc<Authority> {
    let c = &rig.company;
    let now = rig.clock.now();
    let seen = Seen::default();
    let made = Authority::establish(
        &c.keyring,
        &c.successors,
        &c.directory,
        &c.policy,
        &pin(c),
        &seen,
        now,
    );
    Arc::new(made.unwrap())
}

fn keeper(rig: &Rig, dir: &Path) -> Keeper {
    let keeper = Keeper::open(dir).unwrap();
    keeper.follow(authority(rig));
    keeper
}

/// What it would sign of what is in force.
fn stops(rig: &Rig, keeper: &Keeper) -> Digest {
    let header = rig.company.status(&InForce::default()).header;
    keeper.status_to_sign(header).unwrap().stops
}

fn bytes(envelope: &Envelope) -> Vec<u8> {
    envelope.to_json().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_came_directly_is_remembered_until_its_lift() {
    let rig = Rig::new().await;
    rig.adopt().await;
    let dir = tempfile::tempdir().unwrap();
    let nothing = InForce::default().digest();
    let subject = StopSubject::Person(p("mallory"));
    let stop = rig.company.sign("carol", &rig.company.stop(subject.clone()));
    let by_bob = rig.company.sign("bob", &rig.company.stop(subject));

    let keeper = keeper(&rig, dir.path());
    assert_eq!(stops(&rig, &keeper), nothing);
    assert!(keeper.take(&bytes(&by_bob)).is_err(), "bob may stop nobody");
    assert!(keeper.take(b"{}").is_err());
    assert_eq!(stops(&rig, &keeper), nothing);
    keeper.take(&bytes(&stop)).unwrap();
    keeper.take(&bytes(&stop)).unwrap();
    rig.accept(&stop).await.unwrap();
    let known = rig.runner.state().in_force().digest();
    assert_eq!(stops(&rig, &keeper), known);

    // The control plane brings the end of it; first a false one.
    let keeper = self::keeper(&rig, dir.path());
    assert_eq!(stops(&rig, &keeper), known, "forgotten");
    let lift = rig.company.lift(stop.payload_digest());
    let by_mallory = rig.company.sign("mallory", &lift);
    assert_eq!(keeper.learn(&by_mallory).unwrap(), Learned::Ignored);
    assert_eq!(stops(&rig, &keeper), known, "mallory lifted it");
    let lift = rig.company.sign("carol", &lift);
    assert_eq!(keeper.learn(&lift).unwrap(), Learned::Counts);
    assert_eq!(stops(&rig, &keeper), nothing);
    let keeper = self::keeper(&rig, dir.path());
    assert_eq!(stops(&rig, &keeper), nothing, "its end was forgotten");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bar_whose_signer_is_gone_still_bars() {
    let rig = Rig::new().await;
    rig.adopt().await;
    let dir = tempfile::tempdir().unwrap();
    let keeper = keeper(&rig, dir.path());
    // Mallory was a holder once, for all that the keeper can know.
    let stop = rig.company.sign("mallory", &rig.company.stop(StopSubject::Everything));
    assert_eq!(keeper.learn(&stop).unwrap(), Learned::Unverified);
    assert_ne!(stops(&rig, &keeper), InForce::default().digest());
    // What nobody vouches for is not kept for ever: the control plane may have made it up.
    let keeper = self::keeper(&rig, dir.path());
    assert_eq!(stops(&rig, &keeper), InForce::default().digest());

    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let review = rig.company.sign("bob", &story.review);
    assert_eq!(keeper.learn(&review).unwrap(), Learned::Ignored, "it approves");
    let no = rig.company.rejection("bob", &story.uploaded.manifest, story.uploaded.revision);
    let no = rig.company.sign("bob", &no);
    assert_eq!(keeper.learn(&no).unwrap(), Learned::Counts);
    rig.accept(&no).await.unwrap();
    assert_eq!(stops(&rig, &keeper), rig.runner.state().in_force().digest());
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_cannot_read_what_it_kept_signs_nothing() {
    let rig = Rig::new().await;
    rig.adopt().await;
    let dir = tempfile::tempdir().unwrap();
    let stop = rig.company.sign("carol", &rig.company.stop(StopSubject::Everything));
    keeper(&rig, dir.path()).take(&bytes(&stop)).unwrap();
    let files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().path()).collect();
    let [kept] = &files[..] else { panic!("{files:?}") };
    let whole = std::fs::read(kept).unwrap();

    std::fs::write(kept, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(Keeper::open(dir.path()), Err(KeeperError::Damaged { .. })), "cut");
    let other = rig.company.sign("carol", &rig.company.stop(StopSubject::Person(p("bob"))));
    std::fs::write(kept, bytes(&other)).unwrap();
    assert!(matches!(Keeper::open(dir.path()), Err(KeeperError::Damaged { .. })), "exchanged");

    // A crash while it was written: whoever sent it had no answer.
    std::fs::write(kept, &whole).unwrap();
    std::fs::write(kept.with_extension("partial"), &whole[..9]).unwrap();
    assert!(Keeper::open(dir.path()).is_ok());
    rig.close().await;
}
