//! What an honest run looks like from the runner's side, with its evidence. The other scenarios
//! depart from here.

use domain::Outcome;
use executor::RunEvent;
use executor::evidence::RunEvidence;
use ledger::{Standing, TrustFile};
use sandbox::Replay;
use tests::rig::{Rig, STUCK_ORDERS_INPUT};

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewed_and_approved_script_answers_with_evidence() {
    let rig = Rig::new().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    let (events, ended) = rig.run(&run, &order).await;

    assert_eq!(ended.outcome, Outcome::Succeeded, "{ended:?}");
    assert!(matches!(events.first(), Some(RunEvent::Started { .. })));
    let output = rig.output(&ended);
    let reasons = output.result.tables.iter().find(|t| t.name == "reasons").unwrap();
    assert_eq!(reasons.rows.len(), 6, "six reasons are hidden in the sample shop");
    assert!(rig.seen.sessions() == 1 && !rig.seen.statements().is_empty());

    let evidence = rig.evidence(&order, &ended);
    let verified = evidence.verify(Some(&rig.trust_file())).unwrap();
    assert!(matches!(verified.standing, Standing::Authenticated { .. }));
    verified.check_output(ended.output.as_deref().unwrap().as_bytes()).unwrap();
    let recording = rig.recording(&run).await;
    verified.check_recording(&recording).unwrap();
    assert!(matches!(rig.replay(&recording).await, Replay::Matches { .. }));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_without_a_trust_file_is_not_authenticated() {
    let rig = Rig::new().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    let evidence = rig.evidence(&order, &ended);
    assert_eq!(evidence.verify(None).unwrap().standing, Standing::SelfConsistent);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_of_one_run_does_not_prove_another() {
    let rig = Rig::new().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (first, order) = rig.order(&story, |_, _| {});
    let (_, one) = rig.run(&first, &order).await;
    let (second, order) = rig.order_use(&story, 2, |_, _| {});
    let (_, two) = rig.run(&second, &order).await;
    let trust = rig.trust_file();
    let mixed = RunEvidence { receipt: one.receipt.unwrap(), ..rig.evidence(&order, &two) };
    assert!(mixed.verify(Some(&trust)).is_err());
    let elsewhere = Rig::founded("another company").await;
    let foreign: TrustFile = elsewhere.trust_file();
    assert!(rig.evidence(&order, &two).verify(Some(&foreign)).is_err());
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_started_twice_runs_once() {
    let rig = Rig::new().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    let both = tokio::join!(rig.run(&run, &order), rig.run(&run, &order));
    let mut outcomes = [both.0.1.outcome.code(), both.1.1.outcome.code()];
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["denied", "succeeded"]);
    let rig = rig.restart().await;
    let (_, again) = rig.run(&run, &order).await;
    assert_eq!(again.outcome, Outcome::Denied, "a restart forgets nothing");
    rig.close().await;
}
