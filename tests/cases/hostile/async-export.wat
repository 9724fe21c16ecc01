;; Exports an async function.
(component
  (core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (type $t (func async))
  (func (export "run") (type $t) (canon lift (core func $i "f") async)))
