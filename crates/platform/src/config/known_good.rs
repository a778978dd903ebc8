//! `[known_good]`: what of clean mail is remembered, and how much.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::DomainName;

use super::contradiction::is_reached;
use super::names::domain_name;
use super::section::Section;
use crate::keys::RING_FILE;

/// What of clean mail is remembered, and how much.
#[derive(Clone, Debug)]
pub struct KnownGoodConfig {
    /// Whether anything is.
    pub is_on: bool,
    /// Domains of ours of whose mail nothing is remembered.
    pub without: BTreeSet<DomainName>,
    /// The file of its keys.
    pub key_file: PathBuf,
    /// Bytes of all parts that are kept.
    pub bytes_max: u64,
    /// Bytes of one part, or of one whole mail.
    pub part_bytes_max: u64,
    /// How long content is remembered after it was last seen.
    pub remembered: Duration,
    /// Whole mails kept on one day.
    pub mails_a_day: u64,
    /// Whole mails kept in all.
    pub mails_max: u64,
}

/// Reads it.
pub(super) fn known_good(root: &mut Section<'_>, data_dir: &Path) -> KnownGoodConfig {
    let about = "What of clean mail is remembered, so that a new detection can be tried on it before it acts: \
                 attachments and pictures by hash, their bytes and a sample of whole mails encrypted.";
    let mut section = root.section("known_good", about);
    let it = &mut section;
    let config = KnownGoodConfig {
        is_on: it.setting("on", "Whether anything is remembered.").flag(true),
        without: it
            .setting("without", "Domains of yours: of mail from or to them nothing is remembered.")
            .list("domains", domain_name)
            .into_iter()
            .collect(),
        bytes_max: it.setting("mib", "What is kept of parts, all together.").shown_as("bytes").mib(1..=1_048_576, 2048),
        part_bytes_max: it
            .setting("part_kib", "The largest part, or whole mail, that is kept.")
            .shown_as("part_bytes")
            .kib(1..=65_536, 4096),
        remembered: it
            .setting("days", "How long content is remembered after it was last seen.")
            .shown_as("remembered")
            .days(1..=3650, 60),
        mails_a_day: it.setting("mails_a_day", "Whole mails that are kept of one day.").count(0..=100_000, 200),
        mails_max: it.setting("mails", "Whole mails that are kept in all.").count(0..=1_000_000, 3000),
        key_file: it
            .setting(
                "key_file",
                "The file of the keys, where they are not in the systemd credential \"known-good.key\". Default: \
                 \"known-good.key\" in data_dir.",
            )
            .default("\"known-good.key\" in data_dir")
            .example("\"known-good.key\"")
            .path_or(data_dir.join(RING_FILE)),
    };
    is_reached(&section, "part_kib", "mib", "no part of that size could be kept");
    is_reached(&section, "mails_a_day", "mails", "the sample of a day would not fit");
    section.end();
    config
}
