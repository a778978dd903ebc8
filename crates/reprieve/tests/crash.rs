//! Death at every durable step, at random moments, and disks that fail: nothing acknowledged is lost, no
//! recorded outcome happens twice, and what cannot be known is listed as in doubt.
//!
//! The oracle is outside the product: the client's own list of 250s and the sink's own list of mails.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on may panic, and says what it measured"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Gateway, Received, Sink, Talk, bad, clean, config};

/// What the outside knows: which mails were acknowledged, and as what.
#[derive(Clone, Default)]
struct Known {
    delivered: BTreeSet<String>,
    taken: BTreeSet<String>,
}

impl Known {
    fn note(&mut self, number: &str, reply: &str) -> bool {
        if reply.starts_with("250") {
            let list = if reply.contains("taken as") { &mut self.taken } else { &mut self.delivered };
            list.insert(number.to_owned());
        }
        reply.starts_with("250")
    }
}

fn copies(got: &[Received]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for mail in got {
        *counts.entry(mail.header("Subject").unwrap_or_default()).or_insert(0) += 1;
    }
    counts
}

/// The ledger once no release is on its way, so that quarantine and sink are compared at the same moment.
fn at_rest(gateway: &Gateway) -> Value {
    let began = Instant::now();
    loop {
        let ledger = gateway.ledger();
        if ledger["accounts"]["releasing"] == 0 {
            return ledger;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "releases do not come to rest: {ledger}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Compares what the outside knows with the sink and with the quarantine of the restarted gateway.
fn judge(gateway: &Gateway, sink: &Sink, known: &Known) {
    let ledger = at_rest(gateway);
    let copies = copies(&sink.got());
    for number in &known.delivered {
        assert!(copies.contains_key(number), "{number} was acknowledged as delivered and is not at the sink");
    }
    let mut held: BTreeMap<String, Value> = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let mut words = vec!["quarantine", "list", "--state", "any", "--limit", "1000"];
        if let Some(after) = &after {
            words.extend(["--after", after.as_str()]);
        }
        let page = gateway.json(&words).as_array().unwrap().clone();
        let Some(last) = page.last() else { break };
        after = last["id"].as_str().map(str::to_owned);
        held.extend(page.iter().map(|row| (row["subject"].as_str().unwrap().to_owned(), row.clone())));
    }
    for number in &known.taken {
        let row = held
            .get(number)
            .unwrap_or_else(|| panic!("{number} was acknowledged as taken and is not in the quarantine: {ledger}"));
        let state = row["recipients"][0]["state"].as_str().unwrap();
        let count = copies.get(number).copied().unwrap_or(0);
        let fits = match state {
            "held" => count == 0,
            "released" => count == 1,
            "releasing" | "in_doubt" => count <= 1,
            _ => false,
        };
        assert!(fits, "{number} is {state} and has {count} copies at the sink: {row} {copies:?}\n{}", gateway.log());
    }
}

/// The script of the exhaustive loop: every kind of way through the gateway once. Sends only what is not yet
/// acknowledged.
fn script(gateway: &Gateway, known: &mut Known) -> std::io::Result<()> {
    for (number, mail, to) in [
        ("clean", clean("clean"), vec!["b@ours.example"]),
        ("held", bad("held"), vec!["s@strict.example"]),
        ("mixed", bad("mixed"), vec!["b@ours.example", "s@strict.example"]),
    ] {
        if known.delivered.contains(number) || known.taken.contains(number) {
            continue;
        }
        let mut talk = Talk::try_to(gateway.mx)?;
        talk.try_say("EHLO x")?;
        let reply = talk.try_send("a@x.example", &to, &mail)?;
        assert!(known.note(number, &reply), "{number}: {reply}");
    }
    let words = ["quarantine", "list", "--state", "any", "--config", "reprieve.toml", "--json", "--subject", "held"];
    let held = gateway.cli(&words);
    let Ok(rows) = serde_json::from_slice::<Value>(&held.stdout) else {
        return Err(std::io::ErrorKind::BrokenPipe.into());
    };
    if let Some(id) = rows[0]["id"].as_str() {
        let words = ["quarantine", "release", id, "--wait", "--reason", "r", "--config", "reprieve.toml", "--json"];
        if gateway.cli(&words).status.code() == Some(3) {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
    }
    Ok(())
}

/// A gateway that holds what is bad for `strict.example`. What is in doubt waits for a person: after ten minutes it
/// would be sent once more, and one copy at most could not be told from two.
fn strict(sink: &Sink) -> Gateway {
    let text = (config(sink.address) + "[release]\nin_doubt = \"ask\"\n")
        .replace("mode =", "policy = \"policy.toml\"\nmode =")
        .replace("[\"ours.example\"]", "[\"ours.example\", \"strict.example\"]");
    let gateway = Gateway::prepare(&text);
    let policy = "preset = \"none\"\n[[rules]]\nname = \"strict\"\ncategory = \"Malware\"\ndomains = \
        [\"strict.example\"]\ndisposition = \"Hold\"\n[on_failure]\n";
    std::fs::write(gateway.path("policy.toml"), policy).unwrap();
    gateway
}

/// Every kind of durable step. What loops write in the background shifts the numbers of all steps, so each kind is
/// counted for itself.
const KINDS: [&str; 14] = [
    "after-commit",
    "after-dot",
    "before-answer",
    "before-commit",
    "before-dot",
    "blob-durable",
    "blob-renamed",
    "blob-written",
    "held-recorded",
    "release-attempt-committed",
    "release-claimed",
    "release-concluded",
    "release-dot-answered",
    "sentinel-heard",
];

#[test]
fn abort_at_every_durable_step() {
    let mut died = 0;
    for kind in KINDS {
        let times = (1..).take_while(|number| dies_at(kind, *number)).count();
        assert!(times > 0, "{kind}: nothing died there");
        died += times;
    }
    eprintln!("died at {died} steps of {} kinds", KINDS.len());
}

/// Lets the program die at the n-th step of a kind, and judges what is left; `false` when it does not come to so many.
fn dies_at(kind: &str, number: u32) -> bool {
    assert!(number < 200, "{kind}: the number of steps grows without end");
    let step = format!("{kind}:{number}");
    let sink = Sink::start();
    let mut gateway = strict(&sink);
    gateway.set("REPRIEVE_ABORT_AT_STEP", &step);
    let mut known = Known::default();
    // The last step may come a moment after the script has seen what it waited for; a stop waits for it.
    if gateway.try_run() && script(&gateway, &mut known).is_ok() && gateway.stop() == Some(0) {
        return false;
    }
    assert!(gateway.ends_within(Duration::from_secs(20)), "{step}: it neither goes on nor ends");
    assert!(gateway.log().contains("aborting at step "), "{step}: the step is named");
    gateway.unset("REPRIEVE_ABORT_AT_STEP");
    gateway.run();
    judge(&gateway, &sink, &known);
    // The client and the administrator try again; then everything is where it belongs.
    script(&gateway, &mut known).expect("the second time nothing dies");
    judge(&gateway, &sink, &known);
    let counts = copies(&sink.got());
    assert!(counts["clean"] <= 2 && counts["mixed"] <= 2, "{step}: {counts:?}");
    let ledger = gateway.ledger();
    let account = |name: &str| ledger["accounts"][name].as_i64().unwrap();
    assert_eq!(account("released") + account("in_doubt"), 1, "{step}: {ledger}");
    assert_eq!(account("held"), 1, "{step}: the mixed one is held once: {ledger}");
    gateway.kill();
    true
}

/// Kills the real program again and again under load. `REPRIEVE_KILLS` sets how often: 60 in CI, 1,000 by hand.
#[test]
fn kill_nine_under_load() {
    let kills: u64 = std::env::var("REPRIEVE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let sink = Sink::start();
    let mut gateway = strict(&sink);
    gateway.run();
    let known = Arc::new(Mutex::new(Known::default()));
    let target = Arc::new(Mutex::new(gateway.mx));
    let stop = Arc::new(AtomicBool::new(false));
    let number = Arc::new(AtomicU64::new(0));
    let loaders: Vec<_> = (0..8)
        .map(|_| {
            let (known, target, stop, number) = (known.clone(), target.clone(), stop.clone(), number.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    let address = *target.lock().unwrap();
                    if load(address, &known, &stop, &number).is_err() {
                        std::thread::sleep(Duration::from_millis(10));
                    }
                }
            })
        })
        .collect();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..kills {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let wait = Duration::from_millis(40 + random % 260);
        let began = Instant::now();
        release_some(&gateway, &known);
        std::thread::sleep(wait.saturating_sub(began.elapsed()));
        gateway.kill();
        gateway.run();
        *target.lock().unwrap() = gateway.mx;
    }
    stop.store(true, Ordering::SeqCst);
    loaders.into_iter().for_each(|loader| loader.join().unwrap());
    let known = known.lock().unwrap().clone();
    let (delivered, taken) = (known.delivered.len(), known.taken.len());
    assert!(
        delivered as u64 > kills && taken as u64 > kills / 2,
        "too little load: {delivered} delivered, {taken} taken"
    );
    judge(&gateway, &sink, &known);
    // Nobody sends a clean mail twice here, so no clean mail may arrive twice.
    let twice: Vec<_> =
        copies(&sink.got()).into_iter().filter(|(subject, count)| subject.starts_with('c') && *count > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let ledger = gateway.ledger();
    eprintln!(
        "{kills} kills: {delivered} delivered and {taken} taken into custody were acknowledged; books: {}",
        ledger["accounts"]
    );
}

/// One connection's worth of mails, each with a number of its own; every third is held.
fn load(
    address: std::net::SocketAddr,
    known: &Mutex<Known>,
    stop: &AtomicBool,
    number: &AtomicU64,
) -> std::io::Result<()> {
    let mut talk = Talk::try_to(address)?;
    talk.try_say("EHLO x")?;
    while !stop.load(Ordering::SeqCst) {
        let n = number.fetch_add(1, Ordering::SeqCst);
        let (name, to, mail) = match n % 3 {
            0 => (format!("b{n}"), "s@strict.example", bad(&format!("b{n}"))),
            _ => (format!("c{n}"), "b@ours.example", clean(&format!("c{n}"))),
        };
        let reply = talk.try_send("a@x.example", &[to], &mail)?;
        known.lock().unwrap().note(&name, &reply);
    }
    Ok(())
}

/// Asks for the release of some of what is held, so that kills meet releases as well.
fn release_some(gateway: &Gateway, known: &Mutex<Known>) {
    if known.lock().unwrap().taken.is_empty() {
        return;
    }
    let list = ["quarantine", "list", "--status", "NotReleased", "--limit", "5", "--config", "reprieve.toml", "--json"];
    let Ok(rows) = serde_json::from_slice::<Value>(&gateway.cli(&list).stdout) else { return };
    let ids: Vec<String> =
        rows.as_array().unwrap().iter().filter_map(|row| Some(row["id"].as_str()?.to_owned())).collect();
    let mut words = vec!["quarantine", "release", "--reason", "r", "--config", "reprieve.toml", "--json"];
    words.extend(ids.iter().map(String::as_str));
    if !ids.is_empty() {
        gateway.cli(&words);
    }
}

fn has(program: &str) -> bool {
    let found = std::process::Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    let here = found.status.success();
    assert!(here || std::env::var("CI").is_err(), "{program} is missing; the test command installs it");
    if !here {
        eprintln!("skipped: {program} is missing; `cargo xtask ci` installs it");
    }
    here
}

#[test]
fn a_failed_fsync_is_the_end_of_custody_and_of_nothing_else() {
    if !has("strace") {
        return;
    }
    let mut broke = 0;
    // Some of those of the start, which has one for each migration, and those of mail in custody.
    let start = syncs_of_a_start();
    for k in (1..=start).step_by(start.div_ceil(6)).chain(start + 1..=start + 18) {
        let sink = Sink::start();
        let mut gateway = strict(&sink);
        let inject = format!("inject=fsync,fdatasync:error=EIO:when={k}");
        gateway.wrap(&["strace", "-f", "-qq", "-o", "strace.log", "-e", "trace=fsync,fdatasync", "-e", &inject]);
        let mut known = Known::default();
        if gateway.try_run() {
            for n in 0..6 {
                for (name, mail, to) in [
                    (format!("b{n}"), bad(&format!("b{n}")), "s@strict.example"),
                    (format!("c{n}"), clean(&format!("c{n}")), "b@ours.example"),
                ] {
                    let mut talk = Talk::to(gateway.mx);
                    talk.say("EHLO x");
                    let reply = talk.send("a@x.example", &[to], &mail);
                    assert!(reply.starts_with("250") || reply.starts_with("451 4.3.0"), "{reply}");
                    broke += u32::from(!known.note(&name, &reply));
                }
            }
        }
        gateway.kill();
        gateway.wrap(&[]);
        gateway.run();
        judge(&gateway, &sink, &known);
    }
    assert!(broke > 0, "no fsync failed: strace did not inject");
}

/// How often a start with an empty data folder makes something durable.
fn syncs_of_a_start() -> usize {
    let sink = Sink::start();
    let mut gateway = strict(&sink);
    gateway.wrap(&["strace", "-f", "-qq", "-o", "strace.log", "-e", "trace=fsync,fdatasync"]);
    gateway.run();
    gateway.kill();
    let log = std::fs::read_to_string(gateway.path("strace.log")).unwrap();
    log.lines().filter(|line| line.contains("sync(")).count()
}

#[test]
fn a_full_disk_is_a_temporary_answer_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=6m", "reprieve-test"])
        .arg(folder.path())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        assert!(std::env::var("CI").is_err(), "cannot mount a tmpfs: this test needs root");
        eprintln!("skipped: cannot mount a tmpfs; this test needs root");
        return;
    }
    let mounted = Mounted(folder.path().to_owned());
    let sink = Sink::start();
    let mut gateway = strict(&sink);
    let text = std::fs::read_to_string(gateway.path("reprieve.toml")).unwrap();
    let text = text.replace("data_dir = \"data\"", &format!("data_dir = \"{}/data\"", mounted.0.display()));
    std::fs::write(gateway.path("reprieve.toml"), format!("{text}[retention]\ndisk_floor_mib = 0\n")).unwrap();
    gateway.run();
    let filler = mounted.0.join("filler");
    let mut known = Known::default();
    let mut full = 0;
    for n in 0..40 {
        let name = format!("b{n}");
        let padding = format!("X-Pad: x\r\n{}", format!(" {}\r\n", "x".repeat(70)).repeat(4000));
        let mail = [padding.into_bytes(), bad(&name)].concat();
        let mut talk = Talk::to(gateway.mx);
        talk.say("EHLO x");
        let reply = talk.send("a@x.example", &["s@strict.example"], &mail);
        assert!(reply.starts_with("250") || reply.starts_with("45"), "{reply}");
        full += u32::from(!known.note(&name, &reply));
        if full == 0 && n == 8 {
            std::fs::write(&filler, vec![0; 1 << 20]).unwrap_or_default();
        }
    }
    assert!(full > 0, "the disk never filled");
    let _ = std::fs::remove_file(&filler);
    let mut talk = Talk::to(gateway.mx);
    talk.say("EHLO x");
    assert!(talk.send("a@x.example", &["b@ours.example"], &clean("c")).starts_with("250"), "room is room");
    judge(&gateway, &sink, &known);
    gateway.kill();
    drop(gateway);
}

/// Unmounts what a test mounted, however the test ends.
struct Mounted(std::path::PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
