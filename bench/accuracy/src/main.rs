//! What is caught and what is not, on a folder of real mail: Reprieve beside rspamd, SpamAssassin and clamd, in one
//! table.
//!
//! `cargo xtask bench accuracy FOLDER` (sub-folders ham, phish, spam) as root, with rspamd, spamd and clamd installed.
//! A folder below a kind is a source, with rows of its own: `ham/lists`, `ham/vendors/NAME` (one source, `vendors`),
//! `phish/2025`. Who needs no training is asked about every mail. Where there is enough of it, half of the mail, by
//! thread and campaign, trains our classifier, which is asked about the other half.
//!
//! No network: rspamd without its name servers and without learned statistics, SpamAssassin with local tests only and
//! without them as well, clamd with one signature. Every share has its 95 % interval; phishing is counted once per
//! campaign besides. Mail is read where it lies and never kept; what is wrong of ours is told by file name, good mail
//! with its evidence.
//!
//! `REPRIEVE_PROGRAM` names a built program to ask instead of a release build of this checkout.

mod corpus;
mod scanner;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail, ensure};
use rig::amavis;
use rig::reprieve::Built;
use rig::rspamd::Rspamd;
use rig::spamassassin::SpamAssassin;

use crate::corpus::{KINDS, Mail};
use crate::scanner::{AT_A_TIME, Answers, Said, asked, of_clamd, of_reprieve, of_rspamd, of_spamassassin};

/// Share of unseen good mail of each source that a classifier may tag: the goal is at most 0.5 %.
const ALLOWED: &str = "0.004";
/// Mails of each kind below which no classifier is trained.
const TRAINED_MIN: usize = 40;
/// Ours, as it is shipped.
const SHIPPED: &str = "**Reprieve**, as shipped";

fn main() -> Result<()> {
    let Some(corpus) = std::env::args_os().nth(1).map(PathBuf::from) else {
        bail!("give a folder of real mail, with sub-folders ham, phish, spam: cargo xtask bench accuracy FOLDER");
    };
    let built = rig::reprieve::build()?;
    let folder = tempfile::Builder::new().prefix("reprieve-bench").tempdir()?;
    Command::new("chmod").arg("755").arg(folder.path()).status()?;
    let mails = corpus::read(&corpus, folder.path())?;
    ensure!(!mails.is_empty(), "{}: no mail in ham, phish or spam", corpus.display());
    let (shipped, why) = of_reprieve(&built, built.detections(), &folder.path().join("all"))?;
    let mut answers = vec![(SHIPPED, shipped)];
    if let Some(trained) = trained(&built, &mails, folder.path())? {
        answers.push(("Reprieve, with a classifier of the other half", trained));
    }
    answers.extend(peers(&mails, folder.path())?);
    print_table(&mails, &answers);
    print_wrong(&mails, &answers[0].1, &why);
    Ok(())
}

/// What the others say.
fn peers(mails: &[Mail], folder: &Path) -> Result<Vec<(&'static str, Answers)>> {
    let mut answers = Vec::new();
    {
        let rspamd = Rspamd::with_workers(&folder.join("rspamd"), 2)?;
        answers.push(("rspamd, not trained", asked(mails, |mail| of_rspamd(rspamd.http, mail))?));
    }
    {
        let spamassassin = SpamAssassin::start(&folder.join("spamassassin"), AT_A_TIME)?;
        let said = asked(mails, |mail| of_spamassassin(spamassassin.address, mail))?;
        answers.push(("SpamAssassin, not trained", said));
    }
    let clamd = folder.join("clamd");
    fs::create_dir_all(&clamd)?;
    let _clamd = amavis::start_clamd(&clamd)?;
    let socket = clamd.join("clamd.sock");
    answers.push(("clamd, one signature", asked(mails, |mail| of_clamd(&socket, mail))?));
    Ok(answers)
}

/// What we say of the half that two models have not seen; nothing where a half is too small to train any.
fn trained(built: &Built, mails: &[Mail], folder: &Path) -> Result<Option<Answers>> {
    let count = |kind: &str| mails.iter().filter(|mail| mail.kind == kind).count();
    if let Some(kind) = KINDS.into_iter().find(|kind| count(kind) < TRAINED_MIN) {
        println!("{kind}: {} mails are too few to train a classifier ({TRAINED_MIN})", count(kind));
        return Ok(None);
    }
    let rules = folder.join("rules");
    let copied = Command::new("cp").arg("-r").arg(built.detections()).arg(&rules).status()?;
    ensure!(copied.success(), "the detections could not be copied");
    let half = folder.join("train");
    for (category, bad, hold) in [("spam", "spam", None), ("phish", "phish", Some("--hold=TXT-0100"))] {
        let output = Command::new(built.program())
            .args(["classifier", "train", "--category", category, "--allowed", ALLOWED])
            .args(hold)
            .arg("--good")
            .arg(half.join("ham"))
            .arg("--bad")
            .arg(half.join(bad))
            .arg("--out")
            .arg(&rules)
            .output()?;
        if !output.status.success() {
            println!("no classifier: {}", String::from_utf8_lossy(&output.stderr).trim());
            return Ok(None);
        }
        println!("{}", String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default());
    }
    let (mut said, _) = of_reprieve(built, &rules, &folder.join("all"))?;
    let seen: BTreeSet<String> = mails.iter().filter(|mail| mail.is_for_training()).map(Mail::name).collect();
    said.retain(|name, _| !seen.contains(name));
    Ok(Some(said))
}

fn print_table(mails: &[Mail], answers: &[(&str, Answers)]) {
    println!("\nShares with their 95 % intervals (Clopper and Pearson).\n\n{}", table::HEAD);
    for kind in KINDS {
        let of_kind: Vec<&Mail> = mails.iter().filter(|mail| mail.kind == kind).collect();
        let sources: BTreeSet<&str> = of_kind.iter().map(|mail| mail.source.as_str()).collect();
        let mut groups: Vec<(String, Vec<&Mail>)> = Vec::new();
        if sources.len() > 1 {
            groups.extend(sources.iter().map(|source| {
                let name = if source.is_empty() { "(no folder)" } else { source };
                (name.to_owned(), of_kind.iter().copied().filter(|mail| mail.source == *source).collect())
            }));
        }
        groups.push(("all".to_owned(), of_kind.clone()));
        if kind == "phish" {
            groups.push(("all, once per campaign".to_owned(), table::once_per_campaign(&of_kind)));
        }
        for (source, mails) in &groups {
            let rows = answers.iter().filter_map(|(who, said)| table::row(kind, source, who, mails, said));
            rows.for_each(|row| println!("{row}"));
        }
    }
}

/// What is wrong of ours as shipped, by file; good mail with its evidence.
fn print_wrong(mails: &[Mail], said: &Answers, why: &BTreeMap<String, String>) {
    println!("\nWrong of ours as shipped, by file:");
    for mail in mails {
        let Some(what) = said.get(&mail.name()) else { continue };
        match (mail.kind, what) {
            ("ham", Said::Nothing) | ("phish" | "spam", Said::Junk | Said::Held) => {}
            ("ham", _) => {
                let why = why.get(&mail.name()).map(String::as_str).unwrap_or_default();
                println!("  ham: {}: {what:?}: {why}", mail.file.display());
            }
            (kind, _) => println!("  {kind}: {}: missed", mail.file.display()),
        }
    }
}
