//! What other programs read of the same bytes. `mail-parser` takes one way through a mail; where a field is given
//! twice, a boundary or an encoding is odd, or base64 has foreign letters, mail programs take others. This walk follows
//! each of them, and yields the files and texts that come of it. In a mail without such places it yields nothing and
//! decodes nothing.

use std::collections::VecDeque;

use domain::header::{self, Field};

use super::encoding::{self, Transfer};
use super::name::Names;
use crate::field_text::{self, Charset};
use crate::limits::Limits;

/// Bytes that are walked for each byte of the mail: readings may overlap, and only so often.
const WALKED_RATIO_MAX: usize = 8;
/// Boundaries of one multipart that are tried.
const BOUNDARIES_MAX: usize = 8;
/// Fields of one header that say what a part is, and are read.
const FIELDS_MAX: usize = 50;
/// Bytes of a preamble or an epilogue below which it can hide nothing.
const ASIDE_BYTES_MIN: usize = 20;

/// A file or text that some program reads.
#[derive(Debug)]
pub(super) struct Reading {
    /// Its names.
    pub names: Names,
    /// The types that it is declared as, without parameters, in lower case.
    pub declared: Vec<String>,
    /// Its bytes; text is in UTF-8.
    pub bytes: Vec<u8>,
    /// Whether it is text of the mail, and no file.
    pub is_text: bool,
    /// Whether it is presented as a file.
    pub is_attachment: bool,
}

/// All that other programs read.
#[derive(Debug, Default)]
pub(super) struct Readings {
    /// In the order of the mail.
    pub found: Vec<Reading>,
    /// What kept something from being read.
    pub limit: Option<String>,
}

/// Walks a mail, and what stands in it where not every program looks: `strays` are parts that one parse did not reach.
pub(super) fn others(raw: &[u8], strays: &[&[u8]], charset: Charset, limits: &Limits) -> Readings {
    let strays = strays.iter().map(|bytes| Entity { bytes, depth: 1, is_odd: true });
    let mut walk = Walk {
        charset,
        limits,
        left: raw.len().saturating_mul(WALKED_RATIO_MAX).saturating_add(1 << 16),
        bytes: 0,
        readings: Readings::default(),
        waiting: std::iter::once(Entity { bytes: raw, depth: 0, is_odd: false }).chain(strays).collect(),
    };
    while let Some(entity) = walk.waiting.pop_front() {
        if let Err(limit) = walk.entity(&entity) {
            walk.readings.limit = Some(limit);
            break;
        }
    }
    walk.readings
}

/// A header and a body (RFC 2045 section 2.4).
struct Entity<'m> {
    bytes: &'m [u8],
    depth: u32,
    /// Whether it, or one that holds it, can be read in more than one way.
    is_odd: bool,
}

struct Walk<'m, 'l> {
    charset: Charset,
    limits: &'l Limits,
    left: usize,
    bytes: u64,
    readings: Readings,
    waiting: VecDeque<Entity<'m>>,
}

/// One value of a Content-Type field.
#[derive(Debug, Default, PartialEq, Eq)]
struct Kind {
    /// `text/plain`, in lower case.
    media: String,
    boundaries: Vec<Vec<u8>>,
    charset: String,
}

impl Kind {
    /// Whether it is a multipart whose parts not every program finds.
    fn is_odd(&self) -> bool {
        let is_usual = |boundary: &Vec<u8>| !boundary.is_empty() && boundary.trim_ascii().len() == boundary.len();
        self.media.starts_with("multipart/") && !(self.boundaries.len() == 1 && self.boundaries.iter().all(is_usual))
    }
}

