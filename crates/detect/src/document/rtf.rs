//! RTF: objects in hexadecimal, fields, and a template from elsewhere.

mod text;

use super::text::DocumentText;
use super::{Look, ole, remote};
use crate::page::html;
use crate::page::share::Share;
use crate::structure::Check;
use crate::unpack::Member;

/// Objects of one document that are looked at.
const OBJECTS_MAX: usize = 200;
/// Bytes of text that the objects of one document are read from.
const OBJECT_TEXT_MAX: usize = 64 << 20;
/// Bytes of a field, a class or a template that are read.
const GROUP_BYTES_MAX: usize = 4000;
/// Elements of a page in RTF that are read, and digits of the number that says what each is.
const TAGS_MAX: usize = 20_000;
const TAG_DIGITS_MAX: usize = 6;

/// Looks at an RTF document.
pub(super) fn look(bytes: &[u8], look: &mut Look<'_, '_, '_>) {
    let mut left = OBJECT_TEXT_MAX;
    for at in memchr::memmem::find_iter(bytes, b"\\objdata").take(OBJECTS_MAX) {
        let text = &bytes[at + 8..];
        let (object, read) = hexadecimal(&text[..text.len().min(left)]);
        left -= read;
        let before = look.seen.signals.len();
        match object_of(&object, look) {
            Some(members) => look.seen.members.extend(members),
            None if look.seen.signals.len() > before => {}
            None => look.add(Check::DocumentEmbeds, format!("an object of {} bytes", object.len())),
        }
    }
    for at in memchr::memmem::find_iter(bytes, b"\\objclass").take(OBJECTS_MAX) {
        let class = plain(&bytes[at + 9..bytes.len().min(at + GROUP_BYTES_MAX)]);
        if is_equation(class.trim()) {
            look.add(Check::RtfExploit, format!("an object of class {}", class.trim()));
        }
    }
    for at in memchr::memmem::find_iter(bytes, b"\\template").take(OBJECTS_MAX) {
        // \templatefoo is another word.
        if bytes.get(at + 9).is_some_and(u8::is_ascii_alphabetic) {
            continue;
        }
        let target = plain(&bytes[at + 9..bytes.len().min(at + GROUP_BYTES_MAX)]);
        let target = target.trim();
        // One of this computer is everyday.
        if target.contains("://") || target.contains(":/\\") || Share::of(target).is_some() {
            remote(look, "a template", target);
        }
    }
    for at in memchr::memmem::find_iter(bytes, b"\\fldinst").take(OBJECTS_MAX) {
        let field = plain(&bytes[at + 8..bytes.len().min(at + GROUP_BYTES_MAX)]);
        super::field(look, field.trim());
    }
    let room = look.allowance.text_bytes_left().min(bytes.len());
    let mut read = DocumentText::default();
    look.allowance.take_text(text::read(&bytes[..room], &mut read));
    look.seen.text = read.finish();
    if memchr::memmem::find(bytes, b"\\fromhtml").is_some() {
        let page = html::read(page_in(bytes).as_bytes(), false);
        look.seen.links.extend(page.links.into_iter().map(|link| link.target));
    }
}

/// The elements of a page that Outlook keeps as RTF (MS-OXRTFEX 2.1.3.1): each stands in a group of its own.
fn page_in(bytes: &[u8]) -> String {
    let mut page = String::new();
    for at in memchr::memmem::find_iter(bytes, b"\\*\\htmltag").take(TAGS_MAX) {
        let from = at + 10;
        let digits = bytes[from..].iter().take(TAG_DIGITS_MAX).take_while(|byte| byte.is_ascii_digit()).count();
        let group = &bytes[from + digits..bytes.len().min(from + GROUP_BYTES_MAX)];
        page.push_str(plain(group).trim_start_matches(' '));
    }
    page
}

/// CVE-2017-11882 and its kin: the editor was removed from Office in 2018. MathType's formulas (`Equation.DSMT4`) are
/// those of a program that is in use.
fn is_equation(class: &str) -> bool {
    let begins = |head: &str| class.get(..head.len()).is_some_and(|there| there.eq_ignore_ascii_case(head));
    begins("equation.") && !begins("equation.dsmt")
}

