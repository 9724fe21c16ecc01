//! See `tests::fuzz::sql_sqlite`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tests::fuzz::sql_sqlite(bytes));
