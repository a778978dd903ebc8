//! PDF (ISO 32000): names and strings wherever they stand, those in compressed object streams too. Whether the file's
//! table of objects is whole does not matter: readers repair it, and attackers break it.

use std::io::Read;

use super::Look;
use crate::structure::Check;
use crate::unpack::{Closed, Member};

/// Streams of one file that are opened.
const STREAMS_MAX: usize = 5000;
/// Bytes that one object stream may unpack to.
const OBJECTS_BYTES_MAX: u64 = 16 << 20;
/// Bytes that all object streams and scripts of one file may unpack to.
const OBJECTS_TOTAL_MAX: u64 = 64 << 20;
/// Bytes before a stream in which its dictionary is looked for.
const DICTIONARY_MAX: usize = 4096;
/// Strings of one file that are read.
const STRINGS_MAX: usize = 2000;
/// Links that are kept.
const LINKS_MAX: usize = 500;
/// What scripts of exploits have used, and forms do not.
const SCRIPT_ACTS: [&str; 9] = [
    "unescape(\"%u",
    "unescape('%u",
    "util.printf(\"%45000",
    "collab.geticon",
    "collab.collectemailinfo",
    "media.newplayer",
    "nlaunch:2",
    "nlaunch: 2",
    "app.launchurl(\"file:",
];

/// Looks at a PDF.
pub(super) fn look(bytes: &[u8], look: &mut Look<'_, '_, '_>) {
    let mut facts = Facts { left: OBJECTS_TOTAL_MAX, ..Facts::default() };
    facts.read(bytes);
    // Where the next end is: looked for once, however many beginnings come before it.
    let mut end = 0;
    for (opened, at) in memchr::memmem::find_iter(bytes, b"stream").enumerate() {
        if opened > STREAMS_MAX {
            break;
        }
        if bytes[..at].ends_with(b"end") {
            continue;
        }
        let dictionary = dictionary(&bytes[at.saturating_sub(DICTIONARY_MAX)..at]);
        let from = match &bytes[at + 6..] {
            [b'\r', b'\n', ..] => at + 8,
            [b'\r' | b'\n', ..] => at + 7,
            _ => continue,
        };
        if end < from {
            end = memchr::memmem::find(&bytes[from..], b"endstream").map_or(bytes.len(), |end| from + end);
        }
        if let Err(closed) = stream(&dictionary, &bytes[from..end], &mut facts, look) {
            look.closed(closed);
            break;
        }
    }
    facts.tell(look);
}

fn stream(dictionary: &str, content: &[u8], facts: &mut Facts, look: &mut Look<'_, '_, '_>) -> Result<(), Closed> {
    let is_objects = dictionary.contains("/ObjStm");
    let is_file = dictionary.contains("/EmbeddedFile");
    let is_script =
        facts.has_script && !is_objects && !is_file && content.len() < 1 << 20 && !dictionary.contains("/Image");
    if !is_objects && !is_file && !is_script {
        return Ok(());
    }
    look.allowance.entry()?;
    let unpacked = if dictionary.contains("/FlateDecode") || dictionary.contains("/Fl ") {
        let mut out = Vec::new();
        let inflated = flate2::read::ZlibDecoder::new(content);
        if is_file {
            match look.allowance.read(content.len() as u64, inflated) {
                Ok(bytes) => out = bytes,
                Err(Closed::NotAnalysed(_)) => return Ok(()),
                Err(limit) => return Err(limit),
            }
        } else {
            // What breaks off is read as far as it goes.
            let _ = inflated.take(OBJECTS_BYTES_MAX.min(facts.left)).read_to_end(&mut out);
            facts.left -= out.len() as u64;
            if facts.left == 0 {
                return Err(Closed::Limit(format!("a PDF whose objects unpack to {} MiB", OBJECTS_TOTAL_MAX >> 20)));
            }
        }
        out
    } else {
        content.to_vec()
    };
    if is_objects {
        facts.read(&unpacked);
    } else if is_file {
        facts.files += 1;
        look.seen.members.push(Member::new(String::new(), unpacked));
    } else {
        facts.script(&unpacked);
    }
    Ok(())
}

/// The innermost dictionary that ends before a stream, its names written plainly.
fn dictionary(before: &[u8]) -> String {
    let text = String::from_utf8_lossy(before);
    let start = text.rfind(" obj").or_else(|| text.rfind("obj")).unwrap_or(0);
    plain_names(&text[start..])
}

/// Names may hide letters as #41 (7.3.5).
fn plain_names(text: &str) -> String {
    if !text.contains('#') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    while at < bytes.len() {
        let hidden = (bytes[at] == b'#').then(|| bytes.get(at + 1..at + 3)).flatten();
        let value =
            hidden.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|d| u8::from_str_radix(d, 16).ok());
        match value.filter(u8::is_ascii_graphic) {
            Some(value) => {
                out.push(char::from(value));
                at += 3;
            }
            None => {
                out.push(char::from(bytes[at]));
                at += 1;
            }
        }
    }
    out
}

/// What names tell.
#[derive(Default)]
struct Facts {
    /// What may still be unpacked.
    left: u64,
    /// How many strings were read.
    strings: usize,
    has_script: bool,
    opens: bool,
    launches: Vec<String>,
    files: usize,
    is_encrypted: bool,
    acts: Vec<&'static str>,
    links: Vec<String>,
}

