//! The filters of a PDF's streams (ISO 32000-1, 7.4), undone one after the other, each as far as it goes.

use std::io::{self, Cursor, Read};

use super::lzw::Lzw;
use super::objects::Objects;
use super::{predictor, syntax};
use crate::unpack::Closed;

/// Filters of one stream that are undone.
const FILTERS_MAX: usize = 10;

/// One filter of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    kind: Kind,
    /// Whether codes of LZW grow early (7.4.4.2).
    is_early: bool,
    prediction: predictor::Prediction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Deflate,
    Lzw,
    RunLength,
    Hexadecimal,
    Base85,
    /// Of a picture, or of nobody's: what is deflated shows it (RFC 1950 2.2), and all else is taken as it is.
    Other,
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "FlateDecode" | "Fl" => Self::Deflate,
            "LZWDecode" | "LZW" => Self::Lzw,
            "RunLengthDecode" | "RL" => Self::RunLength,
            "ASCIIHexDecode" | "AHx" => Self::Hexadecimal,
            "ASCII85Decode" | "A85" => Self::Base85,
            _ => Self::Other,
        }
    }
}

impl Filter {
    /// The filters of a stream with this dictionary, in the order in which they are undone.
    ///
    /// # Errors
    /// When there are more of them than anybody writes.
    pub(super) fn all(dictionary: &str, objects: &Objects<'_>) -> Result<Vec<Self>, Closed> {
        let names = entry(dictionary, &["/Filter"], objects);
        let parameters = entry(dictionary, &["/DecodeParms", "/DP"], objects);
        let names: Vec<String> = parts(&names, objects)
            .into_iter()
            .filter_map(|name| Some(syntax::name(name.trim_ascii_start().strip_prefix(b"/")?).0))
            .collect();
        if names.len() > FILTERS_MAX {
            return Err(Closed::Limit(format!("a stream of a PDF with more than {FILTERS_MAX} filters")));
        }
        let parameters = parts(&parameters, objects);
        Ok(names
            .iter()
            .enumerate()
            .map(|(at, name)| Self::of(name, parameters.get(at).map_or(b"", Vec::as_slice)))
            .collect())
    }

    fn of(name: &str, parameters: &[u8]) -> Self {
        let entries = syntax::entries(parameters.trim_ascii_start());
        let number = |wanted: &str, otherwise: usize| {
            let value = entries.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value);
            value.and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok()).unwrap_or(otherwise)
        };
        let prediction = predictor::Prediction {
            kind: number("Predictor", 1),
            colours: number("Colors", 1),
            bits: number("BitsPerComponent", 8),
            columns: number("Columns", 1),
        };
        Self { kind: Kind::of(name), is_early: number("EarlyChange", 1) != 0, prediction }
    }

    /// What comes out of the filter, before a prediction is undone.
    pub(super) fn reader<'b>(&self, bytes: &'b [u8]) -> Box<dyn Read + 'b> {
        match self.kind {
            Kind::Deflate => Box::new(flate2::read::ZlibDecoder::new(bytes)),
            Kind::Other if bytes.first() == Some(&0x78) => Box::new(flate2::read::ZlibDecoder::new(bytes)),
            Kind::Lzw => Box::new(Lzw::new(bytes, self.is_early)),
            Kind::RunLength => Box::new(RunLength { bytes, left: 0, repeats: false }),
            Kind::Hexadecimal => Box::new(Cursor::new(from_hexadecimal(bytes))),
            Kind::Base85 => Box::new(Cursor::new(from_base_85(bytes))),
            Kind::Other => Box::new(bytes),
        }
    }

    /// What came out of the filter, without the prediction that it may have (7.4.4.4).
    pub(super) fn finish(&self, bytes: Vec<u8>) -> Vec<u8> {
        if matches!(self.kind, Kind::Deflate | Kind::Lzw) { self.prediction.undo(bytes) } else { bytes }
    }
}

/// The value of an entry of a dictionary that may be damaged, by any of its names; one that is an object of its own is
/// that object.
fn entry(dictionary: &str, names: &[&str], objects: &Objects<'_>) -> Vec<u8> {
    let is_end = |rest: &&str| rest.bytes().next().is_none_or(syntax::is_delimiter);
    let found = names.iter().find_map(|name| dictionary.split(name).skip(1).find(is_end));
    found.map(|behind| resolved(syntax::value(behind.as_bytes()), objects)).unwrap_or_default()
}

fn resolved(value: &[u8], objects: &Objects<'_>) -> Vec<u8> {
    let number = if value.ends_with(b"R") { syntax::references(value).first().copied() } else { None };
    number.and_then(|number| objects.get(number)).unwrap_or(value).to_vec()
}

/// The items of an array, or the value itself.
fn parts(value: &[u8], objects: &Objects<'_>) -> Vec<Vec<u8>> {
    if value.starts_with(b"[") {
        let items = syntax::items(value).into_iter().take(FILTERS_MAX + 1);
        return items.map(|item| resolved(item, objects)).collect();
    }
    if value.is_empty() { Vec::new() } else { vec![value.to_vec()] }
}

