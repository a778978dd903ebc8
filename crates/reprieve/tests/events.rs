//! What happens, told outside: by the command line and to a file, with a receiver that is dead beside them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Gateway, Sink, Talk, bad, clean, config};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn cli(gateway: &Gateway, words: &[&str]) -> Output {
    gateway.cli(&[&["events"], words, &["--config", "reprieve.toml"]].concat())
}

fn events(gateway: &Gateway, words: &[&str]) -> Vec<Value> {
    let said = cli(gateway, words);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    lines(&String::from_utf8(said.stdout).unwrap())
}

/// The whole lines; the one that is being written may be there in part.
fn in_file(path: &Path) -> Vec<Value> {
    let text = std::fs::read(path).unwrap_or_default();
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    lines(std::str::from_utf8(&text[..whole]).unwrap())
}

fn actions(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"]["action"].as_str().unwrap()).collect()
}

fn until(gateway: &Gateway, what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}: {}", gateway.log());
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn ids(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["event"]["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_happens_is_told_by_lines_and_no_mail_waits_for_a_dead_receiver() {
    let hop = Sink::start();
    // It takes connections and never reads.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let dead_at = dead.local_addr().unwrap();
    let sinks = format!(
        "[[event_sink]]\nname = \"file\"\nto = \"file:events.ndjson\"\nfrom = \"oldest\"\n\
         [[event_sink]]\nname = \"all\"\nto = \"file:all.ndjson\"\nfrom = \"oldest\"\nsubjects = true\nreasons = true\n\
         evidence = true\nfile_names = true\nurls = true\n\
         [[event_sink]]\nname = \"dead\"\nto = \"syslog://{dead_at}\"\nfrom = \"oldest\"\n[notices]\n"
    );
    let mut gateway = Gateway::start(&config(hop.address).replace("[notices]\n", &sinks));
    let (file, all) = (gateway.path("events.ndjson"), gateway.path("all.ndjson"));
    let mut talk = Talk::from_outside(gateway.mx);
    for n in 0..20 {
        let began = Instant::now();
        talk.send("a@x.example", &["b@ours.example"], &clean(&n.to_string()));
        assert!(began.elapsed() < Duration::from_secs(5), "mail waits for nobody");
    }
    let mail = String::from_utf8(bad("1")).unwrap().replace("Subject: 1", "Subject: SECRET-1");
    assert!(talk.send("a@x.example", &["b@ours.example"], mail.as_bytes()).contains("taken as"));
    let id = gateway.held()[0]["id"].as_str().unwrap().to_owned();
    gateway.json(&["quarantine", "release", &id, "--reason", "SECRET-2"]);
    gateway.json(&["incident", "open", "EIC-0001", "--reason", "SECRET-3"]);
    let is_released = || {
        events(&gateway, &["--kind", "release"]).iter().any(|event| event["reprieve"]["account"]["to"] == "released")
    };
    until(&gateway, "the release", is_released);

    let told = events(&gateway, &[]);
    for action in
        ["mail.arrived", "mail.release_requested", "mail.release_accepted", "incident.opened", "quarantine.release"]
    {
        assert!(actions(&told).contains(&action), "{action}: {:?}", actions(&told));
    }
    assert_eq!(ids(&told).into_iter().collect::<BTreeSet<_>>().len(), told.len(), "each once");
    let held = told.iter().find(|event| event["event"]["type"][1] == "denied").unwrap();
    assert!(held["reprieve"]["findings"].to_string().contains("EIC-0001"), "{held}");
    assert_eq!(held["email"]["direction"], "inbound");
    assert_eq!(held["email"]["to"]["address"][0], "b@ours.example");
    assert!(!serde_json::to_string(&told).unwrap().contains("SECRET"));
    let last = told.last().unwrap()["event"]["sequence"].to_string();
    assert!(!events(&gateway, &["--from", &last]).is_empty(), "the last comes again");
    assert!(!cli(&gateway, &["--kind", "nonsense"]).status.success());
    let beyond = cli(&gateway, &["--from", "999999"]);
    assert_eq!(beyond.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&beyond.stderr).contains("no entry 999999 yet"), "{beyond:?}");
    let epoch = told[0]["reprieve"]["epoch"].as_str().unwrap();
    assert!(ids(&told).iter().all(|id| id.starts_with(&format!("{epoch}/"))), "{:?}", ids(&told));
    assert!(!events(&gateway, &["--from", &last, "--epoch", epoch]).is_empty());

    // The file has the same, but for what passes; after a restart no more and no less.
    let wanted = |all: &[Value]| {
        let kinds = all.iter().filter(|event| event["event"]["dataset"] != "reprieve.delivery");
        ids(&kinds.cloned().collect::<Vec<_>>())
    };
    until(&gateway, "the file", || ids(&in_file(&file)) == wanted(&events(&gateway, &[])));
    gateway.kill();
    gateway.run();
    assert!(Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &clean("z")).starts_with("250"));
    until(&gateway, "what came behind a restart", || {
        let seen: BTreeSet<String> = ids(&in_file(&file)).into_iter().collect();
        wanted(&events(&gateway, &[])).iter().all(|id| seen.contains(id))
    });
    assert!(!std::fs::read_to_string(&file).unwrap().contains("SECRET"));
    let said = std::fs::read_to_string(&all).unwrap();
    assert!(["SECRET-1", "SECRET-2"].iter().all(|secret| said.contains(secret)), "what was switched on is told");
    let switched = gateway.json(&["audit", "list"]);
    let switched: Vec<&Value> =
        switched.as_array().unwrap().iter().filter(|entry| entry["action"] == "events.content").collect();
    assert_eq!((switched.len(), switched[0]["object"].as_str()), (1, Some("all")), "once, on record");
    let known = cli(&gateway, &["sinks", "--json"]);
    let known: Value = serde_json::from_slice(&known.stdout).unwrap();
    assert_eq!((known[0]["name"].as_str(), known[2]["name"].as_str()), (Some("file"), Some("dead")));
    assert!(known[2]["behind"].as_u64().unwrap() > 20 && known[2]["position"] == 0, "{known}");
    assert_eq!(gateway.json(&["audit", "verify"])["intact"], true);
}
