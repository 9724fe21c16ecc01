;; Exports an instance as `run`.
(component (instance $i) (export "run" (instance $i)))
