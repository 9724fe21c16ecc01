//! See `tests::fuzz::checkpoint`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::checkpoint(bytes));
