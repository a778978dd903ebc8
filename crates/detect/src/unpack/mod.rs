//! Archives opened in memory, nested and bounded. Names inside are only ever text; nothing is written anywhere.
//!
//! What some unpacker would show is shown: a damaged or unknown member is named and noted, and hides no other.

mod allowance;
mod cab;
mod calendar;
pub(crate) mod cms;
mod cpio;
mod disk;
mod exfat;
mod fat;
mod found;
mod in_text;
mod iso;
pub(crate) mod magic;
mod msi;
mod named;
mod ntfs;
mod number;
pub(crate) mod onenote;
mod rar;
mod raw_disc;
mod sevenz;
mod stream;
mod szdd;
mod tar;
mod tnef;
mod udf;
mod uuencode;
mod vhd;
pub(crate) mod volume;
mod xz;
pub(crate) mod zip;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use self::allowance::Allowance;
use self::found::Found;
pub(crate) use self::in_text::in_text;

/// One member of an archive.
#[derive(Debug)]
pub struct Member {
    /// Its name inside, as stored.
    pub name: String,
    /// Names that it has as well: unpackers differ in which of the places where a name stands they believe.
    pub other_names: Vec<String>,
    /// Its bytes, or as many as could be unpacked.
    pub bytes: Vec<u8>,
}

impl Member {
    /// A member by name and bytes.
    pub fn new(name: String, bytes: Vec<u8>) -> Self {
        Self { name, other_names: Vec::new(), bytes }
    }

    /// A member by all its names, the first of which is the one that most unpackers show.
    fn with_names(names: Vec<String>, bytes: Vec<u8>) -> Self {
        let mut names = names.into_iter().filter(|name| !name.is_empty());
        let name = names.next().unwrap_or_default();
        let mut other_names: Vec<String> = Vec::new();
        for other in names {
            if other != name && !other_names.contains(&other) {
                other_names.push(other);
            }
        }
        Self { name, other_names, bytes }
    }
}

/// Why an archive, or a part of it, was not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// A deterministic limit: what was over which.
    Limit(String),
    /// A volume of an archive that is split: only all of them together can be opened.
    Volume,
    /// Encrypted, and none of the passwords that the mail brings fits.
    Encrypted,
    /// Encrypted, and opened with a password that the mail brings itself.
    OpenedWithPassword,
    /// Damaged, or of a kind that is not opened; never bad in itself.
    NotAnalysed(String),
    /// The time for the message was over. How fast this machine is says nothing about the archive.
    OutOfTime,
}

/// Opens an archive of the family `Archive`: its members, and why some were not seen.
pub fn open(content_type: &str, bytes: &[u8], name: &str, allowance: &mut Allowance<'_>) -> (Vec<Member>, Vec<Closed>) {
    let mut found = Found::default();
    // Containers are opened by other people's code as well: one that panics on damage has not analysed this one, and no
    // more.
    let opened = catch_unwind(AssertUnwindSafe(|| by_kind(content_type, bytes, name, allowance, &mut found)));
    let result = opened.unwrap_or_else(|_| Err(Closed::NotAnalysed(format!("{content_type} that cannot be read"))));
    if let Err(closed) = result {
        found.note(closed);
    }
    let (members, mut closed) = found.into_parts();
    let is_damaged = closed.iter().any(|one| matches!(one, Closed::NotAnalysed(_)));
    if is_damaged && volume::is_numbered(name) && !closed.contains(&Closed::Volume) {
        closed.push(Closed::Volume);
    }
    if members.is_empty() && closed.is_empty() && !MAY_BE_EMPTY.contains(&content_type) {
        closed.push(Closed::NotAnalysed(format!("{content_type} with nothing in it that can be read")));
    }
    (members, closed)
}

/// Whether a content type is one of an archive: something that unpackers take files out of.
pub(crate) fn is_archive(content_type: &str) -> bool {
    !NO_ARCHIVES.contains(&content_type)
}

/// What the library that knows magic numbers counts among archives and nobody takes files out of.
const NO_ARCHIVES: [&str; 7] = [
    "application/dicom",
    "application/octet-stream",
    "application/postscript",
    "application/vnd.sqlite3",
    "application/x-nintendo-nes-rom",
    "application/x-par2",
    "application/x-shockwave-flash",
];

/// Containers that people make of nothing, or whose members are not all that they are about.
const MAY_BE_EMPTY: [&str; 7] = [
    "application/zip",
    "application/x-tar",
    "application/x-7z-compressed",
    "application/ms-tnef",
    "application/onenote",
    "application/pkcs7-mime",
    "application/x-disk-image",
];

fn by_kind(
    content_type: &str,
    bytes: &[u8],
    name: &str,
    allowance: &mut Allowance<'_>,
    found: &mut Found,
) -> Result<(), Closed> {
    match content_type {
        "application/zip" | "application/epub+zip" => zip::open(bytes, allowance, found),
        "application/gzip" => stream::gzip(bytes, name, allowance, found),
        "application/x-bzip2" => stream::bzip2(bytes, name, allowance, found),
        "application/x-xz" => stream::xz(bytes, name, allowance, found),
        "application/x-lzma" => stream::lzma(bytes, name, allowance, found),
        "application/x-tar" => tar::open(bytes, allowance, found),
        "application/x-7z-compressed" => sevenz::open(bytes, allowance, found),
        "application/vnd.ms-cab-compressed" => cab::open(bytes, allowance, found),
        "application/vnd.rar" => rar::open(bytes, allowance, found),
        "application/x-szdd" => szdd::open(bytes, name, allowance, found),
        "application/x-cpio" => cpio::open(bytes, allowance, found),
        "application/x-lzh" => named::lzh(bytes, allowance, found),
        "application/x-arj" => named::arj(bytes, allowance, found),
        "application/x-ace" => named::ace(bytes, allowance, found),
        "application/x-alz" => named::alz(bytes, allowance, found),
        "application/x-egg" => named::egg(bytes, allowance, found),
        "application/x-xar" => named::xar(bytes, allowance, found),
        "application/x-msi" => msi::open(bytes, allowance, found),
        "application/x-iso9660-image" => iso::open(bytes, allowance, found),
        "application/x-udf-image" => udf::open(bytes, allowance, found),
        "application/x-vhd" | "application/x-vhdx" | "application/x-disk-image" => {
            disk::open(content_type, bytes, allowance, found)
        }
        "application/ms-tnef" => tnef::open(bytes, allowance, found),
        "application/pkcs7-mime" => cms::open(bytes, name, allowance, &mut found.members),
        "application/x-raw-disc-image" => raw_disc::open(bytes, allowance, found),
        "application/x-archive-volume" => Err(Closed::Volume),
        "application/onenote" => onenote::open(bytes, allowance, found),
        other => Err(Closed::NotAnalysed(format!("{other} is not opened"))),
    }
}

#[cfg(test)]
mod tests;
