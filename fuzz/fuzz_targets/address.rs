//! See `properties::field`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::field::address(bytes));
