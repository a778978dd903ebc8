//! Compressed RTF (MS-OXRTFCP), in which Outlook keeps the bodies of mails.

use std::io::{self, Read};

/// What the dictionary begins with (2.1.2.1): what most bodies have in them.
const BEGINNING: &[u8; 207] =
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \
    \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \
    \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
/// Bytes of the header: lengths, kind, checksum (2.1.3.1.1). None of the three is believed but the kind.
const HEADER_BYTES: usize = 16;
const KIND_AT: usize = 8;
/// Packed, and as it is.
const PACKED: &[u8; 4] = b"LZFu";
const PLAIN: &[u8; 4] = b"MELA";
/// Bytes of the dictionary, which is a ring.
const RING_BYTES: usize = 4096;

/// The RTF in a property, as it is read; none where it does not begin as one.
pub(crate) fn reader(bytes: &[u8]) -> Option<Unpacked<'_>> {
    let kind = bytes.get(KIND_AT..KIND_AT + 4)?;
    let rest = bytes.get(HEADER_BYTES..)?;
    let is_packed = kind == PACKED;
    if !is_packed && kind != PLAIN {
        return None;
    }
    let mut ring = vec![b' '; RING_BYTES];
    ring.iter_mut().zip(BEGINNING).for_each(|(place, byte)| *place = *byte);
    Some(Unpacked { rest, is_packed, ring, at: BEGINNING.len(), run: (0, 0), flags: (0, 0) })
}

/// RTF that is being unpacked.
pub(crate) struct Unpacked<'b> {
    rest: &'b [u8],
    is_packed: bool,
    ring: Vec<u8>,
    /// Where the ring is written next.
    at: usize,
    /// A piece of the ring that is being repeated: from where, and how many bytes are left of it.
    run: (usize, usize),
    /// The flags of the next tokens, and how many of them are left: a set one is a piece of the ring.
    flags: (u8, u32),
}

impl Unpacked<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn next(&mut self) -> Option<u8> {
        if !self.is_packed {
            return self.byte();
        }
        let byte = if self.run.1 > 0 { self.repeated() } else { self.token()? };
        *self.ring.get_mut(self.at)? = byte;
        self.at = (self.at + 1) % RING_BYTES;
        Some(byte)
    }

    fn repeated(&mut self) -> u8 {
        let (from, left) = self.run;
        self.run = ((from + 1) % RING_BYTES, left.saturating_sub(1));
        self.ring.get(from).copied().unwrap_or_default()
    }

    fn token(&mut self) -> Option<u8> {
        if self.flags.1 == 0 {
            self.flags = (self.byte()?, 8);
        }
        let is_piece = self.flags.0 & 1 == 1;
        self.flags = (self.flags.0 >> 1, self.flags.1 - 1);
        if !is_piece {
            return self.byte();
        }
        // Twelve bits of place, four of length (2.1.3.1.5).
        let number = usize::from(u16::from_be_bytes([self.byte()?, self.byte()?]));
        let (from, length) = (number >> 4, (number & 15) + 2);
        // A piece at the place that is written next is the end.
        if from == self.at {
            self.rest = &[];
            return None;
        }
        self.run = (from, length);
        Some(self.repeated())
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut count = 0;
        while let Some(place) = out.get_mut(count) {
            let Some(byte) = self.next() else { break };
            *place = byte;
            count += 1;
        }
        Ok(count)
    }
}

/// Packs a text, for tests: every letter as it is, and the mark of the end.
#[cfg(test)]
pub(crate) fn packed(text: &[u8]) -> Vec<u8> {
    let mut out = [&[0; KIND_AT][..], PACKED, &[0; 4]].concat();
    let chunks = text.chunks(8);
    let is_whole = chunks.len() > 0 && text.len().is_multiple_of(8);
    for chunk in chunks {
        let is_last_flag = u8::try_from(1_u16 << chunk.len() & 0xff).unwrap_or(0);
        out.push(is_last_flag);
        out.extend(chunk);
    }
    if is_whole || text.is_empty() {
        out.push(1);
    }
    let end = (BEGINNING.len() + text.len()) % RING_BYTES;
    out.extend(u16::try_from(end << 4).unwrap_or(0).to_be_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        reader(bytes)?.read_to_end(&mut out).expect("memory is read");
        Some(out)
    }

    /// The examples of MS-OXRTFCP 4.1 and 4.2.
    #[test]
    fn examples_of_the_specification() {
        let simple =
            b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125\x42\x32\x0a\xf3 hel\x09\0 bw\x05\xb0ld}\
            \x0a\x80\x0f\xa0";
        assert_eq!(unpacked(simple).as_deref(), Some(&b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"[..]));
        let crossing = b"\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4\x4b\x51\x41\0\x04\x20WXYZ\x0d\x6e}\x01\x0e\xb0";
        assert_eq!(unpacked(crossing).as_deref(), Some(&b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"[..]));
        assert_eq!(unpacked(b"\0\0\0\0\0\0\0\0MELA\0\0\0\0{\\rtf1}").as_deref(), Some(&b"{\\rtf1}"[..]));
        assert_eq!(unpacked(b"{\\rtf1 as it is, and long enough}"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let whole = [&b"\0\0\0\0\0\0\0\0LZFu\0\0\0\0"[..], &bytes].concat();
            prop_assert!(unpacked(&whole).is_some_and(|out| out.len() <= 9 * bytes.len()));
            let _ = unpacked(&bytes);
        }

        #[test]
        fn what_was_packed_is_unpacked(text in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(unpacked(&packed(&text)), Some(text));
        }
    }
}
