//! Allow and block entries, and the policy that decides, through the whole program.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Gateway, Sink, Talk, bad, config};

/// Within a second, says the promise; a loaded machine may take longer to be asked.
const PATIENCE: Duration = Duration::from_secs(10);

fn mail(number: u32, from: &str, body: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: b@ours.example\r\nSubject: s{number}\r\nMessage-ID: \
        <e{number}@x.example>\r\n\r\n{body} {number}\r\n"
    )
    .into_bytes()
}

struct Site {
    gateway: Gateway,
    number: u32,
}

impl Site {
    fn start() -> (Self, Sink) {
        let sink = Sink::start();
        (Self { gateway: Gateway::start(&config(sink.address)), number: 0 }, sink)
    }

    /// Whether it passes; false if it is held.
    fn passes(&mut self, from: &str, rcpt: &str, body: &str) -> bool {
        self.number += 1;
        let reply = Talk::from_outside(self.gateway.mx).send(from, &[rcpt], &mail(self.number, from, body));
        assert!(reply.starts_with("250"), "{reply}");
        !reply.contains("taken as")
    }

    fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) -> Duration {
        let began = Instant::now();
        while !is_so(self) {
            assert!(began.elapsed() < PATIENCE, "never: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
        began.elapsed()
    }

    fn block(&self, words: &[&str]) -> Value {
        self.gateway.json(&[&["entry", "block"], words, &["--reason", "an emergency"]].concat())
    }

    fn last(&self) -> Value {
        let id = format!("<e{}@x.example>", self.number);
        let trace = self.gateway.json(&["message", "trace", "--message-id", &id]);
        self.gateway.json(&["message", "show", trace[0]["mail_id"].as_str().unwrap()])
    }
}

#[test]
fn a_block_acts_at_once_and_ends() {
    let (mut site, _sink) = Site::start();
    assert!(site.passes("x@evil.example", "b@ours.example", "hello"));
    let made = site.block(&["sender", "X@Evil.example"]);
    assert_eq!((made["id"].as_u64(), made["value"].as_str()), (Some(1), Some("x@evil.example")));
    site.until("blocked", |site| !site.passes("x@evil.example", "b@ours.example", "hello"));
    assert!(site.passes("y@evil.example", "b@ours.example", "hello"), "another sender");
    site.until("the last one is held", |site| !site.passes("x@evil.example", "b@ours.example", "hello"));
    let shown = site.last();
    assert_eq!(shown["category"], "PolicyRule");
    let reason = &shown["units"][0]["reasons"][0];
    assert_eq!(reason["text"], "block entry 1 for sender x@evil.example says Hold");
    // What was used is known; the day's end is told.
    let list = |site: &Site| site.gateway.json(&["entry", "list"]);
    site.until("used", |site| list(site)[0]["last_used"].is_string());
    let entry = &list(&site)[0];
    assert!(entry["expires"].as_str() > entry["made"].as_str() && entry["reason"] == "an emergency", "{entry}");
    site.gateway.json(&["entry", "remove", "1", "--reason", "it is over"]);
    site.until("it passes again", |site| site.passes("x@evil.example", "b@ours.example", "hello"));
    let again = site.gateway.cli(&["entry", "remove", "1", "--config", "reprieve.toml"]);
    assert_eq!(again.status.code(), Some(2));
    let log = site.gateway.json(&["audit", "list"]);
    let acts: Vec<&str> = log.as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap()).collect();
    assert!(acts.contains(&"entry.block") && acts.contains(&"entry.remove"), "{acts:?}");
}

#[test]
fn links_domains_networks_and_those_they_are_for() {
    let (mut site, _sink) = Site::start();
    site.block(&["url", "https://evil.example/login"]);
    site.until("the link is blocked", |site| {
        !site.passes("a@x.example", "b@ours.example", "see http://www.evil.example/ or https://evil.example/login?x ")
    });
    assert!(site.passes("a@x.example", "b@ours.example", "see https://evil.example/home "));
    site.block(&["domain", "bulk.example", "--rcpt", "c@ours.example"]);
    site.until("for c", |site| !site.passes("a@mail.bulk.example", "c@ours.example", "hello"));
    assert!(site.passes("a@mail.bulk.example", "b@ours.example", "hello"), "b still wants it");
    site.block(&["ip", "0.0.0.0/0", "--hours", "1"]);
    site.until("everybody", |site| !site.passes("z@z.example", "b@ours.example", "hello"));
}

