//! Fonts of a PDF (9.5 to 9.10), as far as they tell which characters the codes of a text are, and how wide these are.

use std::collections::BTreeMap;

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GBK, MACINTOSH, SHIFT_JIS, WINDOWS_1252};

use super::cmap::{self, CMap};
use super::content::number;
use super::source::Source;
use super::{glyph, syntax};

/// Widths of one font that are kept; a range is one.
const WIDTHS_MAX: usize = 20_000;
/// A thousandth of the size is the unit of widths (9.2.4).
const UNIT: f64 = 0.001;
/// How wide glyphs are of which nothing is told, and those of a font of both bytes.
const WIDTH: f64 = 0.5;
const WIDTH_OF_TWO_BYTES: f64 = 1.0;
/// CMaps whose codes are those of an encoding outside PDF (9.7.5.2), by words in their names.
const NAMED: [(&str, &Encoding); 11] = [
    ("RKSJ", SHIFT_JIS),
    ("GBK", GBK),
    ("GB-EUC", GBK),
    ("GBpc", GBK),
    ("B5", BIG5),
    ("ETen", BIG5),
    ("HKscs", BIG5),
    ("KSC-EUC", EUC_KR),
    ("KSCms", EUC_KR),
    ("KSCpc", EUC_KR),
    ("EUC-", EUC_JP),
];

/// One character of a text.
#[derive(Debug, PartialEq)]
pub(super) struct Glyph {
    /// What it shows; empty if nothing tells.
    pub(super) text: String,
    /// How wide it is, in sizes of its font.
    pub(super) width: f64,
    /// Whether it is the blank that word spacing makes wider (9.3.3).
    pub(super) is_blank: bool,
}

/// How the bytes of a text are codes.
#[derive(Debug)]
enum Codes {
    /// Each byte is one; what it shows.
    Bytes(Vec<String>),
    /// As many bytes as a CMap tells.
    Told(CMap),
    /// Two bytes each.
    Pairs,
    /// Two bytes each, UTF-16 by the name of their CMap.
    Utf16,
    /// A text in an encoding from outside PDF.
    Outside(&'static Encoding),
}

/// A font.
#[derive(Debug)]
pub(super) struct Font {
    codes: Codes,
    meanings: Option<CMap>,
    /// Widths by ranges of codes: the first, the last, and how wide.
    widths: BTreeMap<u32, (u32, f64)>,
    /// How wide the others are; nothing if only their shape tells.
    other_width: Option<f64>,
}

impl Default for Font {
    /// A font of which nothing is known: letters as most have them.
    fn default() -> Self {
        let codes = Codes::Bytes(base_table(b"/WinAnsiEncoding"));
        Self { codes, meanings: None, widths: BTreeMap::new(), other_width: None }
    }
}

impl Font {
    /// The font of a dictionary.
    pub(super) fn read<'s>(dictionary: &'s [u8], source: &mut Source<'s, '_>) -> Self {
        let meanings = source.stream_at(dictionary, "ToUnicode").map(|bytes| CMap::read(&bytes));
        let kind = source.name_at(dictionary, "Subtype");
        let mut font = Self { meanings, ..Self::default() };
        if kind == "Type0" {
            font.composite(dictionary, source);
        } else {
            font.simple(dictionary, &kind, source);
        }
        font
    }

