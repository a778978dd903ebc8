//! The archive walkers: bounded in entries, bytes and time, whatever the archive says of itself.

use std::time::Duration;

use detect::limits::{Budget, Limits};
use detect::unpack::{self, Allowance};

const ENTRIES_MAX: usize = 50;
const UNPACKED_BYTES_MAX: u64 = 1 << 20;
/// Why something was not seen: each reason once, and not without end.
const REASONS_MAX: usize = 40;

/// Opens the bytes as a zip archive.
pub fn zip(bytes: &[u8]) {
    open("application/zip", bytes);
}

/// Opens the bytes as a gzip file.
pub fn gzip(bytes: &[u8]) {
    open("application/gzip", bytes);
}

/// Opens the bytes as a tar archive.
pub fn tar(bytes: &[u8]) {
    open("application/x-tar", bytes);
}

fn open(content_type: &str, bytes: &[u8]) {
    let limits =
        Limits { archive_entries_max: ENTRIES_MAX, unpacked_bytes_max: UNPACKED_BYTES_MAX, ..Limits::default() };
    let mut allowance = Allowance::new(&limits, Budget::starting_now(Duration::from_secs(20)));
    let (members, closed) = unpack::open(content_type, bytes, "a.bin", &mut allowance);
    assert!(members.len() <= ENTRIES_MAX);
    let unpacked: usize = members.iter().map(|member| member.bytes.len()).sum();
    // One block may come out before the limit is looked at.
    assert!(unpacked as u64 <= UNPACKED_BYTES_MAX + (1 << 16), "{unpacked} bytes came out");
    assert!(closed.len() <= REASONS_MAX, "{closed:?}");
}
