//! RTF: objects in hexadecimal, fields, and a template from elsewhere.

use super::{Look, ole, remote};
use crate::structure::Check;
use crate::unpack::Member;

/// Objects of one document that are looked at.
const OBJECTS_MAX: usize = 200;
/// Bytes of text that the objects of one document are read from.
const OBJECT_TEXT_MAX: usize = 64 << 20;

/// Looks at an RTF document.
pub(super) fn look(bytes: &[u8], look: &mut Look<'_, '_, '_>) {
    let mut left = OBJECT_TEXT_MAX;
    for at in memchr::memmem::find_iter(bytes, b"\\objdata").take(OBJECTS_MAX) {
        let text = &bytes[at + 8..];
        let (object, read) = hexadecimal(&text[..text.len().min(left)]);
        left -= read;
        match object_of(&object, look) {
            Some(member) => look.seen.members.push(member),
            None => look.add(Check::DocumentEmbeds, format!("an object of {} bytes", object.len())),
        }
    }
    if let Some(at) = memchr::memmem::find(bytes, b"\\*\\template") {
        let text: String =
            bytes[at + 11..].iter().take_while(|byte| **byte != b'}').take(500).map(|byte| char::from(*byte)).collect();
        let target = text.trim();
        if target.starts_with("http") {
            remote(look, "a template", target);
        }
    }
    for at in memchr::memmem::find_iter(bytes, b"\\fldinst").take(OBJECTS_MAX) {
        let field = plain(&bytes[at + 8..bytes.len().min(at + 2000)]);
        if is_dde(&field) {
            look.add(Check::Dde, field.trim().chars().take(120).collect::<String>());
        } else if let Some(link) = field.trim().strip_prefix("HYPERLINK") {
            look.seen.links.push(link.trim().trim_matches('"').to_owned());
        }
    }
}

/// Whether a field asks another program for data.
pub(super) fn is_dde(field: &str) -> bool {
    let word = field.trim_start().split(|c: char| c.is_whitespace() || c == '"').next().unwrap_or_default();
    word.eq_ignore_ascii_case("DDE") || word.eq_ignore_ascii_case("DDEAUTO")
}

/// Hexadecimal digits up to the end of the group; what writers and hiders put between them is skipped.
/// How much text was read is told as well.
fn hexadecimal(text: &[u8]) -> (Vec<u8>, usize) {
    let mut out = Vec::new();
    let (mut high, mut depth, mut at) = (None, 0_i32, 0);
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => break,
            b'}' => depth -= 1,
            // A control word, its number, and the blank that ends it.
            b'\\' => {
                while text.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'-') {
                    at += 1;
                }
            }
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
fn object_of(object: &[u8], look: &mut Look<'_, '_, '_>) -> Option<Member> {
    let long = |at: usize| Some(u32::from_le_bytes(object.get(at..at + 4)?.try_into().ok()?) as usize);
    let length = long(8)?;
    let class =
        String::from_utf8_lossy(object.get(12..12_usize.checked_add(length)?)?).trim_end_matches('\0').to_owned();
    let lower = class.to_lowercase();
    if lower.starts_with("equation.") {
        // CVE-2017-11882 and its kin: the editor was removed from Office in 2018.
        look.add(Check::RtfExploit, format!("an object of class {class}"));
    }
    let topic = 12 + length;
    let item = topic + 4 + long(topic)?;
    let data = item + 4 + long(item)?;
    let size = long(data)?;
    let content = object.get(data + 4..(data + 4).checked_add(size)?.min(object.len()))?;
    look.add(Check::DocumentEmbeds, format!("an object of class {class}"));
    if lower == "package" {
        // Without the size that a stream begins with.
        return ole::package(&[&[0; 4], content].concat());
    }
    Some(Member::new(String::new(), content.to_vec()))
}

/// The text of a group, without control words.
fn plain(text: &[u8]) -> String {
    let (mut out, mut depth, mut at) = (String::new(), 0_i32, 0);
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 0 => break,
            b'}' => depth -= 1,
            b'\\' => {
                while text.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'*') {
                    at += 1;
                }
                if text.get(at) == Some(&b' ') {
                    at += 1;
                }
            }
            b'\r' | b'\n' => {}
            byte => out.push(char::from(*byte)),
        }
    }
    out
}
