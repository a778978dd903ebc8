//! What recovery is told: `[release]`.

use super::section::Section;

/// What to do with a release in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InDoubtPolicy {
    /// Send it once more after ten minutes, then count it as released, possibly twice.
    Resend,
    /// Keep it for a person.
    Ask,
}

/// How held mail is released.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseConfig {
    /// Connections to one next hop.
    pub connections: usize,
    /// Mails a second to one next hop, at most.
    pub per_second: u32,
    /// What to do with a release in doubt.
    pub in_doubt: InDoubtPolicy,
}

/// Reads `[release]`.
pub(super) fn release(root: &mut Section<'_>) -> ReleaseConfig {
    let mut section = root.section("release", "How held mail is released.");
    let in_doubt = section
        .setting(
            "in_doubt",
            "What to do when the answer to the final dot was lost: \"resend\" once after ten minutes, or \"ask\" a \
             person.",
        )
        .one_of(&[("resend", InDoubtPolicy::Resend), ("ask", InDoubtPolicy::Ask)], InDoubtPolicy::Resend);
    let connections = section.setting("connections", "Connections to one next hop.").count(1..=1000, 16) as usize;
    let per_second = section
        .setting(
            "per_second",
            "Mails a second to one next hop, at most. Releases begin with 20 and go as quickly as the hop takes them \
             well.",
        )
        .shown_as("mails a second, at most")
        .count(1..=100_000, 1000) as u32;
    section.end();
    ReleaseConfig { connections, per_second, in_doubt }
}
