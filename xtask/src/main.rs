//! Developer verbs. `cargo xtask` lists them; `cargo xtask ci` is what CI runs, and all of it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command for developers talks on the terminal")]

mod attack;
mod axe;
mod cache;
mod calibrate;
mod ci;
mod debian;
mod differential;
mod fuzz;
mod goodmail;
mod libraries;
mod licences;
mod mtas;
mod package;
mod package_test;
mod picture;
mod postgres;
mod reports;
mod simulate;
mod suites;
mod tidy;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ci"] => ci::run(),
        ["tidy"] => tidy::run(),
        ["licences"] => licences::run(),
        ["package"] => package::run(None),
        ["package", "--program", program] => package::run(Some(program)),
        ["package-test"] => package_test::run(),
        ["picture"] => picture::run(),
        ["pictures"] => ci::pictures(),
        ["evaluate", folder] => ci::evaluate(folder),
        ["attack"] => attack::run(),
        ["kills", count] => ci::kills(count),
        ["chaos", units, kills] => ci::chaos(units, kills),
        ["simulate", "--seed", seed] => simulate::one(seed),
        ["simulate", count] => simulate::many(count),
        ["differential", "mails", folder] => differential::mails(folder),
        ["differential", "archives", count, seed] => differential::archives(count, seed),
        ["differential", "links", file] => differential::links(file),
        ["calibrate", folder] => calibrate::run(folder),
        ["goodmail", sources, out] => goodmail::run(sources, out),
        ["fuzz", seconds] => fuzz::run(seconds),
        ["bench", "features"] => ci::features(),
        ["bench", "versions", builds @ ..] => ci::versions(builds),
        ["bench", "accuracy", folder] => ci::bench("accuracy", Some(folder)),
        ["bench", name @ ("bulk" | "explorer" | "gateway" | "memory" | "quarantine" | "recovery" | "scan")] => {
            ci::bench(name, None)
        }
        _ => bail!(
            "verbs: ci | tidy | licences | package (the Debian package of a release build) | package --program PATH | \
             package-test (the package of the tests' program, in a fresh Debian; as root) | \
             picture | pictures (of the console) | evaluate FOLDER (a folder of real \
                mail: ham, phish, spam, mime, images, attachments) | \
             attack (strangers against the shipped program, on loopback, with the probes of legitimate senders) | \
             kills N (the kill -9 loop, N times) | chaos UNITS KILLS (a recovery in bad weather) | \
             simulate COUNT (so many orders of events, faults included) | simulate --seed SEED (one of them, told) | \
             differential mails FOLDER | archives COUNT SEED | links FILE (what other readers see of the \
             same bytes, beside what we see; FILE is urltestdata.json of the web platform tests) | \
             calibrate FOLDER (the points of the scorecards, of known mail: good/SOURCE, phish/SOURCE, spam/SOURCE) | \
             goodmail SOURCES OUT (a corpus of today's good mail, of templates: docs/goodmail.md) | \
             fuzz SECONDS (every \
             target, two at a time; needs cargo-fuzz and a nightly compiler) | \
             bench features (what the features of a scorecard cost) | \
             bench versions PROGRAM DETECTIONS [PROGRAM DETECTIONS] (two builds of this program in turn; the second is \
                this checkout where it is not given) | \
             bench accuracy FOLDER (a folder of real mail: ham, phish, spam, with a folder for each source in \
             them; REPRIEVE_PROGRAM names a built program to ask instead of a release build) | bench \
             bulk|explorer|gateway|memory|quarantine|recovery|scan (beside Postfix, rspamd, clamd and amavis; as root)"
        ),
    }
}
