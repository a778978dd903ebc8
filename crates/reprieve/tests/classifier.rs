//! A classifier of text from training to acting: trained on mail that is made here, offered to the gates, explained by
//! its words, taken back.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use support::{Gateway, Sink, Talk, config};

const PATIENCE: Duration = Duration::from_secs(30);

/// Letters of two kinds, from words of each and words that both have.
fn letters(folder: &Path, kind: &str, words: &[&str], count: usize) {
    std::fs::create_dir_all(folder).unwrap();
    let common = ["please", "today", "the", "offer", "we", "send", "with", "regards", "for", "and", "your", "list"];
    let mut state = kind.len() as u64;
    let mut pick = |list: &[&str]| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        list[(state >> 33) as usize % list.len()].to_owned()
    };
    for n in 0..count {
        let body: Vec<String> = (0..40).map(|at| if at % 3 == 0 { pick(words) } else { pick(&common) }).collect();
        let subject = format!("{kind} {} {} {}", pick(words), pick(&common), pick(&common));
        // Senders are many, and each writes more than once.
        std::fs::write(folder.join(format!("{n:04}.eml")), letter(n % 52, &subject, &body.join(" "))).unwrap();
    }
}

fn letter(n: usize, subject: &str, body: &str) -> Vec<u8> {
    format!(
        "From: a@x{n}.example\r\nTo: b@ours.example\r\nSubject: {subject}\r\nMessage-ID: \
        <c{n}@x{n}.example>\r\n\r\n{body}\r\n"
    )
    .into_bytes()
}

const BAD: [&str; 8] = ["lottery", "winner", "casino", "jackpot", "pills", "replica", "unclaimed", "millions"];
const PHISH: [&str; 8] = [
    "verify your account",
    "suspended account",
    "http://bit.ly/x1",
    "confirm your password",
    "unusual activity",
    "mailbox quota",
    "sign in",
    "within 24 hours",
];
const GOOD: [&str; 8] = ["meeting", "minutes", "patch", "review", "invoice", "lunch", "project", "report"];

#[test]
fn trained_published_explained_and_taken_back() {
    let sink = Sink::start();
    let mut gateway = Gateway::prepare(&config(sink.address));
    letters(&gateway.path("good"), "notes", &GOOD, 120);
    letters(&gateway.path("bad"), "win", &BAD, 120);
    let train =
        |out: &str| gateway.cli(&["classifier", "train", "--good", "good", "--bad", "bad", "--out", out, "--json"]);
    let output = train("model");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((told["good"].as_u64(), told["bad"].as_u64(), told["wrong"].as_u64()), (Some(120), Some(120), Some(0)));
    assert!(told["caught"].as_u64().unwrap() >= 110, "{told}");
    assert!(train("again").status.success());
    let file = |folder: &str| std::fs::read(gateway.path(&format!("{folder}/TXT-0001/weights.txt"))).unwrap();
    assert_eq!(file("model"), file("again"), "the same mail makes the same model");
    let lint = gateway.cli(&["ruleset", "lint", "model"]);
    assert!(
        lint.status.success(),
        "it hits its own words and misses an ordinary mail: {}",
        String::from_utf8_lossy(&lint.stdout)
    );
    gateway.run();
    let published = gateway.json(&[
        "ruleset",
        "publish",
        "model",
        "--add",
        "--force",
        "--reason",
        "trained on our own mail",
        "--wait",
    ]);
    assert_eq!(published["stage"], "live", "{published}");
    let detections = gateway.json(&["detection", "list"]);
    assert!(detections.as_array().unwrap().len() > 60, "it was added to what is in force");
    let spam =
        "please send the lottery winner your jackpot casino millions unclaimed pills today replica lottery winner";
    let began = Instant::now();
    let mut n = 1000;
    let (got, finding) = loop {
        n += 1;
        let reply =
            Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &letter(n, "win lottery", spam));
        assert!(reply.starts_with("250"), "{reply}");
        let got = sink.got().pop().unwrap();
        // The shipped scorecard takes it for spam as well: it is the finding that shows that the model acts.
        let shown = gateway.json(&["message", "show", &got.header("X-Reprieve-Id").unwrap()]);
        let mut findings = shown["findings"].as_array().unwrap().iter();
        if let Some(finding) = findings.find(|one| one["detection"] == "TXT-0001") {
            break (got, finding.clone());
        }
        assert!(began.elapsed() < PATIENCE, "it never acts");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(got.header("X-Reprieve-Verdict").unwrap(), "Spam; Junk");
    let evidence = finding["evidence"].as_str().unwrap();
    assert!(evidence.starts_with("0.9") || evidence.starts_with("1.0"), "{evidence}");
    assert!(evidence.contains("words together +"), "marks as sentences, and what the words say: {evidence}");
    let reply = Talk::from_outside(gateway.mx).send(
        "a@x.example",
        &["b@ours.example"],
        &letter(
            1,
            "notes meeting",
            "please review the minutes of the meeting and send your report for the project today",
        ),
    );
    assert!(reply.starts_with("250"));
    assert_eq!(sink.got().pop().unwrap().header("X-Reprieve-Verdict").unwrap(), "Clean; Deliver");
    let back = gateway.json(&["ruleset", "rollback", "--reason", "a test"]);
    assert_eq!(back["stage"], "rolled-back");
}

