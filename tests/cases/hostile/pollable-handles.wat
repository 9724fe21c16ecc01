;; Starts sleeps without end and waits for none.
(component $C
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer $C $pollable (type $op)) (export "pollable" (type $p (eq $op)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (core module $libc
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2048))
    (data (i32.const 1024) "null") (data (i32.const 1040) "hello"))
  (core instance $libc (instantiate $libc))
  (core func $sleep (canon lower (func $clock "subscribe-duration")))
  (core module $m
    (import "libc" "memory" (memory 1))
    (import "host" "sleep" (func $sleep (param i64) (result i32)))
    (func (export "run") (param i32 i32) (result i32)
      (local $n i32)
      (loop $more (drop (call $sleep (i64.const 1))) (br $more))
      (i32.store (i32.const 0) (i32.const 0))
      (i32.store (i32.const 4) (i32.const 1024))
      (i32.store (i32.const 8) (i32.const 4))
      (i32.const 0)))
  (core instance $i (instantiate $m (with "libc" (instance $libc)) (with "host" (instance
    (export "sleep" (func $sleep))))))
  (func (export "run") (param "input" string) (result (result string (error string)))
    (canon lift (core func $i "run") (memory (core memory $libc "memory"))
      (realloc (core func $libc "realloc")))))
