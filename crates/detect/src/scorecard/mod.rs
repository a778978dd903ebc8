//! Phishing and spam as shipped: named features of a mail (its sender, its links, its words, its files), each with
//! points that were estimated on mail that is known to be good or bad. A score is a sum, and its heaviest terms are the
//! evidence, in sentences.
//!
//! What is seen ([`mark`], [`phrase`]) is code and tables of this program; how much it counts ([`card`]) is a file of a
//! detection, with a version, modes and a way back.

mod alternative;
mod body;
pub mod brand;
pub mod card;
mod decoration;
pub mod estimate;
pub mod feature;
mod file;
pub mod host;
pub mod imitation;
mod link;
pub mod mark;
pub mod marks;
pub mod office;
pub mod phrase;
mod pitch;
mod reading;
pub mod redirector;
mod sender;
mod spelling;
mod table;
pub mod words;
