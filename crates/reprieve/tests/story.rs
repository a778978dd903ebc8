//! The story of the product, through the whole program: a wrong detection is forced into force, the past convicts it,
//! it is contained, and what it held is taken back; real malware of the same hour stays held. Once as it is, and once
//! for each place where it may die.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use support::{Gateway, Sink, Talk, config};

const PATIENCE: Duration = Duration::from_secs(30);
const LOGO: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
/// What the mistaken rule looks for: the beginning of every PNG.
const BAD: &str = "rule campaign_image { strings: $a = { 89 50 4E 47 } condition: $a at 0 }";
/// What it was to look for.
const CORRECTED: &str = "rule campaign_image { strings: $a = \"the text of the campaign\" condition: $a }";
const PARTNERS: u32 = 12;

/// A picture of its own for each number: a logo with a trailer.
fn picture(number: u32) -> String {
    let mut bytes = STANDARD.decode(LOGO).unwrap();
    bytes.extend_from_slice(format!("picture {number}").as_bytes());
    STANDARD.encode(bytes)
}

fn with_picture(from: &str, to: &str, id: &str, picture: &str) -> String {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: Re: offer {id}\r\nMessage-ID: <{id}@story.example>\r\nMIME-Version: \
            1.0\r\n\
         Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Thanks \
         {id}</p>\r\n\
         --b\r\nContent-Type: image/png; name=\"image001.png\"\r\nContent-Transfer-Encoding: \
         base64\r\n\r\n{picture}\r\n--b--\r\n"
    )
}

fn partner(number: u32) -> String {
    format!("anna@partner{number}.example")
}

/// The date of an mbox line.
fn days_ago(days: u64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let then = now - Duration::from_secs(days * 24 * 3600);
    let date = domain::Timestamp::from_micros(i64::try_from(then.as_micros()).unwrap()).rfc5322();
    let words: Vec<&str> = date.trim_end_matches(" +0000").split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let [weekday, day, month, year, time] = words[..] else { panic!("{date}") };
    format!("{weekday} {month} {day:>2} {time} {year}")
}

/// The past: for weeks partners have sent replies with their signature, as an mbox.
fn archive() -> String {
    let mut mbox = String::new();
    for number in 0..PARTNERS {
        for (at, days) in [(0, 28), (1, 21), (2, 5)] {
            let from = partner(number);
            let mail = with_picture(&from, "b@ours.example", &format!("old-{number}-{at}"), &picture(number));
            // Each signature goes through two hands, so that the past vouches for it.
            let other = with_picture(
                &partner((number + 1) % PARTNERS),
                "b@ours.example",
                &format!("fwd-{number}-{at}"),
                &picture(number),
            );
            for mail in [mail, other] {
                mbox.push_str(&format!("From {from} {}\n{}\n", days_ago(days), mail.replace("\r\n", "\n")));
            }
        }
    }
    mbox
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Takes what is posted to it, and says 204.
fn webhook() -> (std::net::SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, posted) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let known = posted.clone();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = socket.read(&mut piece) {
                request.extend_from_slice(&piece[..read]);
                if request.ends_with(b"}") {
                    break;
                }
            }
            known.lock().unwrap().push(String::from_utf8_lossy(&request).to_string());
            let _ = socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
        }
    });
    (address, posted)
}

struct Site {
    gateway: Gateway,
    posted: Arc<Mutex<Vec<String>>>,
    sink: Sink,
    sent: Vec<(String, String)>,
}

impl Site {
    fn start() -> Self {
        let sink = Sink::start();
        let sentinel =
            "[sentinel]\ntrust_from = true\ntrust_weak_memory = true\nestablished_mails = 3\nestablished_answers = 0\n";
        let (hook, posted) = webhook();
        let told = format!(
            "[notices]\nincident_webhooks = [\"http://{hook}/incidents\"]\nincident_mail = [\"ops@ours.example\"]\n"
        );
        let config = config(sink.address)
            .replace("[notices]\n", &told)
            .replace("incident_digest = false", "incident_digest = true");
        let gateway = Gateway::start(&format!("{config}{sentinel}"));
        let write = |name: &str, text: &str| std::fs::write(gateway.path(name), text).unwrap();
        write("bad.yar", BAD);
        write("corrected.yar", CORRECTED);
        write("archive.mbox", &archive());
        Self { gateway, posted, sink, sent: Vec::new() }
    }

