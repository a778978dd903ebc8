//! What follows the real end of a picture, piece by piece. A trailer is recognised only when its own structure accounts
//! for every byte of it; else whoever appends a program before a fake trailer goes unseen.

use std::ops::Range;

use domain::message::Tail;

use super::{Walk, be32, jpeg, le32, png, to_usize};

/// Pieces of one tail that are told apart.
const PIECES_MAX: usize = 16;
/// Padding before something else: cameras align previews to their cards' blocks.
const PADDING_MAX: usize = 64 * 1024;
/// The last bytes in which a zip is looked for by its end record (APPNOTE 4.3.16): record and longest comment.
const ZIP_END_SPAN: usize = 66_000;

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A trailer known by its structure.
    Known(&'static str),
    /// Runs.
    Program(&'static str),
    /// Opens, and may hold what runs.
    Container(&'static str),
    /// Nothing accounts for it.
    Unknown,
}

/// One piece of a tail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

impl Piece {
    /// For people: what, and how much.
    pub(super) fn told(&self) -> String {
        let name = match self.kind {
            Kind::Known(name) | Kind::Program(name) | Kind::Container(name) => name,
            Kind::Unknown => "unknown",
        };
        format!("{name}, {} bytes", self.range.len())
    }
}

/// The class of a whole tail, for the record.
pub(super) fn summary(pieces: &[Piece]) -> Tail {
    let mut names: Vec<&str> = Vec::new();
    for piece in pieces {
        match piece.kind {
            Kind::Known(name) => names.push(name),
            Kind::Unknown | Kind::Program(_) | Kind::Container(_) => return Tail::Unknown,
        }
    }
    if names.is_empty() { Tail::None } else { Tail::Known(names.join("+")) }
}

/// The pieces from `end` to the end of the file.
pub(super) fn classify(bytes: &[u8], end: usize, announced: bool) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut at = end;
    while at < bytes.len() && pieces.len() < PIECES_MAX {
        let piece = next(bytes, at, announced);
        at = piece.range.end;
        pieces.push(piece);
    }
    if at < bytes.len() {
        pieces.push(Piece { kind: Kind::Unknown, range: at..bytes.len() });
    }
    // A zip is found from its end, so it may hide behind anything, inside a film's last box as well.
    let hides = !pieces.iter().any(|piece| matches!(piece.kind, Kind::Container(_)));
    if hides && let Some(start) = zip_start(bytes, end) {
        pieces.retain(|piece| piece.range.end <= start);
        let known = pieces.last().map_or(end, |piece| piece.range.end);
        if known < start {
            pieces.push(Piece { kind: Kind::Unknown, range: known..start });
        }
        pieces.push(Piece { kind: Kind::Container("a zip"), range: start..bytes.len() });
    }
    pieces
}

fn next(bytes: &[u8], at: usize, announced: bool) -> Piece {
    let rest = &bytes[at..];
    let all = |kind| Piece { kind, range: at..bytes.len() };
    let padding = rest.iter().take_while(|byte| matches!(byte, 0 | 0xff | b'\r' | b'\n' | b' ' | b'\t')).count();
    // A JPEG begins with FF; the padding before it may end in one.
    let padding =
        if rest[..padding].ends_with(&[0xff]) && rest.get(padding) == Some(&0xd8) { padding - 1 } else { padding };
    if padding == rest.len() {
        let is_line_end = rest.len() <= 4 && rest.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        return all(Kind::Known(if is_line_end { "line-end" } else { "padding" }));
    }
    if padding > 0 && padding <= PADDING_MAX && starts_something(&rest[padding..]) {
        return Piece { kind: Kind::Known("padding"), range: at..at + padding };
    }
    if let Some(what) = program(rest) {
        return all(Kind::Program(what));
    }
    if let Some(what) = container(rest) {
        return all(Kind::Container(what));
    }
    if is_samsung(rest) {
        return all(Kind::Known("samsung"));
    }
    for (length, name) in [(picture(rest), if announced { "mpf" } else { "jpeg" }), (png_length(rest), "png")] {
        if let Some(length) = length {
            return Piece { kind: Kind::Known(name), range: at..at + length };
        }
    }
    if let Some(length) = film(rest) {
        return Piece { kind: Kind::Known("motion-photo"), range: at..at + length };
    }
    if is_remainder(rest) {
        return all(Kind::Known("stale-remainder"));
    }
    all(Kind::Unknown)
}

fn starts_something(rest: &[u8]) -> bool {
    program(rest).is_some()
        || container(rest).is_some()
        || rest.starts_with(&[0xff, 0xd8, 0xff])
        || rest.starts_with(b"\x89PNG")
        || rest.get(4..8) == Some(b"ftyp")
        || is_samsung(rest)
}

/// What runs, by more than two letters: in the megabytes of pictures that are mailed every day, two letters are
/// everywhere.
fn program(rest: &[u8]) -> Option<&'static str> {
    if rest.starts_with(b"MZ") {
        let pe = to_usize(le32(rest, 0x3c)?);
        return (rest.get(pe..pe.checked_add(4)?) == Some(b"PE\0\0")).then_some("a Windows program");
    }
    let is_text = || !rest.iter().take(512).any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31));
    match rest {
        // Class, byte order and version of the identification (System V ABI).
        [0x7f, b'E', b'L', b'F', 1 | 2, 1 | 2, 1, ..] => Some("a Linux program"),
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] => Some("a macOS program"),
        // A Java class, not a macOS program of many kinds: the version is a sane one.
        [0xca, 0xfe, 0xba, 0xbe, 0, _, 0, 45..=80, ..] => Some("a Java class"),
        [b'L', 0, 0, 0, 1, 0x14, 2, 0, ..] => Some("a Windows shortcut"),
        [b'#', b'!', b'/', ..] if is_text() => Some("a script"),
        [b'<', b'?', b'p', b'h', b'p', ..] if is_text() => Some("a PHP script"),
        _ => None,
    }
}

