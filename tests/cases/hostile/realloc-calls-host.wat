;; Calls the host while the host writes the input into its memory.
(component $C
  (import "borescope:debug/log@0.1.0" (instance $log
    (type $l (enum "debug" "info" "warn" "error"))
    (export "level" (type $level (eq $l)))
    (export "emit" (func (param "level" $level) (param "message" string)))))
  (core module $memory (memory (export "memory") 1))
  (core instance $libc (instantiate $memory))
  (core func $emit (canon lower (func $log "emit") (memory (core memory $libc "memory"))))
  (core module $m
    (import "host" "emit" (func $emit (param i32 i32 i32)))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (call $emit (i32.const 1) (i32.const 0) (i32.const 4))
      (i32.const 2048))
    (func (export "run") (param i32 i32) (result i32) unreachable))
  (core instance $i (instantiate $m (with "host" (instance (export "emit" (func $emit))))))
  (func (export "run") (param "input" string) (result (result string (error string)))
    (canon lift (core func $i "run") (memory (core memory $libc "memory"))
      (realloc (core func $i "realloc")))))