/// The class of the editor, {0002CE02-0000-0000-C000-000000000046}, as a compound file stores it: it decides what opens
/// the object, whatever the text calls it.
const EDITOR: [u8; 16] = *b"\x02\xce\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";

fn is_of_editor(content: &[u8]) -> bool {
    content.starts_with(b"\xd0\xcf\x11\xe0") && memchr::memmem::find(content, &EDITOR).is_some()
}

/// Whether a field asks another program for data.
pub(super) fn is_dde(field: &str) -> bool {
    let word = field.trim_start().split(|c: char| c.is_whitespace() || c == '"').next().unwrap_or_default();
    word.eq_ignore_ascii_case("DDE") || word.eq_ignore_ascii_case("DDEAUTO")
}

/// A control word or symbol behind its backslash (RTF 1.9.1, "RTF Syntax"): its letters, its number, and where the text
/// goes on. A blank behind a word belongs to it.
fn control(text: &[u8], at: usize) -> (&[u8], Option<i32>, usize) {
    let count = |from: usize, fits: fn(&u8) -> bool| {
        text.get(from..).map_or(0, |rest| rest.iter().take_while(|byte| fits(byte)).count())
    };
    let letters = count(at, u8::is_ascii_alphabetic);
    if letters == 0 {
        return (text.get(at..at + 1).unwrap_or_default(), None, (at + 1).min(text.len()));
    }
    let mut end = at + letters;
    let sign = usize::from(text.get(end) == Some(&b'-'));
    let digits = count(end + sign, u8::is_ascii_digit);
    let number = text.get(end..end + sign + digits).filter(|_| digits > 0);
    let value = number.and_then(|number| std::str::from_utf8(number).ok()?.parse().ok());
    if digits > 0 {
        end += sign + digits;
    }
    end += usize::from(text.get(end) == Some(&b' '));
    (&text[at..at + letters], value, end)
}

/// Hexadecimal digits up to the end of the group; what writers and hiders put between them is skipped: control words,
/// groups that say that they may be skipped, characters. Bytes that stand there as they are (`\bin`) are taken.
/// How much text was read is told as well.
fn hexadecimal(text: &[u8]) -> (Vec<u8>, usize) {
    let mut out = Vec::new();
    let (mut high, mut depth, mut at) = (None, 0_i32, 0);
    // The depth of a group that is skipped as a whole.
    let mut skipped: Option<i32> = None;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => break,
            b'}' => {
                skipped = skipped.filter(|skipped| *skipped != depth);
                depth -= 1;
            }
            b'\\' => {
                let (word, number, end) = control(text, at);
                at = end;
                match word {
                    b"*" if depth > 0 => skipped = skipped.or(Some(depth)),
                    // A character in hexadecimal is a character, and no digit of the object.
                    b"'" => at = (at + 2).min(text.len()),
                    b"bin" => {
                        let length = usize::try_from(number.unwrap_or(0)).unwrap_or(0);
                        let end = at.saturating_add(length).min(text.len());
                        if skipped.is_none() {
                            out.extend_from_slice(&text[at..end]);
                        }
                        at = end;
                    }
                    _ => {}
                }
            }
            _ if skipped.is_some() => {}
            digit => {
                let Some(value) = char::from(*digit).to_digit(16) else { continue };
                match high.take() {
                    Some(high) => out.push((high << 4 | value) as u8),
                    None => high = Some(value),
                }
            }
        }
    }
    (out, at.min(text.len()))
}

