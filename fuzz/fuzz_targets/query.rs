//! See `properties::console`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::console::query(bytes));
