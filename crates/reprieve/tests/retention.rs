//! What removes by age, in the shipped program: a clock that jumps takes nothing, what is over goes little by little
//! and comes back whole, and a disk that rots is noticed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cli::client::Client;
use domain::Timestamp;
use platform::clock::{Clock, DrivenClock, SystemClock};
use serde_json::Value;
use support::{Gateway, Sink, Talk, bad, config};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// An hour's worth of removals: a round, of which there are six an hour, begins with ten.
const SLOWLY: &str = "[retention]\nremovals_per_hour = 60\n";
const PATIENCE: Duration = Duration::from_secs(30);

/// A gateway whose clock is moved by the test; its reconcilers run by themselves.
struct Driven {
    gateway: Gateway,
    clock: File,
    now: Timestamp,
    starts: u16,
}

impl Driven {
    fn start(settings: &str) -> (Self, Sink) {
        let sink = Sink::start();
        let mut gateway = Gateway::prepare(&format!("{}{settings}", config(sink.address)));
        gateway.serve_with(&["--clock", "clock", "--with-reconcilers"]);
        let clock = File::create(gateway.path("clock")).unwrap();
        let mut driven = Self { gateway, clock, now: SystemClock.now(), starts: 0 };
        driven.run();
        (driven, sink)
    }

    fn run(&mut self) {
        self.starts += 1;
        self.set(self.now);
        self.gateway.run();
    }

    fn set(&mut self, now: Timestamp) {
        self.now = now;
        DrivenClock::set(&self.clock, now, self.starts).unwrap();
    }

    /// Starts again with a clock that has moved meanwhile.
    fn restart_at(&mut self, now: Timestamp) {
        self.gateway.kill();
        self.now = now;
        self.run();
    }

    fn hold(&self, count: usize) -> Vec<Vec<u8>> {
        let mails: Vec<Vec<u8>> = (0..count).map(|n| bad(&format!("held-{n}"))).collect();
        let mut talk = Talk::from_outside(self.gateway.mx);
        for mail in &mails {
            assert!(talk.send("a@x.example", &["b@ours.example"], mail).contains("taken as"));
        }
        mails
    }

    fn account(&self, name: &str) -> i64 {
        self.gateway.json(&["ledger", "check"])["accounts"][name].as_i64().unwrap()
    }

