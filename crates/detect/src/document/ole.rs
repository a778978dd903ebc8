//! Compound files (MS-CFB): Word, Excel and PowerPoint of old, saved mails of Outlook, and what newer documents embed.

use std::io::{Cursor, Read, Seek};

use super::{Look, macros, msg};
use crate::family;
use crate::structure::Check;
use crate::unpack::{Closed, Member};
use crate::utf16;

/// Bytes of one stream that are read.
const STREAM_BYTES_MAX: u64 = 64 << 20;
/// Streams of one file that are looked at.
const STREAMS_MAX: usize = 2000;

pub(super) type Compound<'b> = cfb::CompoundFile<Cursor<&'b [u8]>>;

/// Looks at a compound file.
pub(super) fn look(bytes: &[u8], look: &mut Look<'_, '_, '_>) {
    let mut file = match cfb::CompoundFile::open(Cursor::new(bytes)) {
        Ok(file) => file,
        Err(error) => return look.closed(Closed::NotAnalysed(format!("damaged compound file: {error}"))),
    };
    let paths: Vec<String> = file
        .walk()
        .filter(|entry| entry.is_stream())
        .map(|entry| entry.path().to_string_lossy().into_owned())
        .take(STREAMS_MAX)
        .collect();
    let mut sources = Vec::new();
    for path in &paths {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = folder.rsplit('/').next().unwrap_or_default();
        let result = match name {
            _ if folder.eq_ignore_ascii_case("VBA") => read(&mut file, path, look).map(|stream| {
                sources.extend(macros::source(&stream));
            }),
            "\u{1}Ole10Native" => read(&mut file, path, look).map(|stream| {
                for member in package(&stream) {
                    look.add(Check::DocumentEmbeds, format!("a file '{}'", member.name));
                    look.seen.members.push(member);
                }
            }),
            "\u{1}Ole" => read(&mut file, path, look).map(|stream| monikers(&stream, look)),
            "EncryptedPackage" => {
                look.add(Check::EncryptedDocument, "an Office document");
                Ok(())
            }
            "WordDocument" => read(&mut file, path, look).map(|stream| word(&stream, look)),
            "Workbook" | "Book" => read(&mut file, path, look).map(|stream| workbook(&stream, look)),
            name if msg::is_of_mail(name) => msg::look(&mut file, path, look),
            _ => Ok(()),
        };
        if let Err(closed) = result {
            look.closed(closed);
            break;
        }
    }
    macros::judge(look, &sources);
}

pub(super) fn read<F: Read + Seek>(
    file: &mut cfb::CompoundFile<F>,
    path: &str,
    look: &mut Look<'_, '_, '_>,
) -> Result<Vec<u8>, Closed> {
    look.allowance.entry()?;
    let stream = file.open_stream(path).map_err(|error| Closed::NotAnalysed(format!("damaged stream: {error}")))?;
    let length = stream.len();
    if length > STREAM_BYTES_MAX {
        return Err(Closed::Limit(format!("a stream of more than {} MiB", STREAM_BYTES_MAX >> 20)));
    }
    look.allowance.read(length, stream)
}

/// The class of a link to a site (URL moniker, MS-OSHARED 2.3.7.6) and to a file (file moniker, 2.3.7.8), as stored.
const URL_MONIKER: [u8; 16] = *b"\xe0\xc9\xea\x79\xf9\xba\xce\x11\x8c\x82\x00\xaa\x00\x4b\xa9\x0b";
const FILE_MONIKER: [u8; 16] = *b"\x03\x03\0\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";
/// Links of one object that are read.
const MONIKERS_MAX: usize = 20;

/// What an object is linked with (MS-OLEDS 2.3.3), and loads when the document opens: a site (CVE-2017-0199), a share.
fn monikers(stream: &[u8], look: &mut Look<'_, '_, '_>) {
    let long = |at: usize| Some(u32::from_le_bytes(stream.get(at..at + 4)?.try_into().ok()?) as usize);
    let behind = |at: usize, length: usize| stream.get(at..at.checked_add(length)?.min(stream.len()));
    for at in memchr::memmem::find_iter(stream, &URL_MONIKER).take(MONIKERS_MAX) {
        let Some(text) = long(at + 16).and_then(|length| behind(at + 20, length)) else { continue };
        let units =
            text.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).take_while(|unit| *unit != 0);
        let target = utf16::of(units);
        if target.contains(':') {
            super::remote(look, "an object", &target);
        }
    }
    for at in memchr::memmem::find_iter(stream, &FILE_MONIKER).take(MONIKERS_MAX) {
        let Some(text) = long(at + 18).and_then(|length| behind(at + 22, length)) else { continue };
        let target = String::from_utf8_lossy(text).trim_end_matches('\0').to_owned();
        super::remote_picture(look, "an object", &target);
    }
}