impl Facts {
    fn read(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(b'/', rest)) {
            let start = at + found;
            let end = start
                + 1
                + bytes[start + 1..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b'_' | b'-'))
                    .take(100)
                    .count();
            let name = plain_names(&String::from_utf8_lossy(&bytes[start + 1..end]));
            match name.as_str() {
                "JavaScript" | "JS" => {
                    self.has_script = true;
                    if let Some(script) = self.string(&bytes[end..]) {
                        self.script(script.as_bytes());
                    }
                }
                "OpenAction" | "AA" => self.opens = true,
                "Launch" => {
                    let near = &bytes[start.saturating_sub(200)..bytes.len().min(end + 600)];
                    self.launches.push(launched(near));
                }
                "Encrypt" => self.is_encrypted = true,
                "URI" => {
                    let link = self.string(&bytes[end..]).filter(|link| link.contains(':'));
                    if self.links.len() < LINKS_MAX {
                        self.links.extend(link);
                    }
                }
                _ => {}
            }
            at = end.max(start + 1);
        }
    }

    /// A string, as long as not too many were read: one that never ends may begin anywhere.
    fn string(&mut self, rest: &[u8]) -> Option<String> {
        self.strings += 1;
        if self.strings > STRINGS_MAX { None } else { string(rest) }
    }

    fn script(&mut self, script: &[u8]) {
        let lower = String::from_utf8_lossy(script).to_lowercase();
        for word in SCRIPT_ACTS {
            if lower.contains(word) && !self.acts.contains(&word) {
                self.acts.push(word);
            }
        }
    }

    fn tell(self, look: &mut Look<'_, '_, '_>) {
        if self.has_script {
            let when = if self.opens { " that may run when it is opened" } else { "" };
            look.add(Check::PdfScript, format!("JavaScript{when}"));
        }
        if !self.acts.is_empty() {
            look.add(Check::PdfExploit, format!("a script with {}", self.acts.join(", ")));
        }
        for launch in self.launches.iter().take(5) {
            if launch.is_empty() {
                look.add(Check::PdfScript, "an action that opens a file");
            } else {
                look.add(Check::PdfLaunch, format!("an action that starts {launch}"));
            }
        }
        if self.files > 0 {
            look.add(Check::DocumentEmbeds, format!("{} files in the PDF", self.files));
        }
        if self.is_encrypted {
            look.add(Check::EncryptedDocument, "a PDF");
        }
        look.seen.links.extend(self.links);
    }
}

/// What a launch action starts, if it is a program: its file or its parameters name one.
fn launched(near: &[u8]) -> String {
    const PROGRAMS: [&str; 12] =
        ["cmd", "powershell", ".exe", ".bat", ".cmd", ".js", ".vbs", ".hta", ".scr", "mshta", "rundll32", "wscript"];
    let text = String::from_utf8_lossy(near).to_lowercase();
    let program = PROGRAMS.into_iter().find(|program| text.contains(program));
    program.unwrap_or_default().to_owned()
}

/// A string in parentheses or in hexadecimal right behind a name (7.3.4).
fn string(rest: &[u8]) -> Option<String> {
    const STRING_MAX: usize = 20_000;
    let start = rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
    match rest[start] {
        b'(' => {
            let (mut out, mut depth, mut at) = (Vec::new(), 1, start + 1);
            while let Some(byte) = rest.get(at).filter(|_| out.len() < STRING_MAX) {
                at += 1;
                match byte {
                    b'\\' => {
                        let escaped = rest.get(at)?;
                        at += 1;
                        match escaped {
                            b'n' => out.push(b'\n'),
                            b'r' => out.push(b'\r'),
                            b't' => out.push(b'\t'),
                            // A line end that is none.
                            b'\r' | b'\n' => {}
                            b'0'..=b'7' => {
                                let digits = rest[at - 1..].iter().take(3).take_while(|d| (b'0'..=b'7').contains(d));
                                let digits: Vec<u8> = digits.copied().collect();
                                at += digits.len() - 1;
                                let value =
                                    digits.iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
                                out.push(value as u8);
                            }
                            other => out.push(*other),
                        }
                    }
                    b'(' => {
                        depth += 1;
                        out.push(b'(');
                    }
                    b')' => {
                        depth -= 1;
                        if depth == 0 {
                            break;
                        }
                        out.push(b')');
                    }
                    other => out.push(*other),
                }
            }
            Some(text(&out))
        }
        b'<' if rest.get(start + 1) != Some(&b'<') => {
            let digits: Vec<u32> = rest[start + 1..]
                .iter()
                .take(STRING_MAX)
                .take_while(|byte| **byte != b'>')
                .filter_map(|byte| char::from(*byte).to_digit(16))
                .collect();
            Some(text(
                &digits.chunks(2).map(|pair| (pair[0] << 4 | pair.get(1).unwrap_or(&0)) as u8).collect::<Vec<_>>(),
            ))
        }
        _ => None,
    }
}

/// A text string: UTF-16 by its mark, else bytes.
fn text(bytes: &[u8]) -> String {
    if let [0xfe, 0xff, wide @ ..] = bytes {
        let units = wide.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        return char::decode_utf16(units).filter_map(Result::ok).collect();
    }
    String::from_utf8_lossy(bytes).into_owned()
}
