//! See `properties::archive`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::archive::tar(bytes));
