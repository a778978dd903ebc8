//! The mails of the folder: copied aside under plain names, each with its kind, its source and its campaign.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// The kinds of mail, by their folders.
pub const KINDS: [&str; 3] = ["ham", "phish", "spam"];
/// An address that one public collection writes into all of its mail, which a model would learn; it is another here.
const COLLECTOR: (&[u8], &[u8]) = (b"phishing@pot", b"bert@example.com");
/// Bytes of a mail in which its header is looked for.
const HEADER_BYTES: usize = 64 << 10;

/// A mail of the folder.
pub struct Mail {
    /// Its kind: one of [`KINDS`].
    pub kind: &'static str,
    /// The folder below its kind that it lies in; empty where it lies in none.
    pub source: String,
    /// What mails of one thread or campaign have in common.
    pub campaign: Vec<u8>,
    /// The file that people know.
    pub file: PathBuf,
    /// The copy that scanners are asked about; its name is unique.
    pub copy: PathBuf,
}

impl Mail {
    /// Whether it is in the half that models are trained on, with all of its campaign.
    pub fn is_for_training(&self) -> bool {
        self.campaign.first().is_some_and(|byte| *byte < 128)
    }

    /// The name of the copy.
    pub fn name(&self) -> String {
        name(&self.copy)
    }
}

/// Copies the mails into `folder/all/KIND`, and those for training into `folder/train/KIND` as well.
pub fn read(corpus: &Path, folder: &Path) -> Result<Vec<Mail>> {
    let mut mails = Vec::new();
    for kind in KINDS {
        for part in ["all", "train"] {
            fs::create_dir_all(folder.join(part).join(kind))?;
        }
        let top = corpus.join(kind);
        if !top.is_dir() {
            continue;
        }
        for (at, file) in files(&top)?.into_iter().enumerate() {
            let bytes = fs::read(&file)?;
            if !is_mail(&bytes) {
                continue;
            }
            let inner = file.strip_prefix(&top).unwrap_or(&file);
            let source = inner.components().next().filter(|_| inner.components().count() > 1);
            let source = source.map(|part| part.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
            let plain = format!("{kind}-{at:05}-{}", name(&file));
            let copy = folder.join("all").join(kind).join(&plain);
            let mail = Mail { kind, source, campaign: campaign(&bytes), file, copy };
            let neutral = replaced(&bytes, COLLECTOR);
            fs::write(&mail.copy, &neutral)?;
            if mail.is_for_training() {
                fs::write(folder.join("train").join(kind).join(&plain), &neutral)?;
            }
            mails.push(mail);
        }
    }
    Ok(mails)
}

fn is_mail(bytes: &[u8]) -> bool {
    bytes.starts_with(b"From") || bytes.windows(6).take(20_000).any(|window| window.eq_ignore_ascii_case(b"\nfrom:"))
}

/// The same bytes with one word instead of another.
fn replaced(bytes: &[u8], (word, other): (&[u8], &[u8])) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(word.len()).position(|window| window == word) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(other);
        rest = &rest[at + word.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// A number of the letters of the subject, without `Re:` and the like: mails of one thread or campaign have it in
/// common. A mail without a subject is its own.
fn campaign(mail: &[u8]) -> Vec<u8> {
    let head = String::from_utf8_lossy(&mail[..mail.len().min(HEADER_BYTES)]).to_lowercase();
    let subject = head.lines().find_map(|line| line.strip_prefix("subject:")).unwrap_or_default();
    let mut rest = subject.trim();
    while let Some((_, behind)) = rest.split_once(':').filter(|(before, _)| before.len() <= 4) {
        rest = behind.trim_start();
    }
    let plain: String = rest.chars().filter(|c| c.is_alphabetic()).collect();
    Sha256::digest(if plain.is_empty() { mail } else { plain.as_bytes() }).to_vec()
}

/// The last part of a path.
pub fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// All files below a folder, in their order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "eml" || end == "txt") && name(&path) != "SOURCE.txt" {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_copies_are_one_campaign() {
        let of = |subject: &str| campaign(format!("From: a@b.example\r\nSubject: {subject}\r\n\r\nHi\r\n").as_bytes());
        assert_eq!(of("Your parcel 123"), of("RE: Fwd: your parcel 456"));
        assert_ne!(of("Your parcel"), of("Your account"));
        assert_ne!(campaign(b"From: a@b.example\r\n\r\none"), campaign(b"From: a@b.example\r\n\r\nother"));
    }

    #[test]
    fn a_word_is_replaced_and_every_other_byte_kept() {
        assert_eq!(replaced(b"\xff phishing@pot, phishing@pot", COLLECTOR), b"\xff bert@example.com, bert@example.com");
        assert_eq!(replaced(b"\xe9 phishing@po", COLLECTOR), b"\xe9 phishing@po");
    }

    #[test]
    fn a_source_is_the_folder_below_the_kind() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let corpus = folder.path().join("corpus");
        for inner in ["ham/lists/1.eml", "ham/vendors/one/1.eml", "ham/2.eml", "ham/SOURCE.txt"] {
            let file = corpus.join(inner);
            fs::create_dir_all(file.parent().context("a parent")?)?;
            fs::write(file, "From: a@b.example\nSubject: x\n\nHi\n")?;
        }
        let mails = read(&corpus, &folder.path().join("work"))?;
        let sources: Vec<&str> = mails.iter().map(|mail| mail.source.as_str()).collect();
        assert_eq!(sources, ["", "lists", "vendors"]);
        let mut names: Vec<String> = mails.iter().map(Mail::name).collect();
        names.dedup();
        assert_eq!(names.len(), 3);
        Ok(())
    }
}
