//! Zip, by its central directory; encrypted entries are named, and opened where the mail brings the password.

use std::io::Cursor;

use super::{Allowance, Closed, Member};

/// Opens a zip.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, members: &mut Vec<Member>) -> Result<(), Closed> {
    let damaged = |error: zip::result::ZipError| Closed::NotAnalysed(format!("damaged zip: {error}"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut encrypted = false;
    let mut password = None;
    for at in 0..archive.len() {
        allowance.entry()?;
        // The raw entry first: an encrypted one cannot be opened otherwise, but can be named.
        let raw = archive.by_index_raw(at).map_err(damaged)?;
        let name = raw
            .name()
            .map_or_else(|_| String::from_utf8_lossy(raw.name_raw()).into_owned(), std::borrow::Cow::into_owned);
        let (is_encrypted, is_folder, packed) = (raw.encrypted(), raw.is_dir(), raw.compressed_size());
        drop(raw);
        if is_folder {
            continue;
        }
        if !is_encrypted {
            let entry = archive.by_index(at).map_err(damaged)?;
            let bytes = allowance.read(packed, entry)?;
            members.push(Member::new(name, bytes));
            continue;
        }
        match decrypt(&mut archive, at, packed, &mut password, allowance)? {
            Some(bytes) => members.push(Member::new(name, bytes)),
            None => {
                encrypted = true;
                members.push(Member::new(name, Vec::new()));
            }
        }
    }
    match (encrypted, password) {
        (true, _) => Err(Closed::Encrypted),
        (false, Some(_)) => Err(Closed::OpenedWithPassword),
        (false, None) => Ok(()),
    }
}

/// An entry with the password that fitted before, or with each that the mail brings.
fn decrypt(
    archive: &mut zip::ZipArchive<Cursor<&[u8]>>,
    at: usize,
    packed: u64,
    fitting: &mut Option<String>,
    allowance: &mut Allowance<'_>,
) -> Result<Option<Vec<u8>>, Closed> {
    let tried: Vec<String> = fitting.iter().cloned().chain(allowance.passwords().iter().cloned()).collect();
    for password in tried {
        let Ok(entry) = archive.by_index_decrypt(at, password.as_bytes()) else { continue };
        // One byte in 256 passes the old cipher's check by chance; the checksum at the end does not.
        match allowance.read(packed, entry) {
            Ok(bytes) => {
                *fitting = Some(password);
                return Ok(Some(bytes));
            }
            Err(Closed::NotAnalysed(_)) => {}
            Err(limit) => return Err(limit),
        }
    }
    Ok(None)
}
