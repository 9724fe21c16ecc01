//! See `tests::fuzz::run_order`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::run_order(bytes));