    fn import(&self) -> Value {
        self.gateway.json(&["memory", "import", "--trust-archive", "--reason", "the first day", "archive.mbox"])
    }

    /// Sends a mail; whether it was passed on at once.
    fn send(&mut self, from: &str, to: &str, mail: String) -> bool {
        let is_ours = from.ends_with("@ours.example");
        let mut talk = if is_ours { Talk::to(self.gateway.submission) } else { Talk::from_outside(self.gateway.mx) };
        if is_ours {
            talk.say("EHLO ours");
        }
        let reply = talk.send(from, &[to], mail.as_bytes());
        assert!(reply.starts_with("250"), "{reply}");
        let id = mail.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap().to_owned();
        self.sent.push((id, mail));
        !reply.contains("taken as")
    }

    fn reply(&mut self, number: u32, id: &str, picture: &str) -> bool {
        let from = partner(number);
        let mail = with_picture(&from, "b@ours.example", id, picture);
        self.send(&from, "b@ours.example", mail)
    }

    fn incident(&self) -> Value {
        let list = self.gateway.json(&["incident", "list"]);
        match list[0]["id"].as_str() {
            Some(id) => self.gateway.json(&["incident", "show", id]),
            None => Value::Null,
        }
    }

    fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is_so() {
            let told = || {
                format!(
                    "{:#}\n{:#}\n{}",
                    self.incident(),
                    self.gateway.json(&["sentinel", "status"]),
                    self.gateway.log()
                )
            };
            assert!(began.elapsed() < PATIENCE, "never: {what}: {}", told());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn publish(&self, file: &str, reason: &str) {
        let forced = self.gateway.json(&["ruleset", "publish", file, "--force", "--reason", reason, "--wait"]);
        assert_eq!(forced["stage"], "live", "{forced}");
    }

    /// How often each mail that was sent has reached the mailbox server.
    fn arrived(&self, id: &str) -> usize {
        let field = format!("Message-ID: {id}");
        self.sink.got().iter().filter(|mail| String::from_utf8_lossy(&mail.bytes).contains(&field)).count()
    }
}

/// A mail with the EICAR test file beside a picture.
fn malware(id: &str) -> String {
    let eicar = "WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=";
    let part = format!(
        "--b\r\nContent-Type: application/octet-stream; name=\"e.com\"\r\nContent-Transfer-Encoding: \
            base64\r\n\r\n{eicar}\r\n--b--\r\n"
    );
    with_picture("x@stranger.example", "b@ours.example", id, &picture(900)).replace("--b--\r\n", &part)
}

/// The first mail that a published rule holds: it is live before every process has loaded it.
fn first_held(site: &mut Site) -> String {
    let mut id = String::new();
    until("the rule acts", || {
        let number = u32::try_from(site.sent.len()).unwrap();
        id = format!("early-{number}");
        !site.reply(number % PARTNERS, &id, &picture(5000 + number))
    });
    format!("<{id}@story.example>")
}

/// Sends what is sent while the wrong detection is in force. Returns the ids of good mail that was held.
fn traffic(site: &mut Site, round: u32) -> Vec<String> {
    let mut held = Vec::new();
    for number in 0..6 {
        let id = format!("new-{round}-{number}");
        if !site.reply(number, &id, &picture(1000 + round * 100 + number)) {
            held.push(format!("<{id}@story.example>"));
        }
    }
    for (from, to, id) in [
        ("b@ours.example", "c@ours.example", format!("internal-{round}")),
        ("b@ours.example", "anna@partner1.example", format!("outbound-{round}")),
    ] {
        let mail = with_picture(from, to, &id, &picture(2000 + round));
        if !site.send(from, to, mail) {
            held.push(format!("<{id}@story.example>"));
        }
    }
    held
}

#[test]
fn the_story() {
    let mut site = Site::start();
    let imported = site.import();
    assert_eq!(imported["became"]["learned"], 6 * PARTNERS, "{imported}");
    assert_eq!(imported["memory"]["eligible"], PARTNERS, "{imported}");
    assert!(site.reply(0, "before", &picture(1)), "a good day");
    assert!(!site.send("x@stranger.example", "b@ours.example", malware("malware-1")));

    site.publish("bad.yar", "the vendor says so");
    let mut held = vec![first_held(&mut site)];
    held.extend(traffic(&mut site, 1));
    assert!(!site.send("x@stranger.example", "b@ours.example", malware("malware-2")));
    site.until("contained", || site.incident()["stage"] == "contained");
    let incident = site.incident();
    assert_eq!(incident["detection"], "campaign_image");
    assert!(incident["cause"].as_str().unwrap().contains("known to be good"), "{incident}");
    let status = site.gateway.json(&["sentinel", "status"]);
    assert_eq!(status["contained"][0]["level"], "contained", "{status}");
    let page = || std::fs::read_to_string(site.gateway.path("data/status/index.html")).unwrap_or_default();
    site.until("the status page says so", || page().contains("INC-") && page().contains("held by mistake"));

    // Contained is not switched off: what the past vouches for passes, what it does not know is still held, and malware
    // as well.
    until("what is known passes", || {
        let id = format!("known-{}", site.sent.len());
        let passed = site.reply(3, &id, &picture(3));
        if !passed {
            held.push(format!("<{id}@story.example>"));
        }
        passed
    });
    held.extend(traffic(&mut site, 2));
    assert!(!site.send("x@stranger.example", "b@ours.example", malware("malware-3")));
    assert!(held.len() >= 12, "{held:?}");

    // Somebody believes the detection, and blocks who sent it.
    let traced = site.gateway.json(&["message", "trace", "--message-id", &held[0]]);
    let (sender, mail_id) = (traced[0]["sender"].as_str().unwrap(), traced[0]["mail_id"].as_str().unwrap());
    let block = ["entry", "block", "sender", sender, "--reason", "it sends malware", "--because-of", mail_id];
    assert_eq!(site.gateway.json(&block)["caused_by"], mail_id);

    site.publish("corrected.yar", "the vendor has corrected it");
    site.until("resolved", || site.incident()["stage"] == "resolved");
    let incident = site.incident();
    assert_eq!(site.gateway.json(&["entry", "list"]), serde_json::json!([]), "it was undone before the replay");
    assert!(incident.to_string().contains("block entry 1 for sender"), "and that is told: {incident}");
    let progress = &incident["progress"];
    // Two of the three malware mails came while the wrong detection was in force.
    assert_eq!(progress["units"].as_u64().unwrap() as usize, held.len() + 2, "{incident}");
    assert_eq!(progress["restored"].as_u64().unwrap() as usize, held.len(), "{incident}");
    assert_eq!(progress["upheld"], 2, "{incident}");
    for id in &held {
        assert_eq!(site.arrived(id), 1, "{id} arrives once");
    }
    for (id, mail) in &site.sent {
        let got: Vec<_> =
            site.sink.got().into_iter().filter(|got| String::from_utf8_lossy(&got.bytes).contains(id)).collect();
        let is_malware = id.contains("malware");
        assert_eq!(got.len(), usize::from(!is_malware), "{id}");
        assert!(got.iter().all(|got| got.without_ours() == mail.as_bytes()), "{id} byte for byte");
    }
    // Who asks why a mail was late finds it in its trace.
    let traced = site.gateway.json(&["message", "trace", "--message-id", &held[0]]);
    assert!(traced.to_string().contains("had held it"), "{traced}");
    assert_eq!(site.gateway.account("held"), 3, "the malware is still held");
    // Whoever is to be told of it was told each public line once, by webhook and by mail.
    let id = incident["id"].as_str().unwrap().to_owned();
    let told = |stage: &str| {
        let said = format!("\"stage\":\"{stage}\"");
        let posted = site.posted.lock().unwrap().iter().filter(|one| one.contains(&said)).count();
        let subject = format!("{id}: {stage}");
        let mails = site.sink.got().iter().filter(|mail| mail.header("Subject").as_deref() == Some(&subject)).count();
        (posted, mails)
    };
    for stage in ["contained", "replaying", "releasing", "resolved"] {
        site.until("told", || told(stage) == (1, 1));
    }
    // And everybody whom it kept mail from, in one mail.
    let internal = held.iter().filter(|id| id.contains("internal")).count();
    let outbound = held.iter().filter(|id| id.contains("outbound")).count();
    let late = [("b@ours.example", held.len() - internal - outbound), ("c@ours.example", internal)];
    for (to, late) in late {
        let subject = format!("{late} messages reached you late because of our error");
        let digests = || {
            let is_it = |mail: &&support::Received| {
                mail.header("Subject").as_deref() == Some(&subject) && mail.rcpts.iter().any(|rcpt| rcpt.contains(to))
            };
            site.sink.got().iter().filter(is_it).count()
        };
        site.until(&subject, || digests() == 1);
    }
    let report =
        site.gateway.cli(&["incident", "report", incident["id"].as_str().unwrap(), "--config", "reprieve.toml"]);
    let report = String::from_utf8_lossy(&report.stdout).to_string();
    assert!(report.contains(&format!("| Delivered because of this incident | {} |", held.len())), "{report}");
    assert!(report.contains(" held good mail beside bad"), "two of what it held were malware: {report}");
    assert!(report.contains("EIC-0001"), "what stays is named with its reason: {report}");
    assert_eq!(site.gateway.json(&["audit", "verify"])["intact"], true);
    // The corrected form is watched for a while, and the past is as it was.
    let status = site.gateway.json(&["sentinel", "status"]);
    assert_eq!(status["contained"][0]["level"], "probation", "{status}");
    assert!(site.reply(5, "after", &picture(5)));
}

/// The same with SIGKILL in every phase: while it is convicted, while it is replayed, while it is released, again and
/// again.
#[test]
fn the_story_with_deaths() {
    let mut site = Site::start();
    site.import();
    let mut pause = 7;
    let mut die = |site: &mut Site, times: u32| {
        for _ in 0..times {
            // Pauses of 0 to 60 ms, in an order without a pattern: each death comes at another place.
            pause = pause * 37 % 61;
            std::thread::sleep(Duration::from_millis(pause));
            site.gateway.kill();
            site.gateway.run();
        }
    };
    site.publish("bad.yar", "the vendor says so");
    let mut held = vec![first_held(&mut site)];
    held.extend(traffic(&mut site, 1));
    die(&mut site, 3);
    site.until("contained", || site.incident()["stage"] == "contained");
    held.extend(traffic(&mut site, 2));
    assert!(!site.send("x@stranger.example", "b@ours.example", malware("malware-1")));
    die(&mut site, 2);
    assert_eq!(
        site.gateway.json(&["sentinel", "status"])["contained"][0]["level"],
        "contained",
        "it stays so over a death"
    );
    site.publish("corrected.yar", "the vendor has corrected it");
    die(&mut site, 12);
    let progress = |site: &Site| site.incident()["progress"].clone();
    let in_doubt = |site: &Site| site.gateway.json(&["ledger", "check"])["accounts"]["in_doubt"].as_u64().unwrap();
    site.until("all but what is in doubt is over", || {
        let units = progress(&site)["units"].as_u64().unwrap();
        units == held.len() as u64 + 1 && progress(&site)["over"].as_u64().unwrap() + in_doubt(&site) == units
    });
    let mut listed = 0;
    for id in &held {
        let copies = site.arrived(id);
        assert!(copies <= 1, "{id} arrived {copies} times");
        listed += u64::from(copies == 0);
    }
    assert!(listed <= in_doubt(&site), "{listed} have not arrived, and {} are in doubt", in_doubt(&site));
    assert_eq!(site.arrived("<malware-1@story.example>"), 0);
    assert_eq!(progress(&site)["upheld"], 1);
    assert_eq!(site.gateway.json(&["ledger", "check"])["balanced"], true);
    assert_eq!(site.gateway.json(&["audit", "verify"])["intact"], true);
}

/// A person contains, gives back, pins; and a memory that is weak only calls people.
#[test]
fn by_hand_and_not_by_itself() {
    let mut site = Site::start();
    let contained = site.gateway.json(&["contain", "EIC-0001", "--reason", "a drill", "--hours", "1"]);
    assert_eq!(contained["level"], "contained");
    let mail = malware("malware-1");
    assert!(!site.send("x@stranger.example", "b@ours.example", mail), "nothing vouches for it, so it stays held");
    let status = site.gateway.json(&["sentinel", "status"]);
    assert_eq!(status["contained"][0]["detection"], "EIC-0001", "{status}");
    let freed = site.gateway.json(&["release-containment", "EIC-0001", "--reason", "the drill is over"]);
    assert_eq!(freed["level"], Value::Null);
    assert_eq!(site.gateway.json(&["sentinel", "status"])["contained"].as_array().unwrap().len(), 0);
    let bare = site.gateway.cli(&["contain", "NOPE-1", "--reason", "x", "--config", "reprieve.toml"]);
    assert_eq!(bare.status.code(), Some(2));
    let pinned = site.gateway.json(&["detection", "pin", "EIC-0001", "--reason", "it is a test file"]);
    assert_eq!(pinned["detection"], "EIC-0001");
    assert_eq!(site.gateway.json(&["sentinel", "status"])["pinned"][0]["detection"], "EIC-0001");
    site.gateway.json(&["detection", "unpin", "EIC-0001", "--reason", "the drill is over"]);
    let opened = site.gateway.json(&["incident", "open", "EIC-0001", "--reason", "somebody complained"]);
    assert_eq!((&opened["stage"], &opened["id"]), (&"investigating".into(), &opened["id"]), "{opened}");
    assert_eq!(
        opened["title"], "Detection EIC-0001 is being looked into",
        "a person's incident is a question: {opened}"
    );
    let id = opened["id"].as_str().unwrap().to_owned();
    site.until("its unit is counted in", || site.incident()["progress"]["units"] == 1);
    let dry = site.gateway.json(&["incident", "replay", &id, "--reason", "x", "--what-if"]);
    assert_eq!((&dry["units"], &dry["cleared"]), (&1.into(), &1.into()), "without the detection it would pass: {dry}");
    site.gateway.json(&["incident", "update", &id, "--text", "we look into it", "--public", "--owner", "root"]);
    site.until("the page says so", || {
        std::fs::read_to_string(site.gateway.path("data/status/index.html"))
            .is_ok_and(|page| page.contains("we look into it"))
    });
    assert_eq!(site.gateway.json(&["status-page"])["value"][0]["id"], id.as_str());
    let feed = std::fs::read_to_string(site.gateway.path("data/status/feed.atom")).unwrap();
    assert!(feed.contains("we look into it"));
    let issues: Value =
        serde_json::from_slice(&std::fs::read(site.gateway.path("data/status/status.json")).unwrap()).unwrap();
    let issue = &issues["value"][0];
    assert_eq!((&issue["id"], &issue["isResolved"]), (&id.as_str().into(), &false.into()));
    assert_eq!((&issue["status"], &issue["classification"]), (&"investigating".into(), &"advisory".into()), "{issue}");
    // It began when the first message came that it held, and not when somebody opened it.
    let came = site.gateway.held()[0]["received"].as_str().unwrap().to_owned();
    assert_eq!(issue["startDateTime"].as_str().unwrap()[..19], came[..19], "{issue}");
    assert!(!issues.to_string().contains("held good mail"), "{issues}");
    site.gateway.json(&["replay", "start", &id, "--reason", "see what it says now"]);
    site.until("resolved", || site.incident()["stage"] == "resolved");
    let over = site.incident();
    assert_eq!(over["progress"]["upheld"], 1, "the detection still says so");
    assert_eq!(over["title"], "Detection EIC-0001 held mail rightly", "{over}");
    let issue = || site.gateway.json(&["status-page"])["value"][0].clone();
    site.until("the public is told", || issue()["isResolved"] == true);
    let told = issue();
    assert_eq!((&told["title"], &told["status"]), (&over["title"], &"falsePositive".into()), "{told}");
    assert!(!told.to_string().contains("held by mistake and"), "nothing was: {told}");
    // What a person releases is theirs: the incident has delivered nothing.
    let mail = site.gateway.held()[0]["id"].as_str().unwrap().to_owned();
    site.gateway.json(&["quarantine", "release", &mail, "--wait", "--reason", "it is our own test file"]);
    let delivered = |name: &str| {
        let told = issue();
        told["details"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()["value"].clone()
    };
    site.until("it is counted", || delivered("deliveredByOthers") == "1");
    assert_eq!(delivered("delivered"), "0");
    let progress = site.incident()["progress"].clone();
    assert_eq!((&progress["delivered"], &progress["delivered_by_others"]), (&0.into(), &1.into()), "{progress}");
}

/// What came to us, and what people did, is proved to somebody who has nothing of ours; and whatever is bent is found.
#[test]
fn what_happened_is_proved_offline() {
    let mut site = Site::start();
    assert!(!site.send("x@stranger.example", "b@ours.example", malware("malware-1")));
    let checkpoint = || std::fs::read_to_string(site.gateway.path("data/status/checkpoint")).unwrap_or_default();
    site.until("a checkpoint is published", || !checkpoint().is_empty());
    std::fs::write(site.gateway.path("kept"), checkpoint()).unwrap();
    // The hashes lie beside it, as files: the root of the checkpoint comes out of them alone.
    let noted = checkpoint();
    let lines: Vec<&str> = noted.lines().collect();
    let size: u64 = lines[1].parse().unwrap();
    let tile = domain::tile::Tile { level: 0, index: 0, width: size };
    let tile = std::fs::read(site.gateway.path("data/status").join(tile.path())).unwrap();
    let hashes: Vec<domain::Digest> =
        tile.chunks(32).map(|hash| domain::Digest::from_bytes(hash.try_into().unwrap())).collect();
    assert_eq!(hashes.len() as u64, size);
    assert_eq!(STANDARD.encode(domain::tile::root(&hashes).as_bytes()), lines[2]);
    site.gateway.json(&["contain", "EIC-0001", "--reason", "a drill"]);
    let mail = site.gateway.held()[0]["mail_id"].as_str().unwrap().to_owned();
    let prove = |words: &[&str]| {
        let all: Vec<&str> =
            ["audit", "prove"].iter().chain(words).copied().chain(["--config", "reprieve.toml"]).collect();
        let output = site.gateway.cli(&all);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let check = |bundle: &str, words: &[&str]| {
        std::fs::write(site.gateway.path("bundle.json"), bundle).unwrap();
        let all: Vec<&str> = ["audit", "check", "bundle.json"].iter().chain(words).copied().collect();
        let output = site.gateway.cli(&all);
        (
            output.status.code(),
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        )
    };
    let bundle = prove(&["--mail", &mail, "--since", "kept"]);
    let (code, said) = check(&bundle, &["--since", "kept"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("{mail}/0")) && said.contains("held"), "{said}");
    assert!(said.contains("begins with the one of"), "{said}");
    // Any flipped character of what is said is found.
    for (what, to) in [("held", "hold"), ("gateway", "gatewoy"), ("journal", "journel")] {
        let (code, said) = check(&bundle.replacen(what, to, 1), &[]);
        assert_eq!(code, Some(1), "{what}: {said}");
    }
    let other = reprieve_key(&bundle, 'A');
    assert_ne!(check(&bundle, &["--key", &other]).0, Some(0), "another key");
    let act = site.gateway.json(&["audit", "list"]);
    let seq =
        act.as_array().unwrap().iter().find(|one| one["action"] == "containment.contain").unwrap()["seq"].to_string();
    let (code, said) = check(&prove(&["--entry", &seq]), &[]);
    assert!(code == Some(0) && said.contains("containment.contain"), "{said}");
    let gone = site.gateway.cli(&["audit", "prove", "--entry", "999999", "--config", "reprieve.toml"]);
    assert_eq!(gone.status.code(), Some(2));
}

/// The key of a bundle with one character of its key another.
fn reprieve_key(bundle: &str, other: char) -> String {
    let bundle: Value = serde_json::from_str(bundle).unwrap();
    let key = bundle["public_key"].as_str().unwrap();
    let at = key.len() - 10;
    let changed = if key[at..].starts_with(other) { 'B' } else { other };
    format!("{}{changed}{}", &key[..at], &key[at + 1..])
}

/// Of mail for a domain that has opted out nothing is remembered; of other mail it is.
#[test]
fn a_domain_may_have_nothing_remembered() {
    let sink = Sink::start();
    let config = config(sink.address)
        .replace("accepted_domains = [\"ours.example\"]", "accepted_domains = [\"ours.example\", \"private.example\"]");
    let gateway = Gateway::start(&format!("{config}[known_good]\nwithout = [\"Private.example\"]\n"));
    let send = |to: &str, id: &str, image: &str| {
        let mail = with_picture("anna@partner1.example", to, id, image);
        assert!(
            Talk::from_outside(gateway.mx).send("anna@partner1.example", &[to], mail.as_bytes()).starts_with("250")
        );
    };
    send("c@private.example", "private-1", &picture(1));
    send("b@ours.example", "ours-1", &picture(2));
    let kept = || gateway.json(&["known-good", "status"])["kept"].as_u64().unwrap();
    until("the other one is kept", || kept() > 0);
    let after_one = kept();
    send("c@private.example", "private-2", &picture(3));
    send("b@ours.example", "ours-2", &picture(4));
    until("the other one is kept", || kept() > after_one);
    assert_eq!(kept(), 2 * after_one, "as much of each of the two that may be remembered, and nothing else");
}
