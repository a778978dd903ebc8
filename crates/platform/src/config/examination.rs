//! `[examination]`: how far one mail is taken apart. What is over is `Unscannable`, and policy decides.

use std::time::Duration;

use detect::limits::Limits;

use super::section::{Faults, Section};

/// Reads it; `time` is what one examination may take.
pub(super) fn examination(root: &mut Section<'_>, time: Duration, faults: &mut Faults<'_>) -> Limits {
    let mut section = root.section("examination", faults);
    let usual = Limits::default();
    let mut number =
        |key: &str, allowed: std::ops::Range<u64>, usual: u64| section.number(key, allowed, faults).unwrap_or(usual);
    let mut limits = Limits { time_max: time, ..usual.clone() };
    limits.mime_depth_max = number("mime_depth", 1..101, usual.mime_depth_max.into()) as u32;
    limits.parts_max = number("parts", 1..10_001, usual.parts_max as u64) as usize;
    limits.archive_depth_max = number("archive_depth", 1..17, usual.archive_depth_max.into()) as u32;
    limits.archive_entries_max = number("archive_entries", 1..100_001, usual.archive_entries_max as u64) as usize;
    limits.unpacked_bytes_max = number("unpacked_mib", 1..513, usual.unpacked_bytes_max >> 20) << 20;
    limits.ratio_max = number("unpacked_ratio", 2..10_001, usual.ratio_max);
    // Each mail in a mail may be a step of the parser's stack: there may be fewer than by default, and not more.
    limits.nested_mails_max = number("nested_mails", 1..501, usual.nested_mails_max as u64) as usize;
    limits.headers_bytes_max = (number("headers_mib", 1..65, usual.headers_bytes_max as u64 >> 20) << 20) as usize;
    limits.header_lines_max = number("header_lines", 100..1_000_001, usual.header_lines_max as u64) as usize;
    limits.encoded_mails_max = number("encoded_mails", 1..1001, usual.encoded_mails_max as u64) as usize;
    limits.encoded_bytes_max = (number("encoded_mib", 1..513, usual.encoded_bytes_max as u64 >> 20) << 20) as usize;
    section.end(faults);
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
