//! What Microsoft's COMPRESS of old wrote (SZDD and KWAJ), and what `expand` on every Windows unpacks: one file, whose
//! name lost its last letter or stands in the header.

use std::io::Read;

use super::found::Found;
use super::number::{u16_le, until_nul};
use super::stream::without_ending;
use super::{Allowance, Closed, Member};

/// What begins the two forms.
pub(super) const SZDD: &[u8; 8] = b"SZDD\x88\xf0\x27\x33";
pub(super) const KWAJ: &[u8; 8] = b"KWAJ\x88\xf0\x27\xd1";
/// Bytes of the header of SZDD: the mark, a mode, the letter that the name lost, a size.
const SZDD_BYTES: usize = 14;
/// The window of what was written last, and where its first byte goes.
const WINDOW: usize = 4096;
const WINDOW_BEGIN: usize = WINDOW - 16;

/// Opens a file of COMPRESS.
pub(super) fn open(bytes: &[u8], name: &str, allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    allowance.entry()?;
    let (names, content) = if bytes.starts_with(SZDD) { szdd(bytes, name) } else { kwaj(bytes, name) };
    let (content, closed) = match content {
        Content::Plain(content) => allowance.copy(content),
        Content::Inverted(content) => {
            let plain: Vec<u8> = content.iter().map(|byte| !byte).collect();
            allowance.copy(&plain)
        }
        Content::Packed(packed) => allowance.read_so_far(packed.len() as u64, Expander::new(packed)),
        Content::Closed(why) => (Vec::new(), Some(Closed::NotAnalysed(why))),
    };
    found.add(Member::with_names(names, content), closed);
    Ok(())
}

enum Content<'b> {
    Plain(&'b [u8]),
    Inverted(&'b [u8]),
    Packed(&'b [u8]),
    Closed(String),
}

/// The name without the underscore, with the letter that the header has instead.
fn szdd<'b>(bytes: &'b [u8], name: &str) -> (Vec<String>, Content<'b>) {
    let letter = bytes.get(9).filter(|letter| letter.is_ascii_alphanumeric()).map(|letter| char::from(*letter));
    let stem = name.strip_suffix('_').unwrap_or(name);
    let whole = letter.map(|letter| format!("{stem}{letter}"));
    let names = whole.into_iter().chain([stem.to_owned()]).collect();
    let content = match bytes.get(8) {
        Some(b'A') => Content::Packed(bytes.get(SZDD_BYTES..).unwrap_or_default()),
        _ => Content::Closed("SZDD of an unknown mode".into()),
    };
    (names, content)
}

/// The method, where the content begins, and which fields follow: a size, two bytes, some bytes, a name, an extension.
fn kwaj<'b>(bytes: &'b [u8], name: &str) -> (Vec<String>, Content<'b>) {
    let (method, from, flags) = (u16_le(bytes, 8), u16_le(bytes, 10), u16_le(bytes, 12).unwrap_or(0));
    let mut at = SZDD_BYTES;
    at += if flags & 1 != 0 { 4 } else { 0 };
    at += if flags & 2 != 0 { 2 } else { 0 };
    at += if flags & 4 != 0 { 2 + usize::from(u16_le(bytes, at).unwrap_or(0)) } else { 0 };
    let mut text = |is_there: bool, max: usize| {
        let field = bytes.get(at..).filter(|_| is_there).unwrap_or_default();
        let text = until_nul(&field[..field.len().min(max)]);
        at += text.len() + 1;
        String::from_utf8_lossy(text).into_owned()
    };
    let (stem, extension) = (text(flags & 8 != 0, 9), text(flags & 16 != 0, 4));
    let stored = if extension.is_empty() { stem } else { format!("{stem}.{extension}") };
    let names = [stored, without_ending(name, &[("_", "")])].into_iter().filter(|name| !name.is_empty()).collect();
    let content = bytes.get(usize::from(from.unwrap_or(u16::MAX))..).unwrap_or_default();
    let content = match method {
        Some(0) => Content::Plain(content),
        Some(1) => Content::Inverted(content),
        Some(2) => Content::Packed(content),
        other => Content::Closed(format!("KWAJ of method {} is not opened", other.unwrap_or(u16::MAX))),
    };
    (names, content)
}

/// LZSS: a byte of flags tells of eight items, lowest bit first, whether each is a byte or a place and a length in a
/// window of what was written last, which begins as blanks.
struct Expander<'b> {
    packed: &'b [u8],
    window: Vec<u8>,
    at: usize,
    flags: u16,
    copy_from: usize,
    copy_left: usize,
}

impl<'b> Expander<'b> {
    fn new(packed: &'b [u8]) -> Self {
        Self { packed, window: vec![b' '; WINDOW], at: WINDOW_BEGIN, flags: 1, copy_from: 0, copy_left: 0 }
    }

    fn take(&mut self) -> Option<u8> {
        let (first, rest) = self.packed.split_first()?;
        self.packed = rest;
        Some(*first)
    }

    fn next(&mut self) -> Option<u8> {
        if self.copy_left == 0 {
            if self.flags <= 1 {
                self.flags = u16::from(self.take()?) | 0x100;
            }
            let is_byte = self.flags & 1 != 0;
            self.flags >>= 1;
            let low = self.take()?;
            if is_byte {
                return Some(low);
            }
            let high = self.take()?;
            self.copy_from = usize::from(low) | usize::from(high & 0xf0) << 4;
            self.copy_left = usize::from(high & 0x0f) + 3;
        }
        let byte = self.window[self.copy_from % WINDOW];
        self.copy_from += 1;
        self.copy_left -= 1;
        Some(byte)
    }
}

impl Read for Expander<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        for (count, place) in out.iter_mut().enumerate() {
            let Some(byte) = self.next() else { return Ok(count) };
            self.window[self.at % WINDOW] = byte;
            self.at += 1;
            *place = byte;
        }
        Ok(out.len())
    }
}

/// Whether the bytes begin as one of the two forms.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(SZDD) || bytes.starts_with(KWAJ)
}

#[cfg(test)]
mod tests {
    use super::super::tests::opened_as;
    use super::*;

    #[test]
    fn what_compress_wrote_is_expanded() {
        // Seven letters, then nine from the place where the first one went.
        let mut szdd = [&SZDD[..], b"Ae", &16_u32.to_le_bytes()].concat();
        szdd.extend([0x7f, b'a', b'b', b'c', b'd', b'e', b'f', b'g', 0xf0, 0xf6]);
        let (members, closed) = opened_as("application/x-szdd", &szdd, "SETUP.EX_");
        assert_eq!((members[0].name.as_str(), members[0].bytes.as_slice()), ("SETUP.EXe", &b"abcdefgabcdefgab"[..]));
        assert_eq!(closed, []);
        let mut kwaj = [&KWAJ[..], &[1, 0, 26, 0, 0x18, 0], b"run\0js\0"].concat();
        kwaj.resize(26, 0);
        kwaj.extend(b"hello".map(|byte| !byte));
        let (members, closed) = opened_as("application/x-szdd", &kwaj, "a.txt");
        assert_eq!((members[0].name.as_str(), members[0].bytes.as_slice()), ("run.js", &b"hello"[..]));
        assert_eq!((members[0].other_names.len(), closed), (0, vec![]));
    }
}
