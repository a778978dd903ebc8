//! See `properties::sender`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::sender::authentication_results(bytes));
