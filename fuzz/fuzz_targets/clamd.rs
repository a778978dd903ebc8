//! See `properties::clamd`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::clamd::clamd(bytes));
