//! A recovery in bad weather: a next hop that drops connections after the final dot, answers 4xx and 5xx, and hangs,
//! while the gateway is killed again and again. Nothing is lost, nothing that is recorded happens twice, what cannot be
//! known is listed, and it ends without a hand.
//!
//! `cargo xtask chaos UNITS KILLS` plays it large; CI plays it small, and without what has to wait for minutes.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on may panic, and says what it measured"
)]

mod support;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::Row;
use support::{Answer, Gateway, Received, Sink, Talk, config};

/// Kills from which on it is played large.
const LARGE: u64 = 50;
const RULE: &str = "rule chaos_marker { strings: $a = \"a mail of the chaos\" condition: $a }\n";

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn mail(number: u64) -> Vec<u8> {
    format!(
        "From: a@x.example\r\nSubject: chaos {number}\r\nMessage-ID: <{number}@chaos.example>\r\n\r\na mail of the \
            chaos\r\n{}\r\n",
        "some more of it\r\n".repeat(20)
    )
    .into_bytes()
}

fn number_of(mail: &Received) -> u64 {
    let subject = mail.header("Subject").unwrap_or_default();
    subject.strip_prefix("chaos ").and_then(|number| number.parse().ok()).unwrap_or(u64::MAX)
}

/// The weather: it depends on how many dots were seen, and on the mail where an answer is for good.
fn weather(is_large: bool) -> impl Fn(&Received) -> Answer + Send + Sync + 'static {
    let dots = AtomicU64::new(0);
    move |mail| {
        let dot = dots.fetch_add(1, Ordering::SeqCst);
        if number_of(mail) % 101 == 5 {
            return Answer::Say("550 5.7.1 not this one");
        }
        match dot {
            _ if dot % 97 == 13 => Answer::Vanish,
            _ if is_large && dot % 31 == 7 => Answer::Say("451 4.3.0 not now"),
            _ if is_large && dot % 4001 == 17 => Answer::After(Duration::from_secs(3600), "250 2.0.0 Ok: at last"),
            _ => Answer::Say("250 2.0.0 Ok: sunk"),
        }
    }
}

fn hold(gateway: &Gateway, units: u64) {
    let next = Arc::new(AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let next = next.clone();
            scope.spawn(move || {
                let mut talk = Talk::from_outside(gateway.mx);
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= units {
                        return;
                    }
                    let to = format!("u{}@ours.example", number % 500);
                    let said = talk.send("a@x.example", &[&to], &mail(number));
                    assert!(said.contains("taken as"), "{number}: {said}");
                }
            });
        }
    });
}

/// How a unit stands, by what the store says.
#[derive(Debug)]
struct Fate {
    state: String,
    repeats: i64,
    accepted: i64,
}

async fn fates(gateway: &Gateway) -> HashMap<u64, Fate> {
    let mut connection =
        store::database::connect(&store::database::sqlite_url(&gateway.path("data/reprieve.db"))).await.unwrap();
    let sql = "select m.subject, r.state, r.repeats, (select count(*) from release_attempt a where a.release_id = \
        r.release_id \
               and a.outcome = 'released') as accepted from release_item r join message m on m.mail_id = r.mail_id";
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
    let fate = |row: &sqlx::any::AnyRow| {
        let subject: String = row.try_get("subject").unwrap();
        let number = subject.strip_prefix("chaos ").unwrap().parse().unwrap();
        let [repeats, accepted] = ["repeats", "accepted"].map(|column| row.try_get(column).unwrap());
        (number, Fate { state: row.try_get("state").unwrap(), repeats, accepted })
    };
    rows.iter().map(fate).collect()
}

/// How often each mail was taken by the hop with a 2xx that was sent, and how often without a word.
fn copies(sink: &Sink) -> BTreeMap<u64, (u32, u32)> {
    let mut seen: BTreeMap<u64, (u32, u32)> = BTreeMap::new();
    for got in sink.got() {
        let copies = seen.entry(number_of(&got)).or_default();
        *(if got.answered { &mut copies.0 } else { &mut copies.1 }) += 1;
    }
    seen
}

