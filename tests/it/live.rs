//! Live runs: cancelled, stopped, expired; and replays that end where they did.

use domain::decide::StopSubject;
use domain::{Outcome, Rule, RunId};
use executor::{Ended, RunEvent, RunOrder, Runner as _};
use futures_util::StreamExt as _;
use sandbox::recording::{Event, MAGIC, Recording, StopPoint, encode_frame};
use sandbox::{Replay, recording::CallResult};
use tests::rig::{Rig, STUCK_ORDERS_INPUT, Story};

/// A guest that computes for minutes unless it is ended.
pub(crate) fn endless(rig: &Rig) -> Story {
    let uploaded = rig.upload("fuel-burner", |files| {
        let manifest = files.iter_mut().find(|(path, _)| path == "script.toml").unwrap();
        let text = String::from_utf8(manifest.1.clone()).unwrap();
        let endless =
            text.replace("fuel = 200_000_000", "fuel = 200_000_000_000\nwall = \"10min\"");
        assert_ne!(text, endless);
        manifest.1 = endless.into_bytes();
    });
    rig.story_of(uploaded, "{}")
}

/// Starts a run, calls `then` once the target has seen its query, and waits for the end.
pub(crate) async fn interrupted(
    rig: &Rig,
    run: &RunId,
    order: &RunOrder,
    then: impl AsyncFnOnce(),
) -> Ended {
    let mut events = rig.runner.start(run.clone(), order.to_bytes()).await;
    rig.seen.reached().await;
    then().await;
    let mut last = None;
    while let Some(event) = events.next().await {
        last = Some(event);
    }
    match last {
        Some(RunEvent::Ended(ended)) => *ended,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_ends_and_replays_to_the_same_point() {
    let rig = Rig::new().await;
    let (run, order) = rig.order(&endless(&rig), |_, _| {});
    let ended = interrupted(&rig, &run, &order, async || assert!(rig.runner.cancel(&run))).await;
    assert_eq!(ended.outcome, Outcome::Cancelled);
    let recording = rig.recording(&run).await;
    let end = Recording::parse(&recording).unwrap().end().cloned().unwrap();
    assert!(!matches!(end.stop, StopPoint::Guest), "stopped from outside: {end:?}");
    let Replay::Matches(replayed) = rig.replay(&recording).await else { panic!("diverged") };
    assert_eq!((replayed.stop, replayed.fuel_used), (end.stop, end.fuel_used));
    assert!(!rig.runner.cancel(&run), "it is over");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fuel_exhausted_run_replays_to_the_same_point() {
    let rig = Rig::new().await;
    let (run, order) = rig.order(&rig.story("fuel-burner", "{}"), |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(ended.outcome, Outcome::LimitExceeded { limit: domain::LimitName::Fuel });
    let recording = rig.recording(&run).await;
    let end = Recording::parse(&recording).unwrap().end().cloned().unwrap();
    assert_eq!(end.fuel_used, 200_000_000);
    let Replay::Matches(replayed) = rig.replay(&recording).await else { panic!("diverged") };
    assert_eq!((replayed.stop, replayed.fuel_used), (end.stop, end.fuel_used));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_a_live_run_and_bars_the_next_also_after_a_restart() {
    for subject in [
        StopSubject::Everything,
        StopSubject::Person(tests::company::p("bob")),
        StopSubject::Target(tests::company::p(tests::company::TARGET)),
    ] {
        let rig = Rig::new().await;
        let story = endless(&rig);
        let (run, order) = rig.order(&story, |_, _| {});
        let stop = rig.company.sign("carol", &rig.company.stop(subject.clone()));
        let arrives = async || rig.runner.accept(Rig::wire(&stop)).await.unwrap();
        let ended = interrupted(&rig, &run, &order, arrives).await;
        assert_eq!(ended.outcome, Outcome::Cancelled, "{subject}");

        let rig = rig.restart().await;
        let (next, order) = rig.order_use(&story, 2, |_, _| {});
        let (_, ended) = rig.run(&next, &order).await;
        let rule = ended.denial.unwrap().rule;
        assert!(matches!(rule, Rule::Stopped | Rule::ReviewMissing), "{subject}: {rule:?}");
        rig.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_of_a_key_voids_what_it_signed() {
    let rig = Rig::new().await;
    rig.adopt().await;
    let key = rig.company.key("bob").fingerprint().to_string();
    let stop = rig.company.sign("carol", &rig.company.stop(StopSubject::Key(key)));
    rig.runner.accept(Rig::wire(&stop)).await.unwrap();
    let (run, order) = rig.order(&rig.story("stuck-orders", STUCK_ORDERS_INPUT), |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    assert!(ended.denial.unwrap().fact.contains("is stopped"));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_holder_of_the_role_stops() {
    let rig = Rig::new().await;
    rig.adopt().await;
    let mut stop = rig.company.stop(StopSubject::Everything);
    stop.by = tests::company::p("mallory");
    let forged = rig.company.sign("mallory", &stop);
    assert!(rig.runner.accept(Rig::wire(&forged)).await.is_err());
    let (run, order) = rig.order(&rig.story("stuck-orders", STUCK_ORDERS_INPUT), |_, _| {});
    assert_eq!(rig.run(&run, &order).await.1.outcome, Outcome::Succeeded);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_run_does_not_outlive_its_grant() {
    let rig = Rig::new().await;
    let mut story = endless(&rig);
    story.request.duration_s = 61;
    // The grant began a minute before now, so a second of it is left.
    let (run, order) = rig.order(&story, |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(
        ended.outcome,
        Outcome::LimitExceeded { limit: domain::LimitName::Wall },
        "{ended:?}"
    );
    rig.close().await;
}

/// The recording of an ordinary run, as events.
async fn recorded(rig: &Rig) -> (Vec<u8>, Recording) {
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    assert_eq!(rig.run(&run, &order).await.1.outcome, Outcome::Succeeded);
    let bytes = rig.recording(&run).await;
    let parsed = Recording::parse(&bytes).unwrap();
    (bytes, parsed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_of_a_recording_is_named_with_its_call() {
    let rig = Rig::new().await;
    let (bytes, parsed) = recorded(&rig).await;
    let header = MAGIC.len() + encode_frame(&parsed.events()[0]).len();
    let mut offset = header;
    for event in &parsed.events()[1..] {
        let len = encode_frame(event).len();
        let mut damaged = bytes.clone();
        damaged[offset + len - 2] ^= 1;
        let told = Recording::parse(&damaged).unwrap_err().to_string();
        match event.seq() {
            Some(seq) => assert!(told.contains(&format!("(call {seq})")), "{told}"),
            None => assert!(!told.contains("call"), "{told}"),
        }
        offset += len;
    }
    assert_eq!(offset, bytes.len());
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchanged_result_diverges_at_a_named_call() {
    let rig = Rig::new().await;
    let (_, parsed) = recorded(&rig).await;
    let mut events = parsed.events().to_vec();
    let seq = events
        .iter_mut()
        .find_map(|e| match e {
            Event::Return { seq, result: CallResult::Page { rows, .. } } if !rows.is_empty() => {
                rows.pop();
                Some(*seq)
            }
            _ => None,
        })
        .unwrap();
    // Whoever exchanges a result can also make the frames' checks fit.
    let forged: Vec<u8> = MAGIC.into_iter().chain(events.iter().flat_map(encode_frame)).collect();
    let Replay::Diverged { call, .. } = rig.replay(&forged).await else { panic!("it replayed") };
    assert!(call.is_some_and(|c| c > seq), "the first call after {seq} differs, not {call:?}");
    rig.close().await;
}
