//! See `tests::fuzz::trust_file`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::trust_file(bytes));
