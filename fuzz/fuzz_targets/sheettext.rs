//! See `properties::document`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::document::sheet_text(bytes));