/// Runs (7.4.5): a length, then so many bytes, or one byte that is repeated.
struct RunLength<'b> {
    bytes: &'b [u8],
    /// Bytes of the run that is under way.
    left: usize,
    repeats: bool,
}

impl Read for RunLength<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        const END: u8 = 128;
        let mut count = 0;
        while let Some(place) = out.get_mut(count) {
            let Some((first, rest)) = self.bytes.split_first() else { break };
            if self.left == 0 {
                if *first == END {
                    break;
                }
                self.repeats = *first > END;
                self.left = if self.repeats { 257 - usize::from(*first) } else { usize::from(*first) + 1 };
                self.bytes = rest;
                continue;
            }
            *place = *first;
            count += 1;
            self.left -= 1;
            if !self.repeats || self.left == 0 {
                self.bytes = rest;
            }
        }
        Ok(count)
    }
}

fn from_hexadecimal(bytes: &[u8]) -> Vec<u8> {
    let digits: Vec<u32> =
        bytes.iter().take_while(|byte| **byte != b'>').filter_map(|byte| char::from(*byte).to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair.get(1).unwrap_or(&0)) as u8).collect()
}

/// Base 85 (7.4.3): five letters are four bytes, `z` is four zeros.
fn from_base_85(bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.trim_ascii_start();
    // PostScript begins it so, and some writers of PDF.
    let bytes = bytes.strip_prefix(b"<~").unwrap_or(bytes);
    let (mut out, mut group) = (Vec::new(), Vec::with_capacity(5));
    let mut flush = |group: &mut Vec<u8>| {
        let count = group.len();
        if count > 1 {
            group.resize(5, 84);
            let value = group.iter().fold(0_u64, |value, digit| value * 85 + u64::from(*digit));
            let four = (value as u32).to_be_bytes();
            out.extend_from_slice(&four[..count - 1]);
        }
        group.clear();
    };
    for byte in bytes {
        match byte {
            b'~' => break,
            b'z' if group.is_empty() => {
                group.extend([0; 5]);
                flush(&mut group);
            }
            b'!'..=b'u' => {
                group.push(byte - b'!');
                if group.len() == 5 {
                    flush(&mut group);
                }
            }
            _ => {}
        }
    }
    flush(&mut group);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn undone(dictionary: &str, bytes: &[u8]) -> Vec<u8> {
        let mut objects = Objects::default();
        objects.read_file(b"5 0 obj[/AHx 6 0 R]endobj 6 0 obj/LZWDecode endobj 7 0 obj<</EarlyChange 0>>endobj");
        let mut bytes = bytes.to_vec();
        for filter in Filter::all(dictionary, &objects).expect("few filters") {
            let mut out = Vec::new();
            let _ = filter.reader(&bytes).take(1 << 20).read_to_end(&mut out);
            bytes = filter.finish(out);
        }
        bytes
    }

    fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
        bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
    }

    #[test]
    fn filters_alone_in_chains_and_by_reference() {
        let lzw = super::super::lzw::packed(b"launch");
        assert_eq!(undone("<</Filter/LZWDecode>>", &lzw), b"launch");
        assert_eq!(undone("<</Filter/LZW/DecodeParms 7 0 R>>", &lzw), b"launch");
        assert_eq!(
            undone("<</Filter [/ASCIIHexDecode /LZWDecode] /DecodeParms [null <<>>]>>", &hexadecimal(&lzw)),
            b"launch"
        );
        assert_eq!(undone("<</Filter 5 0 R>>", &hexadecimal(&lzw)), b"launch");
        assert_eq!(undone("<</Filter/RunLengthDecode>>", b"\x02abc\xfed\x80ef"), b"abcddd");
        assert_eq!(undone("<</Filter[/AHx/RL]>>", b"02616263FE64>"), b"abcddd");
        assert_eq!(undone("<</Filter/A85>>", b"<~5l~>"), undone("<</Filter/A85>>", b"5l~>"));
        assert_eq!(undone("<</Filter/Crypt/FilterX/A85>>", b"as it is"), b"as it is");
        for nothing in ["", "<<", "<</Filter", "<</Filter [", "<</Filter null>>", "<</Filter 9 0 R>>", "<</Filter []>>"]
        {
            assert_eq!(undone(nothing, b"ab"), b"ab", "{nothing}");
        }
    }

    #[test]
    fn a_chain_without_end_is_a_limit() {
        let many = format!("<</Filter[{}]>>", "/AHx".repeat(FILTERS_MAX + 1));
        let closed = Filter::all(&many, &Objects::default());
        assert_eq!(closed, Err(Closed::Limit("a stream of a PDF with more than 10 filters".into())));
    }

    proptest! {
        #[test]
        fn runs_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(undone("<</Filter/RL>>", &bytes).len() <= 128 * bytes.len());
        }

        #[test]
        fn any_dictionary_is_read(
            dictionary in "(/Filter|/DecodeParms|<<|>>|\\[|\\]|/LZW|/Fl|5 0 R|/Predictor|12|/Columns| ){0,20}"
        ) {
            let _ = undone(&dictionary, b"\x78\x9c\x03\0ab");
        }
    }
}
