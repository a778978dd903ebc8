//! A stop has a deadline: whatever is open or under way, the process has ended within ten seconds, live mail is
//! answered, and nothing is lost.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;
#[path = "support/visitor.rs"]
mod visitor;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use support::{Answer, Gateway, Received, Sink, Talk, bad, clean, config};

/// A stop may take so long.
const STOP_MAX: Duration = Duration::from_secs(10);

/// A hop that answers some mails after two seconds, and some not at all while we look.
fn weather(mail: &Received) -> Answer {
    match mail.header("Subject").unwrap_or_default().as_str() {
        "soon" => Answer::After(Duration::from_secs(2), "250 2.0.0 Ok: sunk"),
        "never" | "released" => Answer::After(Duration::from_secs(60), "250 2.0.0 Ok: sunk"),
        _ => Answer::Say("250 2.0.0 Ok: sunk"),
    }
}

fn sending(gateway: &Gateway, subject: &'static str) -> std::thread::JoinHandle<String> {
    let mx = gateway.mx;
    std::thread::spawn(move || Talk::from_outside(mx).send("a@x.example", &["b@ours.example"], &clean(subject)))
}

/// What `/readyz` says; none when nobody answers.
fn ready(api: &str) -> Option<String> {
    let mut socket = TcpStream::connect(api).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    socket.write_all(format!("GET /readyz HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\n\r\n").as_bytes()).ok()?;
    let mut text = String::new();
    socket.read_to_string(&mut text).ok()?;
    Some(text)
}

#[test]
fn a_stop_ends_within_its_deadline_with_live_mail_answered() {
    let sink = Sink::answering(weather);
    let mut gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &bad("released")).contains("taken as"));
    // A stream of events that is open.
    let opened = gateway.json(&["incident", "open", "EIC-0001", "--reason", "a drill"]);
    let anna = visitor::person(&gateway, "anna", "admin", &[]);
    let mut stream = TcpStream::connect(gateway.api.as_str()).unwrap();
    let path = format!("/incidents/{}/live", opened["id"].as_str().unwrap());
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {anna}\r\nSec-Fetch-Site: same-origin\r\n\r\n",
        gateway.api
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while !line.starts_with("data:") {
        line.clear();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the stream ended before its first event");
    }
    // Half a request at each door.
    let mut half = TcpStream::connect(gateway.api.as_str()).unwrap();
    half.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-More: ").unwrap();
    let mut half_local = UnixStream::connect(gateway.path("data/api.sock")).unwrap();
    half_local.write_all(b"POST /api/v1/backup HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{").unwrap();
    // A release that the hop does not answer, live mail that it answers soon, and live mail that it does not answer.
    let held = gateway.held()[0]["id"].as_str().unwrap().to_owned();
    gateway.json(&["quarantine", "release", &held, "--reason", "wanted"]);
    let (soon, never) = (sending(&gateway, "soon"), sending(&gateway, "never"));
    let mut idle = Talk::to(gateway.mx);
    let mut begun = Talk::from_outside(gateway.mx);
    assert!(begun.say("MAIL FROM:<a@x.example>").starts_with("250"));
    // The hop has all three.
    sink.wait(3);
    let (api, began) = (gateway.api.clone(), Instant::now());
    let stopping = std::thread::spawn(move || (gateway.stop(), began.elapsed(), gateway));
    assert!(idle.reply().unwrap().starts_with("421 4.3.2"), "who is idle is told at once");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let said = ready(&api).expect("the probes answer while mail is under way");
    assert!(said.starts_with("HTTP/1.1 503") && said.contains("stopping"), "{said}");
    assert_eq!(soon.join().unwrap(), "250 2.0.0 Ok: sunk\r\n", "what the hop answers in time is passed on");
    let answered = never.join().unwrap();
    assert!(answered.starts_with("451 4.3.2"), "{answered}");
    assert!(begun.reply().unwrap().starts_with("421 4.3.2"), "who is in a transaction is told at the end");
    let (code, took, mut gateway) = stopping.join().unwrap();
    assert_eq!(code, Some(0), "{}", gateway.log());
    assert!(took < STOP_MAX, "it took {took:?}: {}", gateway.log());
    // Everything is accounted for: what the hop has and has not answered is in doubt, as the ledger says.
    gateway.run();
    assert_eq!((gateway.account("delivered"), gateway.account("in_doubt_live")), (1, 1));
    assert_eq!(gateway.account("in_doubt"), 1, "the release");
}

/// A database that does not answer: whoever waits for it is cut.
#[tokio::test]
async fn a_stop_waits_for_no_database() {
    let sink = Sink::answering(weather);
    let mut gateway = Gateway::start(&config(sink.address));
    let never = sending(&gateway, "never");
    sink.wait(1);
    let url = store::database::sqlite_url(&gateway.path("data/reprieve.db"));
    let mut other = store::database::connect(&url).await.unwrap();
    sqlx::query("begin immediate").execute(&mut other).await.unwrap();
    let began = Instant::now();
    let stopping = tokio::task::spawn_blocking(move || (gateway.stop(), gateway));
    let (code, mut gateway) = stopping.await.unwrap();
    assert!(began.elapsed() < STOP_MAX, "it took {:?}: {}", began.elapsed(), gateway.log());
    assert_eq!(code, Some(0));
    assert!(never.join().unwrap().starts_with("451 4.3.2"));
    sqlx::query("rollback").execute(&mut other).await.unwrap();
    gateway.run();
    assert_eq!(gateway.account("in_doubt_live"), 1, "the next start says so");
}

/// The drain is a setting.
#[test]
fn a_shorter_drain_ends_sooner() {
    let sink = Sink::answering(weather);
    let mut gateway = Gateway::start(&format!("{}[limits]\ndrain_s = 1\n", config(sink.address)));
    let never = sending(&gateway, "never");
    sink.wait(1);
    let began = Instant::now();
    assert_eq!(gateway.stop(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert!(never.join().unwrap().starts_with("451 4.3.2"));
    gateway.run();
    assert_eq!(gateway.account("in_doubt_live"), 1);
}
