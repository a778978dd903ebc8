//! Archives opened in memory, nested and bounded. Names inside are only ever text; nothing is written anywhere.

use std::io::{Cursor, Read};

use domain::message::Family;

use crate::limits::{Budget, Limits};

/// One member of an archive.
#[derive(Debug)]
pub struct Member {
    /// Its name inside, as stored.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why an archive, or a part of it, was not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// A deterministic limit: what was over which.
    Limit(String),
    /// Encrypted.
    Encrypted,
    /// Damaged, or of a kind that is not opened; never bad in itself.
    NotAnalysed(String),
}

/// What all archives of one message have used so far.
#[derive(Debug)]
pub struct Allowance<'l> {
    limits: &'l Limits,
    budget: Budget,
    entries: usize,
    bytes: u64,
}

impl<'l> Allowance<'l> {
    /// The whole allowance of one message.
    pub fn new(limits: &'l Limits, budget: Budget) -> Self {
        Self { limits, budget, entries: 0, bytes: 0 }
    }

    fn entry(&mut self) -> Result<(), Closed> {
        self.entries += 1;
        let limit = self.limits.archive_entries_max;
        if self.entries > limit { Err(Closed::Limit(format!("more than {limit} archive entries"))) } else { Ok(()) }
    }

    /// Reads all of `source`, which `packed` bytes unpack to, within what is left.
    fn read(&mut self, packed: u64, mut source: impl Read) -> Result<Vec<u8>, Closed> {
        let mut bytes = Vec::new();
        let mut block = [0; 64 * 1024];
        loop {
            let count = source.read(&mut block).map_err(|error| Closed::NotAnalysed(format!("damaged: {error}")))?;
            if count == 0 {
                return Ok(bytes);
            }
            bytes.extend_from_slice(&block[..count]);
            self.bytes += count as u64;
            self.check(packed, bytes.len() as u64)?;
        }
    }

    fn check(&self, packed: u64, unpacked: u64) -> Result<(), Closed> {
        let Limits { unpacked_bytes_max, ratio_max, .. } = self.limits;
        if self.bytes > *unpacked_bytes_max {
            return Err(Closed::Limit(format!("more than {} MiB unpacked", unpacked_bytes_max >> 20)));
        }
        if unpacked > Limits::RATIO_GRACE_BYTES && unpacked / packed.max(1) > *ratio_max {
            return Err(Closed::Limit(format!("unpacks to more than {ratio_max} times its size")));
        }
        if self.budget.is_spent() {
            return Err(Closed::NotAnalysed("no time left".into()));
        }
        Ok(())
    }
}

/// Whether [`open`] knows this content type.
pub fn opens(content_type: &str) -> bool {
    matches!(content_type, "application/zip" | "application/gzip" | "application/x-tar")
}

/// Opens an archive of the family `Archive`: its members, and why some were not seen.
pub fn open(content_type: &str, bytes: &[u8], name: &str, allowance: &mut Allowance<'_>) -> (Vec<Member>, Vec<Closed>) {
    let mut members = Vec::new();
    let result = match content_type {
        "application/zip" => zip(bytes, allowance, &mut members),
        "application/gzip" => gzip(bytes, name, allowance, &mut members),
        "application/x-tar" => tar(bytes, allowance, &mut members),
        other => Err(Closed::NotAnalysed(format!("{other} is not opened yet"))),
    };
    (members, result.err().into_iter().collect())
}

