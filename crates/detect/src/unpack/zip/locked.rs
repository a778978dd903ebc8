//! Encrypted members of a zip. The library that decrypts reads whole zips, so that it is given one of one member.

use std::io::Cursor;

use super::super::{Allowance, Closed};
use super::content::{self, checksum};
use super::header::Entry;

/// The method that stands for AES, with the method of compression in an extra field.
const METHOD_AES: u16 = 99;
/// Flags that decryption needs: encrypted, LZMA with a mark at its end, sizes behind the member.
const FLAGS_KEPT: u16 = 1 | 2 | 8;

/// The password of a zip: mostly one for all members.
#[derive(Default)]
pub(super) struct Password {
    fitting: Option<String>,
}

impl Password {
    /// Whether one of those that the mail brings has fitted.
    pub(super) fn has_fitted(&self) -> bool {
        self.fitting.is_some()
    }
}

/// What is in an encrypted member, where a password fits that the mail brings.
pub(super) fn content(
    entry: &Entry,
    bytes: &[u8],
    password: &mut Password,
    allowance: &mut Allowance<'_>,
) -> (Vec<u8>, Option<Closed>) {
    let packed = entry.packed_bytes(bytes);
    let alone = alone(entry, packed, true);
    let tried: Vec<String> = password.fitting.iter().cloned().chain(allowance.passwords().iter().cloned()).collect();
    for one in tried {
        if let Err(over) = allowance.try_password() {
            return (Vec::new(), Some(over));
        }
        // One byte in 256 passes the old cipher's check by chance; the checksum at the end does not.
        match read(&alone, packed.len() as u64, Some(&one), allowance) {
            (content, None) => {
                password.fitting = Some(one);
                return (content, None);
            }
            (_, Some(Closed::Limit(why))) => return (Vec::new(), Some(Closed::Limit(why))),
            _ => {}
        }
    }
    // That it is encrypted may be a lie of its headers, which some unpackers do not mind and others do.
    if entry.method != METHOD_AES && entry.crc != 0 {
        let (plain, damage) = content::content(entry, bytes, allowance);
        if damage.is_none() && checksum(&plain) == entry.crc {
            return (plain, Some(Closed::Encrypted));
        }
    }
    (Vec::new(), Some(Closed::Encrypted))
}

/// What is in a member by the library: Deflate64.
pub(super) fn by_library(entry: &Entry, packed: &[u8], allowance: &mut Allowance<'_>) -> (Vec<u8>, Option<Closed>) {
    read(&alone(entry, packed, false), packed.len() as u64, None, allowance)
}

/// What is in the one member of a zip.
fn read(alone: &[u8], packed: u64, password: Option<&str>, allowance: &mut Allowance<'_>) -> (Vec<u8>, Option<Closed>) {
    let damaged = |error: ::zip::result::ZipError| Closed::NotAnalysed(format!("damaged: {error}"));
    let mut archive = match ::zip::ZipArchive::new(Cursor::new(alone)) {
        Ok(archive) => archive,
        Err(error) => return (Vec::new(), Some(damaged(error))),
    };
    let opened = match password {
        Some(password) => archive.by_index_decrypt(0, password.as_bytes()),
        None => archive.by_index(0),
    };
    match opened {
        Ok(content) => allowance.read_so_far(packed, content),
        Err(error) => (Vec::new(), Some(damaged(error))),
    }
}

/// A zip of this one member, called "x".
fn alone(entry: &Entry, packed: &[u8], is_locked: bool) -> Vec<u8> {
    let short = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let aes = entry.aes.as_deref().filter(|_| is_locked).unwrap_or_default();
    let flags = if is_locked { entry.flags & FLAGS_KEPT } else { entry.flags & 2 };
    let mut common = Vec::new();
    for number in [51, flags, entry.method, entry.time, 0] {
        common.extend(number.to_le_bytes());
    }
    common.extend(entry.crc.to_le_bytes());
    common.extend(short(packed.len() as u64));
    common.extend(short(entry.unpacked));
    common.extend(1_u16.to_le_bytes());
    common.extend(u16::try_from(aes.len()).unwrap_or(0).to_le_bytes());
    let mut zip = [super::header::LOCAL, common.as_slice(), b"x", aes, packed].concat();
    let directory_at = zip.len() as u64;
    zip.extend(super::directory::LINE);
    zip.extend(51_u16.to_le_bytes());
    zip.extend(&common);
    zip.extend([0; 14]);
    zip.extend(b"x");
    zip.extend(aes);
    let length = zip.len() as u64 - directory_at;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(short(length));
    zip.extend(short(directory_at));
    zip.extend([0; 2]);
    zip
}
