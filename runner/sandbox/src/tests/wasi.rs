//! The empty world: what a runtime asks at its start is answered, and nothing is there.

use domain::Outcome;

use super::host::{FakeHost, run_and_replay};
use crate::Cancel;

/// A component over WASI alone; `body` leaves the result at 0 as the other guests do.
fn wasi_guest(imports: &str, lower: &str, with: &str, core: &str, body: &str) -> Vec<u8> {
    let text = format!(
        r#"(component {imports}
  (core module $libc
    (memory (export "memory") 8)
    (global $top (mut i32) (i32.const 65536))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    (data (i32.const 1024) "null"))
  (core instance $libc (instantiate $libc))
  {lower}
  (core module $main
    (import "libc" "memory" (memory 1))
    {core}
    (func (export "run") (param i32 i32) (result i32)
      (local $i i32)
      (i32.store (i32.const 4) (i32.const 1024))
      (i32.store (i32.const 8) (i32.const 4))
      {body}
      (i32.const 0)))
  (core instance $main (instantiate $main (with "libc" (instance $libc)) (with "host" (instance {with}))))
  (func (export "run") (param "input" string) (result (result string (error string)))
    (canon lift (core func $main "run") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")))))"#
    );
    wat::parse_str(text).unwrap()
}

#[tokio::test]
async fn environment_files_and_sockets_are_empty_not_forbidden() {
    let imports = r#"
      (import "wasi:cli/environment@0.2.0" (instance $env
        (export "get-environment" (func (result (list (tuple string string)))))))
      (import "wasi:sockets/network@0.2.3" (instance $net
        (export "network" (type (sub resource)))
        (type $e (enum "unknown" "access-denied" "not-supported"))
        (export "error-code" (type (eq $e)))
        (type $f (enum "ipv4" "ipv6"))
        (export "ip-address-family" (type (eq $f)))))
      (alias export $net "error-code" (type $code))
      (alias export $net "ip-address-family" (type $family))
      (import "wasi:sockets/tcp@0.2.3" (instance $tcp (export "tcp-socket" (type (sub resource)))))
      (alias export $tcp "tcp-socket" (type $socket))
      (import "wasi:sockets/tcp-create-socket@0.2.3" (instance $create
        (alias outer 1 $code (type $oc)) (export "error-code" (type $c (eq $oc)))
        (alias outer 1 $family (type $of)) (export "ip-address-family" (type $f (eq $of)))
        (alias outer 1 $socket (type $os)) (export "tcp-socket" (type $s (eq $os)))
        (export "create-tcp-socket" (func (param "address-family" $f) (result (result (own $s) (error $c)))))))
      (import "wasi:filesystem/types@0.2.0" (instance $fs (export "descriptor" (type (sub resource)))))
      (alias export $fs "descriptor" (type $descriptor))
      (import "wasi:filesystem/preopens@0.2.0" (instance $pre
        (alias outer 1 $descriptor (type $od)) (export "descriptor" (type $d (eq $od)))
        (export "get-directories" (func (result (list (tuple (own $d) string)))))))"#;
    let lower = r#"
      (core func $env (canon lower (func $env "get-environment") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
      (core func $create (canon lower (func $create "create-tcp-socket") (memory (core memory $libc "memory"))))
      (core func $pre (canon lower (func $pre "get-directories") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))"#;
    let with =
        r#"(export "env" (func $env)) (export "create" (func $create)) (export "pre" (func $pre))"#;
    let core = r#"(import "host" "env" (func $env (param i32)))
      (import "host" "create" (func $create (param i32 i32)))
      (import "host" "pre" (func $pre (param i32)))"#;
    let body = "(call $env (i32.const 16)) (if (i32.load (i32.const 20)) (then unreachable))
      (call $pre (i32.const 16)) (if (i32.load (i32.const 20)) (then unreachable))
      (call $create (i32.const 0) (i32.const 16))
      (if (i32.ne (i32.load8_u (i32.const 16)) (i32.const 1)) (then unreachable))
      (if (i32.ne (i32.load8_u (i32.const 20)) (i32.const 1)) (then unreachable))";
    let finished = run_and_replay(
        wasi_guest(imports, lower, with, core, body),
        &mut FakeHost::default(),
        &Cancel::new(),
    )
    .await;
    assert_eq!((finished.outcome, finished.error), (Outcome::Succeeded, None));
}

const CLOCKS: &str = r#"
      (import "wasi:io/poll@0.2.0" (instance $poll
        (export "pollable" (type $p (sub resource)))
        (export "[method]pollable.block" (func (param "self" (borrow $p))))))
      (alias export $poll "pollable" (type $pollable))
      (import "wasi:clocks/monotonic-clock@0.2.0" (instance $mono
        (alias outer 1 $pollable (type $op)) (export "pollable" (type $p (eq $op)))
        (export "now" (func (result u64)))
        (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
      (import "wasi:clocks/wall-clock@0.2.0" (instance $wall
        (type $d (record (field "seconds" u64) (field "nanoseconds" u32)))
        (export "datetime" (type $datetime (eq $d)))
        (export "now" (func (result $datetime)))))"#;

#[tokio::test]
async fn sleeping_for_a_year_skips_and_the_wall_clock_stands() {
    let lower = r#"
      (core func $block (canon lower (func $poll "[method]pollable.block")))
      (core func $now (canon lower (func $mono "now")))
      (core func $sleep (canon lower (func $mono "subscribe-duration")))
      (core func $wall (canon lower (func $wall "now") (memory (core memory $libc "memory"))))"#;
    let with = r#"(export "block" (func $block)) (export "now" (func $now)) (export "sleep" (func $sleep)) (export "wall" (func $wall))"#;
    let core = r#"(import "host" "block" (func $block (param i32)))
      (import "host" "now" (func $now (result i64)))
      (import "host" "sleep" (func $sleep (param i64) (result i32)))
      (import "host" "wall" (func $wall (param i32)))"#;
    let body = "(call $block (call $sleep (i64.const 31536000000000000)))
      (if (i64.lt_u (call $now) (i64.const 31536000000000000)) (then unreachable))
      (call $wall (i32.const 16))
      (if (i64.ne (i64.load (i32.const 16)) (i64.const 1700000000)) (then unreachable))";
    let finished = run_and_replay(
        wasi_guest(CLOCKS, lower, with, core, body),
        &mut FakeHost::default(),
        &Cancel::new(),
    )
    .await;
    assert_eq!((finished.outcome, finished.error), (Outcome::Succeeded, None));
}

/// Whatever the machine's clock says: the first reading is 0, each takes a microsecond, and whoever
/// waits for a millisecond by reading the clock comes to an end.
#[tokio::test]
async fn the_monotonic_clock_moves_by_being_read() {
    let lower = r#"(core func $now (canon lower (func $mono "now")))"#;
    let core = r#"(import "host" "now" (func $now (result i64)))"#;
    let body = "(if (i64.ne (call $now) (i64.const 0)) (then unreachable))
      (if (i64.ne (call $now) (i64.const 1000)) (then unreachable))
      (loop $wait (br_if $wait (i64.lt_u (call $now) (i64.const 1000000))))";
    let component = wasi_guest(CLOCKS, lower, r#"(export "now" (func $now))"#, core, body);
    let finished = run_and_replay(component, &mut FakeHost::default(), &Cancel::new()).await;
    assert_eq!((finished.outcome, finished.error), (Outcome::Succeeded, None));
}

const STDERR: &str = r#"
      (import "wasi:io/error@0.2.0" (instance $err (export "error" (type (sub resource)))))
      (alias export $err "error" (type $error))
      (import "wasi:io/streams@0.2.0" (instance $streams
        (export "output-stream" (type $o (sub resource)))
        (alias outer 1 $error (type $oe)) (export "error" (type $e (eq $oe)))
        (type $se (variant (case "last-operation-failed" (own $e)) (case "closed")))
        (export "stream-error" (type $stream-error (eq $se)))
        (export "[method]output-stream.blocking-write-and-flush"
          (func (param "self" (borrow $o)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
      (alias export $streams "output-stream" (type $out))
      (import "wasi:cli/stderr@0.2.0" (instance $stderr
        (alias outer 1 $out (type $oo)) (export "output-stream" (type $o (eq $oo)))
        (export "get-stderr" (func (result (own $o))))))
      (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))"#;

#[tokio::test]
async fn a_flood_on_stderr_is_capped_counted_and_exit_is_an_error() {
    let lower = r#"
      (core func $stderr (canon lower (func $stderr "get-stderr")))
      (core func $exit (canon lower (func $exit "exit")))
      (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory (core memory $libc "memory"))))"#;
    let with = r#"(export "stderr" (func $stderr)) (export "write" (func $write)) (export "exit" (func $exit))"#;
    let core = r#"(import "host" "stderr" (func $stderr (result i32)))
      (import "host" "exit" (func $exit (param i32)))
      (import "host" "write" (func $write (param i32 i32 i32 i32)))"#;
    let body = "(local.set $i (i32.const 100))
      (loop $again
        (call $write (call $stderr) (i32.const 0) (i32.const 4096) (i32.const 16))
        (if (i32.load8_u (i32.const 16)) (then unreachable))
        (local.set $i (i32.sub (local.get $i) (i32.const 1)))
        (br_if $again (local.get $i)))
      (call $exit (i32.const 1))";
    let component = wasi_guest(STDERR, lower, with, core, body);
    let finished = run_and_replay(component, &mut FakeHost::default(), &Cancel::new()).await;
    assert_eq!(
        (finished.stderr.bytes.len(), finished.stderr.dropped),
        (256 << 10, (409_600 - (256 << 10)))
    );
    assert_eq!(finished.outcome, Outcome::Failed);
    assert!(finished.error.unwrap().message.contains("exited with code 1"));
}

/// Behind each are two resources of the host; the guest's own table would hold four times as many.
#[tokio::test]
async fn what_stands_behind_a_handle_counts_as_well() {
    let lower = r#"(core func $sleep (canon lower (func $mono "subscribe-duration")))"#;
    let core = r#"(import "host" "sleep" (func $sleep (param i64) (result i32)))"#;
    for (sleeps, outcome) in [
        (500, Outcome::Succeeded),
        (600, Outcome::LimitExceeded { limit: domain::LimitName::Handles }),
    ] {
        let body = format!(
            "(local.set $i (i32.const {sleeps}))
             (loop $again (drop (call $sleep (i64.const 1)))
               (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))"
        );
        let component = wasi_guest(CLOCKS, lower, r#"(export "sleep" (func $sleep))"#, core, &body);
        let finished = run_and_replay(component, &mut FakeHost::default(), &Cancel::new()).await;
        assert_eq!(finished.outcome, outcome, "{sleeps}");
    }
}

#[tokio::test]
async fn pollables_that_are_never_dropped_are_a_named_limit() {
    let lower = r#"(core func $sleep (canon lower (func $mono "subscribe-duration")))"#;
    let core = r#"(import "host" "sleep" (func $sleep (param i64) (result i32)))"#;
    let body = "(loop $again (drop (call $sleep (i64.const 1))) (br $again))";
    let component = wasi_guest(CLOCKS, lower, r#"(export "sleep" (func $sleep))"#, core, body);
    let finished = run_and_replay(component, &mut FakeHost::default(), &Cancel::new()).await;
    assert_eq!(finished.outcome, Outcome::LimitExceeded { limit: domain::LimitName::Handles });
}
