//! An emergency starts while every ordinary slot hangs, and nothing but an emergency takes its slot.

use std::time::{Duration, Instant};

use api::Client;
use api::types::RunView;
use app::AppLimits;
use domain::{RunId, RunState};
use tests::served::{Granted, Served, wire};

use super::streams::endless;

/// One ordinary slot, one that is kept.
async fn narrow() -> Served {
    let limits = AppLimits { concurrent_runs_max: 1, ..AppLimits::DEFAULT };
    Served::with(limits, server::ServerLimits::DEFAULT).await
}

/// Another access request of alice for the same script, which breaks the glass; approved if bob says so.
async fn broken_glass(served: &Served, granted: &Granted, approved: bool) -> Granted {
    let (alice, bob) = (served.login("alice").await, served.login("bob").await);
    let c = &served.company;
    let manifest = &granted.manifest;
    let first: trust::AccessRequest = trust::read_unverified(&granted.request).unwrap();
    let mut request = c.access_request(manifest, first.revision, granted.input);
    request.break_glass = true;
    let request = c.sign("alice", &request);
    alice.request_access(&wire(&request)).await.unwrap();
    if approved {
        let said = alice.revision(&first.revision).await.unwrap().documents;
        let mut approval = c.approval(manifest, &request, &[]);
        approval.reviews = vec![said.iter().find(|d| d.kind == "review").unwrap().digest];
        bob.approve(&wire(&c.sign("bob", &approval))).await.unwrap();
    }
    Granted { manifest: manifest.clone(), request, input: granted.input }
}

async fn order(served: &Served, alice: &Client, granted: &Granted, number: u64) -> RunId {
    let order = served.order(granted, number);
    alice.order_run(&order, Duration::ZERO, None).await.unwrap().id
}

async fn until(client: &Client, id: &RunId, what: fn(&RunView) -> bool) -> RunView {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let run = client.run(id).await.unwrap();
        if what(&run) {
            return run;
        }
        assert!(Instant::now() < deadline, "{run:?}");
        tokio::task::yield_now().await;
    }
}

fn is_live(run: &RunView) -> bool {
    run.state == RunState::Running
}

fn is_over(run: &RunView) -> bool {
    run.ended_ms.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_starts_while_every_ordinary_slot_hangs() {
    let served = narrow().await;
    let hung = endless(&served).await;
    let quick = served.granted("echo", r#"{"text":"hello"}"#, |_| {}).await;
    let emergency = broken_glass(&served, &quick, true).await;
    let alice = served.login("alice").await;
    let first = order(&served, &alice, &hung, 1).await;
    until(&alice, &first, is_live).await;
    let (second, third) =
        (order(&served, &alice, &quick, 1).await, order(&served, &alice, &quick, 2).await);
    let waits = |run: &RunView| run.queue.as_ref().map(|q| (q.place, q.running));
    assert_eq!(waits(&alice.run(&second).await.unwrap()), Some((1, 1)));
    assert_eq!(waits(&alice.run(&third).await.unwrap()), Some((2, 1)));

    let saved = order(&served, &alice, &emergency, 1).await;
    let saved = until(&alice, &saved, is_over).await;
    assert_eq!(saved.state.code(), "succeeded", "{saved:?}");
    let waiting = alice.run(&second).await.unwrap();
    assert_eq!(waiting.state, RunState::Queued, "it was there before, and its slot is not free");
    assert_eq!(alice.run(&first).await.unwrap().state, RunState::Running);

    alice.cancel(&first).await.unwrap();
    for id in [&second, &third] {
        let run = until(&alice, id, is_over).await;
        assert_eq!((run.state.code(), run.queue), ("succeeded", None));
    }
    let events = alice.audit("kind=run-started&limit=10").await.unwrap().events;
    let started: Vec<_> = events.into_iter().rev().map(|e| e.run.unwrap()).collect();
    assert_eq!(started, [first, saved.id, second, third], "the order in which they began");
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_emergency_waits_for_the_first_and_ordinary_runs_take_neither_slot() {
    let served = narrow().await;
    let hung = endless(&served).await;
    let emergency = broken_glass(&served, &hung, true).await;
    let alice = served.login("alice").await;
    let first = order(&served, &alice, &hung, 1).await;
    until(&alice, &first, is_live).await;
    let (kept, next) =
        (order(&served, &alice, &emergency, 1).await, order(&served, &alice, &emergency, 2).await);
    until(&alice, &kept, is_live).await;
    let ordinary = order(&served, &alice, &hung, 2).await;
    let place = alice.run(&next).await.unwrap().queue.unwrap();
    assert_eq!((place.place, place.running), (1, 2), "next among emergencies");

    // The slot that is kept becomes free: the emergency gets it, though the ordinary run waits.
    alice.cancel(&kept).await.unwrap();
    until(&alice, &next, is_live).await;
    alice.cancel(&next).await.unwrap();
    until(&alice, &next, is_over).await;
    // A run is over a moment before its slot is free.
    let is_alone = |run: &RunView| run.queue.as_ref().is_none_or(|q| q.running == 1);
    until(&alice, &ordinary, is_alone).await;
    let waiting = alice.run(&ordinary).await.unwrap();
    assert_eq!(waiting.state, RunState::Queued, "the kept slot is free, and not for this one");
    assert_eq!(waiting.queue.map(|q| (q.place, q.running)), Some((1, 1)));
    for id in [&first, &ordinary] {
        alice.cancel(id).await.unwrap();
        until(&alice, id, is_over).await;
    }
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_says_that_it_is_an_emergency_waits_like_everybody() {
    let served = narrow().await;
    let hung = endless(&served).await;
    let quick = served.granted("echo", r#"{"text":"hello"}"#, |_| {}).await;
    let unapproved = broken_glass(&served, &quick, false).await;
    let approved = broken_glass(&served, &quick, true).await;
    let (alice, bob) = (served.login("alice").await, served.login("bob").await);
    let first = order(&served, &alice, &hung, 1).await;
    until(&alice, &first, is_live).await;
    let marked = order(&served, &alice, &unapproved, 1).await;
    // Bob orders under alice's emergency, which is open.
    let c = &served.company;
    let mut borrowed = c.run_request(&approved.manifest, &approved.request, approved.input, 1);
    borrowed.caller = "bob".parse().unwrap();
    let borrowed =
        api::types::RunOrdered { run_request: wire(&c.sign("bob", &borrowed)), input: None };
    let borrowed = bob.order_run(&borrowed, Duration::ZERO, None).await.unwrap().id;
    assert_eq!(alice.run(&marked).await.unwrap().queue.map(|q| q.place), Some(1));
    assert_eq!(bob.run(&borrowed).await.unwrap().queue.map(|q| q.place), Some(2));

    let saved = order(&served, &alice, &approved, 1).await;
    assert_eq!(until(&alice, &saved, is_over).await.state.code(), "succeeded");
    assert_eq!(alice.run(&marked).await.unwrap().state, RunState::Queued);
    alice.cancel(&first).await.unwrap();
    for (who, id) in [(&alice, &marked), (&bob, &borrowed)] {
        assert_eq!(until(who, id, is_over).await.state.code(), "denied");
    }
    served.close().await;
}
