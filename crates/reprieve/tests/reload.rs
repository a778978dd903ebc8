//! New settings come into force in a running service: nobody is refused, no mail is lost, and what cannot be put in
//! force changes nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Answer, Gateway, Sink, Talk, bad, clean, config};

/// A change-over takes no longer, on a busy machine too.
const SOON: Duration = Duration::from_secs(60);
/// Mails that are answered 250 while reloads happen.
const MAILS: usize = 1000;
const CLIENTS: usize = 4;
/// Reloads after which a process is as large as before; `REPRIEVE_RELOADS` asks for more.
const RELOADS: usize = 8;

/// Writes another configuration.
fn write(gateway: &Gateway, text: &str) {
    std::fs::write(gateway.path("reprieve.toml"), text).unwrap();
}

/// `reprieve reload`: its exit code, and what it says.
fn reload(gateway: &Gateway, more: &[&str]) -> (Option<i32>, String) {
    let words = [&["reload", "--yes", "--config", "reprieve.toml"], more].concat();
    let output = gateway.cli(&words);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// What operators are called for, asked by a file that is right.
fn calls(gateway: &Gateway) -> Vec<Value> {
    std::fs::write(gateway.path("right.toml"), sized(&Sink::start(), 10)).unwrap();
    let output = gateway.cli(&["alert", "list", "--config", "right.toml", "--json"]);
    let alerts: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    alerts.into_iter().filter(|one| one["kind"] == "reload").collect()
}

fn hangup(gateway: &Gateway) {
    let pid = rustix::process::Pid::from_raw(gateway.pid().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < SOON, "{what}: not within {SOON:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// What came of the last reload.
fn last(gateway: &Gateway) -> Value {
    let url = "http://localhost/api/v1/reload";
    let socket = gateway.path("data/api.sock");
    let asked =
        std::process::Command::new("curl").args(["-s", "--unix-socket", socket.to_str().unwrap(), url]).output();
    serde_json::from_slice(&asked.unwrap().stdout).unwrap()
}

/// The largest message that a listener takes.
fn size(mx: SocketAddr) -> String {
    let said = Talk::to(mx).say("EHLO test");
    said.lines().find_map(|line| line.split_once("SIZE ")).map(|(_, size)| size.trim().to_owned()).unwrap()
}

/// The configuration with a limit of its own for the size of a message.
fn sized(sink: &Sink, mib: usize) -> String {
    format!("{}[limits]\nmessage_bytes = {}\n", config(sink.address), mib << 20)
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn a_changed_setting_is_in_force_after_a_reload_and_after_a_signal() {
    let sink = Sink::start();
    let gateway = Gateway::start(&sized(&sink, 10));
    let mut idle = Talk::to(gateway.mx);
    assert_eq!(size(gateway.mx), (10 << 20).to_string());
    write(&gateway, &sized(&sink, 11));
    let (code, said) = reload(&gateway, &["--reason", "larger mail"]);
    assert_eq!(code, Some(0), "{said}{}", gateway.log());
    assert!(said.contains("message") && said.contains("11 MiB") && said.contains("connections waited"), "{said}");
    assert_eq!(size(gateway.mx), (11 << 20).to_string(), "at the same port");
    assert!(idle.reply().unwrap().starts_with("421"), "who was idle was told");
    let entries = gateway.json(&["audit", "list"]);
    let entry = entries.as_array().unwrap().iter().find(|one| one["action"] == "configuration.reload").unwrap();
    assert_eq!(entry["reason"], "larger mail");
    assert!(entry["detail"].as_str().unwrap().contains("11 MiB"), "{entry}");
    assert!(entry["actor"].as_str().unwrap().contains("local"), "{entry}");

    write(&gateway, &sized(&sink, 12));
    hangup(&gateway);
    until("SIGHUP", || size(gateway.mx) == (12 << 20).to_string());
    until("it is told", || last(&gateway)["state"] == "in force");
    let entries = gateway.json(&["audit", "list"]);
    let by_root = entries.as_array().unwrap().iter().filter(|one| one["action"] == "configuration.reload");
    assert!(by_root.clone().any(|one| one["actor"] == "root of this host" && one["reason"] == "SIGHUP"), "{entries}");

    // Without a change nothing is drained, and no session ends.
    let mut open = Talk::from_outside(gateway.mx);
    let (code, said) = reload(&gateway, &[]);
    assert!(code == Some(0) && said.contains("what is in force is what the file says"), "{said}");
    hangup(&gateway);
    until("SIGHUP", || last(&gateway)["by"] == "root of this host" && last(&gateway)["state"] == "unchanged");
    assert!(open.say("NOOP").starts_with("250"));
    assert!(open.send("a@x.example", &["b@ours.example"], &clean("last")).starts_with("250"));
    gateway.ledger();
}

#[test]
fn what_cannot_be_put_in_force_changes_nothing_and_calls_operators() {
    let sink = Sink::start();
    let gateway = Gateway::start(&sized(&sink, 10));
    let mut open = Talk::from_outside(gateway.mx);
    write(&gateway, &sized(&sink, 0));
    let (code, said) = reload(&gateway, &[]);
    assert!(
        code == Some(1) && said.contains("limits.message_bytes") && said.contains("everything is as it was"),
        "{said}"
    );
    hangup(&gateway);
    until("it is called out", || calls(&gateway).iter().any(|one| one["text"].to_string().contains("message_bytes")));
    assert_eq!(last(&gateway)["state"], "refused");
    assert!(gateway.log().contains("the configuration was not reloaded"), "{}", gateway.log());

    // What needs a restart is named.
    write(&gateway, &sized(&sink, 11).replace("data_dir = \"data\"", "data_dir = \"elsewhere\"\n"));
    let (code, said) = reload(&gateway, &[]);
    assert!(code == Some(3) && said.contains("needs a restart"), "{said}");
    hangup(&gateway);
    until("it is refused", || {
        let log = gateway.log();
        log.contains("data_dir") && log.contains("needs a restart")
    });
    // An address that cannot be had is found before anything ends.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let more = format!("[[listener]]\naddress = \"{}\"\nrole = \"mx\"\n[limits]", taken.local_addr().unwrap());
    write(&gateway, &sized(&sink, 11).replace("[limits]", &more));
    let (code, said) = reload(&gateway, &[]);
    assert!(code == Some(1) && said.contains("cannot listen on"), "{said}");
    // Another file than its own is not taken.
    std::fs::copy(gateway.path("reprieve.toml"), gateway.path("other.toml")).unwrap();
    let output = gateway.cli(&["reload", "--yes", "--config", "other.toml"]);
    assert_eq!(output.status.code(), Some(1), "it is wrong as well");
    write(&gateway, &sized(&sink, 11));
    let output = gateway.cli(&["reload", "--yes", "--config", "other.toml"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("was started with"), "{said}");
    // Nobody can be asked here.
    let output = gateway.cli(&["reload", "--config", "reprieve.toml"]);
    assert_eq!(output.status.code(), Some(2));

    assert_eq!(size(gateway.mx), (10 << 20).to_string());
    assert!(open.send("a@x.example", &["b@ours.example"], &clean("open all the time")).starts_with("250"));
}

#[test]
fn a_new_address_opens_and_an_old_one_closes() {
    let sink = Sink::start();
    let (one, other) = (free(), free());
    let with = |address: SocketAddr| {
        config(sink.address).replacen(
            "[next_hop",
            &format!("[[listener]]\naddress = \"{address}\"\nrole = \"mx\"\n[next_hop"),
            1,
        )
    };
    let gateway = Gateway::start(&with(one));
    let submission = gateway.submission;
    assert!(Talk::to(one).say("EHLO test").starts_with("250"));
    write(&gateway, &with(other));
    let (code, said) = reload(&gateway, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(Talk::to(other).say("EHLO test").starts_with("250"));
    assert!(TcpStream::connect(one).is_err(), "nobody listens there any more");
    assert!(Talk::to(submission).say("EHLO test").starts_with("250"), "all others stay");
    assert!(said.contains(&one.to_string()) && said.contains(&other.to_string()), "{said}");
}

/// The shipped detections as a folder.
fn shipped_to(folder: &Path) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../detections");
    for one in std::fs::read_dir(shipped).unwrap().flatten() {
        if !one.path().is_dir() {
            continue;
        }
        let to = folder.join(one.file_name());
        std::fs::create_dir_all(&to).unwrap();
        for file in std::fs::read_dir(one.path()).unwrap().flatten() {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

/// The kernel gives one port to one address or to all of them, not to both.
#[test]
fn a_listener_that_is_to_listen_everywhere_needs_a_restart_and_is_told_so() {
    let sink = Sink::start();
    let gateway = Gateway::start(&sized(&sink, 10));
    let listening = free();
    let at = |address: &str| {
        let listener = format!("[[listener]]\naddress = \"{address}\"\nrole = \"mx\"\n[next_hop");
        config(sink.address).replacen("[next_hop", &listener, 1)
    };
    write(&gateway, &at(&listening.to_string()));
    assert_eq!(reload(&gateway, &[]).0, Some(0), "{}", gateway.log());
    write(&gateway, &at(&format!("0.0.0.0:{}", listening.port())));
    let (code, said) = reload(&gateway, &[]);
    assert!(code == Some(1) && said.contains("needs a restart") && said.contains("0.0.0.0"), "{said}");
    assert!(Talk::to(listening).say("EHLO test").starts_with("250"));
}

#[test]
fn a_start_that_fails_goes_back_and_says_so() {
    let sink = Sink::start();
    let mut gateway = Gateway::start(&sized(&sink, 10));
    std::fs::create_dir(gateway.path("rules")).unwrap();
    std::fs::create_dir(gateway.path("rules/BAD-0001")).unwrap();
    std::fs::write(gateway.path("rules/BAD-0001/detection.toml"), "this is no detection").unwrap();
    write(&gateway, &format!("ruleset = \"rules\"\n{}", sized(&sink, 11)));
    let (code, said) = reload(&gateway, &[]);
    assert!(code == Some(1) && said.contains("rolled back") && said.contains("BAD-0001"), "{said}{}", gateway.log());
    assert_eq!(size(gateway.mx), (10 << 20).to_string());
    assert!(Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &bad("1")).contains("taken as"));
    until("it is called out", || calls(&gateway).iter().any(|one| one["text"].to_string().contains("old ones again")));
    let entries = gateway.json(&["audit", "list"]);
    let back: Vec<&Value> =
        entries.as_array().unwrap().iter().filter(|one| one["action"] == "configuration.rolled_back").collect();
    assert_eq!(back.len(), 1, "{entries}");
    assert!(back[0]["object"].to_string().contains("ruleset") && back[0]["reason"].to_string().contains("BAD-0001"));
    assert_eq!(gateway.ledger()["accounts"]["held"], 1);
    // A ruleset that is in force and breaks under the same name: the way back takes it as it was.
    std::fs::remove_dir_all(gateway.path("rules")).unwrap();
    shipped_to(&gateway.path("rules"));
    assert_eq!(reload(&gateway, &[]).0, Some(0), "{}", gateway.log());
    std::fs::write(gateway.path("rules/EXE-0001/detection.toml"), "this is no detection").unwrap();
    let (code, said) = reload(&gateway, &[]);
    assert!(code == Some(1) && said.contains("rolled back") && said.contains("EXE-0001"), "{said}{}", gateway.log());
    assert_eq!(size(gateway.mx), (11 << 20).to_string());
    // Put right, it comes into force, and a stop is a stop.
    write(&gateway, &sized(&sink, 11));
    assert_eq!(reload(&gateway, &[]).0, Some(0));
    assert_eq!(size(gateway.mx), (11 << 20).to_string());
    assert_eq!(gateway.stop(), Some(0));
    assert!(!gateway.path("data/api.sock").exists());
}

#[test]
fn every_mail_that_is_answered_arrives_once_while_settings_change() {
    let sink = Sink::start();
    let gateway = Gateway::start(&sized(&sink, 10));
    let (mx, ended, count) = (gateway.mx, AtomicBool::new(false), AtomicUsize::new(0));
    let answered = Mutex::new(Vec::new());
    let slowest = Mutex::new(Duration::ZERO);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) || answered.lock().unwrap().len() < MAILS {
                    let began = Instant::now();
                    let socket = TcpStream::connect(mx).expect("nobody is refused");
                    drop(socket);
                    let Ok(mut talk) = Talk::try_to(mx) else { continue };
                    let mut slow = slowest.lock().unwrap();
                    *slow = began.elapsed().max(*slow);
                    drop(slow);
                    if talk.try_say("EHLO test").is_err() {
                        continue;
                    }
                    for _ in 0..5 {
                        let number = count.fetch_add(1, Ordering::Relaxed);
                        let mail = if number % 10 == 0 { bad(&number.to_string()) } else { clean(&number.to_string()) };
                        match talk.try_send("a@x.example", &["b@ours.example"], &mail) {
                            Ok(said) if said.starts_with("250") => answered.lock().unwrap().push(number),
                            Ok(said) => assert!(said.starts_with('4'), "{said}"),
                            Err(_) => break,
                        }
                    }
                }
            });
        }
        for mib in 11..16 {
            let before = answered.lock().unwrap().len();
            write(&gateway, &sized(&sink, mib));
            let (code, said) = reload(&gateway, &[]);
            assert_eq!(code, Some(0), "{said}{}", gateway.log());
            until("mail flows", || answered.lock().unwrap().len() > before + 20);
        }
        ended.store(true, Ordering::Relaxed);
    });
    let answered = answered.into_inner().unwrap();
    assert!(answered.len() >= MAILS, "{}", answered.len());
    let mut arrived: BTreeMap<usize, usize> = BTreeMap::new();
    for mail in sink.got() {
        *arrived.entry(mail.header("Subject").unwrap().parse().unwrap()).or_default() += 1;
    }
    let (held, passed): (Vec<usize>, Vec<usize>) = answered.iter().partition(|number| **number % 10 == 0);
    for number in passed {
        assert_eq!(arrived.get(&number), Some(&1), "mail {number}");
    }
    assert!(arrived.keys().all(|number| number % 10 != 0), "what is held has not arrived");
    let accounts = gateway.ledger()["accounts"].clone();
    assert!(accounts["held"].as_u64().unwrap() >= held.len() as u64, "{accounts} {}", held.len());
    assert!(*slowest.lock().unwrap() < Duration::from_secs(30), "{slowest:?}");
}

#[test]
fn mail_under_way_is_finished_and_who_comes_meanwhile_waits() {
    let sink = Sink::answering(|_| Answer::After(Duration::from_secs(2), "250 2.0.0 Ok: sunk"));
    let mut gateway = Gateway::start(&sized(&sink, 10));
    let mx = gateway.mx;
    let sending =
        thread::spawn(move || Talk::from_outside(mx).send("a@x.example", &["b@ours.example"], &clean("slow")));
    sink.wait(1);
    write(&gateway, &sized(&sink, 11));
    hangup(&gateway);
    until("it drains", || gateway.log().contains("draining: the service begins again"));
    let (code, said) = reload(&gateway, &[]);
    assert!(code == Some(1) && said.contains("another reload is under way"), "one after the other: {said}");
    let began = Instant::now();
    let mut early = Talk::to(mx);
    assert!(early.say("EHLO test").contains(&(11 << 20).to_string()), "served by the next, {:?}", began.elapsed());
    assert!(sending.join().unwrap().starts_with("250"));
    // A stop during a change-over is a stop.
    let sending =
        thread::spawn(move || Talk::from_outside(mx).send("a@x.example", &["b@ours.example"], &clean("slow")));
    sink.wait(2);
    write(&gateway, &sized(&sink, 12));
    hangup(&gateway);
    until("it drains", || gateway.log().matches("draining: the service begins again").count() == 2);
    let began = Instant::now();
    assert_eq!(gateway.stop(), Some(0), "{}", gateway.log());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(sending.join().unwrap().starts_with("250"));
}

#[test]
fn systemd_is_told_and_the_watchdog_is_fed() {
    let sink = Sink::start();
    let mut gateway = Gateway::prepare(&sized(&sink, 10));
    let path = gateway.path("notify");
    let told = UnixDatagram::bind(&path).unwrap();
    told.set_read_timeout(Some(SOON)).unwrap();
    gateway.set("NOTIFY_SOCKET", path.to_str().unwrap());
    gateway.set("WATCHDOG_USEC", "1000000");
    let said = Arc::new(Mutex::new(Vec::new()));
    let listening = said.clone();
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count) = told.recv(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
            listening.lock().unwrap().push((Instant::now(), text));
        }
    });
    gateway.run();
    write(&gateway, &sized(&sink, 11));
    assert_eq!(reload(&gateway, &[]).0, Some(0));
    until("it is ready again", || said.lock().unwrap().iter().filter(|(_, text)| text == "READY=1").count() == 2);
    assert_eq!(gateway.stop(), Some(0));
    let said = said.lock().unwrap().clone();
    let is_fed = |text: &str| text == "WATCHDOG=1";
    let words: Vec<&str> = said.iter().map(|(_, text)| text.as_str()).filter(|text| !is_fed(text)).collect();
    let [ready, reloading, again, stopping] = words[..] else { panic!("{words:?}") };
    assert_eq!((ready, reloading, again, stopping), ("READY=1", "RELOADING=1", "READY=1", "STOPPING=1"));
    let fed: Vec<Instant> = said.iter().filter(|(_, text)| is_fed(text)).map(|(at, _)| *at).collect();
    let longest = fed.windows(2).map(|two| two[1] - two[0]).max().unwrap();
    assert!(longest < Duration::from_secs(1), "the watchdog waited {longest:?}");
}

