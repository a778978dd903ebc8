//! Sinks of events that are slow, away or killed: each event comes at least once, in order, and none is missing, with a
//! restart in between.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::Timestamp;
use domain::event::{Content, EventKind, Source};
use domain::token::TokenKey;
use operations::deliveries::Deliveries;
use operations::events::EventTeller;
use platform::clock::{Clock, ManualClock};
use platform::config::events::{Destination, EventSinkConfig};
use platform::disk::RoomForMail;
use platform::https::Endpoint;
use platform::items::Items;
use platform::reconciler::Reconciler;
use platform::sink::Sink;
use serde_json::Value;
use store::Store;
use store::audit::Act;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

struct Room {
    folder: TempDir,
    clock: Arc<ManualClock>,
    store: Store,
    sinks: Vec<EventSinkConfig>,
    /// What a file leaves to mail.
    kept: RoomForMail,
    teller: EventTeller,
    deliveries: Deliveries,
    acts: usize,
}

fn sink(name: &str, to: Destination) -> EventSinkConfig {
    EventSinkConfig {
        name: name.into(),
        to,
        kinds: EventKind::ALL.into(),
        content: Content::default(),
        from_oldest: true,
        ca: None,
        authorization_file: None,
        is_confirmed_by_close: true,
    }
}

fn syslog(at: SocketAddr) -> Destination {
    Destination::Syslog { host: at.ip().to_string(), port: at.port(), is_secret: false }
}

async fn open(folder: &Path, clock: &ManualClock) -> Store {
    Store::open_embedded(folder, "n", &TokenKey::new([7; 32]), clock.now()).await.expect("opens")
}

fn teller(store: &Store, clock: &Arc<ManualClock>, sinks: &[EventSinkConfig], kept: &RoomForMail) -> EventTeller {
    let sinks = sinks.iter().map(|one| (one.clone(), Sink::new(one, "mx", kept.clone())));
    EventTeller {
        sinks: Arc::new(sinks.collect()),
        source: Source { host: "mx".into(), version: "1".into() },
        audit: store.audit.clone(),
        events: store.events.clone(),
        clock: clock.clone(),
        items: Items::default(),
    }
}

impl Room {
    async fn with(sinks: impl FnOnce(&Path) -> Vec<EventSinkConfig>) -> Self {
        let folder = TempDir::new().expect("a folder");
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-11-23T08:30:00Z").expect("a moment")));
        let store = open(folder.path(), &clock).await;
        let sinks = sinks(folder.path());
        let kept = RoomForMail::above(folder.path(), 0);
        let teller = teller(&store, &clock, &sinks, &kept);
        Self { folder, clock, store, sinks, kept, teller, deliveries: Deliveries::default(), acts: 0 }
    }

    /// Records some acts, each in a transaction of its own.
    async fn acts(&mut self, count: usize) {
        for _ in 0..count {
            let act = Act {
                at: self.clock.now(),
                actor: "ann".into(),
                action: format!("test.{}", self.acts),
                object: String::new(),
                reason: "SECRET".into(),
                detail: String::new(),
            };
            self.store.audit.record_act(act).await.expect("records");
            self.acts += 1;
        }
    }

    /// The names of all acts, in their order.
    fn all(&self) -> Vec<String> {
        (0..self.acts).map(|n| format!("test.{n}")).collect()
    }

    async fn round(&mut self) {
        let (_stop, stopping) = watch::channel(false);
        self.teller.round(&mut self.deliveries, &stopping).await.expect("a round");
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.clock.advance(Duration::from_secs(60));
    }

    /// Makes rounds until something holds.
    async fn until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < PATIENCE, "{what} does not come; failing: {:?}", self.teller.items.failing());
            self.round().await;
        }
    }

    /// The program dies and comes again.
    async fn restart(&mut self) {
        self.deliveries = Deliveries::default();
        self.store.clone().close().await;
        self.store = open(self.folder.path(), &self.clock).await;
        self.teller = teller(&self.store, &self.clock, &self.sinks, &self.kept);
    }
}

/// The acts of some lines, in the order in which each came first; a line that is no JSON was half of one.
fn first_seen<'l>(lines: impl IntoIterator<Item = &'l str>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for line in lines {
        let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
        let action = event["event"]["action"].as_str().expect("an action").to_owned();
        if !seen.contains(&action) {
            seen.push(action);
        }
    }
    seen
}

