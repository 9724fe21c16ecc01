//! See `tests::fuzz::component`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::component(bytes));
