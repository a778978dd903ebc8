//! One stranger cannot stop the service: attacks on loopback, bounded in number and time, with the probes of legitimate
//! senders beside them.
//!
//! CI runs a part of it; `cargo xtask attack` runs all and prints a table.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on may panic, and says what it measured"
)]

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use support::{Gateway, Sink, Talk, clean, config};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// A probe that takes longer counts as not served.
const PROBE_MAX: Duration = Duration::from_secs(20);
/// Of the probes, how many must be served, in percent.
const SERVED_PERCENT: usize = 99;
/// How much longer than in quiet times a probe may take at the 99th percentile.
const SLOWER: f64 = 5.0;
/// What a probe may take at the 99th percentile in any case. Beside other work a core comes back after some tens of
/// milliseconds, which is more than five times a quiet value of ten; whoever is kept waiting by an attacker waits for
/// seconds.
const NOISE: Duration = Duration::from_millis(100);
/// Measurements at most: one of them must be fast enough.
const MEASUREMENTS: usize = 3;
/// Attacks at the same time would measure one another.
static MEASUREMENT: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Whether all of it runs, or the part for CI.
fn is_full() -> bool {
    std::env::var_os("REPRIEVE_ATTACK").is_some()
}

fn probes() -> usize {
    if is_full() { 1000 } else { 200 }
}

/// Both ends of a thousand connections are ours here.
fn many_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
}

/// A connection from an address of loopback that stands for a host of its own.
async fn connect_from(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<BufReader<TcpStream>> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

async fn reply(wire: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut line = String::new();
    loop {
        line.clear();
        if wire.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(line);
        }
    }
}

async fn say(wire: &mut BufReader<TcpStream>, line: &str) -> std::io::Result<String> {
    wire.get_mut().write_all(format!("{line}\r\n").as_bytes()).await?;
    reply(wire).await
}

/// A whole mail on a new connection; how long it took, or what went wrong.
async fn probe(from: Ipv4Addr, to: SocketAddr, number: usize) -> Result<Duration, String> {
    let began = Instant::now();
    let talk = async {
        let mut wire = connect_from(from, to).await?;
        let mut said = reply(&mut wire).await?;
        for line in ["EHLO probe.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@ours.example>", "DATA"] {
            if !said.starts_with(['2', '3']) {
                return Ok(said);
            }
            said = say(&mut wire, line).await?;
        }
        if !said.starts_with("354") {
            return Ok(said);
        }
        wire.get_mut().write_all(&clean(&format!("probe-{number}"))).await?;
        wire.get_mut().write_all(b".\r\n").await?;
        let said = reply(&mut wire).await?;
        say(&mut wire, "QUIT").await?;
        Ok::<String, std::io::Error>(said)
    };
    match tokio::time::timeout(PROBE_MAX, talk).await {
        Ok(Ok(said)) if said.starts_with("250") => Ok(began.elapsed()),
        Ok(Ok(said)) => Err(said),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".into()),
    }
}

/// How probes fared.
#[derive(Debug)]
struct Probed {
    served: usize,
    asked: usize,
    p50: Duration,
    p99: Duration,
    trouble: Vec<String>,
}

/// Where probes come from.
#[derive(Clone, Copy, Debug)]
enum Senders {
    /// Each from a network of its own that was never seen.
    New(u8),
    /// From one host that has sent mail before.
    Known,
}

impl Senders {
    fn address(self, number: usize) -> Ipv4Addr {
        let [hi, lo] = u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes();
        match self {
            // Each in a network of its own, so that no probe makes another known.
            Self::New(block) => Ipv4Addr::new(127, block + hi, lo, 1),
            Self::Known => Ipv4Addr::new(127, 30, 0, 1),
        }
    }
}

/// Probes, a few at a time.
async fn probe_all(senders: Senders, to: SocketAddr, count: usize) -> Probed {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..4 {
        let next = next.clone();
        workers.spawn(async move {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                if number >= count {
                    return done;
                }
                done.push(probe(senders.address(number), to, number).await);
            }
        });
    }
    let all = workers.join_all().await.concat();
    let mut took: Vec<Duration> = all.iter().filter_map(|one| one.as_ref().ok()).copied().collect();
    took.sort();
    let at = |percent: usize| took.get(took.len().saturating_sub(1) * percent / 100).copied().unwrap_or(PROBE_MAX);
    let mut trouble: Vec<String> = all.iter().filter_map(|one| one.as_ref().err()).cloned().collect();
    trouble.sort();
    trouble.dedup();
    Probed { served: took.len(), asked: count, p50: at(50), p99: at(99), trouble }
}