/// An object (MS-OLEDS 2.2.4): version, format, class, topic, item, size, data.
fn object_of(object: &[u8], look: &mut Look<'_, '_, '_>) -> Option<Vec<Member>> {
    let long = |at: usize| Some(u32::from_le_bytes(object.get(at..at + 4)?.try_into().ok()?) as usize);
    let length = long(8)?;
    let class =
        String::from_utf8_lossy(object.get(12..12_usize.checked_add(length)?)?).trim_end_matches('\0').to_owned();
    let lower = class.to_lowercase();
    if is_equation(&lower) {
        look.add(Check::RtfExploit, format!("an object of class {class}"));
    }
    let topic = 12 + length;
    if long(4)? == 1 {
        // A link (MS-OLEDS 2.2.6): the topic is the file.
        let length = long(topic)?;
        let file = object.get(topic + 4..(topic + 4).checked_add(length)?)?;
        let file = String::from_utf8_lossy(file).trim_end_matches('\0').to_owned();
        look.add(Check::DocumentEmbeds, format!("an object of class {class}, linked"));
        super::remote_picture(look, "an object", &file);
        return None;
    }
    let item = topic + 4 + long(topic)?;
    let data = item + 4 + long(item)?;
    let size = long(data)?;
    let content = object.get(data + 4..(data + 4).checked_add(size)?.min(object.len()))?;
    look.add(Check::DocumentEmbeds, format!("an object of class {class}"));
    if !is_equation(&lower) && is_of_editor(content) {
        look.add(Check::RtfExploit, format!("an object of class {class} that is one of the equation editor"));
    }
    if lower == "package" {
        // Without the size that a stream begins with.
        return Some(ole::package(&[&[0; 4], content].concat())).filter(|members| !members.is_empty());
    }
    Some(vec![Member::new(String::new(), content.to_vec())])
}

/// The text of a group up to its end, without control words. Letters may be written as numbers (`\u104?`, `\'68`).
fn plain(text: &[u8]) -> String {
    let (mut out, mut depth, mut at) = (String::new(), 0_i32, 0);
    // Characters that stand for a \u one, for readers that do not know it.
    let mut instead = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 0 => break,
            b'}' => depth -= 1,
            b'\\' => {
                let (word, number, end) = control(text, at);
                at = end;
                match (word, number) {
                    (b"u", Some(number)) => {
                        // Numbers over 32,767 are written as negative ones.
                        let unit = number.rem_euclid(65_536).cast_unsigned();
                        out.extend(char::from_u32(unit));
                        instead = 1;
                    }
                    (b"'", _) => {
                        let digits = text.get(at..at + 2).and_then(|digits| std::str::from_utf8(digits).ok());
                        at = (at + 2).min(text.len());
                        if instead > 0 {
                            instead -= 1;
                        } else {
                            out.extend(digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(char::from));
                        }
                    }
                    (b"\\" | b"{" | b"}", _) => out.push(char::from(word[0])),
                    _ => {}
                }
            }
            b'\r' | b'\n' => {}
            _ if instead > 0 => instead -= 1,
            byte => out.push(char::from(*byte)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_and_digits_of_a_group() {
        assert_eq!(plain(b" \\u104?\\u116?\\u-10187?x \\'41\\b b\\{\\\\}more"), " htx Ab{\\");
        assert_eq!(hexadecimal(b"41\\par 42{\\*\\x 43}44 4\\'99 5}46").0, b"ABDE");
    }

    #[test]
    fn a_page_in_rtf() {
        let body = b"{\\rtf1\\ansi\\fromhtml1 {\\*\\htmltag64 <p>}{\\*\\htmltag84 <a \
            href=\"https://evil.example/\\'61?b=\\{c\\}\">}here{\\*\\htmltag92 </a>}}";
        let page = page_in(body);
        assert_eq!(page, "<p><a href=\"https://evil.example/a?b={c}\"></a>");
        assert_eq!(page_in(b"\\*\\htmltag"), "");
    }

    #[test]
    fn whose_objects_are_formulas() {
        assert!(is_equation("Equation.3") && is_equation("eQuATion.2"));
        assert!(!is_equation("Equation.DSMT4") && !is_equation("Excel.Sheet.8"));
        let stored = [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &[0; 80], &EDITOR].concat();
        assert!(is_of_editor(&stored) && !is_of_editor(&stored[8..]) && !is_of_editor(&stored[..90]));
    }

    proptest! {
        #[test]
        fn whatever_the_text_the_look_ends(
            text in "(\\{|\\}|\\\\|\\\\bin|9999999999|-5|\\\\u|\\\\'|\\*|4|a|g| |\r\n|\u{e9}){0,60}"
        ) {
            let (bytes, read) = hexadecimal(text.as_bytes());
            prop_assert!(read <= text.len() && bytes.len() <= text.len());
            drop(plain(text.as_bytes()));
        }
    }
}
