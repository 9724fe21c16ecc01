//! See `tests::fuzz::private_key`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::private_key(bytes));