fn in_file(path: &Path) -> Vec<String> {
    first_seen(fs::read_to_string(path).unwrap_or_default().lines())
}

#[tokio::test]
async fn a_file_has_each_event_whatever_becomes_of_it_in_between() {
    let path = |folder: &Path| folder.join("events.ndjson");
    let mut room = Room::with(|folder| vec![sink("file", Destination::File(path(folder)))]).await;
    let file = path(room.folder.path());
    room.acts(5).await;
    room.until("the first", |room| in_file(&file) == room.all()).await;
    assert!(!fs::read_to_string(&file).expect("reads").contains("SECRET"));
    let before = file.with_extension("1");
    fs::rename(&file, &before).expect("rotates");
    room.acts(3).await;
    room.until("what came behind a rotation", |room| in_file(&file) == room.all()[5..]).await;
    assert_eq!(in_file(&before), room.all()[..5]);

    // A crash within a line: the page is told again behind it.
    let whole = fs::read_to_string(&file).expect("reads");
    fs::write(&file, format!("{whole}{{\"half")).expect("half a line");
    room.restart().await;
    room.acts(2).await;
    room.until("what came behind a crash", |room| in_file(&file) == room.all()[5..]).await;
    let lines = fs::read_to_string(&file).expect("reads");
    assert_eq!(lines.lines().filter(|line| *line == "{\"half").count(), 1);

    // A folder that is away, and comes again.
    fs::remove_file(&file).expect("removes");
    fs::create_dir(&file).expect("something else is there");
    room.acts(2).await;
    for _ in 0..4 {
        room.round().await;
    }
    assert_eq!(room.teller.items.failing().len(), 1);
    fs::remove_dir(&file).expect("removes");
    room.until("what came meanwhile", |room| in_file(&file) == room.all()[10..]).await;
    // The lines are there a moment before they are on the disk, and only then were they taken.
    room.until("rest", |room| room.teller.items.failing().is_empty()).await;
    room.round().await;
    assert_eq!(fs::read_to_string(&file).expect("reads").lines().count(), 2, "nothing comes again without need");
}

#[tokio::test]
async fn a_file_leaves_the_room_on_the_volume_of_the_store_to_mail() {
    let path = |folder: &Path| folder.join("events.ndjson");
    let mut room = Room::with(|folder| vec![sink("file", Destination::File(path(folder)))]).await;
    let file = path(room.folder.path());
    room.acts(2).await;
    room.until("the first", |room| in_file(&file) == room.all()).await;
    room.kept.bytes = u64::MAX;
    room.restart().await;
    room.acts(3).await;
    room.until("a rest", |room| !room.teller.items.failing().is_empty()).await;
    room.round().await;
    let (name, failing) = room.teller.items.failing().remove(0);
    assert_eq!((name.as_str(), failing.fault.contains("kept for mail")), ("file", true), "{}", failing.fault);
    assert_eq!(in_file(&file), room.all()[..2], "nothing is written");
    room.kept.bytes = 0;
    room.restart().await;
    room.until("what came meanwhile", |room| in_file(&file) == room.all()).await;
}

/// What a receiver does with a connection.
#[derive(Clone, Copy, Debug)]
enum Does {
    /// Reads all of it.
    Takes,
    /// Reads all of it, little by little.
    IsSlow,
    /// Reads a bit, and dies with the rest unread.
    Dies,
}

/// A receiver of syslog: what it does with its next connections, the last of it for ever, and the messages that it has
/// read to their end.
fn receive(listener: TcpListener, plan: Vec<Does>) -> Arc<Mutex<Vec<String>>> {
    let got: Arc<Mutex<Vec<String>>> = Arc::default();
    let known = got.clone();
    tokio::spawn(async move {
        let mut plan = plan.into_iter();
        while let Ok((socket, _)) = listener.accept().await {
            let does = plan.next().unwrap_or(Does::Takes);
            let bytes = taken(socket, does).await;
            known.lock().expect("nobody panics").extend(messages(&bytes));
        }
    });
    got
}

