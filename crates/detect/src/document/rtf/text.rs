//! The text of an RTF document as people read it, without its tables of fonts, its fields and its pictures.

use encoding_rs::Encoding;

use super::control;
use crate::document::text::DocumentText;

/// Groups in groups whose state is kept.
const DEPTH_MAX: usize = 1000;
/// Bytes and UTF-16 units that are gathered before they are decoded.
const PENDING_MAX: usize = 4096;
/// Groups that are no text (RTF 1.9.1, "Destinations").
const NOT_SHOWN: [&[u8]; 34] = [
    b"fonttbl",
    b"colortbl",
    b"stylesheet",
    b"info",
    b"pict",
    b"objdata",
    b"objclass",
    b"objname",
    b"fldinst",
    b"filetbl",
    b"listtable",
    b"listoverridetable",
    b"revtbl",
    b"rsidtbl",
    b"generator",
    b"template",
    b"themedata",
    b"colorschememapping",
    b"datastore",
    b"latentstyles",
    b"xmlnstbl",
    b"mmathPr",
    b"bkmkstart",
    b"bkmkend",
    b"nonshppict",
    b"sn",
    b"sv",
    b"atnid",
    b"atnauthor",
    b"annotation",
    b"xe",
    b"tc",
    b"private",
    b"passwordhash",
];
/// Groups that readers of old may skip, and that hold text all the same.
const SHOWN: [&[u8]; 3] = [b"shpinst", b"shptxt", b"shppict"];

/// Reads a document; how many of its bytes were read.
pub(super) fn read(bytes: &[u8], text: &mut DocumentText) -> usize {
    let mut reader = Reader::new(text);
    let mut at = 0;
    while let Some(byte) = bytes.get(at).filter(|_| !reader.text.is_full()) {
        at += 1;
        match byte {
            b'{' => reader.open(),
            b'}' => reader.close(),
            b'\\' => at = reader.control(bytes, at),
            b'\r' | b'\n' | 0 => {}
            byte => reader.byte(*byte),
        }
    }
    reader.flush();
    at.min(bytes.len())
}

/// The state of a group.
#[derive(Clone, Copy, Debug)]
struct Group {
    is_skipped: bool,
    is_hidden: bool,
    /// Whether what follows is there only for readers of RTF, beside a page in the same text (MS-OXRTFEX 2.1.3.2).
    is_beside_page: bool,
    /// Characters that stand for a `\u` one, for readers that do not know it.
    instead: usize,
}

