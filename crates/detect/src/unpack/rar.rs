//! Rar: the names of its files, and the contents of those that lie there unpacked. Nothing free opens the others; clamd
//! does.

use super::found::Found;
use super::number::{piece, piece_so_far, size, u16_le, u32_le};
use super::{Allowance, Closed, Member};
use crate::utf16;

/// What begins version 4, and what begins version 5.
const FOUR: &[u8; 7] = b"Rar!\x1a\x07\0";
const FIVE: &[u8; 8] = b"Rar!\x1a\x07\x01\0";
/// Bytes in which its beginning is looked for.
pub(super) const BEGIN_WITHIN_BYTES: usize = 1 << 20;
/// Letters of a name in Unicode that are read.
const NAME_UNITS_MAX: usize = 4096;

/// A file of a rar.
struct File {
    names: Vec<String>,
    /// Its bytes, where they lie there as they are.
    stored: Option<(usize, usize)>,
    is_locked: bool,
}

/// Where a rar begins; programs that unpack themselves have one behind them, so that unpackers search for it.
pub(super) fn begin(bytes: &[u8]) -> Option<usize> {
    let head = &bytes[..bytes.len().min(BEGIN_WITHIN_BYTES)];
    let is_rar = |at: &usize| head[*at..].starts_with(FOUR) || head[*at..].starts_with(FIVE);
    memchr::memmem::find_iter(head, &FIVE[..6]).find(is_rar)
}

/// Opens a rar of version 4 or 5.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let bytes = begin(bytes).and_then(|at| bytes.get(at..)).unwrap_or(bytes);
    if is_volume(bytes) {
        found.note(Closed::Volume);
    }
    let mut on = |file: File| {
        allowance.entry()?;
        let (content, closed) = match file.stored {
            Some((from, length)) => allowance.copy(piece_so_far(bytes, from, length)),
            None if file.is_locked => (Vec::new(), Some(Closed::Encrypted)),
            None => (Vec::new(), Some(Closed::NotAnalysed("what is in a rar is not opened, only named".into()))),
        };
        found.add(Member::with_names(file.names, content), closed);
        Ok(())
    };
    if bytes.starts_with(FIVE) {
        five(bytes, &mut on)
    } else if bytes.starts_with(FOUR) {
        four(bytes, &mut on)
    } else {
        Err(Closed::NotAnalysed("damaged rar: its header".into()))
    }
}

/// Whether the archive's own header, which is the first one, says that it is one of several volumes.
fn is_volume(bytes: &[u8]) -> bool {
    if bytes.starts_with(FIVE) {
        let mut reader = Vint { bytes, at: FIVE.len() + 4 };
        let mut number = || reader.next().unwrap_or(0);
        let (_size, kind, flags) = (number(), number(), number());
        let _extra = if flags & 1 != 0 { number() } else { 0 };
        return kind == 1 && number() & 1 != 0;
    }
    let at = FOUR.len();
    bytes.get(at + 2) == Some(&0x73) && u16_le(bytes, at + 3).is_some_and(|flags| flags & 1 != 0)
}

fn cut_off() -> Closed {
    Closed::NotAnalysed("damaged rar: it ends before its end".into())
}

/// Blocks of version 4: checksum, type, flags, size; files have the size of their data and a name.
fn four(bytes: &[u8], on: &mut impl FnMut(File) -> Result<(), Closed>) -> Result<(), Closed> {
    const HAS_DATA: u16 = 0x8000;
    let mut at = FOUR.len();
    while let (Some(kind), Some(flags), Some(size)) =
        (bytes.get(at + 2), u16_le(bytes, at + 3), u16_le(bytes, at + 5).map(usize::from))
    {
        if size < 7 {
            return Err(cut_off());
        }
        let has_data = *kind == 0x74 || flags & HAS_DATA != 0;
        let added = if has_data { u32_le(bytes, at + 7).unwrap_or(0) as usize } else { 0 };
        let data_at = at.saturating_add(size);
        match kind {
            // The archive's own header: its flags tell whether all headers behind it are encrypted.
            0x73 if flags & 0x80 != 0 => return Err(Closed::Encrypted),
            0x74 => file_of_four(bytes, at, flags, data_at, added).map_or(Ok(()), &mut *on)?,
            0x7b => return Ok(()),
            _ => {}
        }
        at = data_at.saturating_add(added);
    }
    if at == bytes.len() { Ok(()) } else { Err(cut_off()) }
}

