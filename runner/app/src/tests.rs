//! Tests of the use-cases over a real store, ledger, sandbox and runner.

mod crowds;
mod filing;
mod login;
mod reads;
mod recovery;
mod runs;
mod team;
