//! CMaps (9.7.5, 9.10.3): which characters the codes of a font mean, and how many bytes a code has.

use std::collections::BTreeMap;

use super::content::{Token, Tokens};
use super::glyph;

/// Entries of one CMap that are kept; a range is one.
const ENTRIES_MAX: usize = 20_000;
/// Operands of one operator that are kept.
const OPERANDS_MAX: usize = 10_000;
/// UTF-16 units of what one code means.
const UNITS_MAX: usize = 32;
/// Ranges that tell how many bytes a code has.
const SPACES_MAX: usize = 100;

/// A CMap, as far as it is needed.
#[derive(Debug, Default)]
pub(super) struct CMap {
    /// Ranges of codes by their first: the last code, and what the first means. The others count up from there.
    meanings: BTreeMap<u32, (u32, String)>,
    /// How many bytes a code has, and between which codes.
    spaces: Vec<(usize, u32, u32)>,
}

impl CMap {
    /// Reads a CMap.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut map = Self::default();
        let mut operands: Vec<Token<'_>> = Vec::new();
        for token in Tokens::of(bytes) {
            let Token::Operator(operator) = token else {
                if operands.len() < OPERANDS_MAX {
                    operands.push(token);
                }
                continue;
            };
            match operator {
                b"endcodespacerange" => map.spaces(&operands),
                b"endbfchar" => map.chars(&operands),
                b"endbfrange" => map.ranges(&operands),
                _ => {}
            }
            operands.clear();
        }
        map
    }

    /// What a code means.
    pub(super) fn get(&self, code: u32) -> Option<String> {
        let (first, (last, meaning)) = self.meanings.range(..=code).next_back()?;
        if code > *last {
            return None;
        }
        let mut chars: Vec<char> = meaning.chars().collect();
        let end = chars.last_mut()?;
        *end = char::from_u32(u32::from(*end).checked_add(code - first)?)?;
        Some(chars.into_iter().collect())
    }

    /// How many bytes the first code of `bytes` has, if the CMap tells.
    pub(super) fn length(&self, bytes: &[u8]) -> Option<usize> {
        (1..=4).find(|length| {
            let code = bytes.get(..*length).map(code);
            let is_in = |(bytes, first, last): &(usize, u32, u32)| {
                bytes == length && code.is_some_and(|code| (*first..=*last).contains(&code))
            };
            self.spaces.iter().any(is_in)
        })
    }

    fn put(&mut self, first: u32, last: u32, meaning: String) {
        if self.meanings.len() < ENTRIES_MAX && !meaning.is_empty() {
            self.meanings.insert(first, (last, meaning));
        }
    }

    fn spaces(&mut self, operands: &[Token<'_>]) {
        for pair in operands.chunks_exact(2) {
            let [Token::Text(first), Token::Text(last)] = pair else { continue };
            if self.spaces.len() < SPACES_MAX && (1..=4).contains(&first.len()) {
                self.spaces.push((first.len(), code(first), code(last)));
            }
        }
    }

    fn chars(&mut self, operands: &[Token<'_>]) {
        for pair in operands.chunks_exact(2) {
            let Token::Text(from) = &pair[0] else { continue };
            let from = code(from);
            self.put(from, from, meaning(&pair[1]));
        }
    }

    fn ranges(&mut self, operands: &[Token<'_>]) {
        let mut rest = operands;
        while let [Token::Text(first), Token::Text(last), to, after @ ..] = rest {
            let (first, last) = (code(first), code(last));
            rest = after;
            if *to != Token::Open {
                self.put(first, last, meaning(to));
                continue;
            }
            let mut at = first;
            while let [one, after @ ..] = rest {
                rest = after;
                if *one == Token::Close {
                    break;
                }
                if at <= last {
                    self.put(at, at, meaning(one));
                }
                at = at.saturating_add(1);
            }
        }
    }
}

/// The number that the bytes of a code are; the last four count.
pub(super) fn code(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |code, byte| code << 8 | u32::from(*byte))
}

/// What a code means: UTF-16, or the name of a glyph.
fn meaning(token: &Token<'_>) -> String {
    match token {
        Token::Text(bytes) => {
            let units = match bytes.as_slice() {
                // Some writers give one byte.
                [byte] => vec![u16::from(*byte)],
                _ => bytes.chunks_exact(2).take(UNITS_MAX).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect(),
            };
            char::decode_utf16(units).filter_map(Result::ok).collect()
        }
        Token::Name(name) => glyph::text(&String::from_utf8_lossy(name)).unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_and_what_they_mean() {
        let map = CMap::read(
            b"1 begincodespacerange <00> <7f> <8000> <ffff> endcodespacerange\n\
              2 beginbfchar <01> <0041> <8002> <00660066> endbfchar\n\
              3 beginbfrange <10> <12> <0061> <8100> <8101> [<0078> /eacute] <20> <1F> <0041> endbfrange",
        );
        let get = |code| map.get(code).unwrap_or_default();
        assert_eq!((get(1), get(0x8002), get(0x12), get(0x13)), ("A".into(), "ff".into(), "c".into(), String::new()));
        assert_eq!((get(0x8100), get(0x8101), get(0x20)), ("x".into(), "\u{e9}".into(), String::new()));
        assert_eq!((map.length(b"\x01\x02"), map.length(b"\x81\x00"), map.length(b"")), (Some(1), Some(2), None));
    }

    proptest! {
        #[test]
        fn whatever_the_map_reading_ends(
            text in "(<ffffffff>|<00>|<0041>|\\[|\\]|/a| endbfchar| endbfrange| endcodespacerange| ){0,40}",
            code in any::<u32>(),
        ) {
            let map = CMap::read(text.as_bytes());
            drop((map.get(code), map.length(&code.to_be_bytes())));
        }
    }
}