fn container(rest: &[u8]) -> Option<&'static str> {
    const BEGINNINGS: [(&[u8], &str); 6] = [
        (b"Rar!\x1a\x07", "a rar"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
        (b"%PDF-", "a PDF"),
        (b"MSCF\0\0\0\0", "a cab"),
        (b"PK\x03\x04", "a zip"),
    ];
    BEGINNINGS.into_iter().find(|(beginning, _)| rest.starts_with(beginning)).map(|(_, what)| what)
}

/// Samsung's trailer: a directory at the end whose blocks tile all that is before it.
fn is_samsung(rest: &[u8]) -> bool {
    let read = || {
        let length = rest.len();
        if rest.get(length.checked_sub(4)?..)? != b"SEFT" {
            return None;
        }
        let directory = to_usize(le32(rest, length.checked_sub(8)?)?);
        let start = length.checked_sub(8)?.checked_sub(directory)?;
        if rest.get(start..start + 4)? != b"SEFH" {
            return None;
        }
        let count = to_usize(le32(rest, start + 8)?);
        if count.checked_mul(12)?.checked_add(12)? != directory {
            return None;
        }
        let mut blocks = Vec::with_capacity(count);
        for entry in 0..count {
            let at = start + 12 + 12 * entry;
            let (back, size) = (to_usize(le32(rest, at + 4)?), to_usize(le32(rest, at + 8)?));
            blocks.push((start.checked_sub(back)?, size));
        }
        blocks.sort_unstable();
        let mut reached = 0;
        for (from, size) in blocks {
            if from != reached {
                return None;
            }
            reached = from.checked_add(size)?;
        }
        Some(reached == start)
    };
    read().unwrap_or(false)
}

