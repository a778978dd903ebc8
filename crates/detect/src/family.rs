//! What kind of content bytes are. The bytes say it, and the name and the declared type say it as well: a program opens
//! a file by any of the three.

mod blocked;
mod mail;
mod name;
mod program;
mod text;

use domain::message::Family;

use crate::unpack;

pub use blocked::{Blocked, blocked};
pub use name::extension;

/// A family, and the content type by which it is known.
pub type Kind = (Family, &'static str);

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

/// Bytes within which a PDF may begin, as readers accept it.
const PDF_WITHIN_BYTES: usize = 1024;

/// What a part is: by its bytes, and where those are mere text by its name, and then by what it is declared as.
pub fn of(bytes: &[u8], name: &str, declared: &str) -> Kind {
    let kind = sniff(bytes, name);
    match kind.0 {
        Family::Text => text::by_declaration(declared).unwrap_or(kind),
        // Compressed files of one kind have no magic of their own.
        Family::Other => name::archive(name).unwrap_or(kind),
        _ => kind,
    }
}

/// The same for a part of a mail: text of the mail itself, declared as plain text, shown in its place and without a
/// name, is text whatever it begins with, since no mail program makes anything else of it.
pub fn of_part(bytes: &[u8], name: &str, declared: &str, is_shown_as_text: bool) -> Kind {
    let is_plain = is_shown_as_text && matches!(declared, "" | "text/plain");
    if is_plain { of_plain_text(bytes) } else { of(bytes, name, declared) }
}

/// What is not text at all is what it is.
fn of_plain_text(bytes: &[u8]) -> Kind {
    let kind = sniff(bytes, "");
    if kind.0 == Family::Other && text::is_mostly_text(bytes) {
        return text::PLAIN;
    }
    if text::looks_like_text(bytes) && !matches!(kind.0, Family::Archive | Family::Pdf | Family::Executable) {
        return text::PLAIN;
    }
    kind
}

/// What else a part is to some program, besides `main`: each of its names and declared types may decide what opens it,
/// and a file may be of two kinds at once.
pub fn others(main: (Family, &str), bytes: &[u8], names: &[&str], declared: &[&str]) -> Vec<Kind> {
    let mut found = Vec::new();
    let mut add = |kind: Kind| {
        let is_main = kind.0 == main.0 && kind.1 == main.1;
        if !is_main && kind.0 != Family::Text && !found.contains(&kind) {
            found.push(kind);
        }
    };
    let is_text = text::looks_like_text(bytes) || text::is_wide(bytes);
    if is_text && main.0 != Family::Executable {
        names.iter().filter_map(|name| text::by_name(name)).for_each(&mut add);
        declared.iter().filter_map(|declared| text::by_declaration(declared)).for_each(&mut add);
    }
    if is_text && (names.iter().any(|name| mail::is_named(name)) || mail::looks_like_mail(bytes)) {
        add(mail::KIND);
    }
    if main.0 == Family::Other {
        names.iter().filter_map(|name| name::archive(name)).for_each(&mut add);
    }
    // Unpackers look for a zip from the end of a file; readers of PDF look for its head within the first kibibyte. What
    // is called an archive or an image of a disc is opened as one, whatever it begins with.
    if unpack::zip::ends_as_zip(bytes) && !bytes.starts_with(b"PK\x03\x04") {
        add((Family::Archive, "application/zip"));
    }
    if main.0 != Family::Archive && names.iter().any(|name| name::is_container(name)) {
        unpack::magic::behind_any_beginning(bytes).into_iter().for_each(|kind| add((Family::Archive, kind)));
    }
    let head = &bytes[..bytes.len().min(PDF_WITHIN_BYTES)];
    if memchr::memmem::find(head, b"%PDF-").is_some() {
        add((Family::Pdf, "application/pdf"));
    }
    found
}

/// The family of `bytes`, and the content type that they show. The name decides only what kind of text a text is.
pub fn sniff(bytes: &[u8], name: &str) -> Kind {
    if let Some(known) = by_structure(bytes) {
        return known;
    }
    let is_text = text::looks_like_text(bytes);
    if is_text && let Some(known) = text::by_content(bytes) {
        return known;
    }
    let kind = infer::get(bytes);
    match kind.as_ref().map(|kind| (kind.matcher_type(), kind.mime_type())) {
        // `infer` knows MZ by two letters; a text may begin so by chance.
        Some((_, "application/vnd.microsoft.portable-executable")) => {}
        // Armoured text: what is in it is none of a file type's business.
        Some((_, "application/x-x509-ca-cert" | "application/pgp-signature")) if is_text => {}
        Some((_, "text/html")) => return text::PAGE,
        // A note that begins "BMW" or "GIF89a" is no picture: what is made for machines has bytes that no text has.
        // What begins as a picture and is called a page is looked at as both (`picture-as-page`).
        Some((matcher, mime)) if has_weak_magic(matcher, mime) && !text::is_page(name) && is_text => {}
        // XML may be an SVG; our own look at texts knows more kinds.
        Some((infer::MatcherType::Text, _)) if is_text => {}
        Some((matcher, mime)) => return (family_of(matcher, mime), mime),
        None => {}
    }
    if is_text {
        return text::by_name(name).unwrap_or(text::PLAIN);
    }
    text::wide(bytes, name).unwrap_or((Family::Other, "application/octet-stream"))
}

/// What needs more than a magic number, checked first.
fn by_structure(bytes: &[u8]) -> Option<(Family, &'static str)> {
    if program::is_one(bytes) {
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
    if unpack::cms::is_cms(bytes) {
        return Some((Family::Archive, "application/pkcs7-mime"));
    }
    // MSCF and four zeros: two letters and two more are in some texts.
    if bytes.starts_with(b"MSCF\0\0\0\0") {
        return Some((Family::Archive, "application/vnd.ms-cab-compressed"));
    }
    if bytes.starts_with(b"Rar!\x1a\x07") {
        return Some((Family::Archive, "application/vnd.rar"));
    }
    // Word takes what begins so for RTF, whatever version follows.
    if bytes.starts_with(b"{\\rt") {
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
    if bytes.starts_with(b"%PDF-") || is_late_pdf(bytes) {
        return Some((Family::Pdf, "application/pdf"));
    }
    // Where the beginning is of no kind, what stands elsewhere decides.
    let is_of_no_kind = infer::get(bytes).is_none() && !text::looks_like_text(bytes);
    let container = is_of_no_kind.then(|| unpack::magic::behind_any_beginning(bytes)).flatten();
    container.map(|container| (Family::Archive, container))
}

/// A PDF with something before it. A text about PDF may have the same mark in it, so its end and its objects are there
/// as well.
fn is_late_pdf(bytes: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(2048)..];
    memchr::memmem::find(&bytes[..bytes.len().min(1024)], b"%PDF-").is_some()
        && memchr::memmem::find(tail, b"%%EOF").is_some()
        && memchr::memmem::find(bytes, b" obj").is_some()
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
        // It counts among its archives what nobody unpacks: databases, fonts, films, pages of a printer.
        (M::Archive, mime) if unpack::is_archive(mime) => Family::Archive,
        (M::Archive, _) => Family::Other,
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
        let with_control = b"A letter with a control\x01 character is a letter still.";
        assert_eq!(of_part(with_control, "", "text/plain", true).0, Family::Text);
        assert_eq!(of_part(b"\0\x01\x02\x03", "", "text/plain", true).0, Family::Other, "no letter");
        check(b"-----BEGIN PGP SIGNATURE-----\r\nVersion: GnuPG v1\r\n", "signature.asc", Family::Text);
        check(b"-----BEGIN CERTIFICATE-----\r\nMIIB\r\n", "ca.pem", Family::Text);
        check(b"\0\x01\x02\x03", "a", Family::Other);
        check(&[b"MZ\x01\0".as_slice(), &[7; 200]].concat(), "a.dat", Family::Other);
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
