//! The text of header fields: encoded words (RFC 2047), parameters (RFC 2231), and bytes that stand there as they are,
//! in the charset of the mail.
//!
//! `mail-parser` decodes each encoded word by itself and takes raw bytes for UTF-8. Old programs split a character
//! between two words, and write KOI8-R or Latin-1 into a field without saying so; what they mean must be shown, and
//! found, as readers of mail show it.

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, WINDOWS_1252};
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::{Header, Message, MimeHeaders, PartType};

/// Parts of a parameter that are put together (RFC 2231 section 3).
const SEGMENTS_MAX: usize = 100;

/// The charset of a mail: what its bytes mean where nothing else says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Charset(Option<&'static Encoding>);

impl Charset {
    /// What the first text of a mail declares, the top of it before all others.
    pub fn of(mail: &Message<'_>) -> Self {
        let texts = mail.parts.iter().filter(|part| !matches!(part.body, PartType::Message(_)));
        let declared = texts.filter_map(|part| part.content_type()?.attribute("charset"));
        Self(declared.filter_map(|label| encoding(label.as_bytes())).find(|one| *one != UTF_8))
    }

    /// The charset that a label names.
    pub fn named(label: &str) -> Self {
        Self(encoding(label.as_bytes()))
    }

    /// Text of bytes that carry no label: UTF-8 if they are UTF-8 (RFC 6532; hardly any other text is by chance), else
    /// the mail's charset, else windows-1252, which shows every byte.
    fn text(self, bytes: &[u8]) -> String {
        let is_shifted = bytes.contains(&0x1b);
        match std::str::from_utf8(bytes) {
            Ok(text) if !is_shifted => return text.to_owned(),
            Ok(_) | Err(_) => {}
        }
        // ISO-2022-JP is written with ASCII and escapes, and nothing else in a header field has those.
        let shifted = is_shifted.then_some(encoding_rs::ISO_2022_JP).filter(|_| bytes.is_ascii());
        let encoding = shifted.or(self.0).unwrap_or(WINDOWS_1252);
        encoding.decode_without_bom_handling(bytes).0.into_owned()
    }
}

fn encoding(label: &[u8]) -> Option<&'static Encoding> {
    Encoding::for_label(label).filter(|encoding| *encoding != REPLACEMENT)
}

/// The bytes of a field's body as they stand in one of these texts, the first in which the field is found.
pub fn raw_of<'r>(header: &Header<'_>, texts: &[&'r [u8]]) -> Option<&'r [u8]> {
    let (field, start, end) = (header.offset_field as usize, header.offset_start as usize, header.offset_end as usize);
    texts.iter().find_map(|text| {
        let name = text.get(field..start)?.trim_ascii().strip_suffix(b":")?.trim_ascii();
        name.eq_ignore_ascii_case(header.name.as_str().as_bytes()).then(|| text.get(start..end))?
    })
}

/// A body in UTF-8: by its label, else as text without one.
pub fn in_utf8(bytes: &[u8], label: &str, charset: Charset) -> Vec<u8> {
    labelled(label.as_bytes(), bytes, charset).into_bytes()
}

/// Whether a field has anything that must be decoded: raw bytes, shifts, encoded words, RFC 2231.
pub fn is_coded(bytes: &[u8]) -> bool {
    !bytes.is_ascii()
        || bytes.contains(&0x1b)
        || memchr::memmem::find(bytes, b"=?").is_some()
        || memchr::memmem::find(bytes, b"*").is_some()
}

/// The text of an unstructured field, or of a phrase: on one line, encoded words decoded.
pub fn unstructured(bytes: &[u8], charset: Charset) -> String {
    let line = unfolded(bytes);
    let mut out = String::new();
    let mut run = Run::default();
    let mut plain = 0;
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&line[at..], b"=?").map(|found| at + found) {
        let Some(word) = Word::read(&line[found..]) else {
            at = found + 2;
            continue;
        };
        let between = &line[plain..found];
        // White space between two encoded words is no text (RFC 2047 section 6.2).
        if run.is_empty() || !between.iter().all(u8::is_ascii_whitespace) {
            run.end(&mut out, charset);
            out.push_str(&charset.text(between));
        }
        at = found + word.length;
        plain = at;
        run.push(&word, &mut out, charset);
    }
    run.end(&mut out, charset);
    out.push_str(&charset.text(&line[plain..]));
    out
}

