//! See `properties::fingerprint`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::fingerprint::fingerprint(bytes));
