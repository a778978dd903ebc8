//! What the features of a scorecard cost: generated mails of 22 kB, text and page, a thousand times each, in
//! milliseconds of one thread. `cargo xtask bench features` runs it. With paths as arguments it times those mails
//! instead.
//!
//! rspamd and SpamAssassin cannot be asked for the time of their text rules alone; `cargo xtask bench scan` has what a
//! whole scan costs, theirs and ours.
#![allow(clippy::print_stdout, reason = "a command for developers talks on the terminal")]

use std::fmt::Write as _;
use std::io;
use std::time::{Duration, Instant};

use detect::examine::{EnvelopeFacts, Examiner};
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::mime::wire_form;
use detect::ruleset::load::from_stored;

/// Rounds before the clock counts, and rounds that count.
const WARM_ROUNDS: usize = 50;
const ROUNDS: usize = 1000;
/// Bytes of a generated mail.
const MAIL_BYTES: usize = 22_000;
/// What it may cost, in milliseconds at the median.
const MILLIS_MAX: f64 = 0.25;

const WORDS: [&str; 32] = [
    "meeting",
    "offer",
    "delivery",
    "Tuesday",
    "invoice",
    "colleague",
    "project",
    "answer",
    "question",
    "office",
    "machine",
    "drawing",
    "your",
    "account",
    "please",
    "you",
    "today",
    "free",
    "report",
    "Microsoft",
    "quality",
    "schedule",
    "customer",
    "workshop",
    "contract",
    "sample",
    "with",
    "and",
    "the",
    "will",
    "summary",
    "z\u{fc}rich",
];

fn main() -> io::Result<()> {
    let in_force = InForce::only(from_stored(Vec::new()).0);
    let mut examiner = Examiner::new(&in_force, Limits::default());
    let mut mails: Vec<(String, Vec<u8>)> = Vec::new();
    for path in std::env::args().skip(1) {
        mails.push((path.clone(), std::fs::read(&path)?));
    }
    if mails.is_empty() {
        mails.push(("text".to_owned(), text().into_bytes()));
        mails.push(("newsletter with 40 links".to_owned(), page(40).into_bytes()));
        mails.push(("letter with 3 links".to_owned(), page(3).into_bytes()));
        mails.push(("page with its plain text".to_owned(), both().into_bytes()));
    }
    println!("| mail | kB | features, ms: median | 90th | 99th | whole, ms: median |\n|---|--:|--:|--:|--:|--:|");
    let mut worst: f64 = 0.0;
    for (name, mail) in &mails {
        let raw = wire_form(mail);
        let rounds = if mails.len() > 4 { ROUNDS / 20 } else { ROUNDS };
        let [mut alone, mut whole] = [Vec::new(), Vec::new()];
        for round in 0..WARM_ROUNDS.min(rounds) + rounds {
            let began = Instant::now();
            let budget = Budget::starting_now(Duration::from_secs(10));
            let (_, features) = examiner.timed_features(&raw, &EnvelopeFacts::default(), budget);
            if round >= WARM_ROUNDS.min(rounds) {
                alone.push(features.as_secs_f64() * 1000.0);
                whole.push(began.elapsed().as_secs_f64() * 1000.0);
            }
        }
        let [median, high, highest] = [50, 90, 99].map(|percent| percentile(&mut alone, percent));
        worst = worst.max(median);
        let all = percentile(&mut whole, 50);
        println!("| {name} | {} | {median:.3} | {high:.3} | {highest:.3} | {all:.3} |", raw.len() / 1000);
    }
    println!(
        "\nAt most {MILLIS_MAX} ms at the median in a release build: {}",
        if worst <= MILLIS_MAX { "kept" } else { "not kept" }
    );
    Ok(())
}

fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() * percent / 100).copied().unwrap_or_default()
}

/// Prose, the same everywhere.
fn prose(seed: &mut u64, words: usize) -> String {
    let mut text = String::new();
    for word in 0..words {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(WORDS[usize::try_from(*seed >> 33).unwrap_or_default() % WORDS.len()]);
        text.push_str(if word % 12 == 11 { ". " } else { " " });
    }
    text
}

fn head(kind: &str) -> String {
    format!(
        "From: Alice Partner <alice@partner.example>\r\nTo: Bob <bob@ours.example>\r\nSubject: Figures for the week\r\n\
         Date: Mon, 23 Nov 2026 09:12:44 +0000\r\nMessage-ID: <1@partner.example>\r\nContent-Type: {kind}; \
         charset=utf-8\r\n\r\n"
    )
}

fn text() -> String {
    let (mut mail, mut seed) = (head("text/plain"), 7);
    while mail.len() < MAIL_BYTES {
        let _ = writeln!(mail, "{}\r", prose(&mut seed, 12));
    }
    mail
}

/// The same words as a plain text and as a page.
fn both() -> String {
    let mut seed = 7;
    let words: Vec<String> = (0..MAIL_BYTES / 180).map(|_| prose(&mut seed, 12)).collect();
    let mail = head("multipart/alternative; boundary=b");
    let page = words.iter().map(|words| format!("<p>{words}</p>\r\n")).collect::<String>();
    let text = words.join("\r\n");
    format!(
        "{mail}--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--b\r\nContent-Type: text/html; \
         charset=utf-8\r\n\r\n<html><body>{page}</body></html>\r\n--b--\r\n"
    )
}

/// A page with as many links to several hosts, evenly spread, and a picture for each.
fn page(links: usize) -> String {
    let (mut mail, mut seed) = (head("text/html"), 11);
    mail.push_str("<html><body>");
    for number in 0..links {
        let words = prose(&mut seed, 6);
        let _ = writeln!(
            mail,
            "<p style='font-size:14px;color:#333'>{words}</p>\
             <a href='https://click{number}.partner.example/track/click?u={number}&id=9f8e7d6c5b4a39281706'>\
             {words}</a><img src='https://pictures.example/{number}.png'>\r"
        );
        while mail.len() < MAIL_BYTES * (number + 1) / links {
            let _ = writeln!(mail, "<p>{}</p>\r", prose(&mut seed, 12));
        }
    }
    mail.push_str("</body></html>\r\n");
    mail
}