fn row(what: &str, probed: &Probed) {
    let ms = |span: Duration| span.as_secs_f64() * 1e3;
    eprintln!(
        "{what:<64} {:>4}/{:<4} served  p50 {:>7.1} ms  p99 {:>7.1} ms {}",
        probed.served,
        probed.asked,
        ms(probed.p50),
        ms(probed.p99),
        probed.trouble.join(" | ").replace("\r\n", "")
    );
}

fn must_be_served(probed: &Probed) {
    assert!(probed.served * 100 >= probed.asked * SERVED_PERCENT, "{probed:?}");
}

/// Whether probes waited for attackers.
fn is_late(quiet: &Probed, probed: &Probed) -> bool {
    let most = quiet.p99.mul_f64(SLOWER).max(NOISE);
    eprintln!("p99 {:?} beside {:?} in quiet times: {:?} is allowed", probed.p99, quiet.p99, most);
    probed.p99 > most
}

/// What an attacker does on each of its connections, for ever; it comes again when it is sent away.
type Habit = fn(Ipv4Addr, SocketAddr) -> std::pin::Pin<Box<dyn Future<Output = std::io::Result<()>> + Send>>;

/// Attackers on `connections` connections of `hosts` hosts, each in a network of its own, until they are dropped.
fn attack(hosts: usize, connections: usize, to: SocketAddr, habit: Habit) -> (JoinSet<()>, Arc<AtomicBool>) {
    let stop = Arc::new(AtomicBool::new(false));
    let mut all = JoinSet::new();
    for number in 0..connections {
        let host = u8::try_from(number % hosts).unwrap();
        let (from, stop) = (Ipv4Addr::new(127, 10, host, 1), stop.clone());
        all.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                // It was sent away, or refused; it comes again.
                let _ = habit(from, to).await;
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        });
    }
    (all, stop)
}

/// EHLO, MAIL, RCPT, and NOOP now and then.
fn holds_the_hop(
    from: Ipv4Addr,
    to: SocketAddr,
) -> std::pin::Pin<Box<dyn Future<Output = std::io::Result<()>> + Send>> {
    Box::pin(async move {
        let mut wire = connect_from(from, to).await?;
        reply(&mut wire).await?;
        for line in ["EHLO attacker.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@ours.example>"] {
            say(&mut wire, line).await?;
        }
        loop {
            tokio::time::sleep(Duration::from_secs(3)).await;
            say(&mut wire, "NOOP").await?;
        }
    })
}

/// Connects and says nothing.
fn holds_a_place(
    from: Ipv4Addr,
    to: SocketAddr,
) -> std::pin::Pin<Box<dyn Future<Output = std::io::Result<()>> + Send>> {
    Box::pin(async move {
        let mut wire = connect_from(from, to).await?;
        let mut all = Vec::new();
        wire.read_to_end(&mut all).await?;
        Ok(())
    })
}

