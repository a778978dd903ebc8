//! What keeps a release from being sent for a moment does not end it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use support::{Gateway, Sink, Talk, bad, config};

fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A hop that closes each connection soon after it has taken a mail, without a word; the mails, and the connections.
fn closing_hop() -> (SocketAddr, Arc<AtomicUsize>, Arc<Mutex<Vec<Instant>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (mails, closed) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (count, ends) = (mails.clone(), closed.clone());
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let (count, ends) = (count.clone(), ends.clone());
            std::thread::spawn(move || drop(closing_session(&socket, &count, &ends)));
        }
    });
    (address, mails, closed)
}

fn closing_session(socket: &TcpStream, mails: &AtomicUsize, closed: &Mutex<Vec<Instant>>) -> std::io::Result<()> {
    let (mut out, mut lines, mut in_data) = (socket, BufReader::new(socket), false);
    out.write_all(b"220 hop\r\n")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match line.trim_end() {
            "." if in_data => {
                out.write_all(b"250 taken\r\n")?;
                mails.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(100));
                closed.lock().unwrap().push(Instant::now());
                return socket.shutdown(std::net::Shutdown::Both);
            }
            _ if in_data => {}
            "DATA" => {
                in_data = true;
                out.write_all(b"354 go\r\n")?;
            }
            _ => out.write_all(b"250 ok\r\n")?,
        }
    }
}

/// Holds a mail; its id.
fn hold(gateway: &Gateway, subject: &str) -> String {
    let said = Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &bad(subject));
    assert!(said.contains("taken as"), "{said}");
    let held = gateway.held();
    held.iter().find(|one| one["subject"] == subject).unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_release_on_a_connection_that_the_hop_has_closed_needs_no_second_place() {
    let (hop, mails, closed) = closing_hop();
    let gateway = Gateway::start(&format!("{}[release]\nconnections = 1\n", config(hop)));
    let ids = [hold(&gateway, "one"), hold(&gateway, "two")];
    for (at, id) in ids.iter().enumerate() {
        gateway.json(&["quarantine", "release", id, "--reason", "wanted"]);
        until("it is sent at once", || mails.load(Ordering::SeqCst) == at + 1);
        until("the hop has closed", || closed.lock().unwrap().len() == at + 1);
        std::thread::sleep(Duration::from_millis(300));
    }
    until("it is recorded", || gateway.account("released") == 2);
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Where the bytes of the one held mail are.
fn blob(gateway: &Gateway) -> PathBuf {
    let folders = files(gateway.path("data/blobs")).into_iter().filter(|path| !path.ends_with("new"));
    folders.flat_map(files).next().expect("one blob")
}

#[tokio::test]
async fn bytes_that_cannot_be_read_for_a_moment_are_sent_later() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let id = hold(&gateway, "one");
    // Something is there, and reading it fails: as when no descriptor is left, or the disk does not answer.
    let (blob, aside) = (blob(&gateway), gateway.path("aside"));
    std::fs::rename(&blob, &aside).unwrap();
    std::fs::create_dir(&blob).unwrap();
    gateway.json(&["quarantine", "release", &id, "--reason", "wanted"]);
    let mut database =
        store::database::connect(&store::database::sqlite_url(&gateway.path("data/reprieve.db"))).await.unwrap();
    let state = async |database: &mut sqlx::AnyConnection| {
        let row = sqlx::query("select state, not_before_us - moved_us as rest from release_item")
            .fetch_one(database)
            .await
            .unwrap();
        (sqlx::Row::get::<String, _>(&row, "state"), sqlx::Row::get::<i64, _>(&row, "rest") / 1_000_000)
    };
    let began = Instant::now();
    while state(&mut database).await.0 != "deferred" {
        let now = state(&mut database).await;
        assert!(now.0 != "failed" && began.elapsed() < Duration::from_secs(20), "{now:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(state(&mut database).await.1, 60);
    // The rest grows with each try, although nothing was sent.
    sqlx::query("update release_item set not_before_us = 0").execute(&mut database).await.unwrap();
    let began = Instant::now();
    while state(&mut database).await != ("deferred".to_owned(), 120) {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", state(&mut database).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    std::fs::remove_dir(&blob).unwrap();
    std::fs::rename(&aside, &blob).unwrap();
    sqlx::query("update release_item set not_before_us = 0").execute(&mut database).await.unwrap();
    tokio::task::spawn_blocking(move || {
        sink.wait(1);
        until("it is recorded", || gateway.account("released") == 1);
    })
    .await
    .unwrap();
}

/// What is gone, or is not what its name says, is no matter of time.
#[test]
fn bytes_that_are_gone_or_changed_end_the_release() {
    let sink = Sink::start();
    for is_gone in [true, false] {
        let gateway = Gateway::start(&config(sink.address));
        let id = hold(&gateway, "one");
        let blob = blob(&gateway);
        match is_gone {
            true => std::fs::remove_file(&blob).unwrap(),
            false => std::fs::write(&blob, "something else").unwrap(),
        }
        gateway.json(&["quarantine", "release", &id, "--reason", "wanted"]);
        until("it failed", || gateway.json(&["ledger", "check"])["accounts"]["failed"] == 1);
    }
    assert!(sink.got().is_empty());
}
