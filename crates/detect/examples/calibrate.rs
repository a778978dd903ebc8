//! Estimates the scorecards from a folder of mail: `good/SOURCE/...`, `phish/SOURCE/...`, `spam/SOURCE/...`, and writes
//! them into a folder of detections. `cargo xtask calibrate FOLDER` runs it.
//!
//! A file name that begins with eight hexadecimal digits and a hyphen names the campaign of the mail; mails without one
//! are groups of their own, and a source below `good/vendors/` is one group.
#![allow(clippy::print_stdout, reason = "a command for developers talks on the terminal")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use detect::examine::{EnvelopeFacts, Examiner};
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::lookalike::{Form, Specimen, pack};
use detect::mime::wire_form;
use detect::ruleset::lint::fixture_envelope;
use detect::ruleset::load::{SCORECARD, from_stored};
use detect::scorecard::card::Card;
use detect::scorecard::estimate::{Estimate, Example, Kind, Known, estimate, unseen, unseen_source};
use detect::scorecard::feature::Features;

/// Of a thousand unseen good mails of lists, of vendors and of real mailboxes, how many one card may tag. The real ones
/// at hand are those that another filter took for spam: of everyday mail it is far fewer.
const LISTS_PER_1000: f64 = 1.0;
const VENDORS_PER_1000: f64 = 2.5;
const REAL_PER_1000: f64 = 22.0;
/// Points above every unseen good mail with a hard fact from which on a mail is held.
const HOLD_MARGIN: i32 = 50;
/// What is known of the features before mails are counted, by how well sources that an estimate has not seen are found.
/// Of phishing there is much mail of one kind; of spam little, of three kinds and times.
const PHISH_KNOWN: Known = Known { share: 0.15, pull: 3e-4 };
const SPAM_KNOWN: Known = Known { share: 0.3, pull: 1e-3 };
/// How many times as much as others some sources of good mail count: today's mail is what lists have none of.
const SHARES: [(&str, f64); 3] = [("vendors", 2.4), ("real", 6.5), ("hard", 3.5)];

fn main() -> io::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [folder, detections] = arguments.as_slice() else {
        return Err(io::Error::other("calibrate FOLDER DETECTIONS: a folder of mail, and the folder of detections"));
    };
    let good = examples(folder, "good", Kind::Good)?;
    let shares: BTreeMap<String, f64> = SHARES.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect();
    let look_alikes = look_alikes();
    let mut cards: Vec<(Estimate, i32)> = Vec::new();
    for (bad, known, tag, hold) in
        [("phish", PHISH_KNOWN, "PHI-0001", Some("PHI-0100")), ("spam", SPAM_KNOWN, "SPM-0001", None)]
    {
        let found = examples(folder, bad, Kind::Bad)?;
        let bad_count = found.len();
        let all: Vec<Example> = good.iter().cloned().chain(found).collect();
        let scores = unseen(&all, &shares, known);
        let whole = estimate(&all.iter().collect::<Vec<_>>(), &shares, known);
        let scored: Vec<(&Example, i32)> = all.iter().zip(scores).filter(|(one, _)| !one.abstains).collect();
        let card = |threshold| whole.card(threshold, false, good.len(), bad_count);
        let threshold = beyond_look_alikes(&look_alikes, tag_threshold(&scored), card);
        report(bad, &all, &scored, threshold);
        write(detections, tag, &whole, threshold, false, [good.len(), bad_count])?;
        if let Some(code) = hold {
            let threshold = hold_threshold(&scored).max(threshold);
            report(&format!("{bad}, held"), &all, &hard_only(&scored), threshold);
            write(detections, code, &whole, threshold, true, [good.len(), bad_count])?;
        }
        let alone = unseen_source(&all, &shares, known);
        let only_bad: Vec<Example> = all.iter().filter(|one| one.kind == Kind::Bad).cloned().collect();
        let alone = all.iter().zip(alone).filter(|(one, _)| !one.abstains);
        let alone: Vec<(&Example, i32)> = alone.filter_map(|(one, score)| Some((one, score?))).collect();
        report(&format!("{bad}, by an estimate without its source"), &only_bad, &alone, threshold);
        // The other card has seen none of these mails; a mail is tagged by either.
        if let Some((other, from)) = cards.first() {
            let either = |score: i32, one: &Example| if other.score(one) >= *from { i32::MAX } else { score };
            let alone: Vec<_> = alone.iter().map(|(one, score)| (*one, either(*score, one))).collect();
            report(&format!("{bad}, without its source, by either card"), &only_bad, &alone, threshold);
            let scored = scored.iter().filter(|(one, _)| one.kind == Kind::Bad);
            let scored: Vec<_> = scored.map(|(one, score)| (*one, either(*score, one))).collect();
            report(&format!("{bad}, by either card"), &only_bad, &scored, threshold);
        }
        cards.push((whole, threshold));
    }
    Ok(())
}

