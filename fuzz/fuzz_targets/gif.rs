//! See `properties::picture`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::picture::picture(bytes));
