//! A damaged database is noticed, at the start and while running; and readiness says what a client would get.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::io::{Read, Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::Row;
use support::{Gateway, Sink, Talk, bad, clean, config};

/// Bytes of a page of the database.
const PAGE: u64 = 4096;

/// Status and body of a request that needs no token.
fn get(gateway: &Gateway, path: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(gateway.api.as_str()).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", gateway.api);
    socket.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Writes a byte into a file.
fn flip(file: &Path, at: u64, byte: u8) {
    let mut file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[byte]).unwrap();
    file.sync_all().unwrap();
}

/// What is in the write-ahead log goes into the file.
async fn write_log_back(database: &Path) {
    let mut connection = store::database::connect(&store::database::sqlite_url(database)).await.unwrap();
    sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
}

/// Where the root page of a table or index begins.
async fn root_of(database: &Path, name: &str) -> u64 {
    let mut connection = store::database::connect(&store::database::sqlite_url(database)).await.unwrap();
    let sql = "select rootpage from sqlite_schema where name = $1";
    let row = sqlx::query(sql).bind(name.to_owned()).fetch_one(&mut connection).await.unwrap();
    let page = row.try_get::<i64, _>("rootpage").unwrap() as u64;
    sqlx::Connection::close(connection).await.unwrap();
    (page - 1) * PAGE
}

fn findings(gateway: &Gateway) -> Vec<(String, String, String)> {
    let list = gateway.json(&["doctor"]);
    let text = |one: &serde_json::Value, key: &str| one[key].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(|one| (text(one, "what"), text(one, "health"), text(one, "detail"))).collect()
}

fn finding(gateway: &Gateway, what: &str) -> (String, String) {
    let all = findings(gateway);
    let found = all.iter().find(|(name, ..)| name == what).unwrap_or_else(|| panic!("{what}: {all:?}"));
    (found.1.clone(), found.2.clone())
}

#[tokio::test]
async fn a_damaged_database_is_a_clear_error_at_the_start() {
    let sink = Sink::start();
    let mut gateway = Gateway::start(&config(sink.address));
    assert!(Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &bad("1")).contains("taken as"));
    gateway.ledger();
    gateway.stop();
    let database = gateway.path("data/reprieve.db");
    write_log_back(&database).await;
    let sound = std::fs::read(&database).unwrap();
    let mut damages = vec![("its header", 0, b'X'), ("the root of its schema", 100, 0xaa)];
    for name in ["message", "audit_head", "unit_account"] {
        damages.push((name, root_of(&database, name).await, 0xaa));
    }
    for (what, at, byte) in damages {
        std::fs::write(&database, &sound).unwrap();
        std::fs::write(gateway.path("log"), "").unwrap();
        flip(&database, at, byte);
        assert!(!gateway.try_run(), "{what} at {at}: it starts");
        let log = gateway.log();
        for word in ["reprieve.db is damaged", "reprieve restore", "bypass into the panic file"] {
            assert!(log.replace('`', "").contains(word), "{what} at {at}: no '{word}' in {log}");
        }
        let (health, detail) = finding(&gateway, "database");
        assert!(health == "fault" && detail.contains("is damaged"), "{what}: {health} {detail}");
    }
    // With the switch it starts without a store: mail passes, and readiness says how.
    let panic = gateway.path("data/panic");
    std::fs::write(&panic, "bypass\n").unwrap();
    std::fs::set_permissions(&panic, std::fs::Permissions::from_mode(0o600)).unwrap();
    gateway.run();
    until("the switch is read", || get(&gateway, "/readyz").0 == 200);
    assert!(get(&gateway, "/readyz").1.contains("bypass"));
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &clean("2")).contains("sunk"));
    // Without the switch, and still without a store, nothing is taken.
    std::fs::remove_file(&panic).unwrap();
    until("the switch is off", || get(&gateway, "/readyz").0 == 503);
    assert!(get(&gateway, "/readyz").1.contains("the store is not open"));
    assert!(talk.say("MAIL FROM:<a@x.example>").starts_with("451"));
    // The sound file, and everything is there.
    gateway.stop();
    std::fs::write(&database, &sound).unwrap();
    gateway.run();
    assert_eq!((get(&gateway, "/readyz").0, gateway.held().len()), (200, 1));
}

#[tokio::test]
async fn a_read_that_meets_damage_ends_custody_and_readiness() {
    let sink = Sink::start();
    let mut gateway = Gateway::start(&config(sink.address));
    gateway.stop();
    write_log_back(&gateway.path("data/reprieve.db")).await;
    gateway.run();
    assert_eq!(get(&gateway, "/readyz"), (200, "ready\n".into()));
    assert_eq!(finding(&gateway, "mail accepted").0, "ok");
    let token =
        gateway.json(&["token", "create", "--name", "t", "--role", "admin"])["secret"].as_str().unwrap().to_owned();
    // A table that nothing has read yet, so that no page of it is in anybody's memory.
    let database = gateway.path("data/reprieve.db");
    for name in ["saved_query", "sqlite_autoindex_saved_query_1"] {
        flip(&database, root_of(&database, name).await, 0xaa);
    }
    let mut socket = TcpStream::connect(gateway.api.as_str()).unwrap();
    let request = format!(
        "GET /api/v1/queries HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n",
        gateway.api
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 503"), "{text}");
    let (status, said) = get(&gateway, "/readyz");
    assert!(status == 503 && said.contains("the store has failed") && said.contains("451"), "{status} {said}");
    assert!(Talk::from_outside(gateway.mx).say("MAIL FROM:<a@x.example>").starts_with("451 4.3.0"));
    assert!(get(&gateway, "/metrics").1.contains("reprieve_ready 0"));
    let (health, detail) = finding(&gateway, "mail accepted");
    assert!(health == "fault" && detail.contains("the store has failed"), "{detail}");
    assert!(finding(&gateway, "database").1.contains("saved_query"));
}

#[test]
fn readiness_says_what_a_client_would_get() {
    let sink = Sink::start();
    let mut gateway = Gateway::prepare(&format!("{}[retention]\ndisk_floor_mib = 1048576\n", config(sink.address)));
    gateway.run();
    let (status, said) = get(&gateway, "/readyz");
    assert!(status == 503 && said.contains("452") && said.contains("room"), "{status} {said}");
    assert!(Talk::from_outside(gateway.mx).say("MAIL FROM:<a@x.example>").starts_with("452 4.3.1"));
    assert!(finding(&gateway, "disk space").1.contains("452"));
    assert_eq!(finding(&gateway, "mail accepted").0, "fault");
    let panic = gateway.path("data/panic");
    let switch = |word: &str| {
        std::fs::write(&panic, word).unwrap();
        std::fs::set_permissions(&panic, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    switch("bypass");
    until("the switch is read", || get(&gateway, "/readyz").0 == 200);
    assert!(Talk::from_outside(gateway.mx).say("MAIL FROM:<a@x.example>").starts_with("250"));
    assert_eq!(finding(&gateway, "panic switch").0, "warning");
    switch("tempfail-all");
    until("the switch is read", || get(&gateway, "/readyz").1.contains("tempfail-all"));
    assert_eq!(get(&gateway, "/readyz").0, 503);
    assert!(Talk::from_outside(gateway.mx).say("MAIL FROM:<a@x.example>").starts_with("451 4.7.1"));
    assert!(get(&gateway, "/metrics").1.contains("reprieve_ready 0"));
    std::fs::remove_file(&panic).unwrap();
    assert_eq!(gateway.stop(), Some(0));
}
