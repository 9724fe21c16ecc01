;; Exports a core module as `run`.
(component (core module $m) (export "run" (core module $m)))
