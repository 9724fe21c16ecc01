//! Stops that must fall on the same instruction again, and recordings that were tampered with.

use domain::{LimitName, Outcome, Value};

use super::guests::{HELLO, MUST_OPEN, NEXT, OPEN_RECENT, SPIN, guest, guest_with_start};
use super::host::{FakeHost, everything, plan, replay, run, run_and_replay, run_with, sandbox};
use crate::recording::CallResult;
use crate::{Cancel, Event, Recording, Replay, StopPoint};

#[tokio::test]
async fn a_run_cancelled_at_a_yield_replays_to_the_same_point() {
    let cancel = Cancel::new();
    cancel.cancel();
    let finished =
        run_and_replay(guest(&format!("{HELLO}{SPIN}")), &mut FakeHost::default(), &cancel).await;
    assert_eq!(finished.outcome, Outcome::Cancelled);
    assert!(
        matches!(finished.stop, StopPoint::HostCall { seq: 1 }),
        "the call comes first: {:?}",
        finished.stop
    );
    let finished = run_and_replay(guest(SPIN), &mut FakeHost::default(), &cancel).await;
    assert_eq!(
        (finished.outcome, finished.stop),
        (Outcome::Cancelled, StopPoint::Yield { count: 1 })
    );
    assert!(finished.fuel_used > 0);
}

#[tokio::test]
async fn a_run_cancelled_inside_a_query_replays_to_that_call() {
    let cancel = Cancel::new();
    let mut host = FakeHost { cancel_in_open: Some(cancel.clone()), ..FakeHost::default() };
    let finished =
        run_and_replay(guest(&format!("{HELLO}{OPEN_RECENT}{HELLO}")), &mut host, &cancel).await;
    assert_eq!(
        (finished.outcome, finished.stop),
        (Outcome::Cancelled, StopPoint::HostCall { seq: 2 })
    );
    assert_eq!(finished.log.len(), 1, "the guest did not go on");
}

#[tokio::test]
async fn a_run_cancelled_during_instantiation_replays() {
    let cancel = Cancel::new();
    cancel.cancel();
    let finished = run_and_replay(guest_with_start(SPIN), &mut FakeHost::default(), &cancel).await;
    assert_eq!((finished.outcome, finished.stop), (Outcome::Cancelled, StopPoint::Instantiation));
}

const READ: &str =
    "(call $progress (i32.load8_u (i32.const 32)) (i32.const 1040) (i32.load (i32.const 40)))";

fn reading() -> Vec<u8> {
    guest(&format!("{OPEN_RECENT}{MUST_OPEN}{NEXT}{READ}"))
}