fn file_of_four(bytes: &[u8], at: usize, flags: u16, data_at: usize, packed: usize) -> Option<File> {
    const FOLDER: u16 = 0xe0;
    const LOCKED: u16 = 4;
    const IS_STORED: u8 = 0x30;
    if flags & FOLDER == FOLDER {
        return None;
    }
    let from = at + if flags & 0x100 != 0 { 40 } else { 32 };
    let name = piece(bytes, from, u16_le(bytes, at + 26).map(usize::from)?)?;
    // The name in the old charset ends where its Unicode form begins.
    let plain = super::number::until_nul(name);
    let mut names = vec![String::from_utf8_lossy(plain).into_owned()];
    if flags & 0x200 != 0 {
        let wide = name.get(plain.len() + 1..).map(|encoded| unicode(encoded, plain));
        names.splice(0..0, wide.filter(|wide| !wide.is_empty()));
    }
    let is_locked = flags & LOCKED != 0;
    let is_stored = bytes.get(at + 25) == Some(&IS_STORED) && !is_locked;
    Some(File { names, stored: is_stored.then_some((data_at, packed)), is_locked })
}

/// The name in Unicode, encoded against the plain one: a common high byte, then pairs of flags that say for each letter
/// whether it is a low byte, one with the common high byte, a whole unit, or a run of the plain name.
fn unicode(encoded: &[u8], plain: &[u8]) -> String {
    let mut units = Vec::new();
    // Where it ends too early, what came before it counts.
    let _ended = units_of(encoded, plain, &mut units);
    utf16::of(units)
}

fn units_of(encoded: &[u8], plain: &[u8], units: &mut Vec<u16>) -> Option<()> {
    let mut rest = encoded.iter().copied();
    let high = u16::from(rest.next()?) << 8;
    while units.len() < NAME_UNITS_MAX {
        let flags = rest.next()?;
        for shift in [6, 4, 2, 0] {
            let byte = rest.next()?;
            match flags >> shift & 3 {
                0 => units.push(u16::from(byte)),
                1 => units.push(high | u16::from(byte)),
                2 => units.push(u16::from(rest.next()?) << 8 | u16::from(byte)),
                _ => {
                    let (added, high) = if byte & 0x80 != 0 { (rest.next()?, high) } else { (0, 0) };
                    for _ in 0..usize::from(byte & 0x7f) + 2 {
                        let letter = plain.get(units.len())?.wrapping_add(added);
                        units.push(high | u16::from(letter));
                    }
                }
            }
        }
    }
    Some(())
}

/// Blocks of version 5: checksum, then numbers of variable length.
fn five(bytes: &[u8], on: &mut impl FnMut(File) -> Result<(), Closed>) -> Result<(), Closed> {
    let mut at = FIVE.len();
    loop {
        let mut reader = Vint { bytes, at: at + 4 };
        let Some(size) = reader.next() else { break };
        let start = reader.at;
        let (Some(kind), Some(flags)) = (reader.next(), reader.next()) else { break };
        let extra = if flags & 1 != 0 { reader.next().unwrap_or(0) } else { 0 };
        let data = if flags & 2 != 0 { reader.next().unwrap_or(0) } else { 0 };
        let end = start.saturating_add(size);
        match kind {
            2 => {
                let is_locked = extra > 0 && has_encryption(bytes, end.saturating_sub(extra), end);
                if let Some((name, is_stored)) = file_of_five(&mut reader) {
                    let stored = (is_stored && !is_locked).then_some((end, data));
                    on(File { names: vec![name], stored, is_locked })?;
                }
            }
            // All headers behind it are encrypted.
            4 => return Err(Closed::Encrypted),
            5 => return Ok(()),
            _ => {}
        }
        let next = end.saturating_add(data);
        if next <= at {
            break;
        }
        at = next;
    }
    if at == bytes.len() { Ok(()) } else { Err(cut_off()) }
}

/// The name of a file, and whether it lies there unpacked; nothing for a folder.
fn file_of_five(reader: &mut Vint<'_>) -> Option<(String, bool)> {
    let flags = reader.next()?;
    let _unpacked = reader.next()?;
    let _attributes = reader.next()?;
    reader.at += if flags & 2 != 0 { 4 } else { 0 } + if flags & 4 != 0 { 4 } else { 0 };
    let compression = reader.next()?;
    let _system = reader.next()?;
    let length = reader.next()?;
    let name = piece(reader.bytes, reader.at, length)?;
    (flags & 1 == 0).then(|| (String::from_utf8_lossy(name).into_owned(), compression >> 7 & 7 == 0))
}

/// Records of the extra area: size, type (1 is encryption), content.
fn has_encryption(bytes: &[u8], from: usize, end: usize) -> bool {
    let mut at = from;
    while at < end {
        let mut reader = Vint { bytes, at };
        let Some(size) = reader.next() else { return false };
        let start = reader.at;
        if reader.next() == Some(1) {
            return true;
        }
        at = start.saturating_add(size.max(1));
    }
    false
}

struct Vint<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Vint<'_> {
    fn next(&mut self) -> Option<usize> {
        let mut value = 0_u64;
        for shift in (0..63).step_by(7) {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(size(value));
            }
        }
        None
    }
}
