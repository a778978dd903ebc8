//! Saved mails: a mail program opens them with all that they hold.

use domain::header;
use domain::message::Family;

use super::Kind;
use super::name::extension;

/// A mail in a mail.
pub(super) const KIND: Kind = (Family::Mail, "message/rfc822");

/// Extensions of saved mails and saved pages with their pictures (RFC 2557).
const EXTENSIONS: [&str; 6] = ["eml", "emlx", "mht", "mhtml", "nws", "email"];
/// Fields that a saved mail begins with.
const FIELDS: [&str; 14] = [
    "Received",
    "Return-Path",
    "Delivered-To",
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Location",
    "X-Mailer",
    "Reply-To",
    "Snapshot-Content-Location",
];
/// Fields among these that make a header of a text.
const FIELDS_MIN: usize = 3;
/// Bytes of a text in which they are looked for.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// Whether a mail program opens a file of this name.
pub(super) fn is_named(name: &str) -> bool {
    extension(name).is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

/// Whether a text begins with the header of a mail that has parts. One without is what it looks like: text.
pub(super) fn looks_like_mail(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD_BYTES_MAX)];
    if !head.first().is_some_and(u8::is_ascii_alphabetic) {
        return false;
    }
    let mut known = 0;
    let mut has_type = false;
    for field in header::fields(head).take(100) {
        known += usize::from(FIELDS.iter().any(|name| field.is(name)));
        has_type |= field.is("Content-Type");
    }
    has_type && known >= FIELDS_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_name_or_header() {
        assert!(is_named("a.EML") && is_named("page.mhtml") && !is_named("a.txt"));
        assert!(looks_like_mail(b"MIME-Version: 1.0\r\nFrom: a@b\r\nContent-Type: text/html\r\n\r\nx"));
        assert!(!looks_like_mail(b"From: Anna\nTo: Bert\nSubject: a forwarded note\n\nHello"));
        assert!(!looks_like_mail(b"Hello, this is text: and more.\n"));
    }
}
