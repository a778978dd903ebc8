//! Packages of the Windows Installer: compound files whose streams have names of their own making. Tables are left
//! out; cabinets, scripts and programs in it are taken out.

use std::io::Cursor;

use super::found::Found;
use super::number::{piece, u16_le, u32_le};
use super::{Allowance, Closed, Member};

/// What begins a compound file (MS-CFB 2.2).
const COMPOUND: &[u8; 8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// The class of the root of a package, a patch, a transform: 000C1084, 000C1086 and 000C1082, and the same for all.
const CLASSES: [u8; 3] = [0x84, 0x86, 0x82];
const CLASS_REST: [u8; 15] = [0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
/// The name of the table of texts that every package has, as it stands in the directory.
const TEXTS: [u8; 14] = [0x40, 0x48, 0x3f, 0x3f, 0x77, 0x45, 0x6c, 0x44, 0x6a, 0x3e, 0xb2, 0x44, 0x2f, 0x48];
/// What begins the names of tables.
const TABLE: char = '\u{4840}';
/// The letters of which two are in one of a name.
const LETTERS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._";
/// How streams and folders begin that make a compound file a document or a saved mail, whatever its class says.
const OF_DOCUMENTS: [&str; 8] = [
    "WordDocument",
    "Workbook",
    "Book",
    "PowerPoint Document",
    "VBA",
    "__substg1.0_",
    "\u{1}Ole10Native",
    "EncryptedPackage",
];
/// Streams that are looked at.
const STREAMS_MAX: usize = 2000;

/// Whether the bytes are a package, by the class of the root or by the table that every package has, and no document
/// that says that it is one.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    let is_named = bytes.starts_with(COMPOUND) && (has_class(bytes) || memchr::memmem::find(bytes, &TEXTS).is_some());
    is_named && !OF_DOCUMENTS.into_iter().any(|name| has_name(bytes, name))
}

/// Whether a name stands somewhere in UTF-16, as names of streams do.
fn has_name(bytes: &[u8], name: &str) -> bool {
    let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    memchr::memmem::find(bytes, &wide).is_some()
}

fn has_class(bytes: &[u8]) -> bool {
    let shift = u32::from(u16_le(bytes, 30).unwrap_or(0));
    let root = u32_le(bytes, 48)
        .and_then(|sector| (sector as usize).checked_add(1))
        .and_then(|sector| sector.checked_mul(1_usize.checked_shl(shift)?));
    let class = root.and_then(|root| piece(bytes, root.checked_add(80)?, 16));
    class.is_some_and(|class| CLASSES.contains(&class[0]) && class[1..] == CLASS_REST)
}

/// Opens a package.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let damaged = |error: std::io::Error| Closed::NotAnalysed(format!("damaged package: {error}"));
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes)).map_err(damaged)?;
    let streams: Vec<(String, std::path::PathBuf)> = file
        .walk()
        .filter(|entry| entry.is_stream() && !entry.name().starts_with([TABLE, '\u{5}']))
        .map(|entry| (readable(entry.name()), entry.path().to_owned()))
        .take(STREAMS_MAX)
        .collect();
    for (name, path) in streams {
        allowance.entry()?;
        match file.open_stream(path) {
            Ok(stream) => {
                let (content, closed) = allowance.read_so_far(stream.len(), stream);
                found.add(Member::new(name, content), closed);
            }
            Err(error) => found.add(Member::new(name, Vec::new()), Some(damaged(error))),
        }
    }
    Ok(())
}

fn readable(name: &str) -> String {
    let letter = |number: u32| char::from(LETTERS[(number & 63) as usize]);
    let mut text = String::new();
    for one in name.chars() {
        match u32::from(one) {
            pair @ 0x3800..=0x47ff => text.extend([letter(pair - 0x3800), letter((pair - 0x3800) >> 6)]),
            single @ 0x4800..=0x483f => text.push(letter(single - 0x4800)),
            _ => text.push(one),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::opened_as;
    use super::*;
    use std::io::Write;

    #[test]
    fn what_a_package_brings_is_taken_out() {
        let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).expect("create");
        file.create_stream("/\u{4840}\u{3f3f}\u{4577}\u{446c}\u{3e6a}\u{44b2}\u{482f}").expect("table");
        // "Binary.a.js" in pairs of letters.
        let number = |letter: u8| LETTERS.iter().position(|one| *one == letter).expect("a letter") as u32;
        let pairs = b"Binary.a.js".chunks(2).map(|pair| match pair {
            [one, two] => 0x3800 + number(*one) + (number(*two) << 6),
            one => 0x4800 + number(one[0]),
        });
        let name: String = pairs.map(|unit| char::from_u32(unit).expect("a letter")).collect();
        file.create_stream(format!("/{name}")).expect("stream").write_all(b"hello").expect("write");
        let bytes = file.into_inner().into_inner();
        assert!(is_one(&bytes));
        let (members, closed) = opened_as("application/x-msi", &bytes, "a.msi");
        assert_eq!((members.len(), members[0].name.as_str(), closed.len()), (1, "Binary.a.js", 0));
        assert_eq!(members[0].bytes, b"hello");
    }

    #[test]
    fn a_document_is_no_package() {
        let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).expect("create");
        file.create_stream("/WordDocument").expect("stream").write_all(&TEXTS).expect("write");
        assert!(!is_one(&file.into_inner().into_inner()));
    }
}