#[tokio::test]
async fn a_result_that_was_exchanged_makes_the_next_call_differ() {
    let mut host = FakeHost::with_rows(&[2, 0]);
    run(reading(), &mut host).await;
    let changed = host.events.iter_mut().find_map(|e| match e {
        Event::Return { result: CallResult::Page { rows, .. }, .. } => Some(rows),
        _ => None,
    });
    changed.unwrap().push(vec![Value::Int64(99)]);
    match replay(reading(), &everything(), &host.recording()).await {
        Replay::Diverged { call, name, expected, got } => {
            assert_eq!((call, name.as_str()), (Some(3), "borescope:debug/output#progress"));
            assert_ne!(expected, got);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn another_component_diverges_only_if_it_is_taken_for_the_recorded_one() {
    let mut host = FakeHost::default();
    run(guest(HELLO), &mut host).await;
    let other = replay(guest(&format!("{HELLO}{HELLO}")), &everything(), &host.recording()).await;
    assert!(matches!(other, Replay::Damaged { problem } if problem.contains("its component")));
}

#[tokio::test]
async fn another_engine_build_is_named_not_compared() {
    let mut host = FakeHost::default();
    run(guest(HELLO), &mut host).await;
    if let Some(Event::Header(h)) = host.events.first_mut() {
        h.engine_build = domain::Digest::of(b"older");
    }
    let found = replay(guest(HELLO), &everything(), &host.recording()).await;
    assert!(matches!(found, Replay::OtherEngine { here, .. } if here == sandbox().engine_build()));
}

#[tokio::test]
async fn a_result_that_was_improved_afterwards_is_found_at_the_end() {
    let mut host = FakeHost::default();
    run(guest(HELLO), &mut host).await;
    for event in &mut host.events {
        if let Event::Result(r) = event {
            r.value = serde_json::json!({ "all": "well" });
        }
    }
    let found = replay(guest(HELLO), &everything(), &host.recording()).await;
    assert!(matches!(found, Replay::Diverged { call: None, name, .. } if name == "result"));
}

#[tokio::test]
async fn a_call_that_was_removed_is_found() {
    let mut host = FakeHost::default();
    run(guest(&format!("{HELLO}{HELLO}")), &mut host).await;
    host.events.remove(2);
    let found = replay(guest(&format!("{HELLO}{HELLO}")), &everything(), &host.recording()).await;
    assert!(matches!(found, Replay::Diverged { call: Some(2), .. }), "{found:?}");
}

#[tokio::test]
async fn a_torn_recording_matches_as_far_as_it_goes() {
    let mut host = FakeHost::with_rows(&[1, 0]);
    run(reading(), &mut host).await;
    let file = host.file();
    for cut in 9..file.len() {
        assert!(Recording::parse(&file[..cut]).is_err(), "cut at {cut}");
    }
    host.events.truncate(4);
    let torn = Recording::parse_torn(&host.file()).unwrap();
    let found = replay(reading(), &everything(), &torn).await;
    assert!(matches!(found, Replay::Damaged { problem } if problem.contains("after call 2")));
}

#[tokio::test]
async fn a_recording_of_other_input_is_not_compared() {
    let mut host = FakeHost::default();
    let component = guest(HELLO);
    run_with(component.clone(), &everything(), &mut host, &Cancel::new()).await;
    let linked = super::host::link(component, &everything()).await;
    let mut other = plan(&everything());
    other.input = b"{}".to_vec();
    let found = sandbox().replay(&linked, &host.recording(), other).await;
    assert!(matches!(found, Replay::Damaged { problem } if problem.contains("its input")));
}

#[tokio::test]
async fn whatever_the_fuel_a_replay_runs_out_of_it_at_the_same_call() {
    let component = guest(&format!("{OPEN_RECENT}{MUST_OPEN}{NEXT}{READ}{HELLO}"));
    let mut ends = std::collections::BTreeSet::new();
    for fuel_max in (0..200).step_by(3) {
        let mut capabilities = everything();
        capabilities.limits.fuel_max = fuel_max;
        let mut host = FakeHost::with_rows(&[2, 0]);
        let run = run_with(component.clone(), &capabilities, &mut host, &Cancel::new()).await;
        let again = replay(component.clone(), &capabilities, &host.recording()).await;
        let Replay::Matches(again) = again else { panic!("{fuel_max}: {again:?}") };
        assert_eq!((again.outcome, again.fuel_used), (run.outcome, run.fuel_used), "{fuel_max}");
        ends.insert((run.outcome == Outcome::Succeeded, run.host_calls));
    }
    assert!(ends.len() > 2, "the budgets end the run in different places: {ends:?}");
}

#[tokio::test]
async fn whenever_it_is_cancelled_a_replay_stops_there() {
    let component = guest(&super::guests::times(40, &format!("{HELLO}(local.set $i (i32.const 2000000))
        (loop $work (local.set $i (i32.sub (local.get $i) (i32.const 1))) (br_if $work (local.get $i)))")));
    let mut capabilities = everything();
    capabilities.limits.fuel_max = 2_000_000_000;
    let mut stops = std::collections::BTreeSet::new();
    // How far it comes in a millisecond depends on the machine: longer and longer, until three differ.
    let mut wall_ms_max = 0;
    while stops.len() < 3 {
        wall_ms_max += 1 + wall_ms_max / 2;
        assert!(wall_ms_max < 60_000, "the stops fall in different places: {stops:?}");
        capabilities.limits.wall_ms_max = wall_ms_max;
        let mut host = FakeHost::default();
        let run = run_with(component.clone(), &capabilities, &mut host, &Cancel::new()).await;
        let again = replay(component.clone(), &capabilities, &host.recording()).await;
        let Replay::Matches(again) = again else { panic!("{wall_ms_max}: {again:?}") };
        assert_eq!(
            (again.stop, again.fuel_used, again.log.len()),
            (run.stop, run.fuel_used, run.log.len())
        );
        stops.insert(format!("{:?}", run.stop));
    }
}

#[tokio::test]
async fn a_recording_that_is_full_ends_the_run_by_name_and_replays_to_that_call() {
    let body = format!("{HELLO}{OPEN_RECENT}{MUST_OPEN}{NEXT}{READ}{HELLO}");
    let mut ends = std::collections::BTreeSet::new();
    // The header is the first event; then wherever it is full: a line, an intent, a result, a page.
    for events_max in 1..8 {
        let mut host = FakeHost { events_max: Some(events_max), ..FakeHost::with_rows(&[2, 0]) };
        let run = run_and_replay(guest(&body), &mut host, &Cancel::new()).await;
        assert_eq!(run.recording_failed, None);
        assert!(host.events.len() <= events_max + 4, "only the end follows");
        if run.outcome != Outcome::Succeeded {
            assert_eq!(run.outcome, Outcome::LimitExceeded { limit: LimitName::Recording });
            assert_eq!(run.limits_hit, [LimitName::Recording]);
            ends.insert(format!("{:?}", run.stop));
        }
    }
    assert!(ends.len() > 3, "it was full in different calls: {ends:?}");
}
