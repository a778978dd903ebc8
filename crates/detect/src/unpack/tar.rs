//! Tar: POSIX ustar with pax records, GNU long names, and what was before both. Read here and not by the library, which
//! ends at the first header that is damaged; others go on with the next.

use super::found::Found;
use super::number::{piece, piece_so_far, size, until_nul};
use super::{Allowance, Closed, Member};

/// Bytes of a block: headers are one, contents are filled up to whole ones.
const BLOCK: usize = 512;
/// Bytes of a record of names that are read.
const RECORD_BYTES_MAX: usize = 1 << 20;

/// Opens a tar.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let mut at = 0;
    let mut told = Vec::new();
    let mut long_size = None;
    while let Some(block) = piece(bytes, at, BLOCK) {
        at += BLOCK;
        if block.iter().all(|byte| *byte == 0) {
            // Two of them are the end; some write more behind it, which others read.
            continue;
        }
        if !is_header(block) {
            found.note(Closed::NotAnalysed("damaged tar: no header where one should be".into()));
            continue;
        }
        let header_size = number(&block[124..136]);
        let length = size(long_size.take().unwrap_or(header_size));
        let content = piece_so_far(bytes, at, length);
        match block[156] {
            b'L' => told.push(plain(content)),
            b'x' => {
                let (name, size) = pax(content);
                told.extend(name);
                long_size = size;
            }
            // For all that follow; links of long names; the name of the volume.
            b'g' | b'K' | b'V' | b'M' => {}
            // Links, devices, folders, pipes.
            b'1'..=b'6' => told.clear(),
            _ => {
                allowance.entry()?;
                let names = std::mem::take(&mut told).into_iter().chain(own_name(block)).collect();
                let (content, closed) = allowance.copy(content);
                found.add(member(names, content), closed);
                if piece(bytes, at, length).is_none() {
                    found.note(Closed::NotAnalysed("damaged tar: it is cut off".into()));
                }
            }
        }
        at = at.saturating_add(length.checked_next_multiple_of(BLOCK).unwrap_or(usize::MAX));
    }
    if bytes.len() > at {
        found.note(Closed::NotAnalysed("damaged tar: it is cut off".into()));
    }
    Ok(())
}

/// A member. The header's own name is often the beginning of the long one, cut.
fn member(names: Vec<String>, content: Vec<u8>) -> Member {
    let mut member = Member::with_names(names, content);
    let name = member.name.clone();
    member.other_names.retain(|other| !(other.len() >= 99 && name.contains(other.as_str())));
    member
}

/// Whether a block is the header of a member: its checksum is that of all bytes, its own counted as blanks. Some wrote
/// the sum of signed bytes.
pub(crate) fn is_header(block: &[u8]) -> bool {
    let Some(header) = block.get(..BLOCK) else { return false };
    let is_octal = |byte: &u8| matches!(byte, b'0'..=b'7' | b' ' | 0);
    if header[0] == 0 || !header[148..156].iter().all(is_octal) || !header[148..156].iter().any(u8::is_ascii_digit) {
        return false;
    }
    let (mut unsigned, mut signed) = (0_i64, 0_i64);
    for (at, byte) in header.iter().enumerate() {
        let byte = if (148..156).contains(&at) { b' ' } else { *byte };
        unsigned += i64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    let told = i64::try_from(number(&header[148..156])).unwrap_or(-1);
    told == unsigned || told == signed
}

/// A number in octal digits, or in base 256 where the first bit is set (GNU).
fn number(field: &[u8]) -> u64 {
    if field.first().is_some_and(|byte| byte & 0x80 != 0) {
        return field.iter().skip(1).fold(0, |value: u64, byte| value.wrapping_shl(8) | u64::from(*byte));
    }
    let digits = field.iter().skip_while(|byte| **byte == b' ').take_while(|byte| matches!(byte, b'0'..=b'7'));
    digits.fold(0, |value: u64, byte| value.wrapping_mul(8).wrapping_add(u64::from(byte - b'0')))
}

/// The name in a header, behind its prefix where there is one.
fn own_name(header: &[u8]) -> Option<String> {
    let name = plain(&header[..100]);
    let is_posix = &header[257..263] == b"ustar\0";
    let prefix = if is_posix { plain(&header[345..500]) } else { String::new() };
    let whole = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
    (!whole.is_empty()).then_some(whole)
}

fn plain(text: &[u8]) -> String {
    let text = &text[..text.len().min(RECORD_BYTES_MAX)];
    String::from_utf8_lossy(until_nul(text)).into_owned()
}

/// Name and size among the records of pax: a length, a blank, a key, "=", a value, a line end.
fn pax(records: &[u8]) -> (Option<String>, Option<u64>) {
    let (mut name, mut size) = (None, None);
    let mut rest = &records[..records.len().min(RECORD_BYTES_MAX)];
    loop {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let length = std::str::from_utf8(&rest[..digits]).ok().and_then(|text| text.parse::<usize>().ok());
        let Some(record) = length.filter(|length| *length > digits).and_then(|length| rest.get(digits + 1..length))
        else {
            return (name, size);
        };
        let text = String::from_utf8_lossy(record);
        match text.trim_end_matches('\n').split_once('=') {
            Some(("path", value)) => name = Some(value.to_owned()),
            Some(("size", value)) => size = value.parse().ok(),
            _ => {}
        }
        rest = rest.get(length.unwrap_or(0)..).unwrap_or_default();
    }
}
