//! See `properties::session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::session::session(bytes));
