//! See `properties::mime`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::mime::mime(bytes));
