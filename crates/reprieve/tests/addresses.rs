//! Addresses, names and subjects as mail really has them, through the whole program: long local parts, odd dots,
//! `<Postmaster>`, other scripts.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Gateway, Sink, Talk, bad, clean, config};

/// Several domains, the first of them in U-labels.
fn site() -> (Sink, Gateway) {
    let sink = Sink::start();
    let domains =
        "accepted_domains = [\".below.example\", \"ours.example\", \"Bücher.example\", \"xn--strae-oqa.example\"]";
    let gateway = Gateway::start(&config(sink.address).replace("accepted_domains = [\"ours.example\"]", domains));
    (sink, gateway)
}

/// What the explorer finds.
fn explored(gateway: &Gateway, query: &str) -> Vec<Value> {
    let made = gateway.json(&["token", "create", "--name", "explorer", "--role", "analyst"]);
    let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut socket = TcpStream::connect(&gateway.api).unwrap();
    let token = made["secret"].as_str().unwrap();
    let request = format!(
        "GET /api/v1/explore?q={query} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer \
            {token}\r\n\r\n",
        gateway.api
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let page: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"));
    page["rows"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(10), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Addresses that forwarders and telephones write.
fn odd() -> Vec<String> {
    let long = "a-very-long-name-of-a-forwarder-that-rewrites-every-sender.example";
    vec![
        format!("bert+caf_=anna={long}@x.example"),
        format!("SRS0=HHHH=TT={long}=anna@x.example"),
        format!("bounces-{}@x.example", "v".repeat(450)),
        "a..b.@docomo.example".into(),
        ".anna.@docomo.example".into(),
        "\"a b\"@x.example".into(),
    ]
}

#[test]
fn an_address_is_for_the_next_hop_to_judge_and_goes_on_as_it_was_written() {
    let (sink, gateway) = site();
    let mut talk = Talk::from_outside(gateway.mx);
    for (number, sender) in odd().iter().enumerate() {
        let recipient = format!("{}@ours.example", sender.rsplit_once('@').unwrap().0);
        let reply = talk.send(sender, &[&recipient], &clean(&format!("odd{number}")));
        assert!(reply.contains("sunk"), "{sender}: {reply}");
        let got = sink.got().pop().unwrap();
        assert!(got.mail.starts_with(&format!("MAIL FROM:<{sender}>")), "{}", got.mail);
        assert_eq!(got.rcpts, [format!("RCPT TO:<{recipient}>")]);
    }
    // Held, explained, found and released: the envelope is what it was.
    for (number, sender) in odd().iter().enumerate() {
        let recipient = format!("{}@ours.example", sender.rsplit_once('@').unwrap().0);
        let before = sink.got().len();
        assert!(talk.send(sender, &[&recipient], &bad(&format!("held{number}"))).contains("taken as"), "{sender}");
        let held = gateway.json(&["quarantine", "list", "--sender", sender]);
        let id = held[0]["id"].as_str().unwrap_or_else(|| panic!("{sender}: {held}"));
        let released = gateway.json(&["quarantine", "release", id, "--rcpt", &recipient, "--wait", "--reason", "r"]);
        assert_eq!(released["units"][0]["state"], "released", "{released}");
        let got = sink.wait(before + 1).pop().unwrap();
        assert!(got.mail.starts_with(&format!("MAIL FROM:<{sender}>")), "{}", got.mail);
        assert_eq!(got.rcpts, [format!("RCPT TO:<{recipient}>")]);
    }
    // An entry for such an address holds.
    let sender = &odd()[2];
    gateway.json(&["entry", "block", "sender", sender, "--reason", "r"]);
    until("it is blocked", || talk.send(sender, &["b@ours.example"], &clean("blocked")).contains("taken as"));
    // What could end a command is refused still, and so is what no hop takes.
    for refused in [
        format!("{}@ours.example", "a".repeat(500)),
        "a b@ours.example".into(),
        "\"a@ours.example".into(),
        "a<b@ours.example".into(),
    ] {
        assert!(talk.say("MAIL FROM:<>").starts_with("250"));
        let reply = talk.say(&format!("RCPT TO:<{refused}>"));
        assert!(reply.starts_with("501"), "{refused}: {reply}");
        talk.say("RSET");
    }
}

#[test]
fn postmaster_without_a_domain_is_somebody_of_ours() {
    let (sink, gateway) = site();
    let mut talk = Talk::from_outside(gateway.mx);
    for name in ["Postmaster", "postmaster", "POSTMASTER"] {
        assert!(talk.send("a@x.example", &[name], &clean(name)).contains("sunk"), "{name}");
        assert_eq!(sink.got().pop().unwrap().rcpts, ["RCPT TO:<postmaster@ours.example>"]);
    }
    assert!(talk.send("", &["Postmaster"], &bad("p")).contains("taken as"));
    let held = gateway.held();
    assert_eq!(held[0]["recipients"][0]["address"], "postmaster@ours.example", "{held:?}");
    // Nobody else has no domain, and nothing goes outside.
    for refused in ["abuse", "postmaster@other.example"] {
        assert!(talk.say("MAIL FROM:<a@x.example>").starts_with("250"));
        let reply = talk.say(&format!("RCPT TO:<{refused}>"));
        assert!(reply.starts_with('5'), "{refused}: {reply}");
        talk.say("RSET");
    }
}

#[test]
fn a_parameter_that_only_informs_costs_no_recipient() {
    let (sink, gateway) = site();
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.say("MAIL FROM:<a@x.example> RET=ALL ENVID=a=b SIZE=100").starts_with("250"));
    for (recipient, params) in [
        ("b", " ORCPT=rfc822;bert+caf_=b@x.example NOTIFY=FAILURE"),
        ("c", " ORCPT=rfc822;c+2bx@x.example"),
        ("d", " ORCPT=rfc822;d+2Bx@x.example"),
    ] {
        let reply = talk.say(&format!("RCPT TO:<{recipient}@ours.example>{params}"));
        assert!(reply.starts_with("250"), "{params}: {reply}");
    }
    assert!(talk.say("RCPT TO:<e@ours.example> NOTIFY=SOMETIMES").starts_with("501"), "a wish must be right");
    assert!(talk.say("DATA").starts_with("354"));
    talk.write(b"Subject: params\r\nMessage-ID: <params@x.example>\r\n\r\nhello\r\n.\r\n").unwrap();
    assert!(talk.reply().unwrap().contains("sunk"));
    let got = sink.got().pop().unwrap();
    assert!(!got.mail.contains("RET=") && !got.mail.contains("ENVID="), "{}", got.mail);
    assert_eq!(
        got.rcpts,
        [
            "RCPT TO:<b@ours.example> NOTIFY=FAILURE",
            "RCPT TO:<c@ours.example>",
            "RCPT TO:<d@ours.example> ORCPT=rfc822;d+2Bx@x.example"
        ]
    );
}

#[test]
fn a_domain_is_one_in_either_kind_of_labels() {
    let (sink, gateway) = site();
    let mut talk = Talk::from_outside(gateway.mx);
    let rcpt = |talk: &mut Talk, to: &str, mail: &[u8]| {
        assert!(talk.say("MAIL FROM:<jürgen@xn--mller-kva.example> SMTPUTF8").starts_with("250"));
        let reply = talk.say(&format!("RCPT TO:<{to}>"));
        if !reply.starts_with('2') {
            talk.say("RSET");
            return reply;
        }
        assert!(talk.say("DATA").starts_with("354"));
        talk.write(&[mail, b".\r\n"].concat()).unwrap();
        talk.reply().unwrap()
    };
    for (number, to) in [
        "anna@bücher.example",
        "Anna@BÜCHER.example",
        "anna@xn--bcher-kva.example",
        "юлия@straße.example",
        "b@büro.below.example",
    ]
    .iter()
    .enumerate()
    {
        let reply = rcpt(&mut talk, to, &clean(&format!("idn{number}")));
        assert!(reply.contains("sunk"), "{to}: {reply}");
        let got = sink.got().pop().unwrap();
        assert_eq!(got.rcpts, [format!("RCPT TO:<{to}>")], "as it was written");
        assert!(got.mail.starts_with("MAIL FROM:<jürgen@xn--mller-kva.example>"), "{}", got.mail);
    }
    for to in ["anna@bucher.example", "anna@strasse.example", "anna@evil.example＠bücher.example"] {
        assert!(rcpt(&mut talk, to, b"").starts_with("550"), "{to}");
    }
    // Held in one form, found and released in the other; what goes on is what came.
    let before = sink.got().len();
    assert!(rcpt(&mut talk, "Юлия@Bücher.example", &bad("idn-held")).contains("taken as"));
    for words in [["--recipient", "ЮЛИЯ@xn--bcher-kva.example"], ["--sender", "JÜRGEN@müller.example"]] {
        let held = gateway.json(&[&["quarantine", "list"][..], &words].concat());
        assert_eq!(held.as_array().unwrap().len(), 1, "{words:?}: {held}");
    }
    let held = gateway.held();
    let id = held[0]["id"].as_str().unwrap();
    let to = ["--rcpt", "юлия@xn--bcher-kva.example", "--wait", "--reason", "r"];
    let released = gateway.json(&[&["quarantine", "release", id][..], &to].concat());
    assert_eq!(released["units"][0]["state"], "released", "{released}");
    assert_eq!(sink.wait(before + 1).pop().unwrap().rcpts, ["RCPT TO:<Юлия@Bücher.example>"]);
    // An entry in one form counts for the other.
    gateway.json(&["entry", "block", "domain", "müller.example", "--rcpt", "anna@BÜCHER.example", "--reason", "r"]);
    until("it is blocked", || rcpt(&mut talk, "anna@xn--bcher-kva.example", &clean("blocked")).contains("taken as"));
    assert!(!rcpt(&mut talk, "bert@xn--bcher-kva.example", &clean("for another")).contains("taken as"));
}

#[test]
fn a_subject_is_shown_and_found_whatever_its_charset() {
    let (_sink, gateway) = site();
    let mut talk = Talk::from_outside(gateway.mx);
    let koi8 =
        [&b"Subject: "[..], &[0xf3, 0xde, 0xc5, 0xd4], b" 7\r\nContent-Type: text/plain; charset=koi8-r\r\n"].concat();
    for (number, head, shown, search) in [
        (1, koi8.as_slice(), "Счет 7", "subject:СЧЕТ"),
        (2, b"Subject: M\xe4rz\r\nContent-Type: text/plain; charset=iso-8859-1\r\n", "März", "subject:MÄRZ"),
        (3, b"Subject: =?utf-8?q?Gr=C3?=\r\n =?utf-8?q?=BC=C3=9Fe?=\r\n", "Grüße", "subject:GRÜSSE"),
        (4, b"Subject: =?ISO-2022-JP?B?GyRCOCtA?=\r\n =?ISO-2022-JP?B?UT1xGyhC?=\r\n", "見積書", "subject:*積*"),
    ] {
        let id = format!("Message-ID: <charset{number}@x.example>\r\n\r\nhello {number}\r\n");
        let mail = [b"From: a@x.example\r\n", head, id.as_bytes()].concat();
        assert!(talk.send("a@x.example", &["b@ours.example"], &mail).contains("sunk"));
        let trace = gateway.json(&["message", "trace", "--message-id", &format!("<charset{number}@x.example>")]);
        assert_eq!(trace[0]["subject"], shown, "{trace}");
        let rows = explored(&gateway, search);
        assert_eq!(rows.len(), 1, "{search}: {rows:?}");
        assert_eq!(rows[0]["subject"], shown);
    }
}
