//! What kind of content bytes are: by the bytes, with the name only where bytes alone cannot say.

use domain::message::Family;

use crate::unpack;

/// Extensions of scripts that look like any text.
const SCRIPT_EXTENSIONS: [&str; 16] =
    ["bat", "cmd", "hta", "js", "jse", "ps1", "psm1", "py", "sh", "vb", "vbe", "vbs", "wsc", "wsf", "wsh", "sct"];

/// What `infer` calls an app and runs on somebody's computer.
const PROGRAMS: [&str; 7] = [
    "application/x-executable",
    "application/x-mach-binary",
    "application/java",
    "application/vnd.android.dex",
    "application/vnd.android.dey",
    "application/x-llvm",
    "application/x-rpm",
];

/// The family of `bytes`, and the content type that they show.
pub fn sniff(bytes: &[u8], name: &str) -> (Family, &'static str) {
    if let Some(known) = by_structure(bytes) {
        return known;
    }
    let kind = infer::get(bytes);
    match kind.as_ref().map(|kind| (kind.matcher_type(), kind.mime_type())) {
        // `infer` knows MZ by two letters; a text may begin so by chance.
        Some((_, "application/vnd.microsoft.portable-executable")) => {}
        // Armoured text: what is in it is none of a file type's business.
        Some((_, "application/x-x509-ca-cert" | "application/pgp-signature")) if looks_like_text(bytes) => {}
        Some((_, "text/html")) => return (Family::Html, "text/html"),
        // A note that begins "BMW" or "GIF89a" is no picture: what is made for machines has bytes that no text has.
        // What begins as a picture and is called a page is looked at as both (`picture-as-page`).
        Some((matcher, mime)) if has_weak_magic(matcher, mime) && !is_page(name) && looks_like_text(bytes) => {}
        // XML may be an SVG; our own look at texts knows more kinds.
        Some((infer::MatcherType::Text, _)) if looks_like_text(bytes) => {}
        Some((matcher, mime)) => return (family_of(matcher, mime), mime),
        None => {}
    }
    if looks_like_text(bytes) {
        return text_family(bytes, name);
    }
    wide_text(bytes, name).unwrap_or((Family::Other, "application/octet-stream"))
}

/// Text in UTF-16, known by its byte order mark: its beginning tells what it is, as for any other.
fn wide_text(bytes: &[u8], name: &str) -> Option<(Family, &'static str)> {
    let read: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let units = bytes[2..bytes.len().min(4096)].chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units).map_while(Result::ok).collect();
    looks_like_text(text.as_bytes()).then(|| text_family(text.as_bytes(), name))
}

/// What needs more than a magic number, checked first.
fn by_structure(bytes: &[u8]) -> Option<(Family, &'static str)> {
    if bytes.starts_with(b"MZ") && is_dos_or_pe(bytes) {
        return Some((Family::Executable, "application/vnd.microsoft.portable-executable"));
    }
    let lnk = b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F";
    if bytes.starts_with(lnk) {
        return Some((Family::Executable, "application/x-ms-shortcut"));
    }
    if bytes.starts_with(&unpack::onenote::SECTION) {
        return Some((Family::Archive, "application/onenote"));
    }
    if bytes.starts_with(b"\x78\x9f\x3e\x22") {
        return Some((Family::Archive, "application/ms-tnef"));
    }
    // MSCF and four zeros: two letters and two more are in some texts.
    if bytes.starts_with(b"MSCF\0\0\0\0") {
        return Some((Family::Archive, "application/vnd.ms-cab-compressed"));
    }
    if bytes.starts_with(b"Rar!\x1a\x07") {
        return Some((Family::Archive, "application/vnd.rar"));
    }
    if bytes.starts_with(b"{\\rtf") {
        return Some((Family::Office, "application/rtf"));
    }
    if let Some(container) = unpack::magic::by_beginning(bytes) {
        return Some((Family::Archive, container));
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Some((Family::Office, "application/x-ole-storage"));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return document_zip(bytes);
    }
    // A PDF may begin anywhere in its first 1024 bytes, as readers accept it.
    if bytes.starts_with(b"%PDF-") {
        return Some((Family::Pdf, "application/pdf"));
    }
    // Where the beginning is of no kind, what stands elsewhere decides.
    let is_of_no_kind = infer::get(bytes).is_none() && !looks_like_text(bytes);
    let container = is_of_no_kind.then(|| unpack::magic::behind_any_beginning(bytes)).flatten();
    container.map(|container| (Family::Archive, container))
}

