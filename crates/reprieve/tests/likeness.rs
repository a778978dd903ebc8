//! A campaign, no two copies of which have the same bytes, and the one entry that holds it; through the whole program.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;
#[path = "support/visitor.rs"]
mod visitor;

use std::time::{Duration, Instant, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use support::{Gateway, Sink, Talk, config};
use visitor::{form, get, person, post};

/// Within a second, says the promise; a loaded machine may take longer to be asked.
const PATIENCE: Duration = Duration::from_secs(20);
/// The mark of the partner, which the campaign shows as well; and the campaign's own pictures.
const MARK: u32 = 1;
const OWN: [u32; 2] = [2, 3];
const WIDTH: u32 = 240;
const HEIGHT: u32 = 200;

fn mixed(number: u32) -> u32 {
    let number = (number ^ (number >> 16)).wrapping_mul(0x7feb_352d);
    let number = (number ^ (number >> 15)).wrapping_mul(0x846c_a68b);
    number ^ (number >> 16)
}

/// A bitmap of tiles whose brightness `picture` decides, with the noise of `copy`.
fn bitmap(picture: u32, copy: u32) -> Vec<u8> {
    let size = 54 + WIDTH * HEIGHT * 3;
    let mut out = b"BM".to_vec();
    for word in [size, 0, 54, 40, WIDTH, HEIGHT, 0x0018_0001, 0, WIDTH * HEIGHT * 3, 2835, 2835, 0, 0] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let tile = mixed(picture * 1000 + x / 30 + 8 * (y / 25)) % 240;
            let noise = mixed(copy * 100_000 + y * WIDTH + x) % 8;
            out.extend_from_slice(&[(tile + noise) as u8; 3]);
        }
    }
    out
}

fn mail(from: &str, id: &str, text: &str, pictures: &[Vec<u8>]) -> String {
    let mut mail = format!(
        "From: {from}\r\nTo: b@ours.example\r\nSubject: about {id}\r\nMessage-ID: <{id}@x.example>\r\nMIME-Version: \
         1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n"
    );
    for picture in pictures {
        let lines: Vec<String> =
            STANDARD.encode(picture).as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into()).collect();
        let lines = lines.join("\r\n");
        mail.push_str(&format!(
            "--b\r\nContent-Type: image/bmp\r\nContent-Disposition: inline\r\nContent-Transfer-Encoding: \
             base64\r\n\r\n{lines}\r\n"
        ));
    }
    mail.push_str("--b--\r\n");
    mail
}

/// A copy of the campaign.
fn copy(number: u32) -> String {
    let name = ["Anna", "Bert Meyer", "Carla", "Dora de Wit", "Emil"][number as usize % 5];
    let text = format!(
        "Dear {name}, a parcel for you is waiting in our depot since the {}th. It could not be delivered because the \
         postage of {},{:02} EUR was not paid. Please settle the open amount, otherwise the parcel number {} goes back \
         to its sender and you lose the right to it. Questions are answered by our customer service from Monday to \
         Friday.",
        1 + number % 28,
        1 + number % 9,
        mixed(number) % 100,
        mixed(number),
    );
    let pictures = [MARK, OWN[0], OWN[1]].map(|picture| bitmap(picture, number));
    mail(&format!("s{number}@stranger{number}.example"), &format!("c{number}"), &text, &pictures)
}

const NEWS: &str = "Spring is here, and with it forty new roses. Our gardeners show you when to plant, how deep, \
                    and which soil they like. On Saturday the nursery is open until nine, and the first guests get \
                    a pot.";

/// What the partner sent in the last month, with its mark.
fn archive() -> String {
    let mut mbox = String::new();
    for (number, days) in [(1, 28), (2, 21), (3, 12), (4, 5)] {
        let from = "news@partner.example";
        let mail = mail(from, &format!("old-{number}"), NEWS, &[bitmap(MARK, 0)]);
        mbox.push_str(&format!("From {from} {}\n{}\n", days_ago(days), mail.replace("\r\n", "\n")));
    }
    mbox
}

/// The date of an mbox line.
fn days_ago(days: u64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let then = now - Duration::from_secs(days * 24 * 3600);
    let date = domain::Timestamp::from_micros(i64::try_from(then.as_micros()).unwrap()).rfc5322();
    let words: Vec<&str> = date.trim_end_matches(" +0000").split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let [weekday, day, month, year, time] = words[..] else { panic!("{date}") };
    format!("{weekday} {month} {day:>2} {time} {year}")
}

