//! What recipients see and do: notices, links that are inert until a button is pressed, own mail only, and what policy
//! lets them do.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "support/browser.rs"]
mod browser;
mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use browser::Browser;
use support::{Gateway, Received, Sink, Talk, bad, config};

const PATIENCE: Duration = Duration::from_secs(40);

/// What is held as spam, by a rule of the test's own: its recipient may release it. What is malware stays for
/// administrators, but for `ask`, who may ask for it.
const POLICY: &str = "preset = \"strict\"\n[[rules]]\nname = \"ask\"\ncategory = \"Malware\"\nrecipients = \
    [\"ask@ours.example\"]\n\
                      disposition = \"Hold\"\nquarantine = \"LimitedAccess\"\n";

fn spam(subject: &str) -> Vec<u8> {
    let field = "From: shop@x.example\r\nTo: b@ours.example\r\nMessage-ID: <spam@x.example>\r\nMIME-Version: 1.0\r\n";
    format!("{field}Subject: {subject}\r\nContent-Type: text/plain\r\n\r\nwatches, almost for nothing\r\n").into_bytes()
}

/// A gateway with a portal, its next hop, and the portal's address.
fn portal(notices: &str) -> (Gateway, Sink, String) {
    let sink = Sink::start();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = config(sink.address);
    let text = format!(
        "policy = \"policy.toml\"\nruleset = \"rules\"\n{text}[portal]\naddress = \"127.0.0.1:{port}\"\nurl \
            = \"http://127.0.0.1:{port}\"\n\
         notices = \"{notices}\"\n"
    );
    let mut gateway = Gateway::prepare(&text);
    let rules = gateway.path("rules");
    std::fs::create_dir(&rules).unwrap();
    std::fs::write(gateway.path("policy.toml"), POLICY).unwrap();
    let settings = "[plain_yara]\ntarget = \"raw\"\ncategory = \"Spam\"\neffect = \"Hold\"\n";
    std::fs::write(rules.join("ruleset.toml"), settings).unwrap();
    let rule = "rule watches { strings: $a = \"watches, almost\" condition: $a }";
    std::fs::write(rules.join("watches.yar"), rule).unwrap();
    std::fs::create_dir(rules.join("EIC-0001")).unwrap();
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../detections/EIC-0001");
    for file in std::fs::read_dir(shipped).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), rules.join("EIC-0001").join(file.file_name())).unwrap();
    }
    gateway.run();
    (gateway, sink, format!("127.0.0.1:{port}"))
}

struct Answer {
    status: u16,
    text: String,
}

impl Answer {
    fn session(&self) -> String {
        let line = self.text.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        line.unwrap_or_else(|| panic!("no session: {}", self.text)).split(';').next().unwrap().to_owned()
    }

    fn has_session(&self) -> bool {
        self.text.lines().any(|line| line.starts_with("set-cookie: "))
    }
}

fn request(portal: &str, method: &str, path: &str, cookie: &str, body: &str) -> Answer {
    let mut socket = TcpStream::connect(portal).unwrap();
    let cookie = if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {portal}\r\nConnection: close\r\n{cookie}Sec-Fetch-Site: same-origin\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Answer { status: text[9..12].parse().unwrap(), text }
}