/// One line: folds become a space.
fn unfolded(bytes: &[u8]) -> Vec<u8> {
    let lines = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(&b' ')
}

/// An encoded word (RFC 2047 section 2).
struct Word<'w> {
    charset: &'w [u8],
    is_base64: bool,
    data: &'w [u8],
    /// Bytes that it takes.
    length: usize,
}

impl<'w> Word<'w> {
    /// The word at the beginning of `bytes`, which begin with `=?`.
    fn read(bytes: &'w [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(b"=?")?;
        let end = memchr::memchr(b'?', rest).filter(|end| (1..=60).contains(end))?;
        let (charset, rest) = (&rest[..end], &rest[end + 1..]);
        let is_base64 = match rest {
            [b'b' | b'B', b'?', ..] => true,
            [b'q' | b'Q', b'?', ..] => false,
            _ => return None,
        };
        let data = &rest[2..];
        let end = memchr::memmem::find(data, b"?=")?;
        // Behind the charset a language may stand (RFC 2231 section 5).
        let charset = charset.split(|byte| *byte == b'*').next().unwrap_or_default();
        Some(Self { charset, is_base64, data: &data[..end], length: 2 + (bytes.len() - 2 - rest.len()) + 2 + end + 2 })
    }
}

/// Encoded words behind one another in one charset: their bytes are put together before they become text.
#[derive(Default)]
struct Run {
    label: Vec<u8>,
    bytes: Vec<u8>,
    /// Base64 digits of a group that is not full.
    left: Vec<u8>,
    is_open: bool,
}

impl Run {
    fn is_empty(&self) -> bool {
        !self.is_open
    }

    fn push(&mut self, word: &Word<'_>, out: &mut String, charset: Charset) {
        if self.is_open && !self.label.eq_ignore_ascii_case(word.charset) {
            self.end(out, charset);
        }
        self.is_open = true;
        self.label = word.charset.to_vec();
        if word.is_base64 {
            self.base64(word.data);
        } else {
            self.left.clear();
            self.quoted(word.data);
        }
    }

    /// The Q encoding (RFC 2047 section 4.2); what is no code stands for itself.
    fn quoted(&mut self, data: &[u8]) {
        let mut at = 0;
        while at < data.len() {
            let code =
                data.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
            match (data[at], code) {
                (b'=', Some(byte)) => {
                    self.bytes.push(byte);
                    at += 2;
                }
                (b'_', _) => self.bytes.push(b' '),
                (byte, _) => self.bytes.push(byte),
            }
            at += 1;
        }
    }

    /// The B encoding. A group may be split between words, when whoever made them cut at a length.
    fn base64(&mut self, data: &[u8]) {
        for byte in data {
            let digit = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                b'=' => {
                    self.close_group();
                    continue;
                }
                _ => continue,
            };
            self.left.push(digit);
            if self.left.len() == 4 {
                self.close_group();
            }
        }
        // A group that is padded with nothing ends in zero bits; one that was cut, mostly not.
        let tail = match self.left.as_slice() {
            [_, last] => last & 0x0f,
            [_, _, last] => last & 0x03,
            _ => 1,
        };
        if tail == 0 {
            self.close_group();
        }
    }

    fn close_group(&mut self) {
        let bits = self.left.iter().fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit));
        let bytes = match self.left.len() {
            2 => (bits >> 4 << 16, 1),
            3 => (bits >> 2 << 8, 2),
            4 => (bits, 3),
            _ => (0, 0),
        };
        self.bytes.extend_from_slice(&bytes.0.to_be_bytes()[1..=bytes.1]);
        self.left.clear();
    }

    fn end(&mut self, out: &mut String, charset: Charset) {
        self.close_group();
        if self.is_open {
            out.push_str(&labelled(&self.label, &self.bytes, charset));
        }
        *self = Self::default();
    }
}

