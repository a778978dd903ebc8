//! How often two real mails are taken for alike that are not: over folders of mail that stay where they are.
//!
//! `LIKENESS_GOOD=FOLDER:FOLDER LIKENESS_BAD=FOLDER cargo test --profile ci --test likeness -- --ignored --nocapture`
#![allow(clippy::print_stdout, clippy::expect_used, reason = "prints figures, and may stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use detect::examine::{EnvelopeFacts, Examiner};
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::ruleset::load::from_stored;
use domain::Digest;
use domain::entry::Subject;
use domain::fingerprint::{ALONE_PIXELS_MIN, Fingerprints, PictureFingerprint, PictureSet};

struct Mail {
    file: PathBuf,
    from: String,
    prints: Fingerprints,
    contents: Vec<Digest>,
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn mails(variable: &str) -> Vec<Mail> {
    let folders = std::env::var(variable).unwrap_or_default();
    let mut found = Vec::new();
    folders.split(':').filter(|folder| !folder.is_empty()).for_each(|folder| files(Path::new(folder), &mut found));
    found.sort();
    // What a mail looks like rests on no detection.
    let in_force = InForce::only(from_stored(Vec::new()).0);
    let mut examiner = Examiner::new(&in_force, Limits::default());
    let mail = |file: PathBuf| {
        let raw = std::fs::read(&file).expect("a file");
        let budget = Budget::starting_now(Duration::from_secs(30));
        let message = examiner.examine(&raw, &EnvelopeFacts::default(), budget).message;
        let content = |part: u32| message.part(part).map_or(Digest::of(b""), |part| part.sha256);
        let contents = message.fingerprints.pictures.iter().map(|picture| content(picture.part)).collect();
        Mail { file, from: message.from_domain.clone(), prints: message.fingerprints, contents }
    };
    found.into_iter().map(mail).collect()
}

/// The pictures of these mails, each content once.
fn pictures(mails: &[Mail]) -> Vec<(PictureFingerprint, &Path, u32)> {
    let mut seen = BTreeSet::new();
    let each = mails.iter().flat_map(|mail| {
        let of_mail = mail.prints.pictures.iter().zip(&mail.contents);
        of_mail.map(|(picture, content)| (*content, picture.print, mail.file.as_path(), picture.part))
    });
    each.filter(|(content, ..)| seen.insert(*content)).map(|(_, print, file, part)| (print, file, part)).collect()
}

/// The entries that would be made of a mail.
fn subjects(mail: &Mail) -> [(&'static str, Option<Subject>); 3] {
    let mut pictures = mail.prints.pictures.clone();
    pictures.sort_by_key(|picture| std::cmp::Reverse(picture.pixels));
    let mut distinct: Vec<PictureFingerprint> = Vec::new();
    for picture in &pictures {
        if distinct.len() < 6 && !distinct.iter().any(|known| known.is_like(&picture.print)) {
            distinct.push(picture.print);
        }
    }
    let is_alone = distinct.len() == 1 && pictures.iter().all(|picture| picture.pixels < ALONE_PIXELS_MIN);
    let set = if is_alone { None } else { PictureSet::of(distinct) };
    [
        ("pictures", set.map(Subject::Picture)),
        ("text", mail.prints.text.map(Subject::Text)),
        ("layout", mail.prints.layout.map(Subject::Layout)),
    ]
}

/// How many of `others` an entry about each of `mails` holds; those of the same sender are counted apart.
fn told(name: &str, mails: &[Mail], others: &[Mail]) {
    let mut by_kind: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
    for mail in mails {
        for (kind, subject) in subjects(mail) {
            let Some(subject) = subject else { continue };
            let hits = others.iter().filter(|other| other.file != mail.file && subject.is_like(&other.prints));
            let (same, foreign): (Vec<_>, Vec<_>) = hits.partition(|other| other.from == mail.from);
            let sums = by_kind.entry(kind).or_default();
            sums[0] += 1;
            sums[1] += same.len() as u64;
            sums[2] += foreign.len() as u64;
            sums[3] += u64::from(!foreign.is_empty());
            for other in foreign.iter().take(2) {
                println!("  {kind}: {} | {}", mail.file.display(), other.file.display());
            }
        }
    }
    for (kind, [entries, same, foreign, wrong]) in by_kind {
        println!(
            "{name}, {kind}: {entries} entries; mails of the same domain {same}, of others {foreign} ({wrong} entries)"
        );
    }
}

#[test]
#[ignore = "takes folders of real mail"]
fn how_often_real_mail_is_alike() {
    let began = Instant::now();
    let (good, bad) = (mails("LIKENESS_GOOD"), mails("LIKENESS_BAD"));
    println!("{} good and {} bad mails in {:?}", good.len(), bad.len(), began.elapsed());
    let pictures = pictures(&good);
    let mut histogram: BTreeMap<u32, u64> = BTreeMap::new();
    let mut pairs = 0_u64;
    for (at, (one, file, part)) in pictures.iter().enumerate() {
        for (other, other_file, other_part) in pictures.iter().skip(at + 1) {
            pairs += 1;
            if one.is_like(other) {
                println!(
                    "  alike at {}: {} {part} | {} {other_part}",
                    one.percent(other),
                    file.display(),
                    other_file.display()
                );
            }
            *histogram.entry(one.percent(other) / 4 * 4).or_default() += 1;
        }
    }
    println!("{} different pictures, {pairs} pairs; percent apart: {histogram:?}", pictures.len());
    let texts: Vec<_> = good.iter().filter_map(|mail| mail.prints.text).collect();
    let mut histogram: BTreeMap<u32, u64> = BTreeMap::new();
    for (at, one) in texts.iter().enumerate() {
        for other in texts.iter().skip(at + 1) {
            *histogram.entry(one.distance(other) / 4 * 4).or_default() += 1;
        }
    }
    println!("{} texts; bits apart: {histogram:?}", texts.len());
    told("bad against good", &bad, &good);
    told("bad against bad", &bad, &bad);
    told("good against good", &good, &good);
}
