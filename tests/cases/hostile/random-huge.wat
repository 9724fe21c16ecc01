;; Asks for four gigabytes of randomness.
(component $C
  (import "borescope:debug/run-context@0.1.0" (instance $context
    (export "random-bytes" (func (param "len" u32) (result (list u8))))
    (export "started-at" (func (result string)))))
  (core module $libc
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2048))
    (data (i32.const 1024) "null") (data (i32.const 1040) "hello"))
  (core instance $libc (instantiate $libc))
  (core func $random (canon lower (func $context "random-bytes") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core module $m
    (import "libc" "memory" (memory 1))
    (import "host" "random" (func $random (param i32 i32)))
    (func (export "run") (param i32 i32) (result i32)
      (local $n i32)
      (call $random (i32.const -1) (i32.const 16))
      (i32.store (i32.const 0) (i32.const 0))
      (i32.store (i32.const 4) (i32.const 1024))
      (i32.store (i32.const 8) (i32.const 4))
      (i32.const 0)))
  (core instance $i (instantiate $m (with "libc" (instance $libc)) (with "host" (instance
    (export "random" (func $random))))))
  (func (export "run") (param "input" string) (result (result string (error string)))
    (canon lift (core func $i "run") (memory (core memory $libc "memory"))
      (realloc (core func $libc "realloc")))))
