//! See `tests::fuzz::sql_postgres`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::sql_postgres(bytes));