struct Site {
    gateway: Gateway,
    next: u32,
    _sink: Sink,
}

impl Site {
    fn start() -> Self {
        let sink = Sink::start();
        let sentinel = "[sentinel]\ntrust_from = true\nestablished_mails = 3\nestablished_answers = 0\n";
        let gateway = Gateway::start(&format!("{}{sentinel}", config(sink.address)));
        std::fs::write(gateway.path("archive.mbox"), archive()).unwrap();
        gateway.json(&["memory", "import", "--trust-archive", "--reason", "the first day", "archive.mbox"]);
        Self { gateway, next: 0, _sink: sink }
    }

    /// Whether the mail passes; false if it is held.
    fn passes(&self, from: &str, mail: &str) -> bool {
        let reply = Talk::from_outside(self.gateway.mx).send(from, &["b@ours.example"], mail.as_bytes());
        assert!(reply.starts_with("250"), "{reply}");
        !reply.contains("taken as")
    }

    /// Whether the next copy of the campaign passes.
    fn copy_passes(&mut self) -> bool {
        self.next += 1;
        self.passes(&format!("s{0}@stranger{0}.example", self.next), &copy(self.next))
    }

    fn id_of(&self, id: &str) -> String {
        let trace = self.gateway.json(&["message", "trace", "--message-id", &format!("<{id}@x.example>")]);
        trace[0]["mail_id"].as_str().unwrap().to_owned()
    }

    fn like(&self, id: &str, words: &[&str]) -> Value {
        self.gateway.json(&[&["entry", "block-like", id], words, &["--reason", "a campaign"]].concat())
    }

