//! LZW as PDF and TIFF have it (ISO 32000-1, 7.4.4): codes of 9 to 12 bits, the highest bit first.

use std::io::{self, Read};

/// The code that empties the table, and the one that ends the data.
const CLEAR: usize = 256;
const END: usize = 257;
/// Codes of the widest kind.
const CODES_MAX: usize = 4096;
const WIDTHS: std::ops::RangeInclusive<u32> = 9..=12;

/// What is packed so, as it is read.
pub(super) struct Lzw<'b> {
    bytes: &'b [u8],
    /// Bits that are read already.
    at: usize,
    /// 1 where the width grows one code before it has to (`EarlyChange`).
    early: usize,
    /// Of each code from 258 on the code before its last letter, that letter, and how many letters it stands for.
    table: Vec<(u16, u8, u16)>,
    before: Option<usize>,
    /// Letters that are unpacked and not yet read, the last one first.
    ready: Vec<u8>,
    is_over: bool,
}

impl<'b> Lzw<'b> {
    pub(super) fn new(bytes: &'b [u8], is_early: bool) -> Self {
        let early = usize::from(is_early);
        Self { bytes, at: 0, early, table: Vec::new(), before: None, ready: Vec::new(), is_over: false }
    }

    fn code(&mut self) -> Option<usize> {
        let next = END + 1 + self.table.len() + usize::from(self.before.is_some()) + self.early - 1;
        let width = (usize::BITS - next.leading_zeros()).clamp(*WIDTHS.start(), *WIDTHS.end()) as usize;
        let mut code = 0;
        for bit in self.at..self.at + width {
            let byte = self.bytes.get(bit / 8)?;
            code = code << 1 | usize::from(byte >> (7 - bit % 8) & 1);
        }
        self.at += width;
        Some(code)
    }

    /// Unpacks the next code; none at the end, and where a code is none that is known.
    fn step(&mut self) -> Option<()> {
        let code = self.code()?;
        if code == CLEAR {
            self.table.clear();
            self.before = None;
            return Some(());
        }
        if code == END {
            return None;
        }
        let known = END + 1 + self.table.len();
        match self.before {
            None => self.letters(code).filter(|_| code < CLEAR)?,
            Some(_) if code < known => self.letters(code)?,
            Some(before) if code == known => {
                // The code that is just being made: what came before, and its first letter once more.
                self.ready.push(0);
                self.letters(before)?;
                let first = self.ready.last().copied()?;
                *self.ready.first_mut()? = first;
            }
            Some(_) => return None,
        }
        if let Some(before) = self.before
            && known < CODES_MAX
        {
            let first = self.ready.last().copied()?;
            let length = self.length(before).saturating_add(1);
            self.table.push((u16::try_from(before).ok()?, first, length));
        }
        self.before = Some(code);
        Some(())
    }

    fn length(&self, code: usize) -> u16 {
        code.checked_sub(END + 1).and_then(|at| self.table.get(at)).map_or(1, |(_, _, length)| *length)
    }

    /// The letters of a code, the last one first, behind those that are ready.
    fn letters(&mut self, mut code: usize) -> Option<()> {
        for _ in 0..self.length(code) {
            let Some(at) = code.checked_sub(END + 1) else {
                self.ready.push(u8::try_from(code).ok()?);
                break;
            };
            let (before, letter, _) = *self.table.get(at)?;
            self.ready.push(letter);
            code = usize::from(before);
        }
        Some(())
    }
}

impl Read for Lzw<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut count = 0;
        while count < out.len() {
            if let Some(letter) = self.ready.pop() {
                out[count] = letter;
                count += 1;
            } else if self.is_over {
                break;
            } else {
                self.is_over = self.step().is_none();
                if self.is_over {
                    // What a broken code began is nothing.
                    self.ready.clear();
                }
            }
        }
        Ok(count)
    }
}

/// Packs letters, for tests: each as it is, the table emptied before it would grow.
#[cfg(test)]
pub(in super::super) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut bits = Vec::new();
    let mut put = |code: usize| bits.extend((0..9).rev().map(|bit| code >> bit & 1 == 1));
    for piece in bytes.chunks(200) {
        put(CLEAR);
        piece.iter().for_each(|byte| put(usize::from(*byte)));
    }
    put(END);
    bits.chunks(8)
        .map(|byte| byte.iter().enumerate().fold(0, |sum, (at, bit)| sum | u8::from(*bit) << (7 - at)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unpacked(bytes: &[u8], is_early: bool) -> Vec<u8> {
        let mut out = Vec::new();
        Lzw::new(bytes, is_early).take(1 << 20).read_to_end(&mut out).expect("memory is read");
        out
    }

    /// Packs as an encoder does, with the table that the decoder has to build.
    fn encoded(bytes: &[u8], early: usize) -> Vec<u8> {
        let (mut bits, mut width) = (Vec::new(), 9);
        let mut table: std::collections::HashMap<Vec<u8>, usize> =
            (0..=255).map(|one| (vec![one], one.into())).collect();
        let (mut next, mut word) = (END + 1, Vec::new());
        let put = |bits: &mut Vec<bool>, code: usize, width: usize| {
            bits.extend((0..width).rev().map(|bit| code >> bit & 1 == 1));
        };
        put(&mut bits, CLEAR, width);
        for byte in bytes {
            let longer = [word.as_slice(), &[*byte]].concat();
            if table.contains_key(&longer) {
                word = longer;
                continue;
            }
            put(&mut bits, table[&word], width);
            table.insert(longer, next);
            next += 1;
            if next + early > 1 << width {
                width += 1;
            }
            if next == 4094 {
                put(&mut bits, CLEAR, width);
                table.retain(|word, _| word.len() == 1);
                (next, width) = (END + 1, 9);
            }
            word = vec![*byte];
        }
        if !word.is_empty() {
            put(&mut bits, table[&word], width);
            next += 1;
            if next + early > 1 << width {
                width += 1;
            }
        }
        put(&mut bits, END, width);
        bits.chunks(8)
            .map(|byte| byte.iter().enumerate().fold(0, |sum, (at, bit)| sum | u8::from(*bit) << (7 - at)))
            .collect()
    }

    #[test]
    fn the_example_of_the_standard() {
        let packed = [0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01];
        assert_eq!(unpacked(&packed, true), [45, 45, 45, 45, 45, 65, 45, 45, 45, 66]);
        assert_eq!(unpacked(&packed[..5], true), [45; 5], "what breaks off is read as far as it goes");
        assert_eq!(unpacked(&super::packed(b"app.launchURL(a)"), true), b"app.launchURL(a)");
    }

    #[test]
    fn long_texts_with_either_kind_of_width() {
        let text: Vec<u8> = (0..60_000_u32).map(|at| (at.wrapping_mul(at) >> 7) as u8 & 15).collect();
        for (is_early, early) in [(true, 1), (false, 0)] {
            assert_eq!(unpacked(&encoded(&text, early), is_early), text, "{is_early}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300), is_early: bool) {
            // A code stands for no more letters than codes came before it.
            let codes = bytes.len() * 8 / 9 + 1;
            prop_assert!(unpacked(&bytes, is_early).len() <= codes * (codes + 1) / 2);
        }

        #[test]
        fn what_was_packed_is_unpacked(bytes in proptest::collection::vec(0..4_u8, 0..2000)) {
            prop_assert_eq!(unpacked(&encoded(&bytes, 1), true), bytes);
        }
    }
}