#[test]
fn the_policy_decides_and_the_sender_of_held_outbound_mail_is_told() {
    let sink = Sink::start();
    let text = config(sink.address)
        .replace("[notices]\noutbound = false\nincident_digest = false\n", "")
        .replace("mode =", "policy = \"policy.toml\"\nmode =");
    let mut gateway = Gateway::prepare(&text);
    let policy = "[[scopes]]\nname = \"board\"\npreset = \"strict\"\nrecipients = [\"boss@ours.example\"]\n";
    std::fs::write(gateway.path("policy.toml"), policy).unwrap();
    gateway.run();
    let spam = |n: u32| mail(n, "a@x.example", "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X");
    assert!(!Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &spam(1)).contains("taken as"));
    assert!(Talk::from_outside(gateway.mx).send("a@x.example", &["boss@ours.example"], &spam(2)).contains("taken as"));
    let held = gateway.held();
    let shown = gateway.json(&["quarantine", "show", held[0]["id"].as_str().unwrap()]);
    assert_eq!(shown["units"][0]["quarantine_policy"], "FullAccess", "{shown}");
    let rules = gateway.cli(&["config", "policy", "--config", "reprieve.toml"]);
    let rules = String::from_utf8_lossy(&rules.stdout).to_string();
    assert!(rules.contains("board: spam") && rules.contains("boss@ours.example"), "{rules}");
    // Outbound: held, and the one who sent it is told, with the null sender, once for two mails.
    let before = sink.got().len();
    for number in ["31", "32"] {
        let mut talk = Talk::to(gateway.submission);
        talk.say("EHLO x.example");
        talk.say("XCLIENT ADDR=198.51.100.7 LOGIN=anna");
        talk.say("EHLO x.example");
        let reply = talk.send("anna@ours.example", &["x@else.example"], &bad(number));
        assert!(reply.contains("taken as"), "{reply}");
    }
    let began = Instant::now();
    while sink.got().len() == before {
        assert!(began.elapsed() < Duration::from_secs(20), "nobody was told");
        std::thread::sleep(Duration::from_millis(50));
    }
    let notice = sink.got()[before].clone();
    assert_eq!((notice.mail.as_str(), notice.rcpts[0].as_str()), ("MAIL FROM:<>", "RCPT TO:<anna@ours.example>"));
    assert_eq!(notice.header("Auto-Submitted").unwrap(), "auto-generated");
    let text = String::from_utf8_lossy(&notice.bytes).to_string();
    assert!(text.contains("x@else.example") && text.contains("has not been"), "{text}");
}

#[test]
fn a_file_that_people_know_passes_and_real_malware_does_not() {
    let (mut site, sink) = Site::start();
    let eicar = |number: &str| bad(number);
    let send = |site: &Site, number: &str| {
        Talk::from_outside(site.gateway.mx).send("a@x.example", &["b@ours.example"], &eicar(number))
    };
    assert!(send(&site, "1").contains("taken as"));
    let held = site.gateway.held();
    let shown = site.gateway.json(&["quarantine", "show", held[0]["id"].as_str().unwrap()]);
    let part = shown["parts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|part| part["name"] == "eicar.com")
        .or_else(|| shown["parts"].get(0));
    let sha256 = part.unwrap()["sha256"].as_str().unwrap().to_owned();
    site.gateway.json(&["entry", "allow", "file", &sha256, "--reason", "a test file of ours"]);
    std::thread::sleep(Duration::from_millis(1500));
    assert!(send(&site, "2").contains("taken as"), "an allow does not clear malware unless it says so");
    let most = [
        "entry",
        "allow",
        "file",
        &sha256,
        "--reason",
        "x",
        "--malware",
        "--hours",
        "10000",
        "--config",
        "reprieve.toml",
    ];
    assert_eq!(site.gateway.cli(&most).status.code(), Some(2), "not for so long");
    site.gateway.json(&["entry", "allow", "file", &sha256, "--reason", "a test file of ours", "--malware"]);
    let mut number = 2;
    site.until("it passes", |site| {
        number += 1;
        !send(site, &number.to_string()).contains("taken as")
    });
    assert_eq!(sink.got().last().unwrap().header("X-Reprieve-Verdict").unwrap(), "Clean; Deliver");
    // What passes because somebody says so is no evidence of what is good. Lessons are written every two seconds.
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(site.gateway.json(&["known-good", "status"])["contents"], 0);
    let other = b"From: a@x.example\r\nSubject: s\r\nContent-Type: text/plain; \
        name=\"invoice.pdf.vbs\"\r\nContent-Disposition: attachment\r\n\r\nMsgBox 1\r\n";
    assert!(Talk::from_outside(site.gateway.mx).send("a@x.example", &["b@ours.example"], other).contains("taken as"));
}
