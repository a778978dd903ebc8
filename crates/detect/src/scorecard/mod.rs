//! Facts for the text scorecard: which brands there are and what is theirs, which services anybody uses, which words
//! stand for an office.

pub mod brand;
pub mod host;
pub mod imitation;
pub mod office;
pub mod redirector;
mod spelling;
mod table;
