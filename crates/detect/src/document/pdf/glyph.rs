//! Names of glyphs (Adobe Glyph List Specification), as far as texts of mail need them.

use unicode_normalization::UnicodeNormalization;

/// Names that are no letter of their own.
const NAMES: [(&str, &str); 88] = [
    ("space", " "),
    ("nbspace", " "),
    ("exclam", "!"),
    ("quotedbl", "\""),
    ("numbersign", "#"),
    ("dollar", "$"),
    ("percent", "%"),
    ("ampersand", "&"),
    ("quotesingle", "'"),
    ("parenleft", "("),
    ("parenright", ")"),
    ("asterisk", "*"),
    ("plus", "+"),
    ("comma", ","),
    ("hyphen", "-"),
    ("sfthyphen", "-"),
    ("minus", "-"),
    ("period", "."),
    ("slash", "/"),
    ("zero", "0"),
    ("one", "1"),
    ("two", "2"),
    ("three", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("colon", ":"),
    ("semicolon", ";"),
    ("less", "<"),
    ("equal", "="),
    ("greater", ">"),
    ("question", "?"),
    ("at", "@"),
    ("bracketleft", "["),
    ("backslash", "\\"),
    ("bracketright", "]"),
    ("asciicircum", "^"),
    ("underscore", "_"),
    ("grave", "`"),
    ("braceleft", "{"),
    ("bar", "|"),
    ("braceright", "}"),
    ("asciitilde", "~"),
    ("quoteleft", "\u{2018}"),
    ("quoteright", "\u{2019}"),
    ("quotedblleft", "\u{201c}"),
    ("quotedblright", "\u{201d}"),
    ("quotesinglbase", "\u{201a}"),
    ("quotedblbase", "\u{201e}"),
    ("guillemotleft", "\u{ab}"),
    ("guillemotright", "\u{bb}"),
    ("endash", "\u{2013}"),
    ("emdash", "\u{2014}"),
    ("bullet", "\u{2022}"),
    ("periodcentered", "\u{b7}"),
    ("ellipsis", "\u{2026}"),
    ("exclamdown", "\u{a1}"),
    ("questiondown", "\u{bf}"),
    ("ff", "ff"),
    ("fi", "fi"),
    ("fl", "fl"),
    ("ffi", "ffi"),
    ("ffl", "ffl"),
    ("germandbls", "\u{df}"),
    ("ae", "\u{e6}"),
    ("AE", "\u{c6}"),
    ("oe", "\u{153}"),
    ("OE", "\u{152}"),
    ("oslash", "\u{f8}"),
    ("Oslash", "\u{d8}"),
    ("lslash", "\u{142}"),
    ("Lslash", "\u{141}"),
    ("eth", "\u{f0}"),
    ("Eth", "\u{d0}"),
    ("thorn", "\u{fe}"),
    ("Thorn", "\u{de}"),
    ("dotlessi", "\u{131}"),
    ("Euro", "\u{20ac}"),
    ("sterling", "\u{a3}"),
    ("yen", "\u{a5}"),
    ("cent", "\u{a2}"),
    ("section", "\u{a7}"),
    ("copyright", "\u{a9}"),
    ("registered", "\u{ae}"),
    ("degree", "\u{b0}"),
];

/// Accents behind the name of a letter, and the characters that put them on it.
const ACCENTS: [(&str, char); 14] = [
    ("acute", '\u{301}'),
    ("grave", '\u{300}'),
    ("circumflex", '\u{302}'),
    ("dieresis", '\u{308}'),
    ("tilde", '\u{303}'),
    ("ring", '\u{30a}'),
    ("cedilla", '\u{327}'),
    ("caron", '\u{30c}'),
    ("macron", '\u{304}'),
    ("ogonek", '\u{328}'),
    ("breve", '\u{306}'),
    ("dotaccent", '\u{307}'),
    ("hungarumlaut", '\u{30b}'),
    ("commaaccent", '\u{326}'),
];

/// What a glyph of this name shows, if the name tells.
pub(super) fn text(name: &str) -> Option<String> {
    // Behind a dot is a form of the same glyph; a low line joins several.
    let base = name.split('.').next().unwrap_or_default();
    if base.is_empty() || base.len() > 100 {
        return None;
    }
    base.split('_').filter(|piece| !piece.is_empty()).map(one).collect()
}

fn one(name: &str) -> Option<String> {
    let mut chars = name.chars();
    if let (Some(only), None) = (chars.next(), chars.next()) {
        return Some(only.to_string());
    }
    if let Some((_, shown)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some((*shown).to_owned());
    }
    for (accent, mark) in ACCENTS {
        let mut letter = name.strip_suffix(accent).unwrap_or_default().chars();
        if let (Some(letter), None) = (letter.next(), letter.next()) {
            return Some([letter, mark].into_iter().nfc().collect());
        }
    }
    by_number(name).map(String::from)
}

/// Names that are numbers: `uni0041`, `u1F600`, and the Cyrillic of Adobe (`afii10017`).
fn by_number(name: &str) -> Option<char> {
    let hexadecimal = |digits: &str| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
    if let Some(digits) = name.strip_prefix("uni") {
        return digits.get(..4).and_then(hexadecimal);
    }
    if let Some(digits) = name.strip_prefix('u').filter(|digits| (4..=6).contains(&digits.len())) {
        return hexadecimal(digits);
    }
    let number: u32 = name.strip_prefix("afii")?.parse().ok()?;
    char::from_u32(match number {
        10_017..=10_022 => 0x410 + number - 10_017,
        10_023 => 0x401,
        10_024..=10_049 => 0x416 + number - 10_024,
        10_065..=10_070 => 0x430 + number - 10_065,
        10_071 => 0x451,
        10_072..=10_097 => 0x436 + number - 10_072,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_what_they_show() {
        let expected = [
            ("A", Some("A")),
            ("eacute", Some("\u{e9}")),
            ("Scaron", Some("\u{160}")),
            ("f_f_i", Some("ffi")),
            ("a.sc", Some("a")),
            ("uni0041", Some("A")),
            ("u0416", Some("\u{416}")),
            ("afii10085", Some("\u{443}")),
            ("seven", Some("7")),
            ("g17", None),
            (".notdef", None),
            ("uniD800", None),
            ("", None),
        ];
        for (name, shown) in expected {
            assert_eq!(text(name).as_deref(), shown, "{name}");
        }
    }
}
