//! The same run twice, in two engines: the same fuel, randomness and time.

use super::guests::{HELLO, guest};
use super::host::{FakeHost, everything, options, plan, replay, run};
use crate::random::Stream;
use crate::{Cancel, Replay, Sandbox};

/// Random bytes as an artifact, and the fuel that is left as a log line's length.
const BODY: &str = "(call $random (i32.const 32) (i32.const 16))
    (call $artifact (i32.const 1040) (i32.const 5) (i32.const 1040) (i32.const 5)
      (i32.load (i32.const 16)) (i32.load (i32.const 20)))
    (local.set $n (call $fuel))
    (call $emit (i32.const 0) (i32.const 0) (i32.wrap_i64 (i64.rem_u (local.get $n) (i64.const 1000))))";

#[tokio::test]
async fn two_engines_give_the_same_run() {
    let body = format!("{HELLO}{BODY}");
    let mut here = FakeHost::default();
    let finished = run(guest(&body), &mut here).await;
    assert_eq!(finished.result.artifacts[0].bytes.len(), 32);

    let other = Sandbox::new(options()).unwrap();
    assert_eq!(other.engine_build(), super::host::sandbox().engine_build());
    let admitted = other.admit(guest(&body).into()).await.unwrap();
    let linked = other.link(&admitted, &everything()).unwrap();
    let mut there = FakeHost::default();
    other.run(&linked, plan(&everything()), &mut there, &Cancel::new()).await;
    assert_eq!(here.events, there.events);
}

#[tokio::test]
async fn numbers_survive_the_recording_to_the_last_bit() {
    // A table of one row with NaN in it; the result is JSON with numbers that round badly.
    let body = "(i32.store (i32.const 300) (i32.const 1040)) (i32.store (i32.const 304) (i32.const 5))
        (i32.store (i32.const 308) (i32.const 1040)) (i32.store (i32.const 312) (i32.const 5))
        (i32.store (i32.const 320) (i32.const 336)) (i32.store (i32.const 324) (i32.const 1))
        (i32.store8 (i32.const 336) (i32.const 3))
        (f64.store (i32.const 344) (f64.div (f64.const 0) (f64.const 0)))
        (call $table (i32.const 1040) (i32.const 5) (i32.const 300) (i32.const 1) (i32.const 320) (i32.const 1))
        (i32.store (i32.const 4) (i32.const 1120)) (i32.store (i32.const 8) (i32.const 74))";
    let mut host = FakeHost::default();
    let finished = run(guest(body), &mut host).await;
    assert_eq!(finished.outcome, domain::Outcome::Succeeded, "{:?}", finished.error);
    assert!(
        matches!(finished.result.tables[0].rows[0][0], domain::Value::Float64(n) if n.is_nan())
    );
    assert_eq!(finished.result.value[0].as_f64(), Some(0.1 + 0.2));
    let found = replay(guest(body), &everything(), &host.recording()).await;
    assert!(matches!(found, Replay::Matches(_)), "{found:?}");
}

/// Traps unless the NaN at 300, 304 or 320 has the one form that all machines agree on.
const NANS: &str = "
    (f64.store (i32.const 300) (f64.div (f64.load (i32.const 400)) (f64.load (i32.const 408))))
    (if (i64.ne (i64.load (i32.const 300)) (i64.const 0x7ff8000000000000)) (then unreachable))
    (f32.store (i32.const 304) (f32.div (f32.load (i32.const 400)) (f32.load (i32.const 408))))
    (if (i32.ne (i32.load (i32.const 304)) (i32.const 0x7fc00000)) (then unreachable))
    (i64.store (i32.const 416) (i64.const 0xfff8000000000123))
    (v128.store (i32.const 320) (f64x2.add (v128.load (i32.const 416)) (v128.load (i32.const 400))))
    (if (i64.ne (i64.load (i32.const 320)) (i64.const 0x7ff8000000000000)) (then unreachable))";

#[tokio::test]
async fn a_nan_says_nothing_about_the_machine() {
    let finished = run(guest(NANS), &mut FakeHost::default()).await;
    assert_eq!((finished.outcome, finished.error), (domain::Outcome::Succeeded, None));
}

#[tokio::test]
async fn another_seed_gives_other_randomness() {
    let linked = super::host::link(guest(BODY), &everything()).await;
    let mut drawn = Vec::new();
    for seed in [1, 2] {
        let mut p = plan(&everything());
        p.seed = [seed; 32];
        let f =
            super::host::sandbox().run(&linked, p, &mut FakeHost::default(), &Cancel::new()).await;
        drawn.push(f.result.artifacts[0].bytes.clone());
    }
    assert_ne!(drawn[0], drawn[1]);
}

#[test]
fn a_stream_does_not_depend_on_how_it_is_read() {
    let mut at_once = Stream::new("random", [3; 32]);
    let mut in_parts = Stream::new("random", [3; 32]);
    let parts: Vec<u8> = [1, 31, 32, 33, 3].iter().flat_map(|n| in_parts.bytes(*n)).collect();
    assert_eq!(at_once.bytes(100), parts);
    assert_ne!(Stream::new("insecure", [3; 32]).bytes(32), parts[..32]);
}

#[test]
fn the_version_in_recordings_is_the_one_that_is_linked() {
    let lock = include_str!("../../../../Cargo.lock");
    let wanted = format!("name = \"wasmtime\"\nversion = \"{}\"", crate::engine::WASMTIME_VERSION);
    assert!(lock.contains(&wanted), "raise WASMTIME_VERSION in engine.rs with the dependency");
}

#[tokio::test]
async fn a_run_can_be_spawned() {
    fn is_send<T: Send>(t: T) -> T {
        t
    }
    let linked = super::host::link(guest(""), &everything()).await;
    let (mut host, cancel) = (FakeHost::default(), Cancel::new());
    is_send(super::host::sandbox().run(&linked, plan(&everything()), &mut host, &cancel)).await;
}