/// Waits for a mail of our own to an address, whose text has a link.
fn letter(sink: &Sink, to: &str, nth: usize) -> Received {
    let began = Instant::now();
    loop {
        let own =
            |one: &Received| one.rcpts.iter().any(|rcpt| rcpt.contains(to)) && one.header("Auto-Submitted").is_some();
        if let Some(found) = sink.got().into_iter().filter(own).nth(nth) {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "no letter to {to}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The whole link of a letter; its secret is what stands behind the `#`.
fn link_of(letter: &Received) -> String {
    let text = String::from_utf8_lossy(&letter.bytes).replace("=\r\n", "").replace("=3D", "=");
    text.lines()
        .find(|line| line.starts_with("http") && line.contains("/#"))
        .unwrap_or_else(|| panic!("{text}"))
        .trim()
        .to_owned()
}

fn secret(link: &str) -> String {
    link.split_once('#').unwrap().1.to_owned()
}

fn enter(portal: &str, secret: &str) -> Answer {
    request(portal, "POST", "/enter", "", &format!("link={secret}"))
}

fn wait_released(gateway: &Gateway, count: i64) {
    let began = Instant::now();
    while gateway.account("released") != count {
        assert!(began.elapsed() < PATIENCE, "{}", gateway.ledger());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_recipient_is_told_looks_and_releases_their_own() {
    let (gateway, sink, portal) = portal("4h");
    let mut talk = Talk::from_outside(gateway.mx);
    let both = ["b@ours.example", "c@ours.example"];
    assert!(talk.send("shop@x.example", &both, &spam("cheap <watches>")).contains("taken as"));
    assert!(talk.send("a@x.example", &["b@ours.example"], &bad("for administrators")).contains("taken as"));
    assert!(talk.send("a@x.example", &["ask@ours.example"], &bad("may be asked for")).contains("taken as"));
    let (letter_b, letter_ask) = (letter(&sink, "b@ours.example", 0), letter(&sink, "ask@ours.example", 0));
    assert_eq!(letter_b.header("Subject").as_deref(), Some("A message is held for you"));
    let said = String::from_utf8_lossy(&letter_b.bytes).into_owned();
    assert!(said.contains("cheap <watches>") && said.contains("it looks like unwanted advertising"), "{said}");
    assert!(!said.contains("for administrators"), "what is not theirs to see is not told: {said}");
    // Whoever looks at a link does nothing: no session, nothing used, nothing released.
    let secret_b = secret(&link_of(&letter_b));
    for _ in 0..50 {
        for (method, path) in [("GET", "/"), ("HEAD", "/"), ("GET", "/enter"), ("GET", "/act"), ("HEAD", "/act")] {
            let answer = request(&portal, method, &format!("{path}?link={secret_b}&verb=release"), "", "");
            assert!(!answer.has_session() && answer.status < 500, "{method} {path}: {}", answer.text);
        }
    }
    assert_eq!(gateway.account("held"), 4);
    // A person presses the button: the link opens once.
    let begun = enter(&portal, &secret_b);
    assert_eq!(begun.status, 303, "{}", begun.text);
    let cookie = begun.session();
    assert!(!enter(&portal, &secret_b).has_session(), "once");
    assert!(!enter(&portal, &secret_b.replace('.', ",")).has_session());
    let list = request(&portal, "GET", "/", &cookie, "").text;
    assert!(list.contains("cheap &lt;watches&gt;") && !list.contains("for administrators"), "{list}");
    // Own mail only, and what policy says.
    let held = gateway.held();
    let id =
        |subject: &str| held.iter().find(|one| one["subject"] == subject).unwrap()["id"].as_str().unwrap().to_owned();
    let (own, others, not_to_see) = (id("cheap <watches>"), id("may be asked for"), id("for administrators"));
    for (path, status) in [(&own, 200), (&others, 404), (&not_to_see, 404)] {
        assert_eq!(request(&portal, "GET", &format!("/mail/{path}"), &cookie, "").status, status, "{path}");
    }
    assert!(request(&portal, "GET", &format!("/mail/{own}"), &cookie, "").text.contains("almost for nothing"));
    for (id, verb, status) in [
        (&others, "release", 404),
        (&others, "delete", 404),
        (&not_to_see, "release", 404),
        (&own, "ask", 403),
        (&own, "burn", 404),
    ] {
        let answer = request(&portal, "POST", "/act", &cookie, &format!("id={id}&verb={verb}"));
        assert_eq!(answer.status, status, "{verb} {id}: {}", answer.text);
    }
    for path in ["/", &format!("/mail/{own}")] {
        let stranger = request(&portal, "GET", path, "__Host-reprieve-mail=1.2.3.4", "");
        assert!(!stranger.text.contains("watches"), "{}", stranger.text);
    }
    assert_eq!(request(&portal, "POST", "/act", "", &format!("id={own}&verb=release")).status, 401);
    let released = request(&portal, "POST", "/act", &cookie, &format!("id={own}&verb=release&good=yes"));
    assert_eq!(released.status, 303, "{}", released.text);
    wait_released(&gateway, 1);
    let to: Vec<String> = sink
        .got()
        .iter()
        .filter(|one| one.header("X-Reprieve-Late").is_some())
        .flat_map(|one| one.rcpts.clone())
        .collect();
    assert!(to.len() == 1 && to[0].contains("b@ours.example"), "theirs alone: {to:?}");
    assert!(request(&portal, "GET", "/", &cookie, "").text.contains("delivered"));
    let reports = gateway.json(&["submission", "list"]);
    assert_eq!(
        (reports[0]["reporter"].as_str(), reports[0]["kind"].as_str()),
        (Some("b@ours.example"), Some("false_positive"))
    );
    // Senders of one's own: for their mail alone, and nobody else's to end.
    let act = |cookie: &str, body: &str| request(&portal, "POST", "/act", cookie, body).status;
    assert_eq!(act(&cookie, &format!("id={own}&verb=allow")), 303);
    assert_eq!(act(&cookie, &format!("id={own}&verb=block")), 403, "it is not held any more");
    let entries = gateway.json(&["entry", "list"]);
    let entry = &entries[0];
    assert_eq!(
        (entry["action"].as_str(), entry["value"].as_str(), entry["whom"].as_str()),
        (Some("allow"), Some("shop@x.example"), Some("b@ours.example"))
    );
    let number = entry["id"].to_string();
    gateway.json(&["entry", "block", "sender", "z@x.example", "--rcpt", "b@ours.example", "--reason", "an operator's"]);
    let operators = gateway.json(&["entry", "list"])[0]["id"].to_string();
    assert!(request(&portal, "GET", "/", &cookie, "").text.contains("shop@x.example \u{b7} allowed until"));
    let ask_cookie = enter(&portal, &secret(&link_of(&letter_ask))).session();
    for (cookie, number) in [(&ask_cookie, &number), (&cookie, &operators)] {
        assert_eq!(act(cookie, &format!("verb=forget&entry={number}")), 404);
    }
    assert_eq!(
        (act(&ask_cookie, &format!("id={others}&verb=allow")), act(&ask_cookie, &format!("id={others}&verb=block"))),
        (403, 303)
    );
    assert_eq!(
        (act(&cookie, &format!("verb=forget&entry={number}")), act(&cookie, &format!("verb=forget&entry={number}"))),
        (303, 404)
    );
    // Who may only ask, asks; an operator decides.
    let cookie = ask_cookie;
    let asked =
        |verb: &str| request(&portal, "POST", "/act", &cookie, &format!("id={others}&verb={verb}&reason=it+is+mine"));
    assert_eq!(asked("release").status, 403);
    assert_eq!((asked("ask").status, asked("ask").status), (303, 403), "once is enough");
    let waiting = gateway.json(&["quarantine", "requests"]);
    assert_eq!(
        (waiting[0]["recipient"].as_str(), waiting[0]["reason"].as_str()),
        (Some("ask@ours.example"), Some("it is mine"))
    );
    assert!(request(&portal, "GET", "/", &cookie, "").text.contains("an administrator decides"));
    gateway.json(&["quarantine", "release", &others, "--rcpt", "ask@ours.example", "--reason", "it is"]);
    wait_released(&gateway, 2);
    assert!(gateway.json(&["quarantine", "requests"]).as_array().unwrap().is_empty());
    let acts = gateway.json(&["audit", "list"]).to_string();
    for act in ["portal.enter", "portal.preview", "portal.release", "portal.ask"] {
        assert!(acts.contains(act), "{act}");
    }
    // Nobody was told twice in a period, nor of what is not new in the next.
    assert_eq!(
        sink.got().iter().filter(|one| one.header("Subject").is_some_and(|it| it.contains("held for you"))).count(),
        3
    );
}

/// A browser that runs scripts looks at a link and nothing happens; a person presses the button, and it does. The page
/// is narrow, and each field says what it is.
#[test]
fn a_link_in_a_browser() {
    let (gateway, sink, portal) = portal("never");
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("shop@x.example", &["b@ours.example"], &spam("cheap")).contains("taken as"));
    assert!(talk.send("a@x.example", &["ask@ours.example"], &bad("one that may be asked for")).contains("taken as"));
    // Whoever asks for a link gets the same answer, and only our own people get a mail.
    for address in ["b%40ours.example", "b%40elsewhere.example", "nobody"] {
        let answer = request(&portal, "POST", "/ask", "", &format!("address={address}"));
        assert!(answer.status == 200 && answer.text.contains("a link is on its way"), "{}", answer.text);
    }
    let link = link_of(&letter(&sink, "b@ours.example", 0));
    let browser = Browser::start();
    browser.go(&link);
    browser.until("return document.querySelector('[name=link]').value.length > 80");
    assert!(!browser.url().contains('#'), "the secret does not stay in the address");
    browser.look_at("portal-enter");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(gateway.account("held"), 2, "a look does nothing");
    assert_eq!(sink.got().len(), 1, "one link, to one of ours");
    browser.click("form[action='/enter'] button");
    browser.until("return document.querySelector('ul.held') !== null");
    browser.look_at("portal-list");
    browser.click("a.button[href^='/mail/']");
    browser.until("return document.querySelector('pre.text') !== null");
    browser.look_at("portal-text");
    browser.click("main a[href='/']");
    browser.until("return document.querySelector('ul.held') !== null");
    browser.resize(500, 800);
    assert_eq!(browser.run("return document.documentElement.scrollWidth <= window.innerWidth"), true);
    assert_eq!(
        browser
            .run("return [...document.querySelectorAll('input:not([type=hidden])')].every(i => i.labels.length > 0)"),
        true
    );
    browser.click("input[value=release] ~ button");
    wait_released(&gateway, 1);
    browser.go(&format!("http://{portal}/"));
    browser.until("return document.querySelector('[data-state]').dataset.state === 'state.released'");
    browser.click("header button");
    browser.until("return document.querySelector('[name=address]') !== null");
    // Who may only ask, asks; an operator approves with a click.
    browser.type_into("[name=address]", "ask@ours.example");
    browser.click("form[action='/ask'] button");
    let link = link_of(&letter(&sink, "ask@ours.example", 0));
    browser.go(&link);
    browser.until("return document.querySelector('[name=link]').value.length > 80");
    browser.click("form[action='/enter'] button");
    browser.type_into("[name=reason]", "the invoice that I wait for");
    browser.look_at("portal-ask");
    browser.click("input[value=ask] ~ button");
    browser.until("return document.querySelector('[data-state]').dataset.state === 'state.requested'");
    let invited = gateway.json(&["person", "invite", "--name", "anna", "--role", "analyst"]);
    browser.go(&format!("http://{}/welcome#{}", gateway.api, invited["invitation"].as_str().unwrap()));
    browser.type_into("[name=password]", "a long sentence it is");
    browser.type_into("[name=again]", "a long sentence it is");
    browser.click("form.card button");
    browser.until("return document.title.startsWith('Overview')");
    browser.look_at("overview-request");
    browser.click("article a[href='/requests']");
    browser.until("return document.querySelector('blockquote') !== null");
    browser.look_at("requests");
    browser.click("button[value=approve]");
    browser.until("return document.querySelector('h1').textContent === 'Release harmful mail?'");
    browser.type_into("[name=reason]", "it is the invoice");
    browser.click("button.danger");
    browser.until("return document.body.textContent.includes('No pending requests')");
    wait_released(&gateway, 2);
}

/// A link that was passed on, a visit that was left open: the recipient ends all of them, or an operator does, and a
/// new link works.
#[test]
fn what_lets_a_recipient_in_can_be_closed() {
    let (gateway, sink, portal) = portal("never");
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("shop@x.example", &["b@ours.example"], &spam("cheap")).contains("taken as"));
    let link = |nth: usize| {
        request(&portal, "POST", "/ask", "", "address=b%40ours.example");
        secret(&link_of(&letter(&sink, "b@ours.example", nth)))
    };
    let is_in = |session: &str| request(&portal, "GET", "/", session, "").text.contains("cheap");
    let (first, unused) = (link(0), link(1));
    let here = enter(&portal, &first).session();
    assert!(is_in(&here));
    assert_eq!(request(&portal, "POST", "/leave", &here, "everywhere=yes").status, 303);
    assert!(!is_in(&here), "the session is of no more use to whoever has the cookie");
    assert!(enter(&portal, &unused).text.contains("does not hold"), "nor is a link that nobody has used");
    // What is made later than that second holds.
    std::thread::sleep(Duration::from_millis(1100));
    let again = enter(&portal, &link(2)).session();
    assert!(is_in(&again));
    let closed = gateway.json(&["quarantine", "close-portal", "B@ours.example", "--reason", "a stolen telephone"]);
    assert_eq!(closed["address"], "b@ours.example");
    assert!(!is_in(&again));
    let acts = gateway.json(&["audit", "list"]);
    let who: Vec<&str> = acts
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["action"] == "portal.close")
        .filter_map(|one| one["actor"].as_str())
        .collect();
    assert_eq!(who.len(), 2);
    assert!(who.contains(&"recipient b@ours.example"), "{who:?}");
    let elsewhere = ["quarantine", "close-portal", "b@elsewhere.example", "--reason", "r", "--config", "reprieve.toml"];
    assert!(!gateway.cli(&elsewhere).status.success());
}
