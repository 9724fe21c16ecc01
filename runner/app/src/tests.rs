//! Tests of the use-cases over a real store, ledger and runner.