impl<'m> Walk<'m, '_> {
    fn entity(&mut self, entity: &Entity<'m>) -> Result<(), String> {
        let Entity { bytes, depth, .. } = *entity;
        self.left = self.left.checked_sub(bytes.len()).ok_or("a mail that can be read in too many ways")?;
        if depth > self.limits.mime_depth_max {
            return Err(format!("nesting over {} levels", self.limits.mime_depth_max));
        }
        let fields: Vec<Field<'_>> = header::fields(bytes).filter(says_kind).take(FIELDS_MAX).collect();
        let body = &bytes[header::body_start(bytes)..];
        let kinds = distinct(fields.iter().filter(|field| field.is("Content-Type")).flat_map(|field| kinds(field)));
        let transfers =
            distinct(fields.iter().filter(|field| field.is("Content-Transfer-Encoding")).flat_map(encodings));
        let is_odd = entity.is_odd
            || kinds.len() > 1
            || transfers.len() > 1
            || kinds.iter().any(Kind::is_odd)
            || fields.iter().any(is_unusual);
        let mut is_leaf = kinds.is_empty();
        for kind in &kinds {
            if kind.media.starts_with("multipart/") {
                self.multipart(kind, body, depth, is_odd)?;
            } else if matches!(kind.media.as_str(), "message/rfc822" | "message/global" | "message/news") {
                if transfers.iter().all(|transfer| *transfer == Transfer::Identity) {
                    self.wait(body, depth + 1, is_odd)?;
                } else {
                    is_leaf = true;
                }
            } else {
                is_leaf = true;
            }
        }
        if is_leaf {
            self.leaf(&fields, &kinds, &transfers, body, is_odd)?;
        }
        Ok(())
    }

    fn wait(&mut self, bytes: &'m [u8], depth: u32, is_odd: bool) -> Result<(), String> {
        let most = self.limits.parts_max;
        if self.waiting.len() >= most {
            return Err(format!("more than {most} parts"));
        }
        self.waiting.push_back(Entity { bytes, depth, is_odd });
        Ok(())
    }

    fn multipart(&mut self, kind: &Kind, body: &'m [u8], depth: u32, is_odd: bool) -> Result<(), String> {
        let mut has_parts = false;
        for boundary in &kind.boundaries {
            self.left = self.left.checked_sub(body.len()).ok_or("a mail that can be read in too many ways")?;
            has_parts |= self.split(body, boundary, depth, is_odd)?;
        }
        if !has_parts && let Some(guessed) = guessed_boundary(body) {
            self.split(body, guessed, depth, true)?;
        }
        Ok(())
    }

    /// The parts between the delimiters of one boundary. Whether there was one.
    fn split(&mut self, body: &'m [u8], boundary: &[u8], depth: u32, is_odd: bool) -> Result<bool, String> {
        let delimiters = delimiters(body, boundary);
        let Some(first) = delimiters.first() else { return Ok(false) };
        self.aside(&body[..first.begin])?;
        let mut is_over = false;
        for (at, delimiter) in delimiters.iter().enumerate() {
            let end = delimiters.get(at + 1).map_or(body.len(), |next| next.begin);
            is_over |= delimiter.is_last;
            let piece = &body[delimiter.end..end];
            if delimiter.is_last {
                self.aside(piece)?;
            } else {
                self.wait(piece, depth + 1, is_odd || is_over)?;
            }
        }
        Ok(true)
    }

    /// A preamble or an epilogue: programs that know no MIME show it. What says nothing and hides nothing is no part.
    fn aside(&mut self, text: &[u8]) -> Result<(), String> {
        let holds = |word: &[u8]| memchr::memmem::find(text, word).is_some();
        if text.len() < ASIDE_BYTES_MIN || !(holds(b"begin ") || holds(b"=ybegin ") || holds(b"begin-base64 ")) {
            return Ok(());
        }
        let (names, declared) = (Names::default(), vec!["text/plain".to_owned()]);
        self.keep(Reading { names, declared, bytes: text.to_vec(), is_text: true, is_attachment: false })
    }

    fn leaf(
        &mut self,
        fields: &[Field<'_>],
        kinds: &[Kind],
        transfers: &[Transfer],
        body: &[u8],
        is_odd: bool,
    ) -> Result<(), String> {
        let identity = [Transfer::Identity];
        let transfers = if transfers.is_empty() { &identity } else { transfers };
        let has_binary_text = memchr::memmem::find(body, b"=ybegin ").is_some();
        for transfer in transfers {
            let is_dirty = *transfer == Transfer::Base64 && !encoding::is_clean_base64(body);
            if !(is_odd || is_dirty || has_binary_text) {
                continue;
            }
            let names = self.names(fields);
            let declared: Vec<String> = kinds.iter().map(|kind| kind.media.clone()).collect();
            let is_attachment = !names.shown.is_empty()
                || fields.iter().any(|field| {
                    field.is("Content-Disposition") && field.unfolded().to_ascii_lowercase().starts_with("attachment")
                });
            let is_text = declared.is_empty() || declared.iter().any(|media| media.starts_with("text/"));
            let bytes = transfer.decode(body);
            let label = kinds.iter().map(|kind| kind.charset.as_str()).find(|label| !label.is_empty());
            let is_shown = is_text && !is_attachment && !has_binary_text;
            let bytes =
                if is_shown { field_text::in_utf8(&bytes, label.unwrap_or_default(), self.charset) } else { bytes };
            self.keep(Reading { names, declared, bytes, is_text, is_attachment })?;
        }
        Ok(())
    }

    fn names(&self, fields: &[Field<'_>]) -> Names {
        let of = |name: &'static str, parameter: &'static str| {
            let named = fields.iter().filter(move |field| field.is(name));
            named.flat_map(move |field| field_text::parameter_readings(field.value, parameter, self.charset))
        };
        Names::of(of("Content-Disposition", "filename").chain(of("Content-Type", "name")))
    }

    fn keep(&mut self, reading: Reading) -> Result<(), String> {
        self.bytes += reading.bytes.len() as u64;
        if self.bytes > self.limits.unpacked_bytes_max {
            return Err(format!("more than {} MiB in parts read in other ways", self.limits.unpacked_bytes_max >> 20));
        }
        if self.readings.found.len() >= self.limits.parts_max {
            return Err(format!("more than {} parts", self.limits.parts_max));
        }
        self.readings.found.push(reading);
        Ok(())
    }
}

fn says_kind(field: &Field<'_>) -> bool {
    field.is("Content-Type") || field.is("Content-Transfer-Encoding") || field.is("Content-Disposition")
}

/// What makes programs differ although it is given once: comments, control characters, and encodings that are written
/// otherwise than usual.
fn is_unusual(field: &Field<'_>) -> bool {
    let is_encoding = field.is("Content-Transfer-Encoding");
    let is_usual =
        || encoding::USUAL.iter().any(|usual| usual.as_bytes().eq_ignore_ascii_case(field.value.trim_ascii()));
    is_encoding && !is_usual()
        || field_text::without_comments(field.value).is_some()
        || field.value.iter().any(|byte| !matches!(byte, b'\t' | b'\r' | b'\n' | b' '..))
}

fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// What a Content-Type field says, with and without its comments.
fn kinds(field: &Field<'_>) -> Vec<Kind> {
    let without = field_text::without_comments(field.value);
    std::iter::once(field.value).chain(without.as_deref()).map(kind).collect()
}

fn kind(value: &[u8]) -> Kind {
    let text = String::from_utf8_lossy(value);
    let media = text.split([';', '(']).next().unwrap_or_default();
    let media: String = media.chars().filter(|c| !c.is_whitespace() && *c != '"').collect::<String>().to_lowercase();
    let mut boundaries: Vec<Vec<u8>> = Vec::new();
    let joined = field_text::parameter(value, "boundary", Charset::default()).map(String::into_bytes);
    let given = field_text::parameters(value).into_iter().filter(|(key, _)| key.eq_ignore_ascii_case(b"boundary"));
    for boundary in given.map(|(_, value)| value).chain(joined) {
        if boundaries.len() < BOUNDARIES_MAX && !boundaries.contains(&boundary) {
            boundaries.push(boundary);
        }
    }
    let charset = field_text::parameter(value, "charset", Charset::default()).unwrap_or_default();
    Kind { media, boundaries, charset }
}

/// What a Content-Transfer-Encoding field says: its first word, comments left out, and its last where it has several.
fn encodings(field: &Field<'_>) -> Vec<Transfer> {
    let plain = field_text::without_comments(field.value);
    let text = plain.as_deref().unwrap_or(field.value);
    let is_between = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b';' | b',' | b'"' | b'\'');
    let words: Vec<&[u8]> = text.split(is_between).filter(|word| !word.is_empty()).collect();
    let ends = words.first().into_iter().chain(words.last());
    distinct(ends.map(|word| Transfer::named(word)))
}