/// A model of phishing tags by its words; one that holds asks for a hard fact besides.
#[test]
fn words_tag_and_a_hard_fact_besides_holds() {
    let sink = Sink::start();
    let gateway = Gateway::prepare(&config(sink.address));
    letters(&gateway.path("good"), "notes", &GOOD, 120);
    letters(&gateway.path("bad"), "win", &PHISH, 120);
    letters(&gateway.path("later"), "win", &GOOD, 60);
    let train = &["classifier", "train", "--category", "phish", "--hold", "TXT-0100", "--good", "good"];
    let output = gateway.cli(&[&train[..], &["--bad", "bad", "--out", "model"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written =
        |code: &str, file: &str| std::fs::read_to_string(gateway.path(&format!("model/{code}/{file}"))).unwrap();
    assert!(written("TXT-0002", "detection.toml").contains("category = \"Spam\""), "words alone go to the junk folder");
    assert!(written("TXT-0100", "detection.toml").contains("category = \"Phish\""));
    assert!(written("TXT-0100", "weights.txt").starts_with("{\"form\":2,"));
    assert!(written("TXT-0100", "weights.txt").contains("\"conjunction\":true"));
    let lint = gateway.cli(&["ruleset", "lint", "model"]);
    assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stdout));
    // Without the word for the conjunction, the same weights are refused in a category that holds.
    let alone = written("TXT-0100", "weights.txt").replace(",\"conjunction\":true", "");
    std::fs::write(gateway.path("model/TXT-0100/weights.txt"), alone).unwrap();
    let refused = gateway.cli(&["ruleset", "lint", "model"]);
    assert!(!refused.status.success());
    let said = [refused.stdout, refused.stderr].concat();
    assert!(String::from_utf8_lossy(&said).contains("words alone hold no mail"));
    std::fs::remove_dir_all(gateway.path("model/TXT-0100")).unwrap();
    let evaluated =
        gateway.cli(&["classifier", "evaluate", "--model", "model", "--good", "good", "--bad", "bad", "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&evaluated.stdout).unwrap();
    let rows = told["rows"].as_array().unwrap();
    let sum = |bad: bool, what: &str| {
        let of_kind = rows.iter().filter(|row| row["bad"] == bad);
        of_kind.map(|row| row[what].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((sum(false, "mails"), sum(false, "tagged"), sum(true, "mails"), sum(true, "held")), (120, 0, 120, 0));
    assert!(sum(true, "tagged") >= 110, "{told}");
    assert_eq!(told["worst"].as_array().unwrap().len(), 10);
    assert!(told["worst"][0]["file"].as_str().unwrap().starts_with("good/"), "{told}");
    let drift = |after: &str| {
        let words = ["classifier", "drift", "--model", "model", "--before", "bad", "--after", after, "--json"];
        let told: serde_json::Value = serde_json::from_slice(&gateway.cli(&words).stdout).unwrap();
        told["score"]["reading"].as_str().unwrap().to_owned()
    };
    assert_eq!((drift("bad").as_str(), drift("later").as_str()), ("stable", "changed"));
}

#[test]
fn what_cannot_be_learned_is_told() {
    let sink = Sink::start();
    let gateway = Gateway::prepare(&config(sink.address));
    letters(&gateway.path("few"), "win", &BAD, 5);
    letters(&gateway.path("good"), "notes", &GOOD, 120);
    for (words, said) in [
        (&["--good", "good", "--bad", "few"][..], "at least 50 of each"),
        (&["--good", "good", "--bad", "nowhere"], "nowhere"),
        (&["--good", "good", "--bad", "good", "--category", "malware"], "neither spam nor phish"),
        (&["--good", "good", "--bad", "good", "--allowed", "0.5"], "between 0 and 0.05"),
        (&["--good", "good", "--bad", "few", "--hold", "TXT-0100"], "--hold is for phish"),
    ] {
        let output = gateway.cli(&[&["classifier", "train", "--out", "model"], words].concat());
        assert!(!output.status.success());
        let error = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(error.contains(said), "{error}");
    }
}