/// Text in the charset of a label. Where the label is unknown or says ASCII and the bytes do not, they are read as if
/// they had none.
fn labelled(label: &[u8], bytes: &[u8], charset: Charset) -> String {
    if label.eq_ignore_ascii_case(b"us-ascii") {
        return charset.text(bytes);
    }
    if let Some(encoding) = encoding(label) {
        return encoding.decode_without_bom_handling(bytes).0.into_owned();
    }
    // Those that no browser knows, such as UTF-7 and code pages of DOS.
    charset_decoder(label).map_or_else(|| charset.text(bytes), |decode| decode(bytes))
}

/// The display name of the first mailbox of an address field; empty where there is none.
pub fn display_name(bytes: &[u8], charset: Charset) -> String {
    let line = unfolded(bytes);
    let (mut phrase, mut comment) = (Vec::new(), Vec::new());
    let (mut is_quoted, mut depth, mut has_angle) = (false, 0_usize, false);
    let mut bytes = line.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if is_quoted || depth > 0 => {
                let kept = if depth > 0 { &mut comment } else { &mut phrase };
                kept.extend(bytes.next());
            }
            b'"' if depth == 0 => is_quoted = !is_quoted,
            b'(' if !is_quoted => depth += 1,
            b')' if depth > 0 => depth -= 1,
            b'<' if !is_quoted && depth == 0 => {
                has_angle = true;
                break;
            }
            b',' | b';' if !is_quoted && depth == 0 => break,
            byte if depth > 0 => comment.push(*byte),
            byte => phrase.push(*byte),
        }
    }
    // Without angle brackets the phrase is the address, and old programs put the name into a comment behind it.
    unstructured(if has_angle { &phrase } else { &comment }, charset).trim().to_owned()
}

/// A parameter of a field such as Content-Disposition; none where it is not given.
pub fn parameter(bytes: &[u8], name: &str, charset: Charset) -> Option<String> {
    let line = unfolded(bytes);
    let mut plain = None;
    let mut segments: Vec<(u32, bool, Vec<u8>)> = Vec::new();
    for (key, value) in parameters(&line) {
        let key = String::from_utf8_lossy(&key).to_ascii_lowercase();
        let Some(rest) = key.strip_prefix(name) else { continue };
        if rest.is_empty() {
            plain = plain.or(Some(value));
            continue;
        }
        let Some(rest) = rest.strip_prefix('*') else { continue };
        let (number, is_coded) = rest.strip_suffix('*').map_or((rest, rest.is_empty()), |number| (number, true));
        let Ok(number) = (if number.is_empty() { Ok(0) } else { number.parse() }) else { continue };
        if segments.len() < SEGMENTS_MAX {
            segments.push((number, is_coded, value));
        }
    }
    if segments.is_empty() {
        return plain.map(|value| unstructured(&value, charset));
    }
    Some(joined(segments, charset))
}

/// Every value that a program may take for a parameter: each that is given, the one in segments, and all of them with
/// comments left out. Programs differ in which of two they believe.
pub fn parameter_readings(bytes: &[u8], name: &str, charset: Charset) -> Vec<String> {
    let line = unfolded(bytes);
    let plain = without_comments(&line);
    let lines = std::iter::once(&line).chain(plain.as_ref());
    let mut found: Vec<String> = Vec::new();
    for line in lines {
        let segments = parameter(line, name, charset);
        let given = parameters(line).into_iter().filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
        let coded = parameters(line)
            .into_iter()
            .filter(|(key, _)| key.strip_suffix(b"*").is_some_and(|key| key.eq_ignore_ascii_case(name.as_bytes())));
        let values = given.map(|(_, value)| unstructured(&value, charset));
        let values = values.chain(coded.map(|(_, value)| joined(vec![(0, true, value)], charset)));
        found.extend(segments.into_iter().chain(values).take(SEGMENTS_MAX));
    }
    found.dedup();
    found
}

