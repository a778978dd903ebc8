//! The streams of xz (its file format 1.2.1) and of LZMA. Read here and not by the library, because a header of twelve
//! bytes may ask for a dictionary of 4 GiB, and because what is before some damage is of use to others as well.

use std::io::Read;

use lzma_rust2::filter::bcj::BcjReader;
use lzma_rust2::filter::delta::DeltaReader;
use lzma_rust2::{Lzma2Reader, LzmaReader};

use super::number::{piece, u16_le, u32_le};
use super::{Allowance, Closed};
use crate::limits::Limits;

/// What begins a stream.
const STREAM: &[u8; 6] = b"\xfd7zXZ\0";
/// Bytes of the header of a stream, and of its footer.
const EDGE_BYTES: usize = 12;
/// Bytes of the checksum behind a block, by its kind.
const CHECK_BYTES: [usize; 16] = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];
/// The filter that every chain ends with.
const LZMA2: u64 = 0x21;
/// The property of the largest dictionary.
const DICTIONARY_MAX: u8 = 40;

/// What is in an xz file, or as much of it as could be read, and why not all could.
pub(super) fn read(bytes: &[u8], allowance: &mut Allowance<'_>) -> (Vec<u8>, Option<Closed>) {
    let mut content = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let ended = stream(&mut rest, bytes.len() as u64, &mut content, allowance);
        if let Err(closed) = ended {
            return (content, Some(closed));
        }
        // Streams may be padded with zeros, and one may follow another.
        let padding = rest.iter().take_while(|byte| **byte == 0).count();
        rest = rest.get(padding..).unwrap_or_default();
    }
    (content, None)
}

fn damaged(what: &str) -> Closed {
    Closed::NotAnalysed(format!("damaged xz: {what}"))
}

/// One stream: a header, blocks, an index, a footer.
fn stream(rest: &mut &[u8], packed: u64, content: &mut Vec<u8>, allowance: &mut Allowance<'_>) -> Result<(), Closed> {
    if !rest.starts_with(STREAM) {
        return Err(damaged("no stream where one should begin"));
    }
    let check = rest.get(7).map(|kind| CHECK_BYTES[usize::from(kind & 15)]).unwrap_or(0);
    *rest = rest.get(EDGE_BYTES..).ok_or_else(|| damaged("cut off in a header"))?;
    loop {
        match rest.first() {
            None => return Err(damaged("cut off before its index")),
            Some(0) => return index(rest).ok_or_else(|| damaged("cut off in its index")),
            Some(_) => block(rest, check, packed, content, allowance)?,
        }
    }
}

/// Passes over the index and the footer of a stream.
fn index(rest: &mut &[u8]) -> Option<()> {
    let mut at = 1;
    let records = number(rest, &mut at)?;
    for _ in 0..records {
        number(rest, &mut at)?;
        number(rest, &mut at)?;
    }
    *rest = rest.get(at.next_multiple_of(4) + 4 + EDGE_BYTES..)?;
    Some(())
}

/// A block: its header says by which filters its content is read.
fn block(
    rest: &mut &[u8],
    check: usize,
    packed: u64,
    content: &mut Vec<u8>,
    allowance: &mut Allowance<'_>,
) -> Result<(), Closed> {
    let length = rest.first().map(|size| (usize::from(*size) + 1) * 4).unwrap_or(0);
    let header = rest.get(..length).ok_or_else(|| damaged("cut off in a block"))?;
    let filters = filters(header).ok_or_else(|| damaged("a header of a block"))?;
    *rest = rest.get(length..).unwrap_or_default();
    let before = rest.len();
    let Some(((LZMA2, [property]), others)) = filters.split_last() else {
        return Err(damaged("a chain of filters without LZMA2"));
    };
    let claimed = dictionary_bytes(*property).ok_or_else(|| damaged("a dictionary of no size"))?;
    let dictionary = allowance.dictionary(claimed)?;
    let mut reader: Box<dyn Read + '_> = Box::new(Lzma2Reader::new(&mut *rest, dictionary, None));
    for (filter, properties) in others.iter().rev() {
        reader = filtered(reader, *filter, properties).ok_or_else(|| damaged("an unknown filter"))?;
    }
    let (part, closed) = allowance.read_so_far(packed, reader);
    content.extend(part);
    if let Some(closed) = closed {
        return Err(over_claimed(closed, claimed));
    }
    let used = before - rest.len();
    *rest = rest.get(used.next_multiple_of(4) - used + check..).unwrap_or_default();
    Ok(())
}

