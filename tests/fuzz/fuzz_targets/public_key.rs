//! See `tests::fuzz::public_key`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::public_key(bytes));
