//! One compressed file: gzip, bzip2, xz, LZMA. Its name is that of the archive without the last extension; a gzip may
//! bring another.

use super::found::Found;
use super::number::{piece, u16_le, u32_le, until_nul};
use super::{Allowance, Closed, Member, xz};

/// Bytes of the header of a gzip before what it may have besides (RFC 1952 2.3).
const GZIP_HEADER_BYTES: usize = 10;
/// Bytes behind the packed content: a checksum and a size.
const GZIP_TRAILER_BYTES: usize = 8;

/// Opens a gzip file: members one behind the other are one file.
pub(super) fn gzip(bytes: &[u8], name: &str, allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    const ENDINGS: [(&str, &str); 5] =
        [(".tgz", ".tar"), (".taz", ".tar"), (".svgz", ".svg"), (".gzip", ""), (".gz", "")];
    let mut names = vec![without_ending(name, &ENDINGS)];
    let (mut content, mut rest) = (Vec::new(), bytes);
    let closed = loop {
        allowance.entry()?;
        let Some((stored_name, length)) = gzip_header(rest) else {
            break Some(Closed::NotAnalysed("damaged gzip: its header".into()));
        };
        names.extend(stored_name);
        rest = rest.get(length..).unwrap_or_default();
        let (part, damage) = allowance.read_so_far(bytes.len() as u64, flate2::bufread::DeflateDecoder::new(&mut rest));
        let mut checksum = flate2::Crc::new();
        checksum.update(&part);
        content.extend(part);
        if damage.is_some() {
            break damage;
        }
        if u32_le(rest, 0) != Some(checksum.sum()) {
            break Some(Closed::NotAnalysed("damaged gzip: a wrong checksum".into()));
        }
        rest = rest.get(GZIP_TRAILER_BYTES..).unwrap_or_default();
        if rest.iter().all(|byte| *byte == 0) {
            break None;
        }
        if !rest.starts_with(b"\x1f\x8b") {
            break Some(Closed::NotAnalysed("bytes behind a gzip".into()));
        }
    };
    found.add(Member::with_names(names, content), closed);
    Ok(())
}

/// The name that the header of a gzip brings (RFC 1952 2.3.1), and the length of the header.
fn gzip_header(bytes: &[u8]) -> Option<(Option<String>, usize)> {
    if !bytes.starts_with(b"\x1f\x8b\x08") {
        return None;
    }
    let flags = *bytes.get(3)?;
    let mut at = GZIP_HEADER_BYTES;
    if flags & 4 != 0 {
        at += 2 + usize::from(u16_le(bytes, at)?);
    }
    let mut text = |is_there: bool| {
        let text = is_there.then(|| until_nul(bytes.get(at..).unwrap_or_default()));
        at += text.map_or(0, |text| text.len() + 1);
        text
    };
    // Latin-1 by the RFC, UTF-8 by custom.
    let name = text(flags & 8 != 0).map(|text| match std::str::from_utf8(text) {
        Ok(text) => text.to_owned(),
        Err(_) => text.iter().map(|byte| char::from(*byte)).collect(),
    });
    text(flags & 16 != 0);
    at += if flags & 2 != 0 { 2 } else { 0 };
    piece(bytes, 0, at)?;
    Some((name, at))
}

/// Opens a bzip2 file.
pub(super) fn bzip2(bytes: &[u8], name: &str, allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    const ENDINGS: [(&str, &str); 6] =
        [(".tbz2", ".tar"), (".tbz", ".tar"), (".tb2", ".tar"), (".tz2", ".tar"), (".bz2", ""), (".bz", "")];
    allowance.entry()?;
    let read = allowance.read_so_far(bytes.len() as u64, bzip2::bufread::MultiBzDecoder::new(bytes));
    add(name, &ENDINGS, read, found);
    Ok(())
}

/// Opens an xz file.
pub(super) fn xz(bytes: &[u8], name: &str, allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    allowance.entry()?;
    let read = xz::read(bytes, allowance);
    add(name, &[(".txz", ".tar"), (".xz", "")], read, found);
    Ok(())
}

/// Opens an LZMA file.
pub(super) fn lzma(bytes: &[u8], name: &str, allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    const HEADER_BYTES: usize = 13;
    allowance.entry()?;
    let Some((properties, dictionary, size)) = xz::lzma_header(bytes) else {
        return Err(Closed::NotAnalysed("damaged LZMA: its header".into()));
    };
    let stream = bytes.get(HEADER_BYTES..).unwrap_or_default();
    let read = xz::lzma(stream, size, properties, dictionary, allowance);
    add(name, &[(".tlz", ".tar"), (".lzma", "")], read, found);
    Ok(())
}

fn add(name: &str, endings: &[(&str, &str)], (bytes, closed): (Vec<u8>, Option<Closed>), found: &mut Found) {
    found.add(Member::new(without_ending(name, endings), bytes), closed);
}

/// The name of what is in an archive of this name; empty where the ending is none of these.
pub(super) fn without_ending(name: &str, endings: &[(&str, &str)]) -> String {
    let inner = endings.iter().find_map(|(ending, instead)| {
        let stem = name.len().checked_sub(ending.len())?;
        let (stem, found) = (name.get(..stem)?, name.get(stem..)?);
        found.eq_ignore_ascii_case(ending).then(|| format!("{stem}{instead}"))
    });
    inner.unwrap_or_default()
}