    fn is_refused(&self, words: &[&str]) -> bool {
        let words = [words, &["--reason", "r", "--config", "reprieve.toml"]].concat();
        !self.gateway.cli(&words).status.success()
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn one_entry_holds_the_campaign_and_not_the_firm_whose_mark_it_shows() {
    let mut site = Site::start();
    let known = |site: &Site| site.gateway.json(&["known-good", "status"])["contents"].as_u64();
    until("the archive is remembered", || known(&site) >= Some(1));
    assert!(site.copy_passes() && site.copy_passes());
    let id = site.id_of("c1");
    // First it is only said what there is, and what it would have held.
    let told = site.like(&id, &[]);
    let is_good: Vec<bool> =
        told["pictures"].as_array().unwrap().iter().map(|one| one["is_known_good"].as_bool().unwrap()).collect();
    assert_eq!(is_good, [true, false, false], "{told}");
    assert_eq!(told["text"]["is_known_good"], false, "{told}");
    assert_eq!((told["alike"].as_u64(), told["delivered"].as_u64()), (Some(2), Some(2)), "{told}");
    assert!(told["entries"].as_array().unwrap().is_empty());
    // The mark cannot be blocked, whichever way; and what looks like something is not allowed.
    let mark = told["pictures"][0]["part"].to_string();
    assert!(site.is_refused(&["entry", "block-like", &id, "--part", &mark]));
    assert!(site.is_refused(&["entry", "block", "picture", told["pictures"][0]["fingerprint"].as_str().unwrap()]));
    assert!(site.is_refused(&["entry", "allow", "picture", told["pictures"][1]["fingerprint"].as_str().unwrap()]));
    let made = site.like(&id, &["--pictures"]);
    assert_eq!(made["entries"][0]["kind"], "picture", "{made}");
    assert_eq!(made["entries"][0]["caused_by"], id.as_str());
    until("copies are held", || !site.copy_passes());
    let held = site.id_of(&format!("c{}", site.next));
    let shown = site.gateway.json(&["message", "show", &held]);
    let reason = shown["units"][0]["reasons"][0]["text"].as_str().unwrap();
    assert!(reason.starts_with("block entry 1 for 2 of 2 pictures like "), "{reason}");
    assert!(!site.copy_passes() && !site.copy_passes());
    let partner = mail("news@partner.example", "new", NEWS, &[bitmap(MARK, 9), bitmap(8, 0), bitmap(9, 0)]);
    assert!(site.passes("news@partner.example", &partner), "the firm itself");
    // It ends as any other.
    site.gateway.json(&["entry", "remove", "1", "--reason", "it is over"]);
    until("copies pass again", || site.copy_passes());
}

#[test]
fn a_text_is_known_again_whatever_stands_for_names_and_numbers() {
    let mut site = Site::start();
    assert!(site.copy_passes());
    let id = site.id_of("c1");
    let made = site.like(&id, &["--text"]);
    assert_eq!(
        (made["entries"][0]["kind"].as_str(), made["pictures"].as_array().map(Vec::len)),
        (Some("text"), Some(3))
    );
    until("copies are held", || !site.copy_passes());
    let news = mail("news@partner.example", "new", NEWS, &[]);
    assert!(site.passes("news@partner.example", &news));
    let log = site.gateway.json(&["audit", "list"]);
    let acts: Vec<&str> = log.as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap()).collect();
    assert!(acts.contains(&"entry.block"), "{acts:?}");
}

/// A page of a kit, with words of its own.
fn page(id: &str, words: &str) -> String {
    let row = format!("<tr><td><p>{words}</p></td><td><b>{id}</b></td></tr>");
    format!(
        "From: {id}@stranger.example\r\nTo: b@ours.example\r\nSubject: about {id}\r\nMessage-ID: <{id}@x.example>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><head><title>{id}</title></head>\r\n\
         <body><center><h2>{id}</h2><table>{row}{row}</table><div><ul><li>{words}</li><li>{id}</li></ul>\r\n\
         <table><tr><th><a href=\"https://www.{id}.example/\"><span>{words}</span></a></th></tr></table><hr>\r\n\
         <p><font>{words}<br></font><small><em>{id}</em></small></p></div></center></body></html>\r\n"
    )
}

#[test]
fn a_layout_is_known_again_whatever_the_page_says() {
    let site = Site::start();
    let words = ["Spring is here, and with it forty new roses.", "The minutes of the meeting, as we agreed.", "Menu"];
    let next = |number: usize| {
        let id = format!("page{number}");
        site.passes(&format!("{id}@stranger.example"), &page(&id, words[number % words.len()]))
    };
    assert!(next(0) && next(1));
    let id = site.id_of("page0");
    let told = site.like(&id, &[]);
    assert_eq!(told["layout"]["is_known_good"], false, "{told}");
    assert_eq!((told["alike"].as_u64(), told["delivered"].as_u64()), (Some(2), Some(2)), "{told}");
    let made = site.like(&id, &["--layout"]);
    assert_eq!(made["entries"][0]["kind"], "layout", "{made}");
    let mut number = 1;
    until("copies are held", || {
        number += 1;
        !next(number)
    });
    let other = page("other", "Menu").replace("<table>", "<div><ol>").replace("</table>", "</ol></div>");
    assert!(site.passes("other@stranger.example", &other.replace("<p>", "<div>").replace("</p>", "</div>")));
    assert!(site.is_refused(&["entry", "allow", "layout", told["layout"]["fingerprint"].as_str().unwrap()]));
}

#[test]
fn the_page_of_a_message_leads_to_the_entry() {
    let mut site = Site::start();
    until("the archive is remembered", || site.gateway.json(&["known-good", "status"])["contents"].as_u64() >= Some(1));
    assert!(site.copy_passes());
    let id = site.id_of("c1");
    let (gateway, path) = (&site.gateway, format!("/messages/{id}/like"));
    let anna = person(gateway, "anna", "admin", &[]);
    assert!(get(gateway, &format!("/messages/{id}"), &anna).body.contains("Block similar messages"));
    let page = get(gateway, &path, &anna);
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("found in known-good mail, cannot be blocked"), "{}", page.body);
    assert_eq!(page.body.matches("name=\"part\"").count(), 3, "{}", page.body);
    let nothing = post(gateway, &path, &anna, &form(&[("reason", "r"), ("hours", "24")]));
    assert!(nothing.body.contains("nothing is chosen"), "{} {}", nothing.status, nothing.body);
    let parts: Vec<String> = site.like(&id, &[])["pictures"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["is_known_good"] == false)
        .map(|one| one["part"].to_string())
        .collect();
    let chosen = [("part", parts[0].as_str()), ("part", parts[1].as_str()), ("reason", "a campaign"), ("hours", "24")];
    let made = post(gateway, &path, &anna, &form(&chosen));
    assert_eq!((made.status, made.field("location")), (303, Some("/entries")), "{}", made.body);
    let entries = gateway.json(&["entry", "list"]);
    assert_eq!((entries[0]["kind"].as_str(), entries[0]["owner"].as_str()), (Some("picture"), Some("anna")));
    assert_eq!(entries[0]["caused_by"], id.as_str());
    assert!(get(gateway, "/entries", &anna).body.contains("picture"));
    let auditor = person(gateway, "carl", "auditor", &[]);
    assert_eq!(get(gateway, &path, &auditor).status, 403);
}
