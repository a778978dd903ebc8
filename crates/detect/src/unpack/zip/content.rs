//! What is in a member of a zip.

use std::io::Read;

use super::super::number::{piece, u16_le, u32_le};
use super::super::{Allowance, Closed, xz};
use super::header::Entry;
use super::locked;

/// What is in a member that is not encrypted, or as much of it as could be read, and why not all could.
pub(crate) fn content(entry: &Entry, bytes: &[u8], allowance: &mut Allowance<'_>) -> (Vec<u8>, Option<Closed>) {
    let packed = entry.packed_bytes(bytes);
    let length = packed.len() as u64;
    let (mut content, mut closed) = match entry.method {
        0 => allowance.copy(packed),
        8 => allowance.read_so_far(length, flate2::bufread::DeflateDecoder::new(packed)),
        9 => return locked::by_library(entry, packed, allowance),
        12 => allowance.read_so_far(length, bzip2::bufread::BzDecoder::new(packed)),
        14 => lzma(entry, packed, allowance),
        95 => xz::read(packed, allowance),
        method => {
            let why = format!("compression method {method} of a zip is not opened");
            (Vec::new(), Some(Closed::NotAnalysed(why)))
        }
    };
    // More may come out than there should: unpackers end where the headers say.
    let declared = super::super::number::size(entry.unpacked);
    if let Some(right) = content.get(..declared).filter(|right| checksum(right) == entry.crc && entry.crc != 0) {
        content.truncate(right.len());
        closed = None;
    }
    let closed = closed.or_else(|| has_other_checksum(entry, &content));
    (content, closed)
}

/// The beginning of a member that is stored or deflated, and how many bytes were read and made for it: no more than
/// `room` at each step.
pub(crate) fn beginning(entry: &Entry, bytes: &[u8], room: usize) -> (Vec<u8>, usize) {
    let packed = entry.packed_bytes(bytes);
    let packed = &packed[..packed.len().min(room)];
    match entry.method {
        0 => (packed.to_vec(), packed.len()),
        8 => {
            let mut content = Vec::new();
            let mut source = flate2::bufread::DeflateDecoder::new(packed).take(room as u64);
            // What breaks off is read as far as it goes.
            let _ = source.read_to_end(&mut content);
            let read = super::super::number::size(source.get_ref().total_in());
            let used = read.saturating_add(content.len());
            (content, used)
        }
        _ => (Vec::new(), 0),
    }
}

/// LZMA in a zip (APPNOTE 5.8): a version, the length of the properties, the properties, the stream.
fn lzma(entry: &Entry, packed: &[u8], allowance: &mut Allowance<'_>) -> (Vec<u8>, Option<Closed>) {
    let header = u16_le(packed, 2).map(usize::from).and_then(|length| piece(packed, 4, length.max(5)));
    let Some(properties) = header else {
        return (Vec::new(), Some(Closed::NotAnalysed("damaged: LZMA without its properties".into())));
    };
    let (first, dictionary) = (properties.first().copied().unwrap_or(0), u32_le(properties, 1).unwrap_or(0));
    let stream = packed.get(4 + properties.len()..).unwrap_or_default();
    // Flag 1: a mark stands at its end; without it, or where it is damaged, the size tells.
    let has_mark = entry.flags & 2 != 0 || entry.is_open_ended;
    let (content, closed) =
        xz::lzma(stream, if has_mark { u64::MAX } else { entry.unpacked }, first, dictionary, allowance);
    match closed {
        Some(Closed::NotAnalysed(_)) if has_mark && !entry.is_open_ended => {
            xz::lzma(stream, entry.unpacked, first, dictionary, allowance)
        }
        closed => (content, closed),
    }
}

/// Whether what came out is not what was packed. Without a size the checksum stands behind the member.
fn has_other_checksum(entry: &Entry, content: &[u8]) -> Option<Closed> {
    let is_known = entry.crc != 0 && !entry.is_open_ended;
    (is_known && checksum(content) != entry.crc).then(|| Closed::NotAnalysed("damaged: a wrong checksum".into()))
}

/// The checksum that a zip has of its members.
pub(super) fn checksum(content: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(content);
    crc.sum()
}
