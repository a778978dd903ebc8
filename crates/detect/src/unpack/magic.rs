//! Which container bytes are, where it takes more than the letters that they begin with, or letters that few know.

use super::number::piece;
use super::{cpio, disk, iso, msi, named, rar, raw_disc, sevenz, szdd, tar, udf, vhd, xz, zip};

/// Bytes in which the first member of a zip is looked for, where there is no directory.
const ZIP_WITHIN_BYTES: usize = 64 << 10;

/// The content type of a container that is known by how it begins; an ISO 9660 image may begin with anything.
pub(crate) fn by_beginning(bytes: &[u8]) -> Option<&'static str> {
    let begins = |mark: &[u8]| bytes.starts_with(mark);
    Some(match () {
        () if msi::is_one(bytes) => "application/x-msi",
        () if szdd::is_one(bytes) => "application/x-szdd",
        () if cpio::is_one(bytes) => "application/x-cpio",
        () if named::is_lzh(bytes) => "application/x-lzh",
        () if named::is_arj(bytes) => "application/x-arj",
        () if begins(b"ALZ\x01") => "application/x-alz",
        () if begins(b"EGGA\0\x01") => "application/x-egg",
        () if begins(b"xar!\0\x1c\0\x01") => "application/x-xar",
        () if begins(b"MSWIM\0\0\0") => "application/x-ms-wim",
        () if vhd::is_vhdx(bytes) => "application/x-vhdx",
        () if begins(vhd::FOOTER) => "application/x-vhd",
        () if iso::is_one(bytes) => "application/x-iso9660-image",
        () if raw_disc::is_one(bytes) => "application/x-raw-disc-image",
        () if xz::is_lzma(bytes) => "application/x-lzma",
        () => return None,
    })
}

/// The content type of a container that may begin with anything, a picture or a page for one: what makes it one stands
/// elsewhere. Whoever knows the beginning as something else has to look at both.
pub(crate) fn behind_any_beginning(bytes: &[u8]) -> Option<&'static str> {
    Some(match () {
        () if iso::is_one(bytes) => "application/x-iso9660-image",
        () if udf::is_one(bytes) => "application/x-udf-image",
        () if vhd::is_vhd(bytes) => "application/x-vhd",
        () if disk::is_one(bytes) => "application/x-disk-image",
        () if has_trailer_of_dmg(bytes) => "application/x-apple-diskimage",
        () if named::is_ace(bytes) => "application/x-ace",
        () if tar::is_header(bytes) => "application/x-tar",
        () if rar::begin(bytes).is_some() => "application/vnd.rar",
        () if sevenz::begin(bytes).is_some() => "application/x-7z-compressed",
        // Unpackers search for the record at the end of a zip (APPNOTE 4.3.16), or for its first member.
        () if zip::ends_as_zip(bytes) || zip::has_header(bytes, ZIP_WITHIN_BYTES) => "application/zip",
        () => return None,
    })
}

/// An Apple disc image tells of itself in its last 512 bytes.
fn has_trailer_of_dmg(bytes: &[u8]) -> bool {
    let trailer = bytes.len().checked_sub(512);
    trailer.and_then(|at| piece(bytes, at, 8)).is_some_and(|mark| mark == b"koly\0\0\0\x04")
}
