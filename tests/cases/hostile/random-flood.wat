;; Draws random numbers without end.
;; limit fuel = 10_000_000
(component $C
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))
    (export "get-random-u64" (func (result u64)))))
  (core module $libc
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2048))
    (data (i32.const 1024) "null") (data (i32.const 1040) "hello"))
  (core instance $libc (instantiate $libc))
  (core func $number (canon lower (func $random "get-random-u64")))
  (core module $m
    (import "libc" "memory" (memory 1))
    (import "host" "number" (func $number (result i64)))
    (func (export "run") (param i32 i32) (result i32)
      (local $n i32)
      (loop $more (drop (call $number)) (br $more))
      (i32.store (i32.const 0) (i32.const 0))
      (i32.store (i32.const 4) (i32.const 1024))
      (i32.store (i32.const 8) (i32.const 4))
      (i32.const 0)))
  (core instance $i (instantiate $m (with "libc" (instance $libc)) (with "host" (instance
    (export "number" (func $number))))))
  (func (export "run") (param "input" string) (result (result string (error string)))
    (canon lift (core func $i "run") (memory (core memory $libc "memory"))
      (realloc (core func $libc "realloc")))))
