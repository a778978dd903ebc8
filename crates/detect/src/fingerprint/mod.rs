//! Fingerprints of what a mail shows, by which mails of one campaign are known again although no two have the same
//! bytes. Pure, and made of whole numbers alone, so that every machine comes to the same.
//!
//! What two fingerprints mean to one another is said in [`domain::fingerprint`].

pub mod layout;
pub mod picture;
mod simhash;
pub mod text;

#[cfg(test)]
mod campaign_tests;
#[cfg(test)]
mod drawing;