fn zip(bytes: &[u8], allowance: &mut Allowance<'_>, members: &mut Vec<Member>) -> Result<(), Closed> {
    let damaged = |error: zip::result::ZipError| Closed::NotAnalysed(format!("damaged zip: {error}"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut encrypted = false;
    for at in 0..archive.len() {
        allowance.entry()?;
        // The raw entry first: an encrypted one cannot be opened otherwise, but can be named.
        let raw = archive.by_index_raw(at).map_err(damaged)?;
        let name = raw
            .name()
            .map_or_else(|_| String::from_utf8_lossy(raw.name_raw()).into_owned(), std::borrow::Cow::into_owned);
        let is_encrypted = raw.encrypted();
        drop(raw);
        if is_encrypted {
            encrypted = true;
            members.push(Member { name, bytes: Vec::new() });
            continue;
        }
        let entry = archive.by_index(at).map_err(damaged)?;
        if entry.is_dir() {
            continue;
        }
        let packed = entry.compressed_size();
        let bytes = allowance.read(packed, entry)?;
        members.push(Member { name, bytes });
    }
    if encrypted { Err(Closed::Encrypted) } else { Ok(()) }
}

fn gzip(bytes: &[u8], name: &str, allowance: &mut Allowance<'_>, members: &mut Vec<Member>) -> Result<(), Closed> {
    allowance.entry()?;
    let bytes = allowance.read(bytes.len() as u64, flate2::read::MultiGzDecoder::new(bytes))?;
    let lower = name.to_ascii_lowercase();
    let inner = match (lower.strip_suffix(".tgz"), lower.strip_suffix(".gz")) {
        (Some(stem), _) => format!("{stem}.tar"),
        (None, Some(stem)) => name[..stem.len()].to_owned(),
        (None, None) => String::new(),
    };
    members.push(Member { name: inner, bytes });
    Ok(())
}

fn tar(bytes: &[u8], allowance: &mut Allowance<'_>, members: &mut Vec<Member>) -> Result<(), Closed> {
    let damaged = |error: std::io::Error| Closed::NotAnalysed(format!("damaged tar: {error}"));
    let mut archive = tar::Archive::new(bytes);
    for entry in archive.entries().map_err(damaged)? {
        allowance.entry()?;
        let entry = entry.map_err(damaged)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let packed = entry.size();
        let bytes = allowance.read(packed, entry)?;
        members.push(Member { name, bytes });
    }
    Ok(())
}

/// Whether members of this family are looked into as archives.
pub fn is_container(family: Family) -> bool {
    family == Family::Archive
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::time::Duration;

    fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("start");
            writer.write_all(bytes).expect("write");
        }
        writer.finish().expect("finish").into_inner()
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("write");
        encoder.finish().expect("finish")
    }

    fn names(content_type: &str, bytes: &[u8], limits: &Limits) -> (Vec<String>, Vec<Closed>) {
        let budget = Budget::starting_now(Duration::from_secs(10));
        let (members, closed) = open(content_type, bytes, "a.gz", &mut Allowance::new(limits, budget));
        (members.into_iter().map(|member| member.name).collect(), closed)
    }

    #[test]
    fn opens_what_it_knows() {
        let limits = Limits::default();
        let zip = zipped(&[("a.txt", b"x"), ("dir/b.txt", b"y")]);
        assert_eq!(names("application/zip", &zip, &limits), (vec!["a.txt".into(), "dir/b.txt".into()], vec![]));
        assert_eq!(names("application/gzip", &gzipped(b"x"), &limits), (vec!["a".into()], vec![]));
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        header.set_cksum();
        tar.append_data(&mut header, "c.txt", &b"z"[..]).expect("append");
        let tar = tar.into_inner().expect("tar");
        assert_eq!(names("application/x-tar", &tar, &limits), (vec!["c.txt".into()], vec![]));
    }

    #[test]
    fn bombs_end_at_a_limit() {
        let small = Limits { unpacked_bytes_max: 8 << 20, ..Limits::default() };
        let zeros = vec![0; 16 << 20];
        for (kind, bomb) in [("application/gzip", gzipped(&zeros)), ("application/zip", zipped(&[("a", &zeros)]))] {
            let (_, closed) = names(kind, &bomb, &small);
            assert!(matches!(closed.as_slice(), [Closed::Limit(_)]), "{kind} {closed:?}");
        }
        let few = Limits { archive_entries_max: 2, ..Limits::default() };
        let (seen, closed) = names("application/zip", &zipped(&[("a", b""), ("b", b""), ("c", b"")]), &few);
        assert_eq!((seen.len(), closed.len()), (2, 1));
    }

    #[test]
    fn damage_is_never_bad_in_itself() {
        let zip = zipped(&[("a.txt", b"hello hello hello")]);
        for bytes in [&zip[..20], &zip[..zip.len() - 5], b"PK\x03\x04"] {
            let (_, closed) = names("application/zip", bytes, &Limits::default());
            assert!(matches!(closed.as_slice(), [Closed::NotAnalysed(_)]), "{closed:?}");
        }
    }

    #[test]
    fn encrypted_members_are_named() {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().with_aes_encryption(zip::AesMode::Aes256, "secret");
        writer.start_file("hidden.exe", options).expect("start");
        writer.write_all(b"MZ").expect("write");
        let bytes = writer.finish().expect("finish").into_inner();
        assert_eq!(
            names("application/zip", &bytes, &Limits::default()),
            (vec!["hidden.exe".into()], vec![Closed::Encrypted])
        );
    }
}