    /// Waits until so many units are in an account.
    fn wait_for(&self, name: &str, units: i64) {
        let began = Instant::now();
        while self.account(name) != units {
            assert!(began.elapsed() < PATIENCE, "{} {name}, not {units}: {}", self.account(name), self.gateway.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What `doctor` says of something.
    fn doctor(&self, what: &str) -> Value {
        let list = self.gateway.json(&["doctor"]);
        list.as_array().unwrap().iter().find(|one| one["what"] == what).cloned().unwrap_or_default()
    }

    fn alerts(&self, kind: &str) -> Vec<Value> {
        let alerts = self.gateway.json(&["alert", "list"]);
        alerts.as_array().unwrap().iter().filter(|one| one["kind"] == kind).cloned().collect()
    }

    /// Waits for a call of this kind.
    fn called(&self, kind: &str) -> Value {
        let began = Instant::now();
        loop {
            if let Some(alert) = self.alerts(kind).first() {
                return alert.clone();
            }
            assert!(began.elapsed() < PATIENCE, "nobody is called: {}", self.gateway.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What the API says of itself, over the socket.
    fn health(&self) -> Value {
        let socket = self.gateway.path("data/api.sock");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let health = runtime.block_on(Client::at_socket(socket).get::<Value>("/api/v1/health")).unwrap();
        health.view().unwrap()
    }

    fn blobs(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for folder in std::fs::read_dir(self.gateway.path("data/blobs")).unwrap() {
            files.extend(std::fs::read_dir(folder.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
        }
        files
    }

    /// Each held mail as the API gives it.
    fn exported(&self) -> Vec<Vec<u8>> {
        let export = |held: Value| {
            let id = held["id"].as_str().unwrap().to_owned();
            self.gateway.cli(&["quarantine", "export", &id, "--config", "reprieve.toml"]).stdout
        };
        let mut mails: Vec<Vec<u8>> = self.gateway.held().into_iter().map(export).collect();
        mails.sort();
        mails
    }
}

#[test]
fn a_clock_that_jumps_forward_destroys_nothing() {
    let (mut driven, _sink) = Driven::start(SLOWLY);
    let mut mails = driven.hold(34);
    mails.sort();
    let began = driven.now;
    driven.restart_at(began.after(DAY * 40));
    // People are called, and everybody who looks sees why nothing goes.
    let alert = driven.called("clock");
    assert!(alert["text"].as_str().unwrap().contains("confirm-clock"), "{alert}");
    let said = driven.doctor("clock");
    assert_eq!(said["health"], "fault", "{said}");
    let clock = &driven.health()["clock"];
    assert_eq!(clock["state"], "doubted", "{clock}");
    // Several rounds of everything that removes have gone by.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!((driven.account("held"), driven.account("expired"), driven.blobs().len()), (34, 0, 34));
    assert_eq!(driven.exported(), mails, "byte for byte");
    // The clock is set right: it is believed again without anybody's help.
    driven.restart_at(began.after(Duration::from_secs(60)));
    assert_eq!(driven.doctor("clock")["health"], "ok");
    assert_eq!(driven.account("held"), 34);
    driven.gateway.ledger();
}

#[test]
fn a_clock_that_a_person_confirms_lets_mail_expire_slowly_and_it_comes_back_whole() {
    let (mut driven, _sink) = Driven::start(SLOWLY);
    let mut mails = driven.hold(34);
    mails.sort();
    let later = driven.now.after(DAY * 40);
    driven.restart_at(later);
    driven.called("clock");
    // Without a reason nobody is heard.
    let said = driven.gateway.cli(&["retention", "confirm-clock", "--reason", " ", "--config", "reprieve.toml"]);
    assert_ne!(said.status.code(), Some(0));
    let said = driven.gateway.json(&["retention", "confirm-clock", "--reason", "it was off for a month"]);
    assert_eq!(said["state"], "believed", "{said}");
    // Ten of a round, and no more before time has run.
    driven.wait_for("expired", 10);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!((driven.account("held"), driven.account("expired")), (24, 10));
    assert_eq!(driven.blobs().len(), 34, "rows and bytes stay together for a day");
    let again = driven.gateway.cli(&["retention", "confirm-clock", "--reason", "again", "--config", "reprieve.toml"]);
    assert_ne!(again.status.code(), Some(0), "there is nothing to confirm");
    // It was a slip: all of it comes back.
    let since = later.before(Duration::from_secs(60)).to_string();
    let would = driven.gateway.json(&["retention", "recover", "--since", &since, "--what-if"]);
    assert_eq!(would["units"], 10, "{would}");
    let back = driven.gateway.json(&["retention", "recover", "--since", &since, "--reason", "the clock was wrong"]);
    assert_eq!((&back["units"], &back["remain"]), (&10.into(), &0.into()), "{back}");
    assert_eq!(driven.exported(), mails, "byte for byte");
    let ledger = driven.gateway.ledger();
    assert_eq!((&ledger["accounts"]["held"], &ledger["accounts"]["expired"]), (&34.into(), &0.into()));
    let log = driven.gateway.json(&["audit", "list"]).to_string();
    assert!(log.contains("retention.confirm-clock") && log.contains("retention.recover"), "who did it is written down");
}

#[test]
fn what_somebody_deleted_comes_back_within_a_day() {
    let (driven, sink) = Driven::start("");
    let mails = driven.hold(1);
    let id = driven.gateway.held()[0]["id"].as_str().unwrap().to_owned();
    driven.gateway.json(&["quarantine", "delete", &id, "--reason", "a slip"]);
    assert_eq!(driven.account("deleted"), 1);
    let back = driven.gateway.json(&["quarantine", "recover", &id, "--reason", "it was wanted"]);
    assert_eq!(back["units"][0]["state"], "held", "{back}");
    driven.gateway.json(&["quarantine", "release", &id, "--wait", "--reason", "wanted"]);
    assert_eq!(sink.wait(1)[0].without_ours(), mails[0]);
    let again = driven.gateway.cli(&["quarantine", "recover", &id, "--config", "reprieve.toml"]);
    assert_eq!(again.status.code(), Some(1), "what was delivered is not held again");
    driven.gateway.ledger();
}

#[test]
fn a_flipped_byte_is_found_named_and_found_whole_when_it_is_restored() {
    let (mut driven, _sink) = Driven::start("");
    driven.hold(3);
    let damaged = driven.blobs()[1].clone();
    let whole = std::fs::read(&damaged).unwrap();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    std::fs::write(&damaged, &flipped).unwrap();
    let check = |driven: &Driven| driven.gateway.json(&["ledger", "check", "--deep"]);
    let ledger = check(&driven);
    assert_eq!((&ledger["balanced"], ledger["faults"].as_array().unwrap().len()), (&false.into(), 1), "{ledger}");
    // The mail that is damaged is named, and no other.
    let fault = ledger["faults"][0].as_str().unwrap().to_owned();
    let held = driven.gateway.held();
    let named: Vec<&Value> = held.iter().filter(|one| fault.contains(one["id"].as_str().unwrap())).collect();
    assert_eq!(named.len(), 1, "{fault}");
    let id = named[0]["id"].as_str().unwrap().to_owned();
    // The scrub, which has all month, finds it as well: its next pass begins a month later.
    let later = driven.now.after(DAY * 31);
    driven.restart_at(later);
    let alert = driven.called("damage");
    assert!(alert["text"].as_str().unwrap().contains(&id), "{alert}");
    let health = driven.health();
    assert_eq!((&health["damaged"], &health["damage"][0]["mail"]), (&1.into(), &id.as_str().into()), "{health}");
    assert_eq!(driven.doctor("stored mail")["health"], "fault");
    assert_eq!((driven.blobs().len(), driven.account("held")), (3, 3), "nothing is removed for it");
    // Its file comes back from a backup: it is whole again, and nobody has to say so.
    std::fs::write(&damaged, &whole).unwrap();
    driven.restart_at(later);
    let began = Instant::now();
    while driven.health()["damaged"] != 0 {
        assert!(began.elapsed() < PATIENCE, "{}", driven.health());
        std::thread::sleep(Duration::from_millis(100));
    }
    let scrub = &driven.health()["scrub"];
    assert_eq!((&scrub["state"], &scrub["last_blobs"]), (&"done".into(), &3.into()), "{scrub}");
    assert_eq!(check(&driven)["balanced"], true);
}

#[test]
fn what_is_on_hold_neither_expires_nor_is_deleted_until_it_is_lifted() {
    let (mut driven, _sink) = Driven::start("");
    driven.hold(3);
    let ids: Vec<String> = driven.gateway.held().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    let cli = |driven: &Driven, words: &[&str]| {
        driven.gateway.cli(&[words, &["--config", "reprieve.toml"]].concat()).status.code()
    };
    assert_ne!(cli(&driven, &["hold", "add", "--mail", &ids[0]]), Some(0), "not without a reason");
    assert_ne!(cli(&driven, &["hold", "add", "--query", "state:held", "--reason", "r"]), Some(0), "it can change");
    assert_ne!(cli(&driven, &["hold", "add", "--query", "*", "--reason", "r"]), Some(0), "it is all mail");
    // What is refused is not on record as done.
    let unknown = "01890000-0000-7000-8000-000000000000";
    assert_ne!(cli(&driven, &["hold", "add", "--mail", unknown, "--reason", "r"]), Some(0));
    let made = |driven: &Driven| {
        let acts = driven.gateway.json(&["audit", "list"]);
        let of = |one: &&Value| one["action"] == "hold.add";
        acts.as_array().unwrap().iter().filter(of).map(|one| one["seq"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(made(&driven), Vec::<String>::new());
    let would = driven.gateway.json(&["hold", "add", "--person", "a@x.example", "--what-if"]);
    assert_eq!(would["mails"], 3, "{would}");
    let mail = driven.gateway.json(&["hold", "add", "--mail", &ids[0], "--reason", "a suit"]);
    let query = driven.gateway.json(&["hold", "add", "--query", "subject:held-1", "--reason", "an audit"]);
    let of_query = driven.gateway.held().iter().position(|one| one["subject"] == "held-1").unwrap();
    // Nobody erases why it is open.
    let entries = made(&driven);
    assert_eq!(entries.len(), 2);
    for entry in &entries {
        assert_ne!(cli(&driven, &["audit", "erase", entry, "--reason", "by right"]), Some(0));
    }
    // Nobody deletes it, and who looks at it sees why.
    assert_ne!(cli(&driven, &["quarantine", "delete", &ids[0], "--reason", "away"]), Some(0));
    let shown = driven.gateway.json(&["message", "show", &ids[0]]);
    assert_eq!((&shown["holds"][0]["number"], &shown["holds"][0]["reason"]), (&mail["number"], &"a suit".into()));
    let began = Instant::now();
    while driven.health()["held"]["is_counted"] != true {
        assert!(began.elapsed() < PATIENCE, "{}", driven.health()["held"]);
        std::thread::sleep(Duration::from_millis(50));
    }
    let kept = if ids[0] == driven.gateway.held()[of_query]["id"].as_str().unwrap() { 1 } else { 2 };
    assert_eq!(driven.health()["held"]["mails"], kept, "{}", driven.health()["held"]);
    // A month and more goes by.
    let later = driven.now.after(DAY * 40);
    driven.restart_at(later);
    driven.called("clock");
    driven.gateway.json(&["retention", "confirm-clock", "--reason", "it was off"]);
    driven.wait_for("expired", 3 - kept);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(driven.account("held"), kept);
    driven.gateway.ledger();
    for hold in [&mail, &query] {
        let number = hold["number"].to_string();
        assert_ne!(cli(&driven, &["hold", "lift", &number, "--reason", " "]), Some(0), "not without a reason");
        driven.gateway.json(&["hold", "lift", &number, "--reason", "it is over"]);
        assert_ne!(cli(&driven, &["hold", "lift", &number, "--reason", "again"]), Some(0), "once");
    }
    assert_eq!(cli(&driven, &["audit", "erase", &entries[0], "--reason", "by right"]), Some(0), "it is over");
    let list = driven.gateway.json(&["hold", "list", "--lifted"]);
    assert!(list.as_array().unwrap().iter().all(|one| one["lifted_reason"] == "it is over"), "{list}");
    assert_eq!(driven.gateway.json(&["hold", "list"]), Value::Array(Vec::new()));
    // It goes its way, and is deleted like any other.
    assert_eq!(cli(&driven, &["quarantine", "delete", &ids[0], "--reason", "away"]), Some(0));
    let log = driven.gateway.json(&["audit", "list"]).to_string();
    assert!(log.contains("hold.add") && log.contains("hold.lift") && log.contains("an audit"));
    driven.gateway.ledger();
}
