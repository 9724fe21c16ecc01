;; Exports `run` without result.
(component
  (core module $m (memory (export "memory") 1) (func (export "f") (param i32 i32))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2048)))
  (core instance $i (instantiate $m))
  (func (export "run") (param "input" string)
    (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
