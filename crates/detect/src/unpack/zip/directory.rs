//! The directories of a zip (APPNOTE 4.3.12 to 4.3.16). The last one counts for most unpackers; where two zips stand in
//! a row, some open the first.

use super::super::number::{piece, piece_so_far, size, u16_le, u32_le, u64_le};
use super::header::{Listed, aes, long_numbers, names};

/// What begins a line of a directory.
pub(super) const LINE: &[u8; 4] = b"PK\x01\x02";
/// What begins the record at the end.
const END: &[u8; 4] = b"PK\x05\x06";
/// What begins the same with numbers of eight bytes, and what tells where it is.
const END64: &[u8; 4] = b"PK\x06\x06";
const END64_PLACE: &[u8; 4] = b"PK\x06\x07";
/// Bytes of a record at the end without its comment, of the longest comment, and of what tells of the longer record.
const END_BYTES: usize = 22;
const COMMENT_BYTES_MAX: usize = 65_535;
const END64_PLACE_BYTES: usize = 20;
/// Bytes of a line before its name.
const LINE_BYTES: usize = 46;
/// Records at the end that are looked at, from the last one backwards.
const ENDS_MAX: usize = 50;

/// Where a directory begins, and what is to be added to the places that it names.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Directory {
    at: usize,
    base: u64,
}

/// Whether a zip stands at the end of the bytes, whatever stands before it: unpackers look for its record there.
pub(crate) fn ends_as_zip(bytes: &[u8]) -> bool {
    let tail = bytes.len().saturating_sub(END_BYTES + COMMENT_BYTES_MAX);
    memchr::memmem::rfind_iter(&bytes[tail..], END).take(ENDS_MAX).any(|end| {
        let comment = u16_le(bytes, tail + end + 20).map(usize::from);
        let is_whole = comment.is_some_and(|length| tail + end + END_BYTES + length <= bytes.len());
        is_whole && !of_end(bytes, tail + end).is_empty()
    })
}

/// Whether the bytes are a zip of nothing: only the record at the end.
pub(super) fn is_empty(bytes: &[u8]) -> bool {
    bytes.starts_with(END) && u16_le(bytes, 10) == Some(0) && bytes.len() >= END_BYTES
}

/// Whether the bytes are one of several volumes (APPNOTE 8.5): the first, by what it begins with, or the last, by the
/// number that its record at the end has. Those between have nothing by which they are known.
pub(super) fn is_volume(bytes: &[u8]) -> bool {
    const FIRST: &[u8; 8] = b"PK\x07\x08PK\x03\x04";
    // The number where a longer record says the true one (4.4.1.4).
    const ELSEWHERE: u16 = 0xffff;
    let last = memchr::memmem::rfind(bytes, END).filter(|end| !of_end(bytes, *end).is_empty());
    match last {
        Some(end) => u16_le(bytes, end + 4).is_some_and(|number| number != 0 && number != ELSEWHERE),
        None => bytes.starts_with(FIRST),
    }
}

/// Whether there is a directory.
pub(super) fn is_there(bytes: &[u8]) -> bool {
    memchr::memmem::rfind_iter(bytes, END).take(ENDS_MAX).any(|end| !of_end(bytes, end).is_empty())
}

/// The lines of all directories, each with what its places count from; those of the last directory first. No more than
/// `max`.
pub(super) fn lines(bytes: &[u8], max: usize) -> Vec<(Listed, u64)> {
    let mut directories: Vec<Directory> = Vec::new();
    for end in memchr::memmem::rfind_iter(bytes, END).take(ENDS_MAX) {
        for directory in of_end(bytes, end) {
            if !directories.iter().any(|known| known.at == directory.at) {
                directories.push(directory);
            }
        }
    }
    let mut lines = Vec::new();
    for Directory { mut at, base } in directories {
        while lines.len() < max {
            let Some((line, next)) = line(bytes, at) else { break };
            lines.push((line, base));
            at = next;
        }
    }
    lines
}

/// The directories that a record at the end may mean: right before it, or where it says.
fn of_end(bytes: &[u8], end: usize) -> Vec<Directory> {
    let (Some(length), Some(place)) = (u32_le(bytes, end + 12), u32_le(bytes, end + 16)) else { return Vec::new() };
    let mut directories = Vec::new();
    let mut add = |before: usize, length: u64, place: u64| {
        let right_before = before.saturating_sub(size(length));
        for (at, base) in [(right_before, (right_before as u64).saturating_sub(place)), (size(place), 0)] {
            if piece(bytes, at, 4).is_some_and(|mark| mark == LINE) {
                directories.push(Directory { at, base });
            }
        }
    };
    add(end, u64::from(length), u64::from(place));
    // Eight bytes long, where the record before this one tells the place (APPNOTE 4.3.14, 4.3.15).
    let teller = end.saturating_sub(END64_PLACE_BYTES);
    if piece(bytes, teller, 4).is_some_and(|mark| mark == END64_PLACE) {
        let told = u64_le(bytes, teller + 8).map(size).unwrap_or(usize::MAX);
        let places = [told, teller.saturating_sub(56)];
        let long_end = places.into_iter().find(|at| piece(bytes, *at, 4).is_some_and(|mark| mark == END64));
        let numbers = long_end.and_then(|at| Some((at, u64_le(bytes, at + 40)?, u64_le(bytes, at + 48)?)));
        if let Some((at, length, place)) = numbers {
            add(at, length, place);
        }
    }
    directories
}

/// A line of a directory, and where the next one begins.
fn line(bytes: &[u8], at: usize) -> Option<(Listed, usize)> {
    if piece(bytes, at, 4)? != LINE {
        return None;
    }
    let (flags, short) = (u16_le(bytes, at + 8)?, |field: usize| u32_le(bytes, at + field));
    let length = |field: usize| u16_le(bytes, at + field).map(usize::from);
    let (name_length, extra_length, comment_length) = (length(28)?, length(30)?, length(32)?);
    let text = piece_so_far(bytes, at + LINE_BYTES, name_length);
    let extra = piece_so_far(bytes, at + LINE_BYTES + name_length, extra_length);
    let [unpacked, packed, header_at] = long_numbers([short(24)?, short(20)?, short(42)?], extra);
    let listed = Listed {
        flags,
        method: u16_le(bytes, at + 10)?,
        time: u16_le(bytes, at + 12)?,
        crc: short(16)?,
        packed,
        unpacked,
        header_at,
        names: names(text, flags, extra),
        aes: aes(extra),
    };
    Some((listed, at + LINE_BYTES + name_length + extra_length + comment_length))
}