    /// A font of two bytes, or of as many as its encoding tells (9.7).
    fn composite<'s>(&mut self, dictionary: &'s [u8], source: &mut Source<'s, '_>) {
        let name = source.name_at(dictionary, "Encoding");
        let outside = NAMED.iter().find(|(word, _)| name.contains(word)).map(|(_, encoding)| *encoding);
        self.codes = if name.contains("UTF16") || name.contains("UCS2") {
            Codes::Utf16
        } else if let Some(encoding) = outside {
            Codes::Outside(encoding)
        } else if name.starts_with("Identity") {
            Codes::Pairs
        } else {
            source.stream_at(dictionary, "Encoding").map_or(Codes::Pairs, |bytes| Codes::Told(CMap::read(&bytes)))
        };
        self.other_width = Some(WIDTH_OF_TWO_BYTES);
        let Some(array) = source.at(dictionary, "DescendantFonts") else { return };
        let Some(descendant) = syntax::items(array).first().map(|item| source.resolved(item)) else { return };
        if let Some(width) = source.at(descendant, "DW") {
            self.other_width = Some(number(width) * UNIT);
        }
        let widths = source.at(descendant, "W").map(syntax::items).unwrap_or_default();
        self.composite_widths(&widths, source);
    }

    /// `c [w1 w2 ...]` or `first last w` (9.7.4.3).
    fn composite_widths<'s>(&mut self, items: &[&'s [u8]], source: &Source<'s, '_>) {
        let code = |item: &[u8]| number(item) as u32;
        let mut rest = items;
        while let [first, second, after @ ..] = rest {
            let list = source.resolved(second);
            if list.starts_with(b"[") {
                rest = after;
                for (at, width) in (code(first)..).zip(syntax::items(list)) {
                    self.put_width(at, at, number(width) * UNIT);
                }
            } else {
                let [width, after @ ..] = after else { return };
                rest = after;
                self.put_width(code(first), code(second), number(width) * UNIT);
            }
        }
    }

    /// A font of one byte (9.6).
    fn simple<'s>(&mut self, dictionary: &'s [u8], kind: &str, source: &Source<'s, '_>) {
        self.codes = Codes::Bytes(table(dictionary, kind, source));
        // Glyphs of Type 3 are drawn in a space of their own.
        let matrix = source.at(dictionary, "FontMatrix").map(syntax::items).unwrap_or_default();
        let own_unit = matrix.first().map(|first| number(first).abs()).filter(|_| kind == "Type3");
        let unit = own_unit.unwrap_or(UNIT);
        let first = source.at(dictionary, "FirstChar").map_or(0, |first| number(first) as u32);
        let widths = source.at(dictionary, "Widths").map(syntax::items).unwrap_or_default();
        for (at, width) in (first..256).zip(widths) {
            self.put_width(at, at, number(source.resolved(width)) * unit);
        }
    }

    fn put_width(&mut self, first: u32, last: u32, width: f64) {
        if self.widths.len() < WIDTHS_MAX {
            self.widths.insert(first, (last, width));
        }
    }

    /// The characters of a text, one after the other.
    pub(super) fn glyphs(&self, text: &[u8], mut on: impl FnMut(Glyph)) {
        if let (Codes::Outside(encoding), None) = (&self.codes, &self.meanings) {
            let (text, _) = encoding.decode_without_bom_handling(text);
            return text.chars().for_each(|c| on(self.outside(c)));
        }
        let mut rest = text;
        while !rest.is_empty() {
            let length = self.length(rest).min(rest.len());
            let (bytes, after) = rest.split_at(length);
            rest = after;
            let code = cmap::code(bytes);
            let meaning = self.meanings.as_ref().and_then(|map| map.get(code)).filter(|text| is_shown(text));
            let text = meaning.unwrap_or_else(|| self.without_meaning(code));
            on(Glyph { width: self.width(code, &text), text, is_blank: length == 1 && code == 32 });
        }
    }

    fn outside(&self, c: char) -> Glyph {
        let width = if c.is_ascii() { WIDTH } else { WIDTH_OF_TWO_BYTES };
        Glyph { text: c.to_string(), width, is_blank: c == ' ' }
    }

    fn length(&self, rest: &[u8]) -> usize {
        match &self.codes {
            Codes::Bytes(_) => 1,
            Codes::Told(map) => map.length(rest).unwrap_or(2),
            Codes::Outside(_) => self.meanings.as_ref().and_then(|map| map.length(rest)).unwrap_or(2),
            Codes::Pairs | Codes::Utf16 => 2,
        }
    }

    /// What a code shows that no CMap translates.
    fn without_meaning(&self, code: u32) -> String {
        match &self.codes {
            Codes::Bytes(table) => table.get(code as usize).cloned().unwrap_or_default(),
            Codes::Utf16 => char::from_u32(code).map(String::from).unwrap_or_default(),
            // Numbers of glyphs. Fonts of Windows and of macOS have the ASCII letters in one order, from the blank,
            // which is the third (Apple TrueType Reference Manual, 'post' table).
            Codes::Pairs if self.meanings.is_none() && (3..=97).contains(&code) => {
                char::from_u32(code + 29).map(String::from).unwrap_or_default()
            }
            _ => String::new(),
        }
    }

    fn width(&self, code: u32, text: &str) -> f64 {
        let told = self.widths.range(..=code).next_back().filter(|(_, (last, _))| code <= *last);
        match (told, self.other_width) {
            (Some((_, (_, width))), _) => *width,
            (None, Some(width)) => width,
            (None, None) => text.chars().next().map_or(WIDTH, usual_width),
        }
    }
}