/// Where a delimiter line stands.
#[derive(Debug, PartialEq, Eq)]
struct Delimiter {
    /// Where the part before it ends: in front of the line end that belongs to the delimiter.
    begin: usize,
    /// Where the part behind it begins.
    end: usize,
    is_last: bool,
}

/// The delimiter lines of a boundary (RFC 2046 section 5.1.1). Blanks at its end count for nothing: some programs drop
/// them from the parameter, and others from the line.
fn delimiters(body: &[u8], boundary: &[u8]) -> Vec<Delimiter> {
    let boundary = boundary.trim_ascii_end();
    let mut found = Vec::new();
    for (begin, end) in lines_with_hyphens(body) {
        let line = body[begin + 2..end].trim_ascii_end();
        let Some(rest) = line.strip_prefix(boundary) else { continue };
        if !matches!(rest, b"" | b"--") {
            continue;
        }
        let before = body[..begin].strip_suffix(b"\n").unwrap_or(&body[..begin]);
        let before = before.strip_suffix(b"\r").unwrap_or(before);
        let before = before.len().max(found.last().map_or(0, |last: &Delimiter| last.end)).min(begin);
        found.push(Delimiter { begin: before, end, is_last: rest == b"--" });
    }
    found
}

/// Lines that begin with two hyphens: where each begins, and where the next line does.
fn lines_with_hyphens(body: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < body.len() {
            let begin = at;
            if body[begin..].starts_with(b"--") {
                at = memchr::memchr(b'\n', &body[begin..]).map_or(body.len(), |lf| begin + lf + 1);
                return Some((begin, at));
            }
            let next = memchr::memmem::find(&body[begin..], b"\n--")?;
            at = begin + next + 1;
        }
        None
    })
}

