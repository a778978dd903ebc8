//! Bytes in, [`domain::Examination`] out: MIME parts, engines, rulesets as versions.
//!
//! [`examine`](examine::Examiner::examine) has no handle to the store or the network; what it takes and gives
//! can be written down, so it can move into a child process without changing shape. It never stops at
//! the first bad finding: the whole message is always seen, or the report says why not.
//!
//! | module | what it does |
//! |---|---|
//! | [`lookalike`] | innocent files and mails that look harmful, and pictures the other way round |
//! | [`limits`] | a limit on everything, named with its unit |
//! | [`mime`] | bytes to [`domain::message::Message`] and decoded parts |
//! | [`field_text`] | the text of header fields: encoded words, parameters, raw bytes of old charsets |
//! | [`family`] | what kind of content bytes are |
//! | [`unpack`] | archives, nested and bounded |
//! | [`picture`] | pictures by their structure: where they end, what is behind, what runs |
//! | [`document`] | Office, RTF, PDF: what in them runs, loads or hides |
//! | [`pixels`] | pictures decoded, within limits |
//! | [`fingerprint`] | what a mail looks like, in few bits |
//! | [`preview`] | what a person may look at of a mail: texts, pages made harmless, pictures drawn anew |
//! | [`page`] | HTML, links, codes in pictures, senders |
//! | [`take_apart`] | everything opened that can be opened |
//! | [`structure`] | the checks that are code: types, names, executables, limits |
//! | [`yara`] | the rules that are YARA |
//! | [`auth`] | what the sender's domain vouches for: SPF, DKIM, DMARC, ARC |
//! | [`scorecard`] | phishing and spam as shipped: named features with points |
//! | [`classifier`] | text, by its words: a trained model as a detection |
//! | [`dnsbl`] | lists of client addresses in DNS |
//! | [`clamd`], [`rspamd`] | neighbour engines, asked outside the pipeline |
//! | [`ruleset`] | a folder of detections as an immutable version |
//! | [`backtest`] | a ruleset against content that is known to be good |
//! | [`in_force`] | the ruleset in force, and the candidate of a roll-out beside it |
//! | [`examine`] | the pipeline |

pub mod auth;
pub mod backtest;
mod bounds;
pub mod clamd;
pub mod classifier;
mod compressed_rtf;
pub mod dnsbl;
pub mod document;
pub mod examine;
pub mod family;
pub mod field_text;
pub mod fingerprint;
pub mod in_force;
pub mod limits;
pub mod lookalike;
pub mod mime;
pub mod page;
mod passwords;
pub mod picture;
mod pixel_reader;
pub mod pixels;
pub mod preview;
pub mod rspamd;
mod rule_runner;
pub mod ruleset;
pub mod scorecard;
mod seen;
pub mod structure;
pub mod take_apart;
pub mod text;
pub mod unpack;
mod utf16;
pub mod yara;
