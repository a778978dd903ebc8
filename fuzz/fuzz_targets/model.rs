//! See `properties::model`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::model::model(bytes));
