//! See `properties::data`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::data::data(bytes));