/// Whether a meaning is one: some writers fill up with zeros, or with characters of their own font.
fn is_shown(text: &str) -> bool {
    text.chars().any(|c| !c.is_control() && !matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fffd}'))
}

/// How wide a letter is in Helvetica and Times, near enough: readers know these fonts, documents do not tell.
fn usual_width(c: char) -> f64 {
    match c {
        'f' | 'i' | 'j' | 'l' | 'r' | 't' | 'I' | ' ' | '!'..='"' | '\'' | '('..=')' | ','..='/' | ':' | ';' | '|' => {
            0.28
        }
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.8,
        'A'..='Z' => 0.68,
        _ => WIDTH,
    }
}

/// What each byte shows in a simple font without a CMap (9.6.6).
fn table<'s>(dictionary: &'s [u8], kind: &str, source: &Source<'s, '_>) -> Vec<String> {
    let encoding = source.at(dictionary, "Encoding").unwrap_or_default();
    if !encoding.starts_with(b"<<") {
        let is_told = encoding.starts_with(b"/");
        let usual: &[u8] = if kind == "TrueType" { b"/WinAnsiEncoding" } else { b"/StandardEncoding" };
        return base_table(if is_told { encoding } else { usual });
    }
    let base = source.at(encoding, "BaseEncoding").unwrap_or(b"/StandardEncoding");
    let mut table = base_table(base);
    let mut code = 0_usize;
    for item in source.at(encoding, "Differences").map(syntax::items).unwrap_or_default() {
        let Some(name) = item.strip_prefix(b"/") else {
            code = number(item) as usize;
            continue;
        };
        if let Some(slot) = table.get_mut(code) {
            let name = syntax::name(name).0;
            *slot = glyph::text(&name).or_else(|| by_code(&name, code)).unwrap_or_default();
        }
        code = code.saturating_add(1);
    }
    table
}

/// Programs that draw fonts as pictures name glyphs by their code (`a65`).
fn by_code(name: &str, code: usize) -> Option<String> {
    let digits = name.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let is_own = digits.parse::<usize>().is_ok_and(|number| number == code) && name.len() <= digits.len() + 1;
    (is_own && (32..127).contains(&code)).then(|| char::from(code as u8).to_string())
}

/// One of the encodings that PDF has a name for (annex D).
fn base_table(name: &[u8]) -> Vec<String> {
    let encoding = if name == b"/MacRomanEncoding" { MACINTOSH } else { WINDOWS_1252 };
    let mut table: Vec<String> =
        (0..=255_u8).map(|byte| encoding.decode_without_bom_handling(&[byte]).0.into_owned()).collect();
    if name != b"/MacRomanEncoding" && name != b"/WinAnsiEncoding" {
        // Where the standard one differs, and where fonts of TeX have what it leaves free.
        let joined = ["ff", "fi", "fl", "ffi", "ffl"];
        let standard = (0x0b_usize..).zip(joined).chain([(0xae, "fi"), (0xaf, "fl"), (0x27, "\u{2019}")]);
        for (code, shown) in standard {
            if let Some(slot) = table.get_mut(code) {
                shown.clone_into(slot);
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_as_the_encodings_have_them() {
        let at = |name: &[u8], code: usize| base_table(name).get(code).cloned().unwrap_or_default();
        assert_eq!(at(b"/WinAnsiEncoding", 0xe9), "\u{e9}");
        assert_eq!(at(b"/MacRomanEncoding", 0x8e), "\u{e9}");
        assert_eq!((at(b"/StandardEncoding", 0xae), at(b"", 0x0e)), ("fi".into(), "ffi".into()));
        assert_eq!((by_code("a65", 65).as_deref(), by_code("a65", 66), by_code("ab65", 65)), (Some("A"), None, None));
    }
}