/// The boundary that programs guess where a multipart names none, or one that does not occur: the first line of two
/// hyphens that a field of a part follows.
fn guessed_boundary(body: &[u8]) -> Option<&[u8]> {
    let (begin, end) = lines_with_hyphens(body).find(|(_, end)| {
        let next = &body[*end..];
        next.get(..8).is_some_and(|name| name.eq_ignore_ascii_case(b"content-"))
    })?;
    Some(body[begin + 2..end].trim_ascii_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mail: &str) -> Vec<(String, Vec<u8>)> {
        let raw = mail.replace('\n', "\r\n");
        let found = others(raw.as_bytes(), &[], Charset::default(), &Limits::default()).found;
        found.into_iter().map(|reading| (reading.names.shown, reading.bytes)).collect()
    }

    fn has(mail: &str, name: &str, bytes: &[u8]) {
        let found = read(mail);
        assert!(found.iter().any(|(a, b)| a == name && b == bytes), "{mail}\n{found:?}");
    }

    const FILE: &str =
        "Content-Type: application/octet-stream; name=a.js\nContent-Transfer-Encoding: base64\n\naGVsbG8=";

    #[test]
    fn a_usual_mail_has_no_other_reading() {
        for mail in [
            "Subject: x\n\nhello\n".to_owned(),
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nhello\n".to_owned(),
            format!("Content-Type: multipart/mixed; boundary=\"b c\"\n\n--b c\n{FILE}\n--b c--\n"),
            format!(
                "Content-Type: multipart/mixed; boundary=b\n\nThis is a multi-part message in MIME format.\n--b\n\n\
                 text\n--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n{FILE}\n--c--\n\n--b--\nA footer.\n"
            ),
            format!(
                "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n{FILE}\n--b--\n"
            ),
        ] {
            assert_eq!(read(&mail), [], "{mail}");
        }
    }

    #[test]
    fn every_type_boundary_and_encoding_is_followed() {
        for top in [
            "Content-Type: multipart/mixed; boundary=b\nContent-Type: text/plain",
            "Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=b",
            "Content-Type: multipart/mixed; boundary=x; boundary=b",
            "Content-Type: multipart/mixed; boundary=b; boundary=x",
            "Content-Type: multipart/mixed; boundary=\"b  \"; x=y (z)",
            "Content-Type: multipart/mixed; boundary=\"b \"",
            "Content-Type: multipart/mixed (a comment); boundary=(other) b",
            "Content-Type: multipart/mixed",
            "Content-Type: multipart/mixed; boundary=other",
        ] {
            has(&format!("{top}\n\n--b\n{FILE}\n--b--\n"), "a.js", b"hello");
        }
        has(&format!("Content-Type: multipart/mixed; boundary=\"\"\n\n--\n{FILE}\n----\n"), "a.js", b"hello");
        for encoding in ["base64 (coded)", "(coded) base64", "\"base64\"", "7bit\nContent-Transfer-Encoding: base64"] {
            let file = format!(
                "Content-Type: application/octet-stream; name=a.js\nContent-Transfer-Encoding: {encoding}\n\naGVsbG8="
            );
            has(&file, "a.js", b"hello");
        }
        has(&FILE.replace("aGVs", "aG!Vs"), "a.js", b"hello");
    }

    #[test]
    fn what_stands_beside_the_parts_is_read() {
        let aside = "begin 644 a.js\n%:&5L;&\\\n`\nend\n";
        for mail in [
            format!("Content-Type: multipart/mixed; boundary=b\n\n{aside}--b\n\nx\n--b--\n"),
            format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n{aside}"),
        ] {
            assert_eq!(read(&mail).len(), 1, "{mail}");
        }
        let behind = format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n\n--b\n{FILE}\n--b--\n");
        has(&behind, "a.js", b"hello");
    }

    #[test]
    fn readings_that_overlap_end() {
        let mut mail = String::new();
        for depth in 0..40 {
            let boundaries: String = (0..8).map(|at| format!("; boundary=b{depth}{at}")).collect();
            let delimiters: String = (0..8).map(|at| format!("--b{depth}{at}\n")).collect();
            mail.push_str(&format!("Content-Type: multipart/mixed{boundaries}\n\n{delimiters}"));
        }
        let raw = mail.repeat(30);
        assert!(others(raw.as_bytes(), &[], Charset::default(), &Limits::default()).limit.is_some());
    }
}
