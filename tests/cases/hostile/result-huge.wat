;; Returns a text of nine megabytes.
;; limit memory = "16MiB"
;; limit output = "64MiB"
(component
  (core module $m
    (memory (export "memory") 160)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2048))
    (data (i32.const 1024) "null")
    (func (export "run") (param i32 i32) (result i32)
      (i32.store (i32.const 8) (i32.const 0))
      (i32.store (i32.const 4) (i32.const 4096)) (i32.store (i32.const 8) (i32.const 9437184)) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "run") (param "input" string) (result (result string (error string)))
    (canon lift (core func $i "run") (memory (core memory $i "memory"))
      (realloc (core func $i "realloc")))))
