;; Asks for the network, which is empty, without end.
(component $C
  (import "wasi:sockets/network@0.2.0" (instance $net (export "network" (type (sub resource)))))
  (alias export $net "network" (type $network))
  (import "wasi:sockets/instance-network@0.2.0" (instance $get
    (alias outer $C $network (type $on)) (export "network" (type $n (eq $on)))
    (export "instance-network" (func (result (own $n))))))
  (core module $libc
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2048))
    (data (i32.const 1024) "null") (data (i32.const 1040) "hello"))
  (core instance $libc (instantiate $libc))
  (core func $network (canon lower (func $get "instance-network")))
  (core module $m
    (import "libc" "memory" (memory 1))
    (import "host" "network" (func $network (result i32)))
    (func (export "run") (param i32 i32) (result i32)
      (local $n i32)
      (loop $more (drop (call $network)) (br $more))
      (i32.store (i32.const 0) (i32.const 0))
      (i32.store (i32.const 4) (i32.const 1024))
      (i32.store (i32.const 8) (i32.const 4))
      (i32.const 0)))
  (core instance $i (instantiate $m (with "libc" (instance $libc)) (with "host" (instance
    (export "network" (func $network))))))
  (func (export "run") (param "input" string) (result (result string (error string)))
    (canon lift (core func $i "run") (memory (core memory $libc "memory"))
      (realloc (core func $libc "realloc")))))
