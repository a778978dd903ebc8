//! Somebody at the console: what they ask for, and what comes back.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{Gateway, Sink, Talk, bad, clean, config};

pub(crate) const PASSWORD: &str = "a long sentence it is";

/// What came back: status, header block, body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn session(&self) -> String {
        let cookie = self.field("set-cookie").unwrap_or_else(|| panic!("no session: {} {}", self.status, self.body));
        cookie.split(';').next().unwrap().to_owned()
    }
}

/// A request as a browser makes it: from a page of ours, unless `site` says otherwise.
pub(crate) fn request(gateway: &Gateway, method: &str, path: &str, cookie: &str, site: &str, body: &str) -> Answer {
    let mut socket = TcpStream::connect(gateway.api.as_str()).unwrap();
    let cookie = if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{cookie}Sec-Fetch-Site: {site}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        gateway.api,
        body.len()
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Answer { status: head[9..12].parse().unwrap(), head: head.to_owned(), body: body.to_owned() }
}

pub(crate) fn get(gateway: &Gateway, path: &str, cookie: &str) -> Answer {
    request(gateway, "GET", path, cookie, "same-origin", "")
}

pub(crate) fn post(gateway: &Gateway, path: &str, cookie: &str, body: &str) -> Answer {
    request(gateway, "POST", path, cookie, "same-origin", body)
}

pub(crate) fn invite(gateway: &Gateway, name: &str, role: &str, more: &[&str]) -> String {
    let words: Vec<&str> = ["person", "invite", "--name", name, "--role", role].iter().chain(more).copied().collect();
    gateway.json(&words)["invitation"].as_str().unwrap().to_owned()
}

pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

pub(crate) fn accept(gateway: &Gateway, invitation: &str) -> Answer {
    post(gateway, "/welcome", "", &form(&[("invitation", invitation), ("password", PASSWORD), ("again", PASSWORD)]))
}

pub(crate) fn sign_in(gateway: &Gateway, name: &str, password: &str) -> Answer {
    post(gateway, "/sign-in", "", &form(&[("name", name), ("password", password)]))
}

/// Somebody who has signed in: their cookie.
pub(crate) fn person(gateway: &Gateway, name: &str, role: &str, more: &[&str]) -> String {
    accept(gateway, &invite(gateway, name, role, more)).session()
}

/// A gateway for two domains, with a held mail in each and one that was delivered.
pub(crate) fn two_domains() -> (Gateway, Sink) {
    let sink = Sink::start();
    let text = config(sink.address).replace("[\"ours.example\"]", "[\"ours.example\", \"theirs.example\"]");
    let gateway = Gateway::start(&text);
    let mut talk = Talk::from_outside(gateway.mx);
    for (subject, rcpt) in [("one", "b@ours.example"), ("two", "b@theirs.example")] {
        assert!(talk.send("a@x.example", &[rcpt], &bad(subject)).contains("taken as"));
    }
    assert!(talk.send("a@x.example", &["b@ours.example"], &clean("three")).starts_with("250"));
    gateway.ledger();
    (gateway, sink)
}

pub(crate) fn id_of(gateway: &Gateway, subject: &str) -> String {
    let held = gateway.held();
    held.iter().find(|one| one["subject"] == subject).unwrap()["id"].as_str().unwrap().to_owned()
}

pub(crate) const PAGES: [&str; 20] = [
    "/",
    "/explorer",
    "/requests",
    "/rulesets",
    "/policy",
    "/incidents",
    "/sentinel",
    "/detections",
    "/detections/EIC-0001",
    "/entries",
    "/submissions",
    "/audit",
    "/holds",
    "/bulk",
    "/health",
    "/bypassed",
    "/health?check=now",
    "/settings",
    "/people",
    "/me",
];