#[tokio::test]
async fn a_recovery_in_bad_weather() {
    let (units, kills) = (setting("REPRIEVE_CHAOS_UNITS", 300), setting("REPRIEVE_CHAOS_KILLS", 8));
    let is_large = kills > LARGE;
    let sink = Sink::answering(weather(is_large));
    let mut gateway = Gateway::start(&config(sink.address));
    std::fs::write(gateway.path("wrong.yar"), RULE).unwrap();
    let published = ["ruleset", "publish", "wrong.yar", "--force", "--reason", "chaos", "--wait"];
    gateway.json(&published);
    let tries = std::cell::Cell::new(0);
    until(Duration::from_secs(30), "the rule acts", || {
        // Each is another mail: one that came before the rule acted was delivered.
        tries.set(tries.get() + 1);
        let to = ["first@ours.example"];
        Talk::from_outside(gateway.mx).send("a@x.example", &to, &mail(u64::MAX / 2 + tries.get())).contains("taken as")
    });
    let began = Instant::now();
    hold(&gateway, units);
    eprintln!("{units} held in {:?}", began.elapsed());
    let opened = gateway.json(&["incident", "open", "chaos_marker", "--reason", "chaos"]);
    let id = opened["id"].as_str().unwrap().to_owned();
    gateway.json(&["ruleset", "rollback", "--reason", "chaos"]);
    let began = Instant::now();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..kills {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_millis(100 + random % 1900));
        gateway.kill();
        gateway.run();
    }
    eprintln!("{kills} kills in {:?}", began.elapsed());
    // Nobody does anything any more. What is in doubt is sent once more after ten minutes; the small play does not wait
    // for that.
    let patience = Duration::from_secs(if is_large { 3600 } else { 120 });
    until(patience, "every unit has come to an end or is listed as in doubt", || {
        let accounts = gateway.json(&["ledger", "check"])["accounts"].clone();
        let of = |name: &str| accounts[name].as_u64().unwrap();
        let doubt = if is_large { 0 } else { of("in_doubt") };
        of("released") + of("failed") + doubt > units && of("held") == 0
    });
    eprintln!("all accounted for after {:?}", began.elapsed());
    let shown = gateway.json(&["incident", "show", &id]);
    let ledger = gateway.ledger();
    let fates = fates(&gateway).await;
    let copies = copies(&sink);
    assert_eq!(fates.len() as u64, units + 1, "one release a unit");
    let mut tally: BTreeMap<&str, u64> = BTreeMap::new();
    for (number, fate) in &fates {
        let (answered, silent) = copies.get(number).copied().unwrap_or_default();
        *tally.entry(fate.state.as_str()).or_default() += 1;
        assert!(fate.accepted <= 1, "{number} has two recorded outcomes: {fate:?}");
        match fate.state.as_str() {
            "released" => assert!(answered + silent >= 1, "{number} is lost: {fate:?}"),
            "failed" => assert_eq!(answered, 0, "{number} failed and has arrived: {fate:?}"),
            "in_doubt" => {}
            other => panic!("{number} is {other}: {fate:?}"),
        }
        // More than one copy only where the answer was lost, and that is recorded.
        let is_listed = fate.repeats > 0 || fate.state == "in_doubt";
        assert!(answered + silent <= 1 || is_listed, "{number} came {answered} + {silent} times: {fate:?}");
    }
    let twice = copies.values().filter(|(answered, silent)| answered + silent > 1).count();
    eprintln!(
        "{tally:?}; {twice} came twice after their answer was lost; {}; books {}",
        shown["progress"], ledger["accounts"]
    );
    assert_eq!(ledger["balanced"], true);
    if is_large {
        assert_eq!(shown["stage"], "resolved", "{shown}");
    }
    assert_eq!(gateway.json(&["audit", "verify"])["intact"], true);
}

fn until(limit: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < limit, "never: {what}");
        // The ledger of a hundred thousand units is not looked at five times a second.
        std::thread::sleep((limit / 600).max(Duration::from_millis(200)));
    }
}