/// What a process has: descriptors, threads, processes that it has started.
fn size_of(gateway: &Gateway) -> [usize; 3] {
    let own = format!("/proc/{}", gateway.pid());
    let count = |what: &str| std::fs::read_dir(format!("{own}/{what}")).unwrap().count();
    let children = std::fs::read_dir(format!("{own}/task")).unwrap().flatten().map(|task| {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.split_whitespace().count()
    });
    [count("fd"), count("task"), children.sum()]
}

#[test]
fn a_process_does_not_grow_by_reloads() {
    let sink = Sink::start();
    let gateway = Gateway::start(&sized(&sink, 10));
    let work = |number: usize| {
        write(&gateway, &sized(&sink, 10 + number % 2 + 1));
        let (code, said) = reload(&gateway, &[]);
        assert_eq!(code, Some(0), "{said}{}", gateway.log());
        Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &clean(&number.to_string()));
    };
    (0..3).for_each(work);
    // Threads of a moment end by themselves after ten seconds.
    let settled = || {
        thread::sleep(Duration::from_secs(15));
        size_of(&gateway)
    };
    let before = settled();
    let reloads = std::env::var("REPRIEVE_RELOADS").ok().and_then(|text| text.parse().ok()).unwrap_or(RELOADS);
    (3..reloads + 3).for_each(work);
    let after = settled();
    for (what, (before, after)) in ["descriptors", "threads", "processes"].iter().zip(before.iter().zip(after)) {
        assert!(after <= before + 3, "{what}: {before} before, {after} after {reloads} reloads");
    }
}
