//! What people are told: each thing once.

pub mod alert;
pub mod claim;
pub mod notice;

use crate::core::part;

part! {
    /// What people are called for, which senders are told that their mail is held, and who tells what.
    NoticeStore
}