async fn taken(mut socket: TcpStream, does: Does) -> Vec<u8> {
    let mut bytes = Vec::new();
    match does {
        Does::Takes => drop(socket.read_to_end(&mut bytes).await),
        Does::Dies => {
            bytes.resize(600, 0);
            let read = socket.read(&mut bytes).await.unwrap_or(0);
            bytes.truncate(read);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Does::IsSlow => {
            let mut some = [0; 500];
            while let Ok(read @ 1..) = socket.read(&mut some).await {
                bytes.extend_from_slice(&some[..read]);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    bytes
}

/// The messages of a connection that have come whole (RFC 6587 section 3.4.1), without what stands before the JSON.
fn messages(mut bytes: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(space) = bytes.iter().position(|byte| *byte == b' ') {
        let length: usize = String::from_utf8_lossy(&bytes[..space]).parse().expect("a length");
        let Some(message) = bytes.get(space + 1..space + 1 + length) else { break };
        let text = String::from_utf8(message.to_vec()).expect("ASCII");
        let (header, json) = text.split_once(" - {").expect("a header");
        assert!(
            header.starts_with('<') && header.contains(">1 2026-11-23T") && header.contains(" mx reprieve - "),
            "{header}"
        );
        all.push(format!("{{{json}"));
        bytes = &bytes[space + 1 + length..];
    }
    all
}

fn acts_in(got: &Mutex<Vec<String>>) -> Vec<String> {
    first_seen(got.lock().expect("nobody panics").iter().map(String::as_str))
}

#[tokio::test]
async fn a_receiver_of_syslog_that_is_killed_slow_and_away_gets_each_event_in_order() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let at = listener.local_addr().expect("an address");
    let mut room = Room::with(|_| vec![sink("siem", syslog(at))]).await;
    let got = receive(listener, vec![Does::Dies, Does::IsSlow, Does::Dies, Does::Dies, Does::Takes]);
    room.acts(450).await;
    room.until("all", |room| acts_in(&got) == room.all()).await;
    room.until("rest", |room| room.teller.items.failing().is_empty()).await;
    room.restart().await;
    room.acts(5).await;
    room.until("what came behind a restart", |room| acts_in(&got) == room.all()).await;
    let times = got.lock().expect("nobody panics").iter().filter(|line| line.contains("\"test.450\"")).count();
    assert_eq!(times, 1, "what was taken once is not told again");
}

#[tokio::test]
async fn what_happens_while_a_receiver_is_away_comes_when_it_is_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let at = listener.local_addr().expect("an address");
    drop(listener);
    let mut room = Room::with(|_| vec![sink("siem", syslog(at))]).await;
    for _ in 0..6 {
        room.acts(3).await;
        room.round().await;
    }
    room.restart().await;
    room.acts(3).await;
    let failing = |room: &Room| room.teller.items.failing().iter().any(|(name, _)| name == "siem");
    room.until("a failure", failing).await;
    let got = receive(TcpListener::bind(at).await.expect("listens again"), vec![Does::Takes]);
    room.until("all", |room| acts_in(&got) == room.all()).await;
}

/// A host that does what a plan says with each request: answers with this, or not at all (0).
fn answer(listener: TcpListener, plan: Vec<u16>) -> Arc<Mutex<Vec<String>>> {
    let got: Arc<Mutex<Vec<String>>> = Arc::default();
    let known = got.clone();
    tokio::spawn(async move {
        let mut plan = plan.into_iter();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !is_whole(&request) && socket.read_buf(&mut request).await.is_ok_and(|read| read > 0) {}
            let text = String::from_utf8(request).expect("ASCII");
            let (head, body) = text.split_once("\r\n\r\n").expect("a request");
            assert!(head.contains("content-type: application/x-ndjson"), "{head}");
            assert!(head.contains("authorization: Bearer abc"), "{head}");
            known.lock().expect("nobody panics").extend(body.lines().map(str::to_owned));
            match plan.next().unwrap_or(204) {
                0 => {}
                // What stands behind a status is not asked for.
                299 => {
                    let head = "HTTP/1.1 200 X\r\ncontent-length: 1000000\r\n\r\n";
                    drop(socket.write_all(&[head.as_bytes(), &[b'x'; 1_000_000]].concat()).await);
                }
                status => drop(socket.write_all(format!("HTTP/1.1 {status} X\r\n\r\n").as_bytes()).await),
            }
        }
    });
    got
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.and_then(|length| length.parse().ok()) == Some(body.len())
}

#[tokio::test]
async fn a_web_address_that_fails_gets_each_event_in_order() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let url = format!("http://{}/events", listener.local_addr().expect("an address"));
    let mut room = Room::with(|folder| {
        let file = folder.join("authorization");
        fs::write(&file, "Bearer abc\n").expect("writes");
        let to = Destination::Webhook(Endpoint::parse(&url).expect("an address"));
        vec![EventSinkConfig { authorization_file: Some(file), ..sink("hook", to) }]
    })
    .await;
    let got = answer(listener, vec![503, 0, 204, 500, 299, 401, 299]);
    room.acts(450).await;
    room.until("all", |room| acts_in(&got) == room.all()).await;
    room.restart().await;
    room.acts(2).await;
    room.until("what came behind a restart", |room| acts_in(&got) == room.all()).await;
}

