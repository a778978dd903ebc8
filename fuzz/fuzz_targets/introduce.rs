//! See `properties::introduce`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::introduce::introduce(bytes));
