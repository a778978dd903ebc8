//! See `properties::preview`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::preview::preview(bytes));
