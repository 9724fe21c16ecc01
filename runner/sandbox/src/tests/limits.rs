//! Guests that take too much: each ends as an outcome that names its limit.

use domain::{LimitName, Outcome};

use super::guests::{
    HELLO, SPIN, guest, guest_with_functions, guest_with_start, guest_without_sql, times,
};
use super::host::{Did, FakeHost, everything, link, plan, run, run_and_replay, run_with, sandbox};
use crate::{Cancel, StopPoint};

fn limit(limit: LimitName) -> Outcome {
    Outcome::LimitExceeded { limit }
}

#[tokio::test]
async fn an_endless_loop_ends_when_its_fuel_is_used_up() {
    let mut host = FakeHost::default();
    let finished =
        run_and_replay(guest(&format!("{HELLO}{SPIN}")), &mut host, &Cancel::new()).await;
    assert_eq!(finished.outcome, limit(LimitName::Fuel));
    assert_eq!(finished.fuel_used, everything().limits.fuel_max);
    assert_eq!(finished.error.unwrap().frames[0].function, "outer_function");
}

#[tokio::test]
async fn a_memory_bomb_sees_minus_one_and_may_go_on() {
    let body = "(loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 16)) (i32.const 0))))";
    let finished = run_and_replay(guest(body), &mut FakeHost::default(), &Cancel::new()).await;
    assert_eq!(finished.outcome, Outcome::Succeeded);
    assert_eq!(finished.limits_hit, [LimitName::Memory]);
    assert!(finished.memory_peak <= everything().limits.memory_bytes_max);
}

#[tokio::test]
async fn a_guest_that_traps_for_want_of_memory_is_told_the_limit() {
    let body = "(loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 16)) (i32.const 0)))) unreachable";
    let finished = run(guest(body), &mut FakeHost::default()).await;
    assert_eq!(finished.outcome, limit(LimitName::Memory));
}

#[tokio::test]
async fn memory_that_is_too_large_from_the_start_is_the_same_limit() {
    let mut small = everything();
    small.limits.memory_bytes_max = 65_536;
    let finished = run_with(guest(""), &small, &mut FakeHost::default(), &Cancel::new()).await;
    assert_eq!(finished.outcome, limit(LimitName::Memory));
}

#[tokio::test]
async fn a_flood_of_host_calls_ends() {
    let finished =
        run_and_replay(guest(&times(1000, HELLO)), &mut FakeHost::default(), &Cancel::new()).await;
    assert_eq!((finished.outcome, finished.host_calls), (limit(LimitName::HostCalls), 50));
}

#[tokio::test]
async fn a_flood_of_output_ends() {
    let body = times(
        40,
        "(call $artifact (i32.const 1040) (i32.const 5) (i32.const 1040) (i32.const 5) (i32.const 0) (i32.const 4096))",
    );
    let finished = run_and_replay(guest(&body), &mut FakeHost::default(), &Cancel::new()).await;
    assert_eq!(finished.outcome, limit(LimitName::Output));
    assert_eq!(finished.result.artifacts.len(), 15, "64 KiB hold 15 of 4 KiB with their names");
}

#[tokio::test]
async fn arguments_larger_than_any_call_may_have_end_the_guest_not_the_host() {
    let body = "(drop (memory.grow (i32.const 100)))
        (call $emit (i32.const 1) (i32.const 0) (i32.const 0x7fffffff))";
    let finished = run(guest(body), &mut FakeHost::default()).await;
    assert_eq!(finished.outcome, Outcome::Failed);
}

#[tokio::test]
async fn nobody_calls_the_host_before_run() {
    let mut host = FakeHost::default();
    let finished = run(guest_with_start(HELLO), &mut host).await;
    assert_eq!(finished.outcome, Outcome::Failed);
    assert!(
        finished.error.unwrap().message.contains("borescope:debug/log while it is instantiated")
    );
    assert!(!host.did.contains(&Did::Recorded("borescope:debug/log#emit".to_owned())));
}

#[tokio::test]
async fn an_endless_start_function_has_a_budget_of_its_own() {
    let finished = run(guest_with_start(SPIN), &mut FakeHost::default()).await;
    assert_eq!((finished.outcome, finished.fuel_used), (limit(LimitName::InstantiationFuel), 0));
}