/// What the innocent mails of the pack of look-alikes show: the gates refuse a card that acts on one of them.
fn look_alikes() -> Vec<Features> {
    let in_force = InForce::only(from_stored(Vec::new()).0);
    let mut examiner = Examiner::new(&in_force, Limits::default());
    let mails = pack().into_iter().filter(|one| one.form == Form::Mail && one.harm.is_none());
    let read = |one: Specimen| {
        let budget = Budget::starting_now(Duration::from_secs(10));
        examiner.named_features(&one.bytes, &fixture_envelope(&one.bytes), budget)
    };
    mails.map(read).collect()
}

/// The first threshold from this one on at which a card acts on no innocent look-alike.
fn beyond_look_alikes(mails: &[Features], from: i32, card: impl Fn(i32) -> Card) -> i32 {
    let acts = |threshold: i32| {
        let card = card(threshold);
        mails.iter().any(|features| card.acts(&card.score(features), features))
    };
    (from..).find(|threshold| !acts(*threshold)).unwrap_or(from)
}

/// The mails of one kind. What vendors send is one source in the estimate, and a group each.
fn examples(folder: &Path, kind: &str, is: Kind) -> io::Result<Vec<Example>> {
    // Features need no rules, and the cards in force may be of other bounds.
    let in_force = InForce::only(from_stored(Vec::new()).0);
    let mut examiner = Examiner::new(&in_force, Limits::default());
    let mut files = Vec::new();
    below(&folder.join(kind), &mut files)?;
    files.sort();
    let example = |path: &PathBuf| {
        let raw = wire_form(&fs::read(path)?);
        let budget = Budget::starting_now(Duration::from_secs(10));
        let features = examiner.named_features(&raw, &EnvelopeFacts::default(), budget);
        let inner = path.strip_prefix(folder.join(kind)).unwrap_or(path);
        let mut pieces = inner.iter().map(|piece| piece.to_string_lossy().into_owned());
        let source = pieces.next().unwrap_or_default();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let group = match name.split_once('-') {
            _ if source == "vendors" => pieces.next().unwrap_or_default(),
            Some((campaign, _)) if campaign.len() == 8 && campaign.bytes().all(|b| b.is_ascii_hexdigit()) => {
                campaign.to_owned()
            }
            _ => inner.display().to_string(),
        };
        let (is_hard, abstains) = (features.is_hard(), features.abstains());
        Ok(Example { features: features.iter().collect(), kind: is, source, group, is_hard, abstains })
    };
    files.iter().map(example).collect()
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { below(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

fn is_list(example: &Example) -> bool {
    example.kind == Kind::Good && !["vendors", "real", "hard"].contains(&example.source.as_str())
}

/// The points that no more than `per_1000` of these scores reach.
fn above(mut scores: Vec<i32>, per_1000: f64) -> i32 {
    scores.sort_unstable_by(|one, other| other.cmp(one));
    let allowed = (scores.len() as f64 * per_1000 / 1000.0).floor() as usize;
    scores.get(allowed).map_or(0, |score| score + 1)
}

fn tag_threshold(scored: &[(&Example, i32)]) -> i32 {
    let of =
        |is: &dyn Fn(&Example) -> bool| scored.iter().filter(|(one, _)| is(one)).map(|(_, score)| *score).collect();
    let vendors = |one: &Example| one.source == "vendors";
    let real = |one: &Example| one.source == "real";
    above(of(&is_list), LISTS_PER_1000).max(above(of(&vendors), VENDORS_PER_1000)).max(above(of(&real), REAL_PER_1000))
}

fn hard_only<'e>(scored: &[(&'e Example, i32)]) -> Vec<(&'e Example, i32)> {
    scored.iter().copied().filter(|(one, _)| one.is_hard).collect()
}

fn hold_threshold(scored: &[(&Example, i32)]) -> i32 {
    let hard = hard_only(scored);
    let good = hard.iter().filter(|(one, _)| one.kind == Kind::Good).map(|(_, score)| *score);
    good.max().unwrap_or_default() + HOLD_MARGIN
}

/// How many of each source reach the threshold, by estimates that have not seen their group.
fn report(what: &str, all: &[Example], scored: &[(&Example, i32)], threshold: i32) {
    println!("\n{what}: from {threshold} points on\n\n| source | mails | reached | share |\n|---|--:|--:|--:|");
    let mut counts: BTreeMap<(Kind, &str), [usize; 2]> = BTreeMap::new();
    for example in all {
        counts.entry((example.kind, &example.source)).or_default()[0] += 1;
    }
    for (example, _) in scored.iter().filter(|(_, score)| *score >= threshold) {
        counts.entry((example.kind, &example.source)).or_default()[1] += 1;
    }
    for ((kind, source), [mails, reached]) in counts {
        let share = 100.0 * reached as f64 / mails.max(1) as f64;
        println!("| {kind:?} {source} | {mails} | {reached} | {share:.2} % |");
    }
}

fn write(
    detections: &Path,
    code: &str,
    estimate: &Estimate,
    threshold: i32,
    conjunction: bool,
    [good, bad]: [usize; 2],
) -> io::Result<()> {
    let folder = detections.join(code);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(SCORECARD), estimate.card(threshold, conjunction, good, bad).to_text())
}
