//! A corpus of today's good mail: templates of many vendors, rendered and dressed as sending services deliver them, and
//! mail of people. Nothing of it is committed; the same sources give the same bytes. See `docs/goodmail.md`.

mod attachment;
mod booking;
mod calendar;
mod catalog;
mod day;
mod encode;
mod facts;
mod filler;
mod language;
mod letter;
mod mjml;
mod own;
mod page;
mod people;
mod report;
mod seed;
mod service;
mod source;
mod template;
mod text;
mod token;
mod vendor;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use language::Language;

/// One mail of the corpus.
struct Mail {
    /// Its vendor: the group that is left out together.
    vendor: String,
    /// Its genre.
    genre: &'static str,
    /// The language of its fillings, or of its text.
    language: &'static str,
    /// What it was made of.
    source: String,
    /// Its bytes.
    bytes: Vec<u8>,
}

/// Lays the corpus out in `out`, from the templates in `sources`.
pub(crate) fn run(sources: &str, out: &str) -> Result<()> {
    let languages = Language::all();
    let mut mails = Vec::new();
    for vendor in vendor::all()? {
        let made = template::mails(&vendor, Path::new(sources), &languages)?;
        println!("{}: {} mails", vendor.name, made.len());
        mails.extend(made);
    }
    mails.extend(own::companies(Path::new(sources), &languages)?);
    mails.extend(own::brands(&languages));
    mails.extend(people::mails(&languages));
    mails.extend(calendar::mails(&languages));
    mails.extend(booking::mails(&languages));
    mails.extend(report::mails(&languages));
    write(&mails, Path::new(out))?;
    tell(&mails);
    Ok(())
}

fn write(mails: &[Mail], out: &Path) -> Result<()> {
    let mut manifest = String::from("file\tvendor\tgenre\tlanguage\tsource\n");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for mail in mails {
        let count = counts.entry(&mail.vendor).or_default();
        *count += 1;
        let name = format!("{}/{count:04}-{}-{}.eml", mail.vendor, mail.genre, mail.language);
        let path = out.join(&name);
        std::fs::create_dir_all(path.parent().context("a folder")?)?;
        std::fs::write(&path, &mail.bytes).with_context(|| path.display().to_string())?;
        writeln!(manifest, "{name}\t{}\t{}\t{}\t{}", mail.vendor, mail.genre, mail.language, mail.source)?;
    }
    std::fs::write(out.join("manifest.tsv"), manifest)?;
    Ok(())
}

fn tell(mails: &[Mail]) {
    let by = |name: &str, key: fn(&Mail) -> &str| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for mail in mails {
            *counts.entry(key(mail)).or_default() += 1;
        }
        let counts: Vec<String> = counts.into_iter().map(|(key, count)| format!("{key} {count}")).collect();
        println!("{} by {name}: {}", mails.len(), counts.join(", "));
    };
    by("genre", |mail| mail.genre);
    by("language", |mail| mail.language);
    by("vendor", |mail| &mail.vendor);
}
