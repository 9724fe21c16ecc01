//! See `tests::fuzz::bundle_index`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::bundle_index(bytes));
