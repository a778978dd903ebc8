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

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of a folder, by their paths in it.
    fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
        let (mut files, mut open) = (BTreeMap::new(), vec![folder.to_owned()]);
        while let Some(next) = open.pop() {
            for entry in std::fs::read_dir(&next).expect("a folder").flatten() {
                if entry.path().is_dir() {
                    open.push(entry.path());
                } else {
                    let name = entry.path().strip_prefix(folder).expect("within").display().to_string();
                    files.insert(name, std::fs::read(entry.path()).expect("a file"));
                }
            }
        }
        files
    }

    #[test]
    fn the_same_sources_give_the_same_mails_and_no_mark_of_a_template() {
        let folder = std::env::temp_dir().join(format!("goodmail-test-{}", std::process::id()));
        let sources = folder.join("sources/templates/made-up/email");
        std::fs::create_dir_all(&sources).expect("a folder");
        let base = "<html><body>{% block main %}{% endblock %}<p>&copy; {{ site_name }}</p></body></html>";
        let reset = "{% extends 'base.html' %}{% block main %}<p>Hi {{ user.first_name }}, choose a new password for \
            {{ site_name }} within {{ hours }} hours.</p><a href=\"{{ reset_url }}\">Reset</a>{% for item in items %}\
            <i>{{ item.name }}: {{ item.price }}</i>{% endfor %}{% unknown %}{% endblock %}";
        std::fs::write(sources.join("base.html"), base).expect("written");
        std::fs::write(sources.join("password_reset.html"), reset).expect("written");
        let vendor = vendor::Vendor {
            name: "templates".to_owned(),
            from: "github:made/up@1".to_owned(),
            syntax: "jinja".to_owned(),
            takes: vec![("*/email/*.html".to_owned(), String::new())],
            not: vec!["base".to_owned()],
            ..vendor::Vendor::default()
        };
        let made = |name: &str| {
            let languages = Language::all();
            let whole = name == "once";
            let mut mails = template::mails(&vendor, &folder.join("sources"), &languages).expect("mails");
            assert_eq!(mails.len(), 7, "one template in seven fillings");
            mails.extend(own::brands(&languages));
            mails.extend(calendar::mails(&languages));
            mails.extend(report::mails(&languages));
            if whole {
                mails.extend(people::mails(&languages));
                mails.extend(booking::mails(&languages));
            }
            write(&mails, &folder.join(name)).expect("written");
            files(&folder.join(name))
        };
        let (once, again) = (made("once"), made("again"));
        for (name, bytes) in again.iter().filter(|(name, _)| *name != "manifest.tsv") {
            assert!(once.get(name) == Some(bytes), "{name} differs");
        }
        let one = once.get("templates/0001-reset-en.eml").expect("the first is English");
        let text = String::from_utf8_lossy(one);
        assert!(text.contains("Subject: ") && text.contains("choose a new password"), "{text}");
        for (name, bytes) in &once {
            let text = String::from_utf8_lossy(bytes);
            for mark in ["{{", "{%", "<%"] {
                assert!(!text.contains(mark), "{name}: {mark}");
            }
        }
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