/// A field without its comments (RFC 5322 section 3.2.2); none where it has none.
pub fn without_comments(line: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'(', line)?;
    let (mut out, mut is_quoted, mut depth) = (Vec::with_capacity(line.len()), false, 0_usize);
    let mut bytes = line.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if is_quoted || depth > 0 => {
                let escaped = bytes.next();
                if depth == 0 {
                    out.push(b'\\');
                    out.extend(escaped);
                }
            }
            b'"' if depth == 0 => {
                is_quoted = !is_quoted;
                out.push(*byte);
            }
            b'(' if !is_quoted => depth += 1,
            b')' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            byte => out.push(*byte),
        }
    }
    (out.len() < line.len()).then_some(out)
}

/// The text of a value in segments (RFC 2231 sections 3 and 4).
fn joined(mut segments: Vec<(u32, bool, Vec<u8>)>, charset: Charset) -> String {
    segments.sort_by_key(|(number, ..)| *number);
    let mut label = Vec::new();
    let mut bytes = Vec::new();
    for (at, (_, is_coded, value)) in segments.iter().enumerate() {
        let mut rest = value.as_slice();
        if *is_coded && at == 0 {
            let mut pieces = value.splitn(3, |byte| *byte == b'\'');
            if let (Some(named), Some(_), Some(text)) = (pieces.next(), pieces.next(), pieces.next()) {
                label = named.to_vec();
                rest = text;
            }
        }
        if *is_coded { bytes.extend(unescaped(rest)) } else { bytes.extend_from_slice(rest) }
    }
    if label.is_empty() { unstructured(&bytes, charset) } else { labelled(&label, &bytes, charset) }
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let code = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (text[at], code) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// `; name=value` of a field, quotes and escapes taken away. Where the semicolon before a name was forgotten, the name
/// is the last word.
pub fn parameters(line: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    let mut piece = Piece::default();
    let mut is_quoted = false;
    let mut bytes = line.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if is_quoted => piece.quoted(bytes.next()),
            b'"' => is_quoted = !is_quoted,
            byte if is_quoted => piece.quoted(Some(byte)),
            b';' => found.extend(std::mem::take(&mut piece).end()),
            b'=' if piece.split.is_none() => piece.split = Some(piece.bytes.len()),
            byte => piece.bytes.push(*byte),
        }
    }
    found.extend(piece.end());
    found
}

/// A parameter that is being read.
#[derive(Default)]
struct Piece {
    bytes: Vec<u8>,
    /// Where its value begins.
    split: Option<usize>,
    /// Where what stood in quotes begins and ends: blanks in it belong to the value.
    quotes: Option<(usize, usize)>,
}

impl Piece {
    fn quoted(&mut self, byte: Option<&u8>) {
        let begin = self.quotes.map_or(self.bytes.len(), |(begin, _)| begin);
        self.bytes.extend(byte);
        self.quotes = Some((begin, self.bytes.len()));
    }

