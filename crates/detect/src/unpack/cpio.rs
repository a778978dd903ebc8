//! Cpio in its three forms: binary, octal digits (odc), hexadecimal digits (newc).

use super::found::Found;
use super::number::{piece, piece_so_far, size, u16_be, u16_le, until_nul};
use super::{Allowance, Closed, Member};

/// The name of what stands behind the last member.
const TRAILER: &str = "TRAILER!!!";
/// Bits of the mode that tell a file from a folder, a link and others, and what they are for a file.
const KIND_BITS: u64 = 0o170_000;
const FILE_BITS: u64 = 0o100_000;

/// The header of a member, as far as it matters here.
struct Header {
    mode: u64,
    name_bytes: usize,
    content_bytes: usize,
    bytes: usize,
    /// What name and content are filled up to.
    alignment: usize,
}

/// Whether a cpio begins here.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    header(bytes, 0).is_some_and(|header| {
        let name = piece(bytes, header.bytes, header.name_bytes);
        name.is_some_and(|name| name.len() > 1 && name.last() == Some(&0) && !name[0].is_ascii_control())
    })
}

/// Opens a cpio.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let mut at = 0_usize;
    while let Some(header) = header(bytes, at) {
        let name = until_nul(piece_so_far(bytes, at.saturating_add(header.bytes), header.name_bytes));
        let name = String::from_utf8_lossy(name).into_owned();
        if name == TRAILER {
            return Ok(());
        }
        let from = aligned(at.saturating_add(header.bytes).saturating_add(header.name_bytes), header.alignment);
        if header.mode & KIND_BITS == FILE_BITS {
            allowance.entry()?;
            let (content, closed) = allowance.copy(piece_so_far(bytes, from, header.content_bytes));
            found.add(Member::new(name, content), closed);
        }
        at = aligned(from.saturating_add(header.content_bytes), header.alignment);
    }
    Err(Closed::NotAnalysed("damaged cpio: it ends before its end".into()))
}

fn aligned(at: usize, alignment: usize) -> usize {
    at.checked_next_multiple_of(alignment).unwrap_or(usize::MAX)
}

fn header(bytes: &[u8], at: usize) -> Option<Header> {
    let mark = piece(bytes, at, 6)?;
    match mark {
        b"070701" | b"070702" => digits(bytes, at, 16, [(14, 8), (94, 8), (54, 8)], 110, 4),
        b"070707" => digits(bytes, at, 8, [(18, 6), (59, 6), (65, 11)], 76, 1),
        [0xc7, 0x71, ..] => binary(bytes, at, u16_le),
        [0x71, 0xc7, ..] => binary(bytes, at, u16_be),
        _ => None,
    }
}

/// A header of digits: where the mode, the length of the name and that of the content stand.
fn digits(
    bytes: &[u8],
    at: usize,
    radix: u32,
    fields: [(usize, usize); 3],
    length: usize,
    alignment: usize,
) -> Option<Header> {
    let number = |(from, digits): (usize, usize)| {
        let text = std::str::from_utf8(piece(bytes, at + from, digits)?).ok()?;
        u64::from_str_radix(text, radix).ok()
    };
    let [mode, name, content] = fields.map(number);
    Some(Header { mode: mode?, name_bytes: size(name?), content_bytes: size(content?), bytes: length, alignment })
}

/// A header of words; numbers of two words have the higher one first.
fn binary(bytes: &[u8], at: usize, word: fn(&[u8], usize) -> Option<u16>) -> Option<Header> {
    let (high, low) = (word(bytes, at + 22)?, word(bytes, at + 24)?);
    Some(Header {
        mode: u64::from(word(bytes, at + 6)?),
        name_bytes: usize::from(word(bytes, at + 20)?),
        content_bytes: usize::from(high) << 16 | usize::from(low),
        bytes: 26,
        alignment: 2,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::opened_as;
    use super::*;

    fn newc(name: &str, content: &str) -> String {
        let mut one = format!("070701{:08x}{:08x}{:032x}{:08x}", 0, 0o100_644, 0, content.len());
        one += &format!("{:032x}{:08x}{:08x}{name}\0", 0, name.len() + 1, 0);
        one += &"\0".repeat(one.len().next_multiple_of(4) - one.len());
        one += content;
        one += &"\0".repeat(one.len().next_multiple_of(4) - one.len());
        one
    }

    /// One of hexadecimal digits.
    pub(in super::super) fn sample() -> Vec<u8> {
        (newc("in.js", "hello") + &newc("b", "x") + &newc(TRAILER, "")).into_bytes()
    }

    #[test]
    fn all_three_forms_are_opened() {
        let odc = |name: &str, content: &str| {
            format!(
                "070707{:012o}{:06o}{:035o}{:06o}{:011o}{name}\0{content}",
                0,
                0o100_644,
                0,
                name.len() + 1,
                content.len()
            )
        };
        let odc = odc("in.js", "hello") + &odc("b", "x") + &odc(TRAILER, "");
        let binary = |name: &str, content: &str| {
            let words = [0o070707, 0, 0, 0o100_644, 0, 0, 0, 0, 0, 0, name.len() as u16 + 1, 0, content.len() as u16];
            let mut one: Vec<u8> = words.into_iter().flat_map(u16::to_le_bytes).collect();
            one.extend(name.bytes().chain([0]));
            one.resize(one.len().next_multiple_of(2), 0);
            one.extend(content.bytes());
            one.resize(one.len().next_multiple_of(2), 0);
            one
        };
        let binary = [binary("in.js", "hello"), binary("b", "x"), binary(TRAILER, "")].concat();
        for bytes in [&sample()[..], odc.as_bytes(), &binary] {
            assert!(is_one(bytes));
            let (members, closed) = opened_as("application/x-cpio", bytes, "a.cpio");
            let seen: Vec<(&str, &[u8])> =
                members.iter().map(|one| (one.name.as_str(), one.bytes.as_slice())).collect();
            assert_eq!((seen, closed), (vec![("in.js", &b"hello"[..]), ("b", b"x")], vec![]));
        }
        let note = format!("070701 is the number of an order, and this is a note about it.{}", " So it is.".repeat(9));
        assert!(!is_one(note.as_bytes()));
    }
}
