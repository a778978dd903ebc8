//! Mail from files: .eml, mbox, Maildir, folders of these. Only line ends are changed: LF becomes CRLF, and the
//! line of an mbox is removed.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use detect::mime::wire_form;
use domain::Timestamp;

use super::terminal;

/// Bytes of one file at most.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The files below `paths`, in the order given, folders in the order of their names. A symbolic link that leads back to
/// where it stands, or to itself, is no mail that is not read elsewhere: it is skipped, and said on standard error,
/// with how many there were.
///
/// # Errors
/// When a path cannot be read.
pub fn files(paths: &[PathBuf]) -> io::Result<Vec<PathBuf>> {
    let found = find(paths)?;
    for path in &found.loops {
        terminal::complain(&format!("{}: a symbolic link that loops; skipped", path.display()));
    }
    if !found.loops.is_empty() {
        terminal::complain(&format!("{} symbolic links skipped", found.loops.len()));
    }
    Ok(found.files)
}

#[derive(Debug, Default)]
struct Found {
    files: Vec<PathBuf>,
    loops: Vec<PathBuf>,
    /// The folders that are being looked through, outermost first: device and number.
    within: Vec<(u64, u64)>,
}

fn find(paths: &[PathBuf]) -> io::Result<Found> {
    let mut found = Found::default();
    for path in paths {
        found.add(path, true)?;
    }
    Ok(found)
}

impl Found {
    fn add(&mut self, path: &Path, is_named: bool) -> io::Result<()> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let kind = match fs::metadata(path) {
            Ok(kind) => kind,
            // One that was named is to be there; of what a folder holds, the reading tells what cannot be read.
            Err(error) if is_named => return Err(named(error)),
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                self.loops.push(path.to_owned());
                return Ok(());
            }
            Err(_) => {
                self.files.push(path.to_owned());
                return Ok(());
            }
        };
        if !kind.is_dir() {
            self.files.push(path.to_owned());
            return Ok(());
        }
        let folder = (kind.dev(), kind.ino());
        if self.within.contains(&folder) {
            self.loops.push(path.to_owned());
            return Ok(());
        }
        self.within.push(folder);
        let entries = fs::read_dir(path).map_err(named)?.map(|entry| entry.map(|entry| entry.path()));
        let mut entries = entries.collect::<io::Result<Vec<_>>>().map_err(named)?;
        entries.sort();
        // `tmp` of a Maildir holds what is not yet mail.
        entries.retain(|entry| !(entry.ends_with("tmp") && path.join("cur").is_dir()));
        for entry in &entries {
            self.add(entry, false)?;
        }
        self.within.pop();
        Ok(())
    }
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
    fn a_link_that_leads_in_a_ring_is_skipped() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("a/b")).expect("made");
        fs::write(at("a/b/one.eml"), "Subject: x\n\n").expect("written");
        symlink(at("a"), at("a/b/up")).expect("linked");
        symlink(at("a/self"), at("a/self")).expect("linked");
        symlink(at("nowhere"), at("a/gone.eml")).expect("linked");
        symlink(at("a/b/one.eml"), at("a/two.eml")).expect("linked");
        let found = find(&[folder.path().to_owned()]).expect("read");
        assert_eq!(found.files, [at("a/b/one.eml"), at("a/gone.eml"), at("a/two.eml")]);
        assert_eq!(found.loops, [at("a/b/up"), at("a/self")]);
        // Two ways to one folder are no ring.
        symlink(at("a/b"), at("b")).expect("linked");
        assert_eq!(find(&[at("b")]).expect("read").files.len(), 3);
        assert!(find(&[at("nowhere")]).is_err());
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