    fn end(self) -> Option<(Vec<u8>, Vec<u8>)> {
        let (key, value) = self.bytes.split_at(self.split?);
        let key = key.trim_ascii();
        let key = key.rsplit(u8::is_ascii_whitespace).next().unwrap_or(key);
        let trimmed = match self.quotes {
            Some((begin, end)) if begin >= self.split? => {
                let (begin, end) = (begin - self.split?, end - self.split?);
                let (before, after) = (value[..begin].trim_ascii_start(), value[end..].trim_ascii_end());
                [before, &value[begin..end], after].concat()
            }
            _ => value.trim_ascii().to_vec(),
        };
        Some((key.to_vec(), trimmed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{GB18030, ISO_2022_JP, KOI8_R, SHIFT_JIS, WINDOWS_1251};
    use proptest::prelude::*;

    fn text(bytes: &[u8], charset: &str) -> String {
        unstructured(bytes, Charset::named(charset))
    }

    fn in_charset(text: &str, encoding: &'static Encoding) -> Vec<u8> {
        encoding.encode(text).0.into_owned()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("={byte:02X}")).collect()
    }

    #[test]
    fn raw_bytes_are_read_in_the_charset_of_the_mail() {
        for (said, encoding, label) in [
            ("Привет, мир", KOI8_R, "koi8-r"),
            ("Счёт на оплату", WINDOWS_1251, "windows-1251"),
            ("Grüße für März", WINDOWS_1252, "iso-8859-1"),
            ("見積書をお送りします", ISO_2022_JP, "iso-2022-jp"),
            ("請求書テスト", SHIFT_JIS, "shift_jis"),
            ("发票已经开好", GB18030, "gb18030"),
        ] {
            assert_eq!(text(&in_charset(said, encoding), label), said, "{label}");
            // What is UTF-8 is UTF-8, whatever the mail declares of its text.
            assert_eq!(text(said.as_bytes(), label), said, "{label}");
        }
        assert_eq!(text(&in_charset("Grüße", WINDOWS_1252), ""), "Grüße", "nothing is declared");
        assert_eq!(text(&in_charset("見積書", ISO_2022_JP), ""), "見積書", "its escapes declare it");
    }

    #[test]
    fn encoded_words_in_the_charsets_of_old_programs() {
        for (said, encoding, label) in [
            ("Привет, мир", KOI8_R, "KOI8-R"),
            ("Счёт", WINDOWS_1251, "windows-1251"),
            ("Grüße", WINDOWS_1252, "ISO-8859-1"),
            ("見積書", ISO_2022_JP, "ISO-2022-JP"),
            ("請求書", SHIFT_JIS, "Shift_JIS"),
            ("发票", GB18030, "GB18030"),
        ] {
            let bytes = in_charset(said, encoding);
            let words =
                format!("Re: =?{label}?Q?{}?=\r\n =?{label}*en?q?{}?= end", hex(&bytes[..bytes.len()]), hex(b"!"));
            assert_eq!(text(words.as_bytes(), ""), format!("Re: {said}! end"), "{label}");
        }
        assert_eq!(text(b"=?utf-7?q?M+APw-nchen?=", ""), "München");
        assert_eq!(text("=?no-such-charset?q?M=C3=BCnchen?=".as_bytes(), ""), "München");
        assert_eq!(text(b"=?us-ascii?Q?M=FCnchen?=", "iso-8859-1"), "München");
    }

    #[test]
    fn a_character_split_between_two_words_is_one() {
        // ü in two words, by Q, by B, by both, and Japanese whose shift reaches over the second.
        for words in [
            "=?utf-8?q?M=C3?= =?utf-8?q?=BCnchen?=",
            "=?UTF-8?B?TcM=?=\r\n =?utf-8?B?vG5jaGVu?=",
            "=?utf-8?B?TcM=?=\t=?UTF-8?Q?=BCnchen?=",
            "=?utf-8?B?TcO8b?= =?utf-8?B?mNoZW4=?=",
            "=?utf-8?q?M=C3?==?utf-8?q?=BCnchen?=",
        ] {
            assert_eq!(text(words.as_bytes(), ""), "München", "{words}");
        }
        assert_eq!(text(b"=?iso-2022-jp?B?GyRCOCtA?= =?iso-2022-jp?B?UT1xGyhC?=", ""), "見積書");
        assert_eq!(text(b"=?utf-8?q?a?= b =?utf-8?q?c?=", ""), "a b c");
        assert_eq!(text(b"=?utf-8?q?a?= =?iso-8859-1?q?=FC?=", ""), "aü", "another charset begins anew");
    }

    #[test]
    fn what_is_no_encoded_word_stays() {
        for plain in ["=?", "=?x", "=?utf-8?z?a?=", "=?utf-8?q?open", "a =?b c", "1 =? 2", "x=?=y"] {
            assert_eq!(text(plain.as_bytes(), ""), plain);
        }
    }

    #[test]
    fn names_of_senders() {
        let name = |bytes: &[u8]| display_name(bytes, Charset::named("koi8-r"));
        assert_eq!(name(b"=?utf-8?q?J=C3?= =?utf-8?q?=BCrgen?= <j@x.example>"), "Jürgen");
        assert_eq!(name(b"\"Last, =?utf-8?q?J=C3=BCrgen?=\" <j@x.example>"), "Last, Jürgen");
        assert_eq!(name(&[&in_charset("Анна", KOI8_R)[..], b" <a@x.example>"].concat()), "Анна");
        assert_eq!(name(b"a@x.example (=?utf-8?q?J=C3=BCrgen?=)"), "Jürgen");
        assert_eq!(name(b"a@x.example, Bert <b@x.example>"), "");
        assert_eq!(name(b"\"a \\\"b\\\" c\" <a@x.example>"), "a \"b\" c");
    }

    #[test]
    fn names_of_files() {
        let name = |bytes: &[u8]| parameter(bytes, "filename", Charset::named("windows-1251"));
        assert_eq!(name(b"attachment; filename*=utf-8'de'M%C3%A4rz.pdf").as_deref(), Some("März.pdf"));
        // A character split between two segments.
        let split = b"attachment;\r\n filename*0*=utf-8''M%C3;\r\n filename*1*=%A4rz;\r\n filename*2=\".pdf\"";
        assert_eq!(name(split).as_deref(), Some("März.pdf"));
        assert_eq!(name(b"x; filename=\"=?utf-8?Q?M=C3?= =?utf-8?Q?=A4rz.pdf?=\"").as_deref(), Some("März.pdf"));
        let raw = [b"attachment; filename=\"", &in_charset("Счёт.pdf", WINDOWS_1251)[..], b"\"; size=3"].concat();
        assert_eq!(name(&raw).as_deref(), Some("Счёт.pdf"));
        assert_eq!(name(b"attachment; filename=\"a;b\\\"c.txt\"; x=y").as_deref(), Some("a;b\"c.txt"));
        assert_eq!(name(b"attachment; name=x"), None);
        assert_eq!(
            parameters(b"x; a = \" b \" ; c= d e ; f"),
            [(b"a".to_vec(), b" b ".to_vec()), (b"c".to_vec(), b"d e".to_vec())]
        );
        assert_eq!(name(b"attachment filename=a.txt").as_deref(), Some("a.txt"), "a semicolon was forgotten");
    }

    #[test]
    fn every_name_that_a_program_may_take() {
        let names = |bytes: &[u8]| parameter_readings(bytes, "filename", Charset::default());
        assert_eq!(names(b"attachment; filename=a.txt"), ["a.txt"]);
        let two = names(b"attachment; filename=a.txt; filename*=utf-8''b.js; filename=\"c.js\"");
        assert!(["a.txt", "b.js", "c.js"].iter().all(|one| two.iter().any(|name| name == one)), "{two:?}");
        let commented = names(b"attachment; filename=a.js (a note); size=3");
        assert!(commented.iter().any(|name| name == "a.js"), "{commented:?}");
        assert_eq!(without_comments(b"base64 (en (c) oded) x"), Some(b"base64  x".to_vec()));
        assert_eq!(without_comments(b"\"(no comment)\""), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let _ = text(&bytes, "gb18030");
            let _ = display_name(&bytes, Charset::default());
            let _ = parameter(&bytes, "filename", Charset::default());
        }

        #[test]
        fn any_cut_between_words_gives_the_same_text(said in "[a-zäßжσ日本 ]{1,24}", cut in 0_usize..80) {
            let bytes = said.as_bytes();
            let cut = cut % (bytes.len() + 1);
            let words = format!("=?utf-8?q?{}?= =?utf-8?q?{}?=", hex(&bytes[..cut]), hex(&bytes[cut..]));
            prop_assert_eq!(text(words.as_bytes(), ""), said);
        }
    }
}
