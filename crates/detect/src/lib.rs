//! Bytes in, [`domain::Examination`] out: MIME parts, engines, rulesets as versions.
//!
//! [`examine`](examine::Examiner::examine) has no handle to the store or the network; what it takes and gives
//! can be written down, so it can move into a child process without changing shape. It never stops at
//! the first bad finding: the whole message is always seen, or the report says why not.
//!
//! | module | what it does |
//! |---|---|
//! | [`limits`] | a limit on everything, named with its unit |
//! | [`mime`] | bytes to [`domain::message::Message`] and decoded parts |
//! | [`family`] | what kind of content bytes are |
//! | [`unpack`] | archives, nested and bounded |
//! | [`structure`] | the checks that are code: types, names, executables, limits |
//! | [`yara`] | the rules that are YARA |
//! | [`clamd`] | a neighbour engine, asked outside the pipeline |
//! | [`ruleset`] | a folder of detections as an immutable version |
//! | [`examine`] | the pipeline |

pub mod clamd;
pub mod examine;
pub mod family;
pub mod limits;
pub mod mime;
pub mod ruleset;
pub mod structure;
mod text;
pub mod unpack;
pub mod yara;
