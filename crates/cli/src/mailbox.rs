//! Mail from files: .eml, mbox, Maildir, folders of these. Only line ends are changed: LF becomes CRLF, and the
//! line of an mbox is removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use detect::mime::wire_form;
use domain::Timestamp;

/// Bytes of one file at most.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The files below `paths`, in the order given, folders in the order of their names.
///
/// # Errors
/// When a path cannot be read.
pub fn files(paths: &[PathBuf]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        let kind =
            fs::metadata(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        if !kind.is_dir() {
            found.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
        let mut entries = entries?;
        entries.sort();
        // `tmp` of a Maildir holds what is not yet mail.
        entries.retain(|entry| !(entry.ends_with("tmp") && path.join("cur").is_dir()));
        found.extend(files(&entries)?);
    }
    Ok(found)
}

/// The bytes of a file.
///
/// # Errors
/// When it cannot be read or is too large.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("larger than {FILE_BYTES_MAX} bytes")));
    }
    fs::read(path)
}

/// The mails of a file in wire form. A file that begins with an mbox line and is not called `.eml` may hold many.
pub fn mails(path: &Path, bytes: &[u8]) -> Vec<Vec<u8>> {
    let is_one = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("eml"));
    if bytes.starts_with(b"From ") && !is_one {
        return split_mbox(bytes).into_iter().map(|mail| wire_form(without_mbox_line(mail))).collect();
    }
    vec![wire_form(without_mbox_line(bytes))]
}

/// The same with the date of its mbox line, for those that have one that can be read.
pub fn dated_mails(path: &Path, bytes: &[u8]) -> Vec<(Vec<u8>, Option<Timestamp>)> {
    let is_one = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("eml"));
    let split = if bytes.starts_with(b"From ") && !is_one { split_mbox(bytes) } else { vec![bytes] };
    split.into_iter().map(|mail| (wire_form(without_mbox_line(mail)), line_date(mail))).collect()
}

/// The date of an mbox line, in UTC: `From a@b.example Thu Jan  1 00:00:01 1970`.
fn line_date(mail: &[u8]) -> Option<Timestamp> {
    let line = mail.strip_prefix(b"From ")?.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let [.., month, day, time, year] = words.as_slice() else { return None };
    Timestamp::parse_rfc5322(&format!("{day} {month} {year} {time} +0000"))
}

/// Whether bytes look like a mail: they begin with a header field, after an mbox line if there is one.
pub fn is_mail(bytes: &[u8]) -> bool {
    let bytes = without_mbox_line(bytes);
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return false };
    let name = &line[..colon];
    !name.is_empty() && name.len() <= 76 && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

fn without_mbox_line(bytes: &[u8]) -> &[u8] {
    if !bytes.starts_with(b"From ") && !bytes.starts_with(b">From ") {
        return bytes;
    }
    bytes.iter().position(|byte| *byte == b'\n').map_or(&[], |lf| &bytes[lf + 1..])
}

/// Splits at lines that begin with `From ` behind an empty line.
fn split_mbox(bytes: &[u8]) -> Vec<&[u8]> {
    let mut starts = vec![0];
    for (at, window) in bytes.windows(6).enumerate() {
        let empty_before = at > 0 && (bytes[..at].ends_with(b"\n") || bytes[..at].ends_with(b"\n\r"));
        if window == b"\nFrom " && empty_before {
            starts.push(at + 1);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    starts.iter().zip(ends).map(|(start, end)| &bytes[*start..end]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mbox_is_split_and_an_eml_is_not() {
        let mbox = b"From a Mon\nSubject: 1\n\nx\n\nFrom b Mon\nSubject: 2\n\ny\nFrom here on\n";
        let split = mails(Path::new("box"), mbox);
        assert_eq!(split.len(), 2);
        assert_eq!(split[0], b"Subject: 1\r\n\r\nx\r\n\r\n");
        assert_eq!(split[1], b"Subject: 2\r\n\r\ny\r\nFrom here on\r\n");
        assert_eq!(mails(Path::new("one.eml"), mbox).len(), 1);
    }

    #[test]
    fn the_line_of_an_mbox_says_when() {
        let mbox = b"From a@b.example Thu Jan  1 00:00:01 1970\nSubject: 1\n\nx\n\nFrom b Mon\nSubject: 2\n\ny\n";
        let dates: Vec<Option<Timestamp>> =
            dated_mails(Path::new("box"), mbox).into_iter().map(|(_, date)| date).collect();
        assert_eq!(dates, [Some(Timestamp::from_micros(1_000_000)), None]);
    }

    #[test]
    fn a_mail_begins_with_a_field() {
        assert!(is_mail(b"Received: x\n"));
        assert!(is_mail(b"From a@b Mon\nReturn-Path: <x>\n"));
        assert!(!is_mail(b"\x89PNG\r\n"));
        assert!(!is_mail(b"Hello there: this is text\n"));
    }
}
