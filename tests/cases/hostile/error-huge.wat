;; Fails with a text that is larger than its output may be.
;; limit output = "1MiB"
(component
  (core module $m
    (memory (export "memory") 48)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2048))
    (data (i32.const 1024) "null")
    (func (export "run") (param i32 i32) (result i32)
      (memory.fill (i32.const 4096) (i32.const 0x31) (i32.const 2097152))
      (i32.store (i32.const 0) (i32.const 1)) (i32.store (i32.const 4) (i32.const 4096)) (i32.store (i32.const 8) (i32.const 2097152)) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "run") (param "input" string) (result (result string (error string)))
    (canon lift (core func $i "run") (memory (core memory $i "memory"))
      (realloc (core func $i "realloc")))))