/// Files of a zip whose names are looked at.
const ZIP_NAMES_MAX: usize = 2000;

/// A zip that is a document, by the names in its directory: the order of its files proves nothing, and programs do not
/// care.
fn document_zip(bytes: &[u8]) -> Option<(Family, &'static str)> {
    let names = zip_names(bytes);
    let has = |prefix: &str| names.iter().any(|name| name.to_ascii_lowercase().starts_with(prefix));
    if has("[content_types].xml") {
        let kinds = [
            ("word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            ("xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            ("ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        ];
        return kinds.into_iter().find(|(folder, _)| has(folder)).map(|(_, kind)| (Family::Office, kind));
    }
    let is_open_document =
        has("content.xml") && memchr::memmem::find(&bytes[..bytes.len().min(200)], b"vnd.oasis").is_some();
    is_open_document.then_some((Family::Office, "application/vnd.oasis.opendocument"))
}

/// The names in the central directory of a zip (APPNOTE 4.3.12).
fn zip_names(bytes: &[u8]) -> Vec<String> {
    let word = |at: usize| Some(usize::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    let long = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
    let tail = bytes.len().saturating_sub(66_000);
    let Some(end) = memchr::memmem::rfind(&bytes[tail..], b"PK\x05\x06").map(|at| tail + at) else { return Vec::new() };
    let mut at = long(end + 12).and_then(|size| end.checked_sub(size)).unwrap_or(end);
    let mut names = Vec::new();
    while names.len() < ZIP_NAMES_MAX && bytes.get(at..at + 4) == Some(b"PK\x01\x02") {
        let (Some(name), Some(extra), Some(comment)) = (word(at + 28), word(at + 30), word(at + 32)) else { break };
        let Some(text) = bytes.get(at + 46..at + 46 + name) else { break };
        names.push(String::from_utf8_lossy(text).into_owned());
        at += 46 + name + extra + comment;
    }
    names
}

/// A PE says where its header is, and it is there; a DOS program has a sane size field.
fn is_dos_or_pe(bytes: &[u8]) -> bool {
    let word = |at: usize| bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
    if let Some(pe) = word(0x3c).and_then(|at| usize::try_from(at).ok())
        && bytes.get(pe..pe.saturating_add(4)) == Some(b"PE\0\0")
    {
        return true;
    }
    !looks_like_text(bytes) && bytes.len() >= 64
}

fn family_of(matcher: infer::MatcherType, mime: &str) -> Family {
    use infer::MatcherType as M;
    match (matcher, mime) {
        (_, "application/pdf") => Family::Pdf,
        (_, "application/rtf") => Family::Office,
        (M::Image, _) => Family::Image,
        // `infer` counts certificates, databases and anything behind "-----BEGIN" among its apps; a PGP
        // signature is no program. So programs are named one by one.
        (M::App | M::Archive, mime) if PROGRAMS.contains(&mime) => Family::Executable,
        (M::App, _) => Family::Other,
        (M::Archive, _) => Family::Archive,
        (M::Doc | M::Book, _) => Family::Office,
        (M::Audio | M::Video, _) => Family::Media,
        _ => Family::Other,
    }
}

/// Whether a kind is known by a few letters that a text may begin with. Archives and programs are not among them: of
/// those a short one may be all letters, and it opens all the same.
fn has_weak_magic(matcher: infer::MatcherType, mime: &str) -> bool {
    use infer::MatcherType as M;
    matches!(matcher, M::Image | M::Audio | M::Video) || mime == "application/x-shockwave-flash"
}

/// Whether a name says that a browser opens the file as a page.
fn is_page(name: &str) -> bool {
    extension(name).is_some_and(|extension| matches!(extension.as_str(), "html" | "htm" | "shtml" | "xhtml" | "xht"))
}

fn text_family(bytes: &[u8], name: &str) -> (Family, &'static str) {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    let head = head.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if head.starts_with("#!") {
        return (Family::Script, "text/x-shellscript");
    }
    if head.starts_with("<?php") {
        return (Family::Script, "text/x-php");
    }
    if head.starts_with("<svg") || (head.starts_with("<?xml") && head.contains("<svg")) {
        return (Family::Image, "image/svg+xml");
    }
    if ["<!doctype html", "<html", "<head", "<body", "<script", "<meta", "<table", "<div"]
        .iter()
        .any(|tag| head.starts_with(tag))
    {
        return (Family::Html, "text/html");
    }
    if extension(name).is_some_and(|extension| SCRIPT_EXTENSIONS.contains(&extension.as_str())) {
        return (Family::Script, "text/plain");
    }
    (Family::Text, "text/plain")
}

/// Whether the first bytes are printable text in UTF-8 or a one-byte charset.
fn looks_like_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(4096)];
    !head.iter().any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31))
}