/// The host's functions run on the guest's stack, below all of its frames.
#[tokio::test]
async fn a_guest_that_calls_the_host_from_the_bottom_of_its_stack_leaves_the_host_enough() {
    let deeper = format!(
        "(func $deeper (param $depth i32)
           (if (i32.eqz (i32.and (local.get $depth) (i32.const 63))) (then {HELLO}))
           (call $deeper (i32.add (local.get $depth) (i32.const 1)))
           (call $deeper (local.get $depth)))"
    );
    let component = guest_with_functions(&deeper, "(call $deeper (i32.const 0))");
    let mut many = everything();
    many.limits.host_calls_max = 100_000;
    let finished = run_with(component, &many, &mut FakeHost::default(), &Cancel::new()).await;
    assert_eq!(finished.outcome, limit(LimitName::Stack));
    assert!(finished.host_calls > 100, "{}", finished.host_calls);
}

#[tokio::test]
async fn more_runs_than_the_engine_has_room_for_wait() {
    // Each yields a few times, which lets the others begin.
    let body = times(3_000_000, "");
    let linked = std::sync::Arc::new(link(guest_without_sql(&body), &everything()).await);
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let linked = std::sync::Arc::clone(&linked);
        runs.spawn(async move {
            let (mut host, cancel) = (FakeHost::default(), Cancel::new());
            sandbox().run(&linked, plan(&everything()), &mut host, &cancel).await.outcome
        });
    }
    assert_eq!(runs.join_all().await, [Outcome::Succeeded; 20]);
}

#[tokio::test]
async fn wall_time_ends_a_guest_that_has_fuel() {
    let mut short = everything();
    short.limits.wall_ms_max = 20;
    short.limits.fuel_max = 200_000_000_000;
    let mut host = FakeHost::default();
    let finished = run_with(guest_without_sql(SPIN), &short, &mut host, &Cancel::new()).await;
    assert_eq!(finished.outcome, limit(LimitName::Wall));
    assert!(matches!(finished.stop, StopPoint::Yield { .. }));
    let again = super::host::replay(guest_without_sql(SPIN), &short, &host.recording()).await;
    assert!(
        matches!(again, crate::Replay::Matches(f) if f.fuel_used == finished.fuel_used && f.outcome == finished.outcome)
    );
}

#[tokio::test]
async fn a_trap_names_the_guest_function() {
    let finished =
        run_and_replay(guest("unreachable"), &mut FakeHost::default(), &Cancel::new()).await;
    assert_eq!(finished.outcome, Outcome::Failed);
    let error = finished.error.unwrap();
    assert_eq!(error.frames[0].function, "outer_function");
    assert!(error.message.contains("unreachable"), "{}", error.message);
}

#[tokio::test]
async fn log_lines_above_the_cap_are_dropped_and_counted() {
    let big = "(drop (memory.grow (i32.const 64)))".to_owned()
        + &times(8, "(call $emit (i32.const 1) (i32.const 65536) (i32.const 200000))");
    let finished = run_and_replay(guest(&big), &mut FakeHost::default(), &Cancel::new()).await;
    assert_eq!((finished.log.len(), finished.log_dropped), (5, 600_000));
}

#[tokio::test]
async fn a_note_of_progress_is_cut_before_it_is_told() {
    let mut host = FakeHost::default();
    run(guest("(call $progress (i32.const 50) (i32.const 2048) (i32.const 4000))"), &mut host)
        .await;
    let told = host.did.iter().find_map(|did| match did {
        Did::Progress(_, note) => Some(note.len()),
        _ => None,
    });
    assert_eq!(told, Some(500));
}

#[tokio::test]
async fn progress_is_recorded_before_it_is_told() {
    let mut host = FakeHost::default();
    run(guest("(call $progress (i32.const 50) (i32.const 1040) (i32.const 5))"), &mut host).await;
    let recorded = Did::Recorded("borescope:debug/output#progress".to_owned());
    assert_eq!(host.did[1..3], [recorded, Did::Progress(50, "hello".to_owned())]);
}