/// A host that takes so many bytes in one request, and the lines that it took.
fn limited(listener: TcpListener, most: usize) -> Arc<Mutex<Vec<String>>> {
    let got: Arc<Mutex<Vec<String>>> = Arc::default();
    let known = got.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !is_whole(&request) && socket.read_buf(&mut request).await.is_ok_and(|read| read > 0) {}
            let text = String::from_utf8(request).expect("ASCII");
            let body = text.split_once("\r\n\r\n").expect("a request").1;
            let status = if body.len() > most { 413 } else { 200 };
            if status == 200 {
                known.lock().expect("nobody panics").extend(body.lines().map(str::to_owned));
            }
            drop(socket.write_all(format!("HTTP/1.1 {status} X\r\n\r\n").as_bytes()).await);
        }
    });
    got
}

#[tokio::test]
async fn a_web_address_that_takes_little_at_once_gets_all_but_what_is_too_long_for_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let mut room = Room::with(|_| {
        let to = Destination::Webhook(Endpoint::parse(&url).expect("an address"));
        vec![EventSinkConfig { content: Content { reasons: true, ..Content::default() }, ..sink("hook", to) }]
    })
    .await;
    let got = limited(listener, 800);
    room.acts(20).await;
    let long = Act {
        at: room.clock.now(),
        actor: "ann".into(),
        action: "too.long".into(),
        object: String::new(),
        reason: "r".repeat(500),
        detail: String::new(),
    };
    room.store.audit.record_act(long).await.expect("records");
    room.acts(20).await;
    let acts = |got: &Mutex<Vec<String>>| acts_in(got).into_iter().filter(|act| act.starts_with("test.")).count();
    room.until("all that is short", |room| acts(&got) == room.acts).await;
    let lines: Vec<Value> =
        got.lock().expect("nobody panics").iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let missing: Vec<&Value> =
        lines.iter().filter(|line| line["event"]["action"] == "reprieve.events_missing").collect();
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert!(lines.iter().all(|line| line["event"]["action"] != "too.long"));
    let too_long = missing[0]["reprieve"]["missing"]["too_long"].as_str().unwrap_or_default();
    assert!(too_long.contains("audit/"), "{missing:?}");
    assert!(room.teller.items.failing().is_empty());
}

#[tokio::test]
async fn another_destination_under_the_same_name_is_on_record_before_it_is_told() {
    let path = |folder: &Path, name: &str| folder.join(name);
    let subjects = Content { subjects: true, ..Content::default() };
    let mut room = Room::with(|folder| {
        vec![EventSinkConfig { content: subjects, ..sink("a", Destination::File(path(folder, "one"))) }]
    })
    .await;
    room.acts(1).await;
    room.round().await;
    let other = path(room.folder.path(), "other");
    room.sinks[0].to = Destination::File(other.clone());
    room.restart().await;
    room.acts(1).await;
    room.until("the other", |_| in_file(&other).contains(&"test.1".to_owned())).await;
    room.round().await;
    let acts = room.store.audit.audit_acts(None, 10).await.expect("reads");
    let said: Vec<&str> =
        acts.iter().filter(|act| act.action == "events.content").map(|act| act.reason.as_str()).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("/other is told subjects") && said[1].contains("/one is told subjects"), "{said:?}");
}

#[tokio::test]
async fn a_sink_that_hangs_keeps_no_other_waiting() {
    // It accepts connections, and never reads.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let at = silent.local_addr().expect("an address");
    let path = |folder: &Path| folder.join("events.ndjson");
    let mut room =
        Room::with(|folder| vec![sink("silent", syslog(at)), sink("file", Destination::File(path(folder)))]).await;
    let file = path(room.folder.path());
    let began = Instant::now();
    for _ in 0..5 {
        room.acts(20).await;
        room.until("the file", |room| in_file(&file) == room.all()).await;
    }
    assert!(began.elapsed() < Duration::from_secs(10), "it waits for nobody");
    let known = room.store.events.sinks().await.expect("reads");
    assert_eq!(
        known.iter().map(|sink| (sink.name.as_str(), sink.position)).collect::<Vec<_>>(),
        [("file", 100), ("silent", 0)]
    );
}