struct Reader<'t> {
    text: &'t mut DocumentText,
    encoding: &'static Encoding,
    group: Group,
    groups: Vec<Group>,
    /// Groups that are open beyond those that are kept.
    deeper: usize,
    /// A `\*` was read, and no word yet.
    may_be_skipped: bool,
    /// Characters that are still to be left out.
    skip: usize,
    bytes: Vec<u8>,
    units: Vec<u16>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t mut DocumentText) -> Self {
        Self {
            text,
            encoding: encoding_rs::WINDOWS_1252,
            group: Group { is_skipped: false, is_hidden: false, is_beside_page: false, instead: 1 },
            groups: Vec::new(),
            deeper: 0,
            may_be_skipped: false,
            skip: 0,
            bytes: Vec::new(),
            units: Vec::new(),
        }
    }

    fn open(&mut self) {
        self.flush();
        self.skip = 0;
        if self.groups.len() < DEPTH_MAX {
            self.groups.push(self.group);
        } else {
            self.deeper += 1;
        }
    }

    fn close(&mut self) {
        self.flush();
        (self.skip, self.may_be_skipped) = (0, false);
        if self.deeper > 0 {
            self.deeper -= 1;
        } else if let Some(group) = self.groups.pop() {
            self.group = group;
        }
    }

    fn is_read(&self) -> bool {
        !self.group.is_skipped && !self.group.is_hidden && !self.group.is_beside_page
    }

    /// A byte of text as it stands there.
    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.is_read() {
            self.decode_units();
            self.bytes.push(byte);
            if self.bytes.len() >= PENDING_MAX && byte.is_ascii() {
                self.flush();
            }
        }
    }

    /// What a control word or symbol says; where the text goes on.
    fn control(&mut self, bytes: &[u8], at: usize) -> usize {
        let (word, number, end) = control(bytes, at);
        match word {
            b"*" => self.may_be_skipped = true,
            b"'" => {
                let digits = bytes.get(end..end + 2).and_then(|digits| std::str::from_utf8(digits).ok());
                if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                    self.byte(byte);
                }
                return (end + 2).min(bytes.len());
            }
            b"bin" => {
                let length = usize::try_from(number.unwrap_or(0)).unwrap_or(0);
                return end.saturating_add(length).min(bytes.len());
            }
            b"u" => self.unit(number.unwrap_or(0)),
            b"\\" | b"{" | b"}" => self.byte(word.first().copied().unwrap_or(b' ')),
            _ => self.word(word, number),
        }
        end
    }

    /// A UTF-16 unit; numbers over 32,767 are written as negative ones.
    fn unit(&mut self, number: i32) {
        if self.is_read() {
            self.decode_bytes();
            self.units.push(number.rem_euclid(65_536) as u16);
            if self.units.len() >= PENDING_MAX {
                self.decode_units();
            }
        }
        self.skip = self.group.instead;
    }

    fn word(&mut self, word: &[u8], number: Option<i32>) {
        let is_on = number != Some(0);
        match word {
            _ if std::mem::take(&mut self.may_be_skipped) && !SHOWN.contains(&word) => self.group.is_skipped = true,
            _ if NOT_SHOWN.contains(&word) => self.group.is_skipped = true,
            b"uc" => self.group.instead = usize::try_from(number.unwrap_or(1)).unwrap_or(0).min(100),
            b"v" => self.state(|group| group.is_hidden = is_on),
            b"plain" => self.state(|group| group.is_hidden = false),
            b"htmlrtf" => self.state(|group| group.is_beside_page = is_on),
            b"ansicpg" => self.encoding = code_page(number.unwrap_or(0)),
            _ => self.sign(word),
        }
    }

    fn state(&mut self, change: impl FnOnce(&mut Group)) {
        self.flush();
        change(&mut self.group);
    }

    /// Words that are a character, or the end of a line.
    fn sign(&mut self, word: &[u8]) {
        let shown = match word {
            b"par" | b"line" | b"row" | b"sect" | b"page" | b"\n" | b"\r" => "\n",
            b"tab" | b"cell" | b"~" | b"enspace" | b"emspace" => " ",
            b"_" => "-",
            b"emdash" => "\u{2014}",
            b"endash" => "\u{2013}",
            b"bullet" => "\u{2022}",
            b"lquote" => "\u{2018}",
            b"rquote" => "\u{2019}",
            b"ldblquote" => "\u{201c}",
            b"rdblquote" => "\u{201d}",
            _ => return,
        };
        if self.is_read() {
            self.flush();
            self.text.push(shown);
        }
    }

    fn flush(&mut self) {
        self.decode_bytes();
        self.decode_units();
    }

    fn decode_bytes(&mut self) {
        if !self.bytes.is_empty() {
            self.text.push(&self.encoding.decode_without_bom_handling(&self.bytes).0);
            self.bytes.clear();
        }
    }

    fn decode_units(&mut self) {
        if !self.units.is_empty() {
            self.text.push(&String::from_utf16_lossy(&self.units));
            self.units.clear();
        }
    }
}

/// The encoding of a code page of Windows.
fn code_page(number: i32) -> &'static Encoding {
    let label = match number {
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        874 => "windows-874".to_owned(),
        10_000 => "macintosh".to_owned(),
        65_001 => "utf-8".to_owned(),
        866 => "ibm866".to_owned(),
        number => format!("windows-{number}"),
    };
    Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::WINDOWS_1252)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text_of(rtf: &str) -> String {
        let mut text = DocumentText::default();
        read(rtf.as_bytes(), &mut text);
        text.finish()
    }

    #[test]
    fn what_people_read() {
        let document = concat!(
            r"{\rtf1\ansi\ansicpg1251{\fonttbl{\f0 Arial;}}{\*\generator x;}\pard Pay \b now\b0\par ",
            r"{\field{\*\fldinst HYPERLINK https://a}{\fldrslt here}}\tab \'ef\u1078?\u-10179?\u-8704?",
            r"{\v hidden}{\pict 00ff}{\*\shpinst{\sp{\sn a}}{\shptxt in a box}}\line\bin3 }}}{\uc0\u97 b}\{\~\}}",
        );
        let shown = "Pay now\nhere \u{43f}\u{436}\u{1f600}in a box\nab{ }";
        assert_eq!(text_of(document), shown);
        let page = r"{\rtf1\fromhtml1{\*\htmltag64 <p>}\htmlrtf \par\htmlrtf0 shown}";
        assert_eq!(text_of(page), "shown");
    }

    proptest! {
        #[test]
        fn whatever_the_text_reading_ends(
            rtf in "(\\{|\\}|\\\\|\\\\bin|9999999999|-5|\\\\u|\\\\uc|\\\\'|\\\\\\*|\\\\v|4|a|g| |\r\n|\u{e9}){0,60}"
        ) {
            let mut text = DocumentText::default();
            prop_assert!(read(rtf.as_bytes(), &mut text) <= rtf.len());
            prop_assert_eq!(text.finish(), text_of(&rtf));
        }
    }
}