/// Begins a mail and sends a byte now and then.
fn drips(from: Ipv4Addr, to: SocketAddr) -> std::pin::Pin<Box<dyn Future<Output = std::io::Result<()>> + Send>> {
    Box::pin(async move {
        let mut wire = connect_from(from, to).await?;
        reply(&mut wire).await?;
        for line in ["EHLO attacker.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@ours.example>", "DATA"] {
            say(&mut wire, line).await?;
        }
        loop {
            wire.get_mut().write_all(b"x").await?;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    })
}

/// A gateway whose greeting is not delayed, so that what is measured is work.
fn gateway(sink: &Sink) -> Gateway {
    many_descriptors();
    Gateway::start(&format!("{}[limits]\ngreeting_pause_ms = 0\nknown_hours = 0\n", config(sink.address)))
}

/// Probes of new and of known senders, in quiet times and under attack: all are served, and soon in one measurement
/// of three at least. Who waits for an attacker waits each time; a machine that others use is slow now and then.
async fn hold_against(what: &str, hosts: usize, connections: usize, habit: Habit) {
    let _alone = MEASUREMENT.lock().await;
    for _ in 0..MEASUREMENTS {
        if !probes_are_late(what, hosts, connections, habit).await {
            return;
        }
    }
    panic!("{what}: probes were late in each of {MEASUREMENTS} measurements");
}

/// One measurement, on a gateway of its own.
async fn probes_are_late(what: &str, hosts: usize, connections: usize, habit: Habit) -> bool {
    let sink = Sink::start();
    let gateway = gateway(&sink);
    let to = gateway.mx;
    for number in 0..5 {
        probe(Senders::Known.address(0), to, 10_000 + number).await.unwrap();
    }
    let quiet = probe_all(Senders::New(20), to, probes()).await;
    let (attackers, stop) = attack(hosts, connections, to, habit);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let new = probe_all(Senders::New(40), to, probes()).await;
    let known = probe_all(Senders::Known, to, probes()).await;
    stop.store(true, Ordering::Relaxed);
    drop(attackers);
    row("quiet", &quiet);
    row(&format!("{what}: senders never seen"), &new);
    row(&format!("{what}: known senders"), &known);
    must_be_served(&new);
    must_be_served(&known);
    let ledger = gateway.ledger();
    assert_eq!(ledger["accounts"]["delivered"], 5 + quiet.served + new.served + known.served, "{ledger}");
    is_late(&quiet, &new) | is_late(&quiet, &known)
}

#[tokio::test(flavor = "multi_thread")]
async fn holding_connections_to_the_next_hop_from_one_address_stops_nobody() {
    hold_against("100 connections of one address hold the hop", 1, 100, holds_the_hop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn holding_connections_to_the_next_hop_from_fifty_addresses_stops_nobody() {
    hold_against("1,000 connections of 50 addresses hold the hop", 50, 1000, holds_the_hop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn holding_all_connections_stops_nobody() {
    hold_against("1,000 silent connections of 10 addresses", 10, 1000, holds_a_place).await;
    hold_against("1,000 silent connections of 250 addresses", 250, 1000, holds_a_place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dripping_data_stops_nobody() {
    hold_against("600 connections of 60 addresses drip data", 60, 600, drips).await;
}

/// One mail as large as is allowed, without SIZE.
async fn large_mail(from: Ipv4Addr, to: SocketAddr, bytes: usize) -> std::io::Result<String> {
    let mut wire = connect_from(from, to).await?;
    reply(&mut wire).await?;
    for line in ["EHLO attacker.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@ours.example>", "DATA"] {
        say(&mut wire, line).await?;
    }
    wire.get_mut().write_all(b"Subject: large\r\n\r\n").await?;
    let line = [b'x'; 998];
    let block: Vec<u8> = (0..64).flat_map(|_| [&line[..], b"\r\n"].concat()).collect();
    for _ in 0..bytes / block.len() {
        wire.get_mut().write_all(&block).await?;
    }
    // The end does not come: what is held is held as long as we wait.
    tokio::time::sleep(Duration::from_secs(4)).await;
    wire.get_mut().write_all(b".\r\nNOOP\r\n").await?;
    reply(&mut wire).await
}

fn memory_kib(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn large_mail_without_size_is_bounded_in_memory_and_others_are_served() {
    let _alone = MEASUREMENT.lock().await;
    let sink = Sink::start();
    many_descriptors();
    let text = format!("{}[limits]\ngreeting_pause_ms = 0\nin_flight_mib = 256\n", config(sink.address));
    let gateway = Gateway::start(&text);
    let to = gateway.mx;
    let before = memory_kib(gateway.pid(), "VmRSS:");
    let mut attackers = JoinSet::new();
    for number in 0..40_u8 {
        attackers.spawn(large_mail(Ipv4Addr::new(127, 10, number % 2, 1), to, 47 << 20));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let probed = probe_all(Senders::New(40), to, 50).await;
    row("40 mails of 47 MiB without SIZE", &probed);
    let answers: Vec<String> = attackers.join_all().await.into_iter().map(|said| said.unwrap_or_default()).collect();
    let refused = answers.iter().filter(|said| said.starts_with("452") || said.starts_with("421")).count();
    let peak = memory_kib(gateway.pid(), "VmHWM:") - before;
    eprintln!("refused {refused} of 40; the gateway grew by {} MiB at most, of 256 in mail", peak / 1024);
    must_be_served(&probed);
    assert!(refused >= 30, "{answers:?}");
    // The allocator keeps some of what it had; nothing like the 1,880 MiB that were sent.
    assert!(peak < 420 * 1024, "{peak} KiB");
    assert_eq!(gateway.account("delivered"), 50 + 40 - refused as i64);
}

#[test]
fn a_recipient_list_that_is_too_long_is_served_in_part() {
    let sink = Sink::start();
    let gateway = Gateway::start(&format!("{}[limits]\nrecipients = 1000\n", config(sink.address)));
    let mut talk = Talk::from_outside(gateway.mx);
    talk.say("MAIL FROM:<a@x.example>");
    let replies: Vec<String> = (0..1100).map(|n| talk.say(&format!("RCPT TO:<u{n}@ours.example>"))).collect();
    assert_eq!(replies.iter().filter(|said| said.starts_with("250")).count(), 1000);
    assert_eq!(replies.iter().filter(|said| said.starts_with("452 4.5.3")).count(), 100);
    assert!(talk.say("DATA").starts_with("354"));
    talk.write(b"Subject: many\r\n\r\nx\r\n.\r\n").unwrap();
    assert!(talk.reply().unwrap().starts_with("250"), "the thousand get it");
    assert_eq!(sink.wait(1)[0].rcpts.len(), 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_talks_before_the_greeting_is_turned_away() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let mut wire = connect_from(Ipv4Addr::new(127, 10, 0, 1), gateway.mx).await.unwrap();
    wire.get_mut().write_all(b"EHLO early.example\r\n").await.unwrap();
    assert!(reply(&mut wire).await.unwrap().starts_with("554 5.5.0"));
    let began = Instant::now();
    assert!(probe(Ipv4Addr::new(127, 10, 0, 2), gateway.mx, 1).await.is_ok(), "who waits is served");
    assert!(began.elapsed() >= Duration::from_millis(500));
}

/// A hop that takes a recipient once and not again.
#[tokio::test(flavor = "multi_thread")]
async fn a_hop_that_changes_its_answer_ends_the_transaction() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let sink = Sink::planned(support::SinkPlan {
        on_rcpt: Arc::new(move |line| {
            let again = line.contains("fickle") && count.fetch_add(1, Ordering::SeqCst) > 0;
            again.then_some("550 5.1.1 gone")
        }),
        ..support::SinkPlan::default()
    });
    let text = format!("{}[limits]\ngreeting_pause_ms = 0\nhop_connections = 1\n", config(sink.address));
    let gateway = Gateway::start(&text);
    let mut waiting = connect_from(Ipv4Addr::new(127, 10, 0, 1), gateway.mx).await.unwrap();
    reply(&mut waiting).await.unwrap();
    for line in ["EHLO x.example", "MAIL FROM:<a@x.example>", "RCPT TO:<fickle@ours.example>"] {
        assert!(say(&mut waiting, line).await.unwrap().starts_with("250"));
    }
    // The one connection is needed, and taken back.
    assert!(probe(Ipv4Addr::new(127, 11, 0, 1), gateway.mx, 1).await.is_ok());
    assert!(say(&mut waiting, "DATA").await.unwrap().starts_with("451 4.4.0"));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert!(say(&mut waiting, "RSET").await.unwrap().starts_with("250"));
    // With a hop that stands by its word the transaction goes on as if nothing had been.
    for line in ["MAIL FROM:<a@x.example>", "RCPT TO:<steady@ours.example>"] {
        assert!(say(&mut waiting, line).await.unwrap().starts_with("250"));
    }
    assert!(probe(Ipv4Addr::new(127, 11, 0, 2), gateway.mx, 2).await.is_ok());
    assert!(say(&mut waiting, "RCPT TO:<other@ours.example>").await.unwrap().starts_with("250"));
    assert!(probe(Ipv4Addr::new(127, 11, 0, 3), gateway.mx, 3).await.is_ok());
    assert!(say(&mut waiting, "DATA").await.unwrap().starts_with("354"));
    assert!(probe(Ipv4Addr::new(127, 11, 0, 4), gateway.mx, 4).await.is_ok(), "also while the message comes");
    waiting.get_mut().write_all(b"Subject: late\r\n\r\nx\r\n.\r\n").await.unwrap();
    assert!(reply(&mut waiting).await.unwrap().starts_with("250"));
    let got = sink.wait(5);
    assert_eq!(got[4].rcpts, ["RCPT TO:<steady@ours.example>", "RCPT TO:<other@ours.example>"]);
}

/// Nobody has to send a byte to lose the patience that there is no more: a client that is silent in its data when
/// connections become scarce keeps its place for seconds, not for the five minutes that it began with.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_silent_in_its_data_loses_its_place_when_places_are_scarce() {
    let sink = Sink::start();
    let text = format!("{}[limits]\ngreeting_pause_ms = 0\nconnections = 20\n", config(sink.address));
    let gateway = Gateway::start(&text);
    let mut silent = connect_from(Ipv4Addr::new(127, 10, 0, 1), gateway.mx).await.unwrap();
    reply(&mut silent).await.unwrap();
    for line in ["EHLO x.example", "MAIL FROM:<a@x.example>", "RCPT TO:<b@ours.example>", "DATA"] {
        assert!(say(&mut silent, line).await.unwrap().starts_with(['2', '3']));
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut others = Vec::new();
    for n in 0..12 {
        others.push(connect_from(Ipv4Addr::new(127, 11, n, 1), gateway.mx).await.unwrap());
    }
    let began = Instant::now();
    let told =
        tokio::time::timeout(Duration::from_secs(30), reply(&mut silent)).await.expect("it is sent off").unwrap();
    assert!(told.starts_with("421 4.4.2"), "{told}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    drop(others);
}

#[test]
fn limits_that_are_set_hold_are_counted_and_told_by_the_doctor() {
    let sink = Sink::start();
    let gateway = Gateway::start(&format!(
        "{}[limits]\nerrors = 2\njunk_commands = 3\nrefused_recipients = 4\nrecipients = \
            5\n[examination]\nnested_mails = 2\n",
        config(sink.address)
    ));
    let last = |lines: &[&str]| {
        let mut talk = Talk::from_outside(gateway.mx);
        lines.iter().map(|line| talk.say(line)).last().unwrap()
    };
    assert!(last(&["BAD", "BAD", "BAD"]).starts_with("421 4.7.0 Too many errors"));
    assert!(last(&["NOOP", "VRFY x", "NOOP", "NOOP"]).starts_with("421 4.7.0 Too many commands"));
    let asked: Vec<String> = (0..5).map(|n| format!("RCPT TO:<u{n}@elsewhere.example>")).collect();
    let lines: Vec<&str> = ["MAIL FROM:<a@x.example>"].into_iter().chain(asked.iter().map(String::as_str)).collect();
    let mut talk = Talk::from_outside(gateway.mx);
    let said: Vec<String> = lines.iter().map(|line| talk.say(line)).collect();
    assert!(said.last().unwrap().starts_with("550"), "{said:?}");
    assert!(talk.reply().unwrap().starts_with("421 4.7.0 Too many recipients"), "{said:?}");
    let mut talk = Talk::from_outside(gateway.mx);
    talk.say("MAIL FROM:<a@x.example>");
    let replies: Vec<String> = (0..7).map(|n| talk.say(&format!("RCPT TO:<u{n}@ours.example>"))).collect();
    assert_eq!(replies.iter().filter(|said| said.starts_with("452 4.5.3")).count(), 2);
    talk.say("QUIT");
    // Mails in mails, beyond what an examining process may take apart.
    let nested =
        |levels: usize| format!("{}Subject: x\r\n\r\nx\r\n", "Content-Type: message/rfc822\r\n\r\n".repeat(levels));
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["two@ours.example"], nested(2).as_bytes()).starts_with("250"));
    assert!(talk.send("a@x.example", &["three@ours.example"], nested(3).as_bytes()).starts_with("250"));
    let held = gateway.held();
    assert_eq!((held.len(), held[0]["category"].as_str()), (1, Some("Unscannable")), "{held:?}");
    let output = gateway.cli(&["doctor", "--config", "reprieve.toml", "--json"]);
    let lines: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let line = |what: &str| {
        let all = lines.as_array().unwrap();
        all.iter().find(|line| line["what"].as_str().unwrap().ends_with(what)).expect(what).to_string()
    };
    let recipients = line("recipients of one message");
    assert!(recipients.contains("warning") && recipients.contains("peak 5 of 5"), "{recipients}");
    assert!(recipients.contains("2 refused (if that is good traffic, raise recipients)"), "{recipients}");
    let patience = line("disconnected clients");
    assert!(
        patience.contains("1 disconnected for errors, 1 for junk_commands, 1 for refused_recipients"),
        "{patience}"
    );
    assert!(line("messages in examination").contains("none refused"), "{lines}");
}
