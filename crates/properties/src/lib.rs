//! What must hold for any bytes: one function for each parser that reads what strangers send.
//!
//! `cargo +nightly fuzz run TARGET` searches for bytes for which it does not hold (CONTRIBUTING says how); the test of
//! this crate replays the seeds, and whatever was found once.

pub mod archive;
pub mod clamd;
pub mod config;
pub mod console;
pub mod data;
pub mod document;
pub mod field;
pub mod fingerprint;
pub mod introduce;
pub mod mime;
pub mod model;
pub mod picture;
pub mod preview;
pub mod scorecard;
pub mod sender;
pub mod session;

/// A target: its name, and what must not panic for any bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 34] = [
    ("session", session::session),
    ("data", data::data),
    ("introduce", introduce::introduce),
    ("mime", mime::mime),
    ("zip", archive::zip),
    ("gzip", archive::gzip),
    ("tar", archive::tar),
    ("jpeg", picture::picture),
    ("png", picture::picture),
    ("gif", picture::picture),
    ("webp", picture::picture),
    ("bmp", picture::picture),
    ("ico", picture::picture),
    ("svg", picture::svg),
    ("office", document::office),
    ("pdf", document::pdf),
    ("html", document::html),
    ("url", document::url),
    ("shortcut", document::shortcut),
    ("calendar", document::calendar),
    ("sheettext", document::sheet_text),
    ("container", document::container),
    ("clamd", clamd::clamd),
    ("authres", sender::authentication_results),
    ("rspamd", sender::rspamd),
    ("address", field::address),
    ("fieldtext", field::text),
    ("fingerprint", fingerprint::fingerprint),
    ("config", config::config),
    ("harmless", console::harmless_html),
    ("query", console::query),
    ("preview", preview::preview),
    ("scorecard", scorecard::scorecard),
    ("model", model::model),
];
