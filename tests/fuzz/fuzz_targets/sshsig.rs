//! See `tests::fuzz::sshsig`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::sshsig(bytes));