/// What is damaged for a dictionary that is smaller than it asks for is over a limit.
fn over_claimed(closed: Closed, claimed: u64) -> Closed {
    let limit = Limits::DICTIONARY_BYTES_MAX;
    match closed {
        Closed::NotAnalysed(_) if claimed > limit => {
            Closed::Limit(format!("a dictionary of more than {} MiB", limit >> 20))
        }
        other => other,
    }
}

type Filter<'b> = (u64, &'b [u8]);

/// The filters that the header of a block names, up to four, each with its properties.
fn filters(header: &[u8]) -> Option<Vec<Filter<'_>>> {
    let flags = *header.get(1)?;
    let mut at = 2;
    for is_there in [flags & 0x40, flags & 0x80] {
        if is_there != 0 {
            number(header, &mut at)?;
        }
    }
    (0..=flags & 3)
        .map(|_| {
            let (filter, length) = (number(header, &mut at)?, number(header, &mut at)?);
            let length = usize::try_from(length).ok()?;
            let properties = piece(header, at, length)?;
            at += length;
            Some((filter, properties))
        })
        .collect()
}

fn dictionary_bytes(property: u8) -> Option<u64> {
    match property {
        DICTIONARY_MAX => Some(u64::from(u32::MAX)),
        0..DICTIONARY_MAX => Some((2 | u64::from(property & 1)) << (property / 2 + 11)),
        _ => None,
    }
}

/// The filters that make programs pack better, by their numbers in the format.
fn filtered<'r>(inner: Box<dyn Read + 'r>, filter: u64, properties: &[u8]) -> Option<Box<dyn Read + 'r>> {
    let start = u32_le(properties, 0).unwrap_or(0) as usize;
    Some(match filter {
        3 => Box::new(DeltaReader::new(inner, usize::from(*properties.first()?) + 1)),
        4 => Box::new(BcjReader::new_x86(inner, start)),
        5 => Box::new(BcjReader::new_ppc(inner, start)),
        6 => Box::new(BcjReader::new_ia64(inner, start)),
        7 => Box::new(BcjReader::new_arm(inner, start)),
        8 => Box::new(BcjReader::new_arm_thumb(inner, start)),
        9 => Box::new(BcjReader::new_sparc(inner, start)),
        10 => Box::new(BcjReader::new_arm64(inner, start)),
        11 => Box::new(BcjReader::new_riscv(inner, start)),
        _ => return None,
    })
}

/// A number of variable length: seven bits a byte, the lowest first.
fn number(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// What is in a stream of LZMA: `size` is what it unpacks to, or `u64::MAX` where a mark stands at its end.
pub(super) fn lzma(
    stream: &[u8],
    size: u64,
    properties: u8,
    dictionary: u32,
    allowance: &mut Allowance<'_>,
) -> (Vec<u8>, Option<Closed>) {
    let claimed = u64::from(dictionary);
    let granted = match allowance.dictionary(claimed.min(size)) {
        Ok(granted) => granted,
        Err(over) => return (Vec::new(), Some(over)),
    };
    match LzmaReader::new_with_props(stream, size, properties, granted, None) {
        Ok(reader) => {
            let (content, closed) = allowance.read_so_far(stream.len() as u64, reader);
            (content, closed.map(|closed| over_claimed(closed, claimed)))
        }
        Err(error) => (Vec::new(), Some(Closed::NotAnalysed(format!("damaged LZMA: {error}")))),
    }
}

/// The header of an `.lzma` file: properties, dictionary, size.
pub(super) fn lzma_header(bytes: &[u8]) -> Option<(u8, u32, u64)> {
    let size = u64::from(u32_le(bytes, 5)?) | u64::from(u32_le(bytes, 9)?) << 32;
    Some((*bytes.first()?, u32_le(bytes, 1)?, size))
}

/// Whether the bytes are an `.lzma` file. It has no mark, but writers choose few of the values that would do:
/// properties of 0x5d, a dictionary of one or one and a half powers of two, a size below 256 GiB or none, and the first
/// byte of the stream is 0.
pub(crate) fn is_lzma(bytes: &[u8]) -> bool {
    let Some((0x5d, dictionary, size)) = lzma_header(bytes) else { return false };
    let is_usual = dictionary.is_power_of_two() || (dictionary % 3 == 0 && (dictionary / 3).is_power_of_two());
    let has_sane_size = size == u64::MAX || size >> 38 == 0;
    dictionary >= 1 << 12 && is_usual && has_sane_size && u16_le(bytes, 13).is_some_and(|begin| begin & 0xff == 0)
}
