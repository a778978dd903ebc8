//! `[examination]`: how far one mail is taken apart. What is over is `Unscannable`, and policy decides.

use detect::limits::Limits;

use super::section::Section;

/// Reads it. How long one examination may take is a limit of the gateway, and not known here.
pub(super) fn examination(root: &mut Section<'_>) -> Limits {
    let about = "How far one mail is taken apart; what goes beyond is Unscannable, and policy decides.";
    let mut section = root.section("examination", about);
    let it = &mut section;
    let usual = Limits::default();
    let limits = Limits {
        mime_depth_max: it
            .setting("mime_depth", "Parts in parts, and mails in mails.")
            .count(1..=100, usual.mime_depth_max.into()) as u32,
        parts_max: it
            .setting("parts", "Parts of one mail, what its archives hold included.")
            .count(1..=10_000, usual.parts_max as u64) as usize,
        archive_depth_max: it
            .setting("archive_depth", "Archives in archives.")
            .count(1..=16, usual.archive_depth_max.into()) as u32,
        archive_entries_max: it
            .setting("archive_entries", "Entries of all archives of one mail.")
            .count(1..=100_000, usual.archive_entries_max as u64) as usize,
        unpacked_bytes_max: it
            .setting("unpacked_mib", "What comes out of all archives of one mail.")
            .shown_as("unpacked")
            .mib(1..=512, usual.unpacked_bytes_max >> 20),
        ratio_max: it
            .setting("unpacked_ratio", "Bytes that come out of an archive for each byte that was packed.")
            .count(2..=10_000, usual.ratio_max),
        nested_mails_max: it
            .setting("nested_mails", "Mails in mails. It may not be raised: each may be a step of the parser's stack.")
            .count(1..=500, usual.nested_mails_max as u64) as usize,
        headers_bytes_max: it
            .setting("headers_mib", "Headers of all parts together.")
            .shown_as("headers")
            .mib(1..=64, usual.headers_bytes_max as u64 >> 20) as usize,
        header_lines_max: it
            .setting("header_lines", "Lines of the headers of all parts together.")
            .count(100..=1_000_000, usual.header_lines_max as u64) as usize,
        encoded_mails_max: it
            .setting("encoded_mails", "Mails in mails that are encoded.")
            .count(1..=1000, usual.encoded_mails_max as u64) as usize,
        encoded_bytes_max: it
            .setting("encoded_mib", "What comes out of mails in mails that are encoded, all together.")
            .shown_as("encoded")
            .mib(1..=512, usual.encoded_bytes_max as u64 >> 20) as usize,
        time_max: usual.time_max,
    };
    section.end();
    limits
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Config, EXAMPLE};

    #[test]
    fn how_far_a_mail_is_taken_apart_is_set() {
        let read = |text: &str| Config::parse(&format!("{EXAMPLE}\n{text}"), Path::new("/etc/reprieve"));
        let limits = read("[examination]\nnested_mails = 5\nheaders_mib = 1\n[limits]\nexamine_deadline_s = 7\n")
            .expect("right")
            .examination;
        assert_eq!((limits.nested_mails_max, limits.headers_bytes_max), (5, 1 << 20));
        assert_eq!((limits.parts_max, limits.time_max.as_secs()), (2000, 7));
        let faults = read("[examination]\nnested_mails = 501\n").expect_err("the stack");
        assert!(faults[0].what.contains("from 1 to 500"), "{faults:?}");
    }
}
