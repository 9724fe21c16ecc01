//! See `tests::fuzz::input`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::input(bytes));