#[tokio::test]
async fn authorities_that_are_missing_are_a_fault_of_their_sink_alone_and_until_they_come() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let Destination::Syslog { host, port, .. } = syslog(silent.local_addr().expect("an address")) else { return };
    let secret = Destination::Syslog { host, port, is_secret: true };
    let path = |folder: &Path| folder.join("events.ndjson");
    let mut room = Room::with(|folder| {
        let ca = Some(folder.join("ca.pem"));
        vec![EventSinkConfig { ca, ..sink("siem", secret.clone()) }, sink("file", Destination::File(path(folder)))]
    })
    .await;
    let file = path(room.folder.path());
    room.acts(3).await;
    room.until("the other sink", |room| in_file(&file) == room.all()).await;
    let fault = |room: &Room| room.teller.items.failing().first().map(|(_, one)| one.fault.clone()).unwrap_or_default();
    room.until("a fault", |room| fault(room).contains("ca.pem")).await;
    let made = rcgen::generate_simple_self_signed(["siem.example".to_owned()]).expect("a certificate");
    fs::write(room.folder.path().join("ca.pem"), made.cert.pem()).expect("writes");
    // It gets further now, without a restart: to a receiver that says nothing.
    let asked = tokio::time::timeout(PATIENCE, async {
        loop {
            room.round().await;
            if let Ok(Ok(_)) = tokio::time::timeout(Duration::from_millis(20), silent.accept()).await {
                return;
            }
        }
    });
    asked.await.expect("it is tried again");
}

#[tokio::test]
async fn what_is_told_beyond_a_log_is_on_record_when_it_changes() {
    let path = |folder: &Path| folder.join("events.ndjson");
    let mut room = Room::with(|folder| vec![sink("file", Destination::File(path(folder)))]).await;
    let file = path(room.folder.path());
    room.acts(1).await;
    room.until("the first", |room| in_file(&file) == room.all()).await;
    for (content, said) in [
        (Content { reasons: true, subjects: true, ..Content::default() }, "is told subjects, reasons"),
        (Content::default(), "is told no more than a log may say"),
    ] {
        room.sinks[0].content = content;
        room.restart().await;
        room.round().await;
        room.round().await;
        let acts = room.store.audit.audit_acts(None, 10).await.expect("reads");
        let changes: Vec<_> = acts.iter().filter(|act| act.action == "events.content").collect();
        assert!(changes[0].object == "file" && changes[0].reason.ends_with(said), "{:?}", changes[0]);
        assert_eq!(changes.len(), if content.reasons { 1 } else { 2 }, "once, whatever the rounds");
        if content.reasons {
            room.acts(1).await;
            let is_told = |_: &Room| fs::read_to_string(&file).is_ok_and(|text| text.contains("SECRET"));
            room.until("the reason", is_told).await;
        }
    }
}

#[tokio::test]
async fn a_sink_that_is_behind_what_is_kept_is_told_what_is_missing() {
    let path = |folder: &Path| folder.join("none/events.ndjson");
    let mut room = Room::with(|folder| vec![sink("file", Destination::File(path(folder)))]).await;
    let file = path(room.folder.path());
    room.acts(7).await;
    room.round().await;
    room.clock.advance(Duration::from_secs(3600));
    while room.store.audit.prune_audit(room.clock.now()).await.expect("prunes") > 0 {}
    room.acts(1).await;
    fs::create_dir(room.folder.path().join("none")).expect("a folder");
    room.until("what is left", |_| in_file(&file) == ["reprieve.events_missing", "test.7"]).await;
    let text = fs::read_to_string(&file).expect("reads");
    let missing: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert_eq!(
        (&missing["reprieve"]["missing"]["from"], &missing["reprieve"]["missing"]["to"]),
        (&0.into(), &6.into())
    );
}

#[tokio::test]
async fn a_new_sink_begins_now_unless_it_is_told_otherwise() {
    let path = |folder: &Path| folder.join("events.ndjson");
    let mut room = Room::with(|folder| {
        vec![EventSinkConfig { from_oldest: false, ..sink("file", Destination::File(path(folder))) }]
    })
    .await;
    let file = path(room.folder.path());
    room.acts(3).await;
    room.round().await;
    room.acts(1).await;
    room.until("what is new", |_| in_file(&file) == ["test.3"]).await;
}
