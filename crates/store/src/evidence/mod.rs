//! Whether detections are wrong: what speaks for it, what is contained because of it, and what people say.

pub mod hearing;
pub mod hits;
pub mod probation;
pub mod sentinel;
pub mod submission;

use crate::core::part;

part! {
    /// The journal of evidence, the mail that is still to be heard for it, and hits by the hour.
    EvidenceStore
}

part! {
    /// What is contained, and what people have pinned so that nothing contains it.
    ContainmentStore
}

part! {
    /// What people say of verdicts.
    SubmissionStore
}