/// An attached file as the packager wrote it: sizes, a label, where it was, where it goes, then the file. What it is
/// opened with depends on where it goes; where the label ends otherwise it is a part by both names.
pub(super) fn package(stream: &[u8]) -> Vec<Member> {
    let Some((label, path, bytes)) = packaged(stream) else { return Vec::new() };
    let name = |text: &str| text.rsplit(['\\', '/']).next().unwrap_or_default().to_owned();
    let (label, path) = (name(&label), name(&path));
    let mut members = vec![Member::new(label.clone(), bytes.to_vec())];
    if !path.is_empty() && family::extension(&path) != family::extension(&label) {
        members.push(Member::new(path, bytes.to_vec()));
    }
    members
}

fn packaged(stream: &[u8]) -> Option<(String, String, &[u8])> {
    let mut at = 6;
    let mut text = || {
        let rest = stream.get(at..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        at += end + 1;
        Some(String::from_utf8_lossy(&rest[..end]).into_owned())
    };
    let label = text()?;
    let source = text()?;
    let long = |at: usize| Some(u32::from_le_bytes(stream.get(at..at + 4)?.try_into().ok()?) as usize);
    let from = at + 8 + long(at + 4)?;
    let size = long(from)?;
    let bytes = stream.get(from + 4..(from + 4).checked_add(size)?)?;
    Some((label, source, bytes))
}

/// The file information block tells of encryption; fields are in the text, behind a mark.
fn word(stream: &[u8], look: &mut Look<'_, '_, '_>) {
    let flags = stream.get(10..12).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]])).unwrap_or(0);
    if flags & 0x0100 != 0 {
        look.add(Check::EncryptedDocument, "a Word document");
    }
    for mark in memchr::memchr_iter(0x13, stream) {
        let near = &stream[mark + 1..stream.len().min(mark + 401)];
        let end = near.iter().position(|byte| matches!(byte, 0x14 | 0x15)).unwrap_or(near.len());
        let field: Vec<u8> = near[..end].iter().copied().filter(|byte| *byte != 0).collect();
        super::field(look, String::from_utf8_lossy(&field).trim());
    }
}

/// Records of a workbook (MS-XLS): sheets of macros of Excel 4.0, names that start them, a password.
fn workbook(stream: &[u8], look: &mut Look<'_, '_, '_>) {
    const FILE_PASS: u16 = 0x2f;
    const SHEET: u16 = 0x85;
    const NAME: u16 = 0x18;
    let (mut at, mut sheets, mut starts) = (0, 0, false);
    while let Some(header) = stream.get(at..at + 4) {
        let (kind, length) =
            (u16::from_le_bytes([header[0], header[1]]), usize::from(u16::from_le_bytes([header[2], header[3]])));
        let Some(body) = stream.get(at + 4..at + 4 + length) else { break };
        match kind {
            FILE_PASS => look.add(Check::EncryptedDocument, "an Excel workbook"),
            SHEET if body.get(5) == Some(&1) => sheets += 1,
            // A built-in name, of one letter: 1 is Auto_Open.
            NAME if body.first().is_some_and(|flags| flags & 0x20 != 0) && body.get(15) == Some(&1) => starts = true,
            _ => {}
        }
        at += 4 + length;
    }
    if sheets > 0 {
        xlm(look, sheets, starts);
    }
}

/// Macros of Excel 4.0: nobody has written them for their own use since 1993.
pub(super) fn xlm(look: &mut Look<'_, '_, '_>, sheets: usize, starts: bool) {
    if starts {
        look.add(Check::MacroActs, format!("{sheets} sheets of Excel 4.0 macros that start by themselves"));
    } else {
        look.add(Check::MacroAutomatic, format!("{sheets} sheets of Excel 4.0 macros"));
    }
}