/// The length of a whole JPEG: a preview, a gain map, the second picture of a stereo pair.
fn picture(rest: &[u8]) -> Option<usize> {
    rest.starts_with(&[0xff, 0xd8, 0xff]).then(|| jpeg::walk(rest)).and_then(sound_end)
}

fn png_length(rest: &[u8]) -> Option<usize> {
    rest.starts_with(b"\x89PNG\r\n\x1a\n").then(|| png::walk(rest)).and_then(sound_end)
}

/// A picture with an exploit in it is no trailer.
fn sound_end(walk: Walk) -> Option<usize> {
    walk.end.filter(|_| walk.exploits.is_empty())
}

/// The length of an ISO film: boxes that follow one another, the first of them `ftyp`.
fn film(rest: &[u8]) -> Option<usize> {
    if rest.get(4..8) != Some(b"ftyp") {
        return None;
    }
    let mut at = 0;
    while let Some(kind) = rest.get(at + 4..at + 8) {
        let size = match be32(rest, at)? {
            0 => rest.len() - at,
            1 => {
                let high = to_usize(be32(rest, at + 8)?);
                if high != 0 {
                    break;
                }
                to_usize(be32(rest, at + 12)?)
            }
            size => to_usize(size),
        };
        let is_box = size >= 8 && kind.iter().all(u8::is_ascii_alphanumeric) && size <= rest.len() - at;
        if !is_box {
            break;
        }
        at += size;
    }
    // The brand alone is no film.
    (at >= 32).then_some(at)
}

/// What a cropping tool left of the picture before (CVE-2023-21036): it ends as a picture ends.
fn is_remainder(rest: &[u8]) -> bool {
    rest.ends_with(b"\0\0\0\0IEND\xae\x42\x60\x82") || rest.ends_with(&[0xff, 0xd9])
}

/// Where a zip begins whose end record is in the last bytes and whose directory leads to its files; it must lie behind
/// `end`.
fn zip_start(bytes: &[u8], end: usize) -> Option<usize> {
    let from = bytes.len().saturating_sub(ZIP_END_SPAN).max(end);
    let record = from + memchr::memmem::rfind(bytes.get(from..)?, b"PK\x05\x06")?;
    let (size, offset) = (to_usize(le32(bytes, record + 12)?), to_usize(le32(bytes, record + 16)?));
    let directory = record.checked_sub(size)?;
    if bytes.get(directory..directory.checked_add(4)?)? != b"PK\x01\x02" {
        return None;
    }
    // Offsets count from the beginning of the archive, which need not be that of the file.
    let start = directory.checked_sub(offset)?;
    let first = start.checked_add(to_usize(le32(bytes, directory + 42)?))?;
    let is_whole = bytes.get(first..first.checked_add(4)?)? == b"PK\x03\x04";
    // Offsets that count from the beginning of the picture lead to a file behind its end.
    is_whole.then_some(if start < end { first } else { start }).filter(|start| *start >= end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_letters_are_no_program() {
        for tail in
            [&b"MZ"[..], b"MZ and so on, this is nothing but text that begins so by chance", &[b'M', b'Z', 0, 0]]
        {
            assert_eq!(program(tail), None, "{tail:?}");
        }
        assert_eq!(program(b"#!note to self"), None);
        assert_eq!(program(b"#!/bin/sh\nrm"), Some("a script"));
    }

    #[test]
    fn a_fake_samsung_trailer_does_not_cover_what_is_before_it() {
        let block = b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1724668800000";
        let mut directory = b"SEFH\x65\0\0\0\x01\0\0\0\0\0\x01\x0a".to_vec();
        for number in [block.len() as u32; 2] {
            directory.extend(number.to_le_bytes());
        }
        let trailer = [&block[..], &directory, &(directory.len() as u32).to_le_bytes(), b"SEFT"].concat();
        assert!(is_samsung(&trailer));
        assert!(!is_samsung(&[&b"something else"[..], &trailer].concat()));
    }
}