/// The last extension of a file name in lower case, trailing dots and blanks left out as Windows does.
pub fn extension(name: &str) -> Option<String> {
    let (stem, extension) = name.trim_end_matches(['.', ' ']).rsplit_once('.')?;
    let fits = !stem.is_empty()
        && !extension.is_empty()
        && extension.len() <= 12
        && extension.chars().all(|c| c.is_ascii_alphanumeric());
    fits.then(|| extension.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], name: &str, family: Family) {
        assert_eq!(sniff(bytes, name).0, family, "{name} {:?}", &bytes[..bytes.len().min(16)]);
    }

    #[test]
    fn by_content() {
        let mut pe = vec![0_u8; 256];
        pe[..2].copy_from_slice(b"MZ");
        pe[0x3c] = 0x80;
        pe[0x80..0x84].copy_from_slice(b"PE\0\0");
        check(&pe, "picture.jpg", Family::Executable);
        check(
            b"MZ is how this note begins, and it is only text, of more than sixty-four letters.",
            "note.txt",
            Family::Text,
        );
        check(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a.exe", Family::Image);
        check(b"\xff\xd8\xff\xe0\0\x10JFIF", "a", Family::Image);
        check(b"GIF89a\x01\0\x01\0", "a", Family::Image);
        check(b"%PDF-1.7\n", "a", Family::Pdf);
        check(b"PK\x03\x04\x14\0\0\0", "a", Family::Archive);
        check(&[b"\x7fELF\x02\x01\x01".as_slice(), &[0; 49]].concat(), "a", Family::Executable);
        check(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "a.doc", Family::Office);
        check(b"{\\rtf1 hello}", "a.doc", Family::Office);
        check(b"<!DOCTYPE html><html>", "a.txt", Family::Html);
        check(b"<svg xmlns='x'>", "a", Family::Image);
        check(b"<?xml version='1.0'?><svg xmlns='x'>", "a.svg", Family::Image);
        check(b"<?xml version='1.0'?><note/>", "a.xml", Family::Text);
        check(b"#!/bin/sh\n", "a", Family::Script);
        check(b"WScript.Echo 1", "a.vbs", Family::Script);
        check(b"Hello", "a.txt", Family::Text);
        check(b"", "", Family::Text);
        check(b"-----BEGIN PGP SIGNATURE-----\r\nVersion: GnuPG v1\r\n", "signature.asc", Family::Text);
        check(b"-----BEGIN CERTIFICATE-----\r\nMIIB\r\n", "ca.pem", Family::Text);
        check(b"\0\x01\x02\x03", "a", Family::Other);
        for begin in ["BMW has announced", "BM", "BMI: 24", "GIF89a is a format", "CWS", "FWS", "ID3 tags", "MZ", "PK"]
        {
            check(format!("{begin} and so on, for a line or two of a letter.").as_bytes(), "", Family::Text);
        }
        check(b"GIF89a=1;alert(1)", "a.js", Family::Script);
        check(b"BZh91AY&SYabcdefgh", "a.bz2", Family::Archive);
    }

    #[test]
    fn extensions() {
        assert_eq!(extension("a.PDF.exe . ").as_deref(), Some("exe"));
        assert_eq!(extension(".profile"), None);
        assert_eq!(extension("no extension"), None);
    }
}
