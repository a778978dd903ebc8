//! OneNote sections (MS-ONESTORE 2.6.13): the files that are embedded in a page. A page that asks for a double click on
//! a picture hides a script below it.

use super::found::Found;
use super::number::{piece, piece_so_far, size, u32_le, u64_le};
use super::{Allowance, Closed, Member};
use crate::utf16;

/// What begins every section.
pub(crate) const SECTION: [u8; 16] =
    [0xe4, 0x52, 0x5c, 0x7b, 0x8c, 0xd8, 0xa7, 0x4d, 0xae, 0xb1, 0x53, 0x78, 0xd0, 0x29, 0x96, 0xd3];
/// What begins every embedded file; its length follows, then twelve bytes, then the file.
const FILE: [u8; 16] = [0xe7, 0x16, 0xe3, 0xbd, 0x65, 0x26, 0x11, 0x45, 0xa4, 0xc4, 0x8d, 0x4d, 0x0b, 0x7a, 0x9e, 0xac];
/// The number of the property `EmbeddedFileName` (MS-ONE 2.2.80).
const FILE_NAME: [u8; 4] = 0x1c00_1d9c_u32.to_le_bytes();
/// Bytes behind the number of a property in which its text is looked for, and bytes of such a text.
const TEXT_WITHIN_BYTES: usize = 600;
const NAME_BYTES_MAX: u32 = 520;
/// Names of one section.
const NAMES_MAX: usize = 500;

/// Takes the embedded files out.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let mut names = names(bytes).into_iter();
    for at in memchr::memmem::find_iter(bytes, &FILE).map(|found| found + FILE.len()) {
        allowance.entry()?;
        let Some(length) = u64_le(bytes, at).map(size) else { continue };
        if piece(bytes, at + 20, length).is_none() {
            found.note(Closed::NotAnalysed("a OneNote section that is cut off".into()));
        }
        let (content, closed) = allowance.copy(piece_so_far(bytes, at + 20, length));
        // Pictures of the page lie among the files, without names.
        let is_picture = infer::get(&content).is_some_and(|kind| kind.matcher_type() == infer::MatcherType::Image);
        let name = if is_picture { None } else { names.next() };
        found.add(Member::new(name.unwrap_or_default(), content), closed);
    }
    // A name whose file was not found is a name all the same.
    for name in names {
        allowance.entry()?;
        found.name(name);
    }
    Ok(())
}

/// The names of embedded files, each once, in the order of the section. This is a search, not a reading of the objects:
/// a property set lists the numbers of all its properties before the values (MS-ONESTORE 2.6.7), so the value is looked
/// for behind the number, as a length and a text in UTF-16 that ends like the name of a file. Which name is that of
/// which file is taken from their order, which is how OneNote writes them.
fn names(bytes: &[u8]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for at in memchr::memmem::find_iter(bytes, &FILE_NAME).take(NAMES_MAX) {
        let from = at + FILE_NAME.len();
        let name = (from..from + TEXT_WITHIN_BYTES).find_map(|at| file_name(bytes, at));
        names.extend(name.filter(|name| !names.contains(name)));
    }
    names
}

/// A text behind its length that may be the name of a file: no control characters, and an extension.
fn file_name(bytes: &[u8], at: usize) -> Option<String> {
    let length = u32_le(bytes, at).filter(|length| length % 2 == 0 && (6..=NAME_BYTES_MAX).contains(length))?;
    let text = utf16::le(piece(bytes, at + 4, length as usize)?);
    let text = text.trim_end_matches('\0');
    let is_name = !text.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER);
    let (_, extension) = text.rsplit_once('.')?;
    let has_extension = (1..=12).contains(&extension.len()) && extension.chars().all(|c| c.is_ascii_alphanumeric());
    (is_name && has_extension).then(|| text.to_owned())
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::opened_as;
    use super::*;

    fn embedded(content: &[u8]) -> Vec<u8> {
        [&FILE[..], &(content.len() as u64).to_le_bytes(), &[0; 12], content].concat()
    }

    fn property(name: &str) -> Vec<u8> {
        let text: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        let numbers = [&[2, 0][..], &FILE_NAME, &0x1400_1d0c_u32.to_le_bytes()].concat();
        [numbers, (text.len() as u32).to_le_bytes().to_vec(), text, vec![0; 9]].concat()
    }

    const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    /// A section with a picture, a file, and a name.
    pub(in super::super) fn sample() -> Vec<u8> {
        [
            SECTION.to_vec(),
            embedded(PICTURE),
            property("invoice.hta"),
            property("invoice.hta"),
            embedded(b"<html><script>1</script>"),
            property("gone.js"),
        ]
        .concat()
    }

    #[test]
    fn files_have_their_names() {
        let bytes = sample();
        let (members, closed) = opened_as("application/onenote", &bytes, "a.one");
        let seen: Vec<(&str, usize)> = members.iter().map(|one| (one.name.as_str(), one.bytes.len())).collect();
        assert_eq!((seen, closed), (vec![("", PICTURE.len()), ("invoice.hta", 24), ("gone.js", 0)], vec![]));
    }

    #[test]
    fn one_that_is_cut_off_hides_no_other() {
        let bytes = [SECTION.to_vec(), embedded(b"first"), embedded(b"second")].concat();
        let (members, closed) = opened_as("application/onenote", &bytes[..bytes.len() - 2], "a.one");
        assert_eq!((members[0].bytes.as_slice(), members[1].bytes.as_slice()), (&b"first"[..], &b"seco"[..]));
        assert!(matches!(closed.as_slice(), [Closed::NotAnalysed(_)]));
    }
}
