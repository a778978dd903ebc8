//! Order and belief: nothing that acts on mail goes unheard, what is believed is what the journal says, and one bad
//! item holds up no other.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use domain::containment::{Containment, Level};
use domain::detection::{Category, DetectionCode, DetectionVersion, Effect, Mode, RulesetId};
use domain::envelope::{Client, Envelope, MailParams, RcptParams, Recipient};
use domain::finding::{Examination, Facts, Finding, SenderFact};
use domain::ledger::Account;
use domain::message::{Family, Message, Part, Tail};
use domain::policy::Policy;
use domain::sentinel::{Event, State, Suspect};
use domain::token::TokenKey;
use domain::verdict::decide;
use domain::{Address, Digest, Direction, MailId, Timestamp};
use examiner::external_engines::ExternalEngines;
use known_good::recorder::{CleanMail, KnownGoodRecorder};
use operations::retention::{Quotas, RetentionWorker};
use operations::scrub::Scrubber;
use platform::audit_signer::AuditSigner;
use platform::belief::Belief;
use platform::clock::{Clock, ManualClock, SystemClock};
use platform::config::Config;
use platform::items::Items;
use platform::keys::{self, KeyRing};
use platform::priority::Priority;
use platform::reconciler::Reconciler;
use platform::removal::Removal;
use platform::signals::Signals;
use recovery::bulk::BulkWorker;
use recovery::status::Publisher;
use rules::conviction::{ConvictionMemory, ConvictionWorker};
use rules::rate::{Counted, RateWatcher};
use rules::tasks::StoreParts;
use serde_json::Value;
use store::evidence::sentinel::NewLine;
use store::explorer::bulk::{Bulk, BulkPlace, BulkStage, BulkVerb};
use store::known_good::vault::{MasterKey, Vault};
use store::mail::arrival::{Arrival, UnitArrival};
use store::rules::version::KeptRuleset;
use store::{Scope, Store};
use support::{Gateway, Sink, Talk, bad, clean, config};

const PATIENCE: Duration = Duration::from_secs(60);
const DATA: &str = "27000";

/// A store with a sentinel that has nothing to try detections on.
/// The program goes on.
fn going() -> tokio::sync::watch::Receiver<bool> {
    tokio::sync::watch::channel(false).1
}

struct Site {
    folder: PathBuf,
    clock: Arc<ManualClock>,
    store: Store,
    watcher: ConvictionWorker,
    config: Config,
}

impl Site {
    async fn start(folder: &Path, config: &str, key: &TokenKey, now: Timestamp) -> Self {
        let clock = Arc::new(ManualClock::new(now));
        let store = Store::open_embedded(folder, "n", key, now).await.unwrap();
        let bare = detect::ruleset::load::all_of(Vec::new()).unwrap();
        let kept = KeptRuleset { id: bare.id, detections: Vec::new(), pages: BTreeMap::new(), gates: Vec::new() };
        store.rules.remember_ruleset(kept, true, now.before(Duration::from_secs(900_000))).await.unwrap();
        // Its data is new: less evidence convicts what it brings.
        store.rules.remember_engine("clamd", "1", "26999", now.before(Duration::from_secs(900_000))).await.unwrap();
        store.rules.remember_engine("clamd", "1", DATA, now.before(Duration::from_secs(60))).await.unwrap();
        let config = Config::parse(config, folder).unwrap();
        let watcher = ConvictionWorker {
            external_engines: ExternalEngines::without_dns(&config.engines),
            sentinel: config.sentinel.clone(),
            border: config.border.clone(),
            store: StoreParts::from(&store),
            vault: None,
            clock: clock.clone(),
            key: key.clone(),
            signals: Signals::default(),
            items: Items::default(),
        };
        Self { folder: folder.to_owned(), clock, store, watcher, config }
    }

    async fn alone(folder: &Path) -> Self {
        let hop = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
        Self::start(folder, &config(hop), &TokenKey::new([5; 32]), SystemClock.now()).await
    }

    /// A mail of somebody whom we know, which clamd holds: as it came at `at`.
    async fn arrive(&self, at: Timestamp, n: u8) -> MailId {
        let mail_id = MailId::new(at, [n; 10]);
        let examination = Arc::new(examination(n));
        let recipient = Address::parse("b@ours.example").unwrap();
        let ip = "192.0.2.1".parse().unwrap();
        let envelope = Envelope {
            client: Client { ip, peer: ip, helo: "x".into(), protocol: "ESMTP".into(), login: None },
            sender: Address::parse("a@x.example").ok(),
            params: MailParams::default(),
            recipients: vec![Recipient {
                domain: recipient.domain(),
                address: recipient,
                params: RcptParams::default(),
                direction: Direction::Inbound,
            }],
        };
        let verdict =
            decide(&examination, &envelope, &envelope.recipients[0], &Policy::standard(), &Containment::default());
        let unit = UnitArrival { verdict, enforced: true, account: Account::Held, reply: String::new() };
        let arrival = Arrival {
            mail_id,
            received: at,
            envelope,
            examination,
            units: vec![unit],
            normalised: false,
            removed_fields: Vec::new(),
            blob: None,
            timings: BTreeMap::new(),
        };
        self.store.mail.record_arrival(arrival).await.unwrap();
        mail_id
    }

    async fn sql(&self, sql: &str) {
        run(&self.folder.join("reprieve.db"), sql).await;
    }

    /// The one number that a query answers.
    async fn number(&self, sql: &str) -> i64 {
        let mut database =
            store::database::connect(&store::database::sqlite_url(&self.folder.join("reprieve.db"))).await.unwrap();
        let row = store::database::query(sql.to_owned(), Vec::new()).fetch_one(&mut database).await.unwrap();
        sqlx::Row::try_get(&row, 0).unwrap()
    }

    async fn account(&self, mail: MailId) -> Account {
        self.store.quarantine.accounts_of(mail).await.unwrap()[0].1
    }

    /// Hits on mail that the journal has of the suspect.
    async fn heard(&self) -> u64 {
        let belief = Belief::of_all(&self.store.evidence).await.unwrap();
        belief.suspicions.get(&suspect()).map_or(0, |one| one.counts().0)
    }
}

async fn run(database: &Path, sql: &str) {
    let mut database = store::database::connect(&store::database::sqlite_url(database)).await.unwrap();
    store::database::query(sql.to_owned(), Vec::new()).execute(&mut database).await.unwrap();
}

fn suspect() -> Suspect {
    Suspect { code: DetectionCode::parse("clamd:Win.Test").unwrap(), version: DetectionVersion::external(DATA) }
}

fn examination(n: u8) -> Examination {
    let Suspect { code, version } = suspect();
    Examination {
        ruleset: RulesetId::from_text("0123456789abcdef"),
        message: Message {
            sha256: Digest::of(&[n]),
            body_sha256: Digest::of(&[n]),
            size: 1,
            message_id: Some(format!("<{n}@x.example>")),
            subject: "s".into(),
            from: "a@x.example".into(),
            from_domain: "x.example".into(),
            auto_submitted: None,
            correspondence: Default::default(),
            authentication_results: Vec::new(),
            received_count: 1,
            text_sha256: None,
            url_domains: Vec::new(),
            fingerprints: domain::fingerprint::Fingerprints::default(),
            urls: Vec::new(),
            parts: vec![Part {
                number: 0,
                parent: None,
                sha256: Digest::of(&[n, n]),
                size: 4,
                family: Family::Image,
                content_type: "image/png".into(),
                declared: "image/png".into(),
                name: "logo.png".into(),
                tail: Tail::None,
            }],
            ambiguities: Vec::new(),
        },
        findings: vec![Finding {
            detection: code,
            detection_version: version,
            engine: "clamd".into(),
            category: Category::Malware,
            effect: Effect::Hold,
            mode: Mode::Enforce,
            part: Some(0),
            family: Family::Image,
            offset: None,
            evidence: "signature".into(),
            previous: None,
        }],
        engines: Vec::new(),
        facts: Facts { sender: Some(SenderFact { established: true, internal: false }), ..Facts::default() },
    }
}

#[tokio::test]
async fn what_could_not_be_written_down_is_heard_later() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::alone(folder.path()).await;
    let mut mind = ConvictionMemory::default();
    site.arrive(site.clock.now(), 1).await;
    site.arrive(site.clock.now(), 2).await;
    site.sql("create trigger fails before insert on sentinel_event begin select raise(abort, 'it fails'); end").await;
    // Whether the round fails or goes on without it: the evidence is not lost.
    let _ = site.watcher.round(&mut mind, &going()).await;
    assert_eq!(site.heard().await, 0);
    site.sql("drop trigger fails").await;
    site.clock.advance(Duration::from_secs(60));
    site.watcher.round(&mut mind, &going()).await.unwrap();
    assert_eq!(site.heard().await, 2);
    site.watcher.round(&mut ConvictionMemory::default(), &going()).await.unwrap();
    assert_eq!(site.heard().await, 2, "after a restart nothing is heard twice");
    assert_eq!(site.store.evidence.all_unheard(1).await.unwrap().0, 0);
}

#[tokio::test]
async fn mail_that_was_examined_for_long_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::alone(folder.path()).await;
    let mut mind = ConvictionMemory::default();
    let began = site.clock.now();
    site.arrive(began.after(Duration::from_secs(50)), 1).await;
    site.watcher.round(&mut mind, &going()).await.unwrap();
    site.clock.advance(Duration::from_secs(90));
    site.watcher.round(&mut mind, &going()).await.unwrap();
    assert_eq!(site.heard().await, 1);
    // Its id and its time are those of its receipt, ninety seconds ago; it is recorded now.
    site.arrive(began, 2).await;
    site.watcher.round(&mut mind, &going()).await.unwrap();
    assert_eq!(site.heard().await, 2);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_no_other_from_being_heard() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::alone(folder.path()).await;
    let mut mind = ConvictionMemory::default();
    let damaged = site.arrive(site.clock.now(), 1).await;
    site.sql(&format!("update message set facts_json = '{{' where mail_id = '{damaged}'")).await;
    site.arrive(site.clock.now(), 2).await;
    site.watcher.round(&mut mind, &going()).await.unwrap();
    assert_eq!(site.heard().await, 1, "the one behind it");
    let (count, aside) = site.store.evidence.all_unheard(5).await.unwrap();
    assert_eq!((count, aside[0].mail), (1, damaged));
    let facts = serde_json::to_string(&examination(1).facts).unwrap();
    site.sql(&format!("update message set facts_json = '{facts}' where mail_id = '{damaged}'")).await;
    site.clock.advance(Duration::from_secs(700));
    site.watcher.round(&mut mind, &going()).await.unwrap();
    assert_eq!(site.heard().await, 2, "it is heard when it can be read");
    // A line of the journal that cannot be read is left out, by everybody alike, and stops nothing.
    let first =
        "select min(seq) from sentinel_event where detection = 'clamd:Win.Test' and event_json like '%\"hit\"%'";
    site.sql(&format!("update sentinel_event set event_json = '{{' where seq = ({first})")).await;
    site.arrive(site.clock.now(), 3).await;
    let mut mind = ConvictionMemory::default();
    site.watcher.round(&mut mind, &going()).await.unwrap();
    assert_eq!(site.heard().await, 2, "of three one is left out");
    assert!(site.watcher.items.failing().iter().any(|(item, _)| item == "the journal"));
}

/// The API shows what the sentinel believes, for what is judged by less evidence too, and after a restart, when it is
/// fresh no more.
#[tokio::test(flavor = "multi_thread")]
async fn the_api_and_the_sentinel_believe_the_same_after_a_restart() {
    let sink = Sink::start();
    let text = format!("{}[sentinel]\ntrust_weak_memory = true\n", config(sink.address));
    let mut gateway = Gateway::prepare(&text);
    let data = gateway.path("data");
    std::fs::create_dir_all(&data).unwrap();
    let key = keys::token_key(&data.join(keys::KEY_FILE), &SystemClock).unwrap();
    let site = Site::start(&data, &text, &key, SystemClock.now().before(Duration::from_secs(3 * 86_400))).await;
    let mut mind = ConvictionMemory::default();
    site.arrive(site.clock.now(), 1).await;
    site.watcher.round(&mut mind, &going()).await.unwrap();
    // A trial finds two thousand times as much for it being wrong: that convicts what has just come, and nothing else.
    let found = Event::Probed { at: site.clock.now(), hits: 4, seen: 100, value: 2e3 };
    site.store.evidence.append_evidence(vec![NewLine::new("trial".into(), suspect(), found)]).await.unwrap();
    site.watcher.round(&mut mind, &going()).await.unwrap();
    let level = |contained: Containment| contained.level(&suspect().code, &suspect().version);
    assert_eq!(level(site.store.containments.containment(site.clock.now()).await.unwrap()), Some(Level::Contained));
    assert_eq!(site.store.incidents.all().await.unwrap().len(), 1);
    // Two days later, by a sentinel that has only the journal.
    site.clock.advance(Duration::from_secs(2 * 86_400));
    let mut after = ConvictionMemory::default();
    site.watcher.round(&mut after, &going()).await.unwrap();
    let believed = Belief::of_all(&site.store.evidence).await.unwrap();
    assert_eq!(believed.suspicions[&suspect()].state(), State::Contained);
    site.store.clone().close().await;
    drop(site);
    gateway.run();
    let status = gateway.json(&["sentinel", "status"]);
    let shown = status["suspects"].as_array().unwrap().iter().find(|one| one["detection"] == "clamd:Win.Test").unwrap();
    assert_eq!((&shown["state"], &shown["threshold"]), (&"contained".into(), &1000.0.into()), "{status}");
    let told = gateway.json(&["sentinel", "explain", "clamd:Win.Test"]);
    assert_eq!(told["versions"][0]["state"], "contained", "{told}");
}

/// A failure between two acts: the incident is not forgotten because the containment is there.
#[tokio::test]
async fn what_is_contained_has_an_incident_whatever_fails_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let hop = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    let text = format!("{}[sentinel]\ntrust_weak_memory = true\n", config(hop));
    let site = Site::start(folder.path(), &text, &TokenKey::new([5; 32]), SystemClock.now()).await;
    let mut mind = ConvictionMemory::default();
    site.arrive(site.clock.now(), 1).await;
    let found = Event::Probed { at: site.clock.now(), hits: 4, seen: 100, value: 1e6 };
    site.store.evidence.append_evidence(vec![NewLine::new("trial".into(), suspect(), found)]).await.unwrap();
    site.sql("create trigger fails before insert on incident begin select raise(abort, 'it fails'); end").await;
    site.watcher.round(&mut mind, &going()).await.unwrap();
    assert_eq!(site.store.incidents.all().await.unwrap().len(), 0);
    site.sql("drop trigger fails").await;
    site.clock.advance(Duration::from_secs(60));
    site.watcher.round(&mut mind, &going()).await.unwrap();
    assert_eq!(site.store.incidents.all().await.unwrap().len(), 1);
    let contained = site.store.containments.containment(site.clock.now()).await.unwrap();
    assert_eq!(contained.level(&suspect().code, &suspect().version), Some(Level::Contained));
}

#[tokio::test]
async fn a_job_that_cannot_be_read_keeps_no_other_from_being_done() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::alone(folder.path()).await;
    site.arrive(site.clock.now(), 1).await;
    let now = site.clock.now().after(Duration::from_secs(1));
    let job = |query: &str| Bulk {
        number: 0,
        verb: BulkVerb::Deny,
        query: query.into(),
        scope: Scope::All,
        actor: "anna".into(),
        reason: "r".into(),
        made: now,
        stage: BulkStage::Running,
        moved: now,
        place: BulkPlace::Begin,
        fence: 0,
    };
    let good = site.store.explorer.begin_job(job("state:held")).await.unwrap();
    // The newest comes first.
    let bad = site.store.explorer.begin_job(job("state:nothing-of-this-kind")).await.unwrap();
    let worker = BulkWorker {
        explorer: site.store.explorer.clone(),
        mail: site.store.mail.clone(),
        quarantine: site.store.quarantine.clone(),
        releases: site.store.releases.clone(),
        clock: site.clock.clone(),
        signals: Signals::default(),
        priority: Priority::default(),
        items: Items::default(),
    };
    for _ in 0..6 {
        worker.round(&mut (), &going()).await.unwrap();
        site.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(site.store.explorer.job(good).await.unwrap().stage, BulkStage::Done);
    assert_eq!(site.store.explorer.job(bad).await.unwrap().stage, BulkStage::Running);
    let failing = worker.items.failing();
    assert_eq!((failing.len(), failing[0].0.as_str()), (1, format!("job {bad}").as_str()), "{failing:?}");
}

/// A clamd that does not answer: for any mail while it is away, and for one with its marker for ever. It counts what it
/// is asked.
fn clamd(is_away: Arc<AtomicBool>, asked: Arc<AtomicUsize>, marker: &'static str) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, is_away) = (stream.unwrap(), is_away.clone());
            asked.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || {
                let (mut heard, mut buffer) = (Vec::new(), [0; 8192]);
                let mut answered = false;
                stream.write_all(b"1: ClamAV 1.4.1/27000/Thu Nov 26 10:00:00 2026\0").unwrap();
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    heard.extend_from_slice(&buffer[..count]);
                    let text = String::from_utf8_lossy(&heard).into_owned();
                    if is_away.load(Ordering::SeqCst) || text.contains(marker) {
                        return;
                    }
                    if !answered && heard.ends_with(&[0; 4]) {
                        answered = true;
                        let _ = stream.write_all(b"2: stream: OK\0");
                    }
                }
            });
        }
    });
    address
}

#[test]
fn mail_that_is_partial_for_ever_keeps_no_later_one_waiting() {
    let is_away = Arc::new(AtomicBool::new(true));
    let asked = Arc::new(AtomicUsize::new(0));
    let clamd = clamd(is_away.clone(), asked.clone(), "engines-choke-on-this");
    let sink = Sink::start();
    let gateway = Gateway::start(&format!(
        "{}[engine.clamd]\naddress = \"{clamd}\"\ntimeout_s = 2\non_failure = \"hold\"\n",
        config(sink.address)
    ));
    let mut talk = Talk::from_outside(gateway.mx);
    let crafted = |n: u8| [clean(&format!("crafted-{n}")), b"engines-choke-on-this\r\n".to_vec()].concat();
    let crafted = (0..6).map(crafted);
    for mail in crafted.chain([clean("good-1"), clean("good-2")]) {
        let reply = talk.send("a@x.example", &["b@ours.example"], &mail);
        assert!(reply.contains("taken as"), "{reply}");
    }
    // While it is away it is asked once a round, about no mail of anybody.
    std::thread::sleep(Duration::from_secs(2));
    asked.store(0, Ordering::SeqCst);
    std::thread::sleep(Duration::from_secs(21));
    let probes = asked.load(Ordering::SeqCst);
    assert!((1..=3).contains(&probes), "{probes} in two or three rounds, for eight mails");
    is_away.store(false, Ordering::SeqCst);
    let mut subjects: Vec<String> = sink.wait(2).iter().filter_map(|mail| mail.header("Subject")).collect();
    subjects.sort();
    assert_eq!(subjects, ["good-1", "good-2"]);
    assert_eq!(gateway.account("held"), 6);
}

#[test]
fn a_record_that_cannot_be_read_does_not_stop_a_replay() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    for number in ["1", "2", "3"] {
        let reply = talk.send("a@x.example", &["b@ours.example"], &bad(number));
        assert!(reply.contains("taken as"), "{reply}");
    }
    let held = gateway.held();
    let damaged = held.last().unwrap()["id"].as_str().unwrap().to_owned();
    let detection = held[0]["detection"].as_str().unwrap().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = store::database::sqlite_url(&gateway.path("data/reprieve.db"));
        let mut database = store::database::connect(&url).await.unwrap();
        let sql = format!("update message set facts_json = '{{' where mail_id = '{damaged}'");
        store::database::query(sql, Vec::new()).execute(&mut database).await.unwrap();
    });
    let opened = gateway.json(&["incident", "open", &detection, "--reason", "somebody complained"]);
    let id = opened["id"].as_str().unwrap().to_owned();
    let incident = || gateway.json(&["incident", "show", &id]);
    let until = |what: &str, is_so: &dyn Fn(&Value) -> bool| {
        let began = Instant::now();
        while !is_so(&incident()) {
            assert!(began.elapsed() < PATIENCE, "never: {what}: {:#}\n{}", incident(), gateway.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    until("its units are counted in", &|now| now["progress"]["units"] == 3);
    gateway.json(&["replay", "start", &id, "--reason", "see what it says now"]);
    until("the replay ends", &|now| now["stage"] != "replaying" && now["progress"]["upheld"] == 2);
    assert_eq!(incident()["progress"]["inconclusive"], 1, "{}", incident());
}

/// A listener that takes no post in which a word stands, and tells which others came.
fn pager(word: &'static str) -> (std::net::SocketAddr, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (came, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut heard, mut buffer) = (stream.unwrap(), Vec::new(), [0; 8192]);
            stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                heard.extend_from_slice(&buffer[..count]);
                if heard.ends_with(b"}") {
                    break;
                }
            }
            let text = String::from_utf8_lossy(&heard).into_owned();
            let status = if text.contains(word) { "500 No" } else { "200 Ok" };
            let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            if !text.contains(word) && came.send(text).is_err() {
                return;
            }
        }
    });
    (address, receiver)
}

#[test]
fn what_a_channel_does_not_take_or_nobody_can_read_keeps_no_other_from_being_told() {
    let sink = Sink::start();
    let (address, came) = pager("choke");
    let gateway = Gateway::start(&format!(
        "{}incident_webhooks = [\"http://{address}/status\"]\nalert_webhooks = [\"http://{address}/pager\"]\n",
        config(sink.address)
    ));
    let opened = gateway.json(&["incident", "open", "EIC-0001", "--reason", "a drill"]);
    let (id, now) = (opened["id"].as_str().unwrap(), SystemClock.now().as_micros());
    let lines = ["choke", "choke", "choke", "a line for all"];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for (n, text) in lines.iter().enumerate() {
            let line = format!(
                "insert into incident_event (incident, event_no, at_us, actor, what, text, is_public) \
                 values ('{id}', {}, {now}, 'anna', 'note', '{text}', 1)",
                50 + n
            );
            run(&gateway.path("data/reprieve.db"), &line).await;
            let call = format!(
                "insert into alert (alert, alert_key, at_us, kind, subject, text, seen_by) values ({}, 'k{n}', {now}, \
                    '{}', 's', '{text} of operators', '')",
                900 + n,
                if n == 0 { "nothing of this kind" } else { "damage" }
            );
            run(&gateway.path("data/reprieve.db"), &call).await;
        }
    });
    let (began, mut wanted) = (Instant::now(), vec!["a line for all of operators", "a line for all\""]);
    while !wanted.is_empty() {
        assert!(began.elapsed() < PATIENCE, "never: {wanted:?}: {}", gateway.log());
        if let Ok(text) = came.recv_timeout(Duration::from_secs(1)) {
            wanted.retain(|one| !text.contains(one));
        }
    }
}

#[tokio::test]
async fn a_unit_that_cannot_expire_keeps_no_other_from_it_and_one_kind_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::alone(folder.path()).await;
    let came = site.clock.now().before(Duration::from_secs(100 * 86_400));
    let (stuck, other) = (site.arrive(came, 1).await, site.arrive(came, 2).await);
    site.sql(&format!(
        "create trigger fails before update on unit when old.mail_id = '{stuck}' begin select raise(abort, 'it \
            fails'); end"
    ))
    .await;
    site.sql("create trigger fails_too before delete on hit_hour begin select raise(abort, 'it fails'); end").await;
    site.sql("insert into hit_hour values (0, 'clamd:Win.Test', 'x', 1, 1)").await;
    let keeper = RetentionWorker {
        retention: site.config.retention.clone(),
        known_good_kept: site.config.known_good.clone(),
        audit: site.store.audit.clone(),
        evidence: site.store.evidence.clone(),
        explorer: site.store.explorer.clone(),
        incidents: site.store.incidents.clone(),
        known_good: site.store.known_good.clone(),
        recipients: site.store.recipients.clone(),
        submissions: site.store.submissions.clone(),
        upkeep: site.store.upkeep.clone(),
        vault: None,
        ring: KeyRing::find(&site.folder.join("ring")),
        removal: Removal::new(site.clock.clone(), Duration::from_secs(200 * 86_400)),
        signals: Signals::default(),
        quotas: Quotas::default(),
        items: Items::default(),
    };
    keeper.round(&mut (), &going()).await.unwrap();
    assert_eq!((site.account(stuck).await, site.account(other).await), (Account::Held, Account::Expired));
    assert!(
        keeper.items.failing().iter().any(|(item, _)| item == "what is remembered"),
        "{:?}",
        keeper.items.failing()
    );
}

#[tokio::test]
async fn an_incident_that_cannot_be_read_keeps_the_status_page_and_its_checkpoint_from_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let hop = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    let text = format!("{}[sentinel]\ntrust_weak_memory = true\n", config(hop));
    let key = TokenKey::new([5; 32]);
    let site = Site::start(folder.path(), &text, &key, SystemClock.now()).await;
    site.arrive(site.clock.now(), 1).await;
    let found = Event::Probed { at: site.clock.now(), hits: 4, seen: 100, value: 1e6 };
    site.store.evidence.append_evidence(vec![NewLine::new("trial".into(), suspect(), found)]).await.unwrap();
    site.watcher.round(&mut ConvictionMemory::default(), &going()).await.unwrap();
    site.sql("update incident_event set text = x'ff'").await;
    let publisher = Publisher {
        audit: site.store.audit.clone(),
        incidents: site.store.incidents.clone(),
        folder: folder.path().join("status"),
        hostname: "mx.ours.example".into(),
        audit_signer: AuditSigner::new(&key, "mx.ours.example"),
        clock: site.clock.clone(),
        signals: Signals::default(),
        items: Items::default(),
    };
    let mut published = None;
    publisher.round(&mut published, &going()).await.unwrap();
    let [page, issues, _] = published.unwrap();
    let id = site.store.incidents.all().await.unwrap()[0].id.clone();
    assert!(page.contains(&id) && page.contains("cannot be read") && !page.contains("No incident is open"), "{page}");
    assert!(issues.contains(&id));
    assert!(folder.path().join("status/checkpoint").exists());
    assert_eq!(publisher.items.failing().len(), 1);
}

#[tokio::test]
async fn a_unit_that_cannot_be_moved_keeps_no_other_of_its_job_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::alone(folder.path()).await;
    let (stuck, other) = (site.arrive(site.clock.now(), 1).await, site.arrive(site.clock.now(), 2).await);
    site.sql(&format!(
        "create trigger fails before update on unit when old.mail_id = '{stuck}' begin select raise(abort, 'it \
            fails'); end"
    ))
    .await;
    let now = site.clock.now().after(Duration::from_secs(1));
    let job = Bulk {
        number: 0,
        verb: BulkVerb::Deny,
        query: "state:held".into(),
        scope: Scope::All,
        actor: "anna".into(),
        reason: "r".into(),
        made: now,
        stage: BulkStage::Running,
        moved: now,
        place: BulkPlace::Begin,
        fence: 0,
    };
    let job = site.store.explorer.begin_job(job).await.unwrap();
    let (store, clock, signals) = (site.store.clone(), site.clock.clone(), Signals::default());
    let Store { explorer, mail, quarantine, releases, .. } = store;
    let worker = BulkWorker {
        explorer,
        mail,
        quarantine,
        releases,
        clock,
        signals,
        priority: Priority::default(),
        items: Items::default(),
    };
    for _ in 0..6 {
        worker.round(&mut (), &going()).await.unwrap();
        site.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(site.store.explorer.job(job).await.unwrap().stage, BulkStage::Done);
    assert_eq!((site.account(stuck).await, site.account(other).await), (Account::Held, Account::Denied));
}

#[tokio::test]
async fn an_hour_or_a_mail_that_cannot_be_read_keeps_no_other_from_being_summed_up_and_found() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::alone(folder.path()).await;
    let hour = Duration::from_secs(3600);
    let damaged = site.arrive(site.clock.now().before(hour * 8), 1).await;
    site.arrive(site.clock.now().before(hour * 4), 2).await;
    site.sql(&format!("update unit set domain = x'ff' where mail_id = '{damaged}'")).await;
    assert!(site.store.explorer.sum_finished_hours(site.clock.now()).await.is_err(), "it is said");
    let _ = site.store.explorer.sum_finished_hours(site.clock.now()).await;
    let waiting = "select count(*) from flow_mark where rolled <> stamp";
    assert_eq!((site.number("select count(*) from flow_mark").await, site.number(waiting).await), (2, 1));
    // The same for the texts by which mail is found, and the reading of subjects.
    site.sql("update message set subject = 'M\u{c4}RZ'").await;
    site.sql(&format!("update message set subject = x'ff' where mail_id = '{damaged}'")).await;
    site.sql("delete from folded").await;
    site.sql("delete from folded_reach").await;
    while site.store.explorer.fold_older_texts().await.unwrap() {}
    assert_eq!(site.number("select count(*) from folded where field = 'subject'").await, 1);
}

#[tokio::test]
async fn a_blob_that_nobody_can_be_called_for_keeps_no_other_from_being_checked() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::alone(folder.path()).await;
    let (first, second) = (site.arrive(site.clock.now(), 1).await, site.arrive(site.clock.now(), 2).await);
    let third = site.arrive(site.clock.now(), 3).await;
    let (low, high) = ("0".repeat(64), "f".repeat(64));
    site.sql(&format!("update message set blob = '{low}' where mail_id = '{first}'")).await;
    site.sql(&format!("update message set blob = '{high}' where mail_id = '{second}'")).await;
    site.sql(&format!("update message set blob = 'no digest' where mail_id = '{third}'")).await;
    site.sql(&format!(
        "create trigger fails before insert on damaged_blob when new.blob = '{low}' begin select raise(abort, 'it \
            fails'); end"
    ))
    .await;
    let scrubber = Scrubber {
        retention: site.config.retention.clone(),
        blobs: site.store.blobs().clone(),
        notices: site.store.notices.clone(),
        upkeep: site.store.upkeep.clone(),
        clock: site.clock.clone(),
        signals: Signals::default(),
        priority: Priority::default(),
        items: Items::default(),
    };
    while scrubber.round(&mut (), &going()).await.unwrap() {}
    let (count, damaged) = site.store.upkeep.damaged_blobs(5).await.unwrap();
    assert_eq!((count, damaged[0].mail), (1, second));
    assert_eq!(scrubber.items.failing().len(), 1);
}

#[tokio::test]
async fn a_detection_that_nobody_can_be_called_for_keeps_no_other_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::alone(folder.path()).await;
    site.arrive(site.clock.now(), 1).await;
    let hour = site.clock.now().as_micros().div_euclid(3_600_000_000) * 3_600_000_000;
    for (code, version) in [("clamd:A", "x"), ("clamd:B", "x"), ("no code at all", "x")] {
        site.sql(&format!("insert into hit_hour values ({hour}, '{code}', '{version}', 5000, 5000)")).await;
    }
    site.sql(
        "create trigger fails before insert on alert when new.subject = 'clamd:A' begin select raise(abort, 'it \
        fails'); end",
    )
    .await;
    // And the hour that has just begun cannot be counted.
    site.sql("create trigger fails_too before insert on hit_hour begin select raise(abort, 'it fails'); end").await;
    let (store, clock, signals) = (site.store.clone(), site.clock.clone(), Signals::default());
    let watcher =
        RateWatcher { evidence: store.evidence, notices: store.notices, clock, signals, items: Items::default() };
    watcher.round(&mut Counted::default(), &going()).await.unwrap();
    let alerts = site.store.notices.alerts(true, 10).await.unwrap();
    assert!(alerts.iter().any(|alert| alert.subject == "clamd:B"), "{alerts:?} {:?}", watcher.items.failing());
    assert!(watcher.items.failing().len() >= 2, "{:?}", watcher.items.failing());
}

#[tokio::test]
async fn a_sender_who_cannot_be_remembered_keeps_no_other_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::alone(folder.path()).await;
    let vault = Vault::open(&folder.path().join("good"), vec![MasterKey::new([7; 32])]).unwrap();
    let known_good = site.config.known_good.clone();
    let learner = KnownGoodRecorder::start(
        site.store.known_good.clone(),
        vault,
        known_good,
        TokenKey::new([5; 32]),
        Arc::default(),
    );
    site.sql(
        "create trigger fails before insert on identity when new.mails = 2 begin select raise(abort, 'it fails'); end",
    )
    .await;
    // Two mails of one, whom the database refuses, and one of another.
    for (n, login) in [(1, "anna"), (2, "anna"), (3, "bert")] {
        let mail_id = MailId::new(site.clock.now(), [n; 10]);
        let ip = "192.0.2.1".parse().unwrap();
        let client = Client { ip, peer: ip, helo: "x".into(), protocol: "ESMTPA".into(), login: Some(login.into()) };
        let envelope = Envelope { client, sender: None, params: MailParams::default(), recipients: Vec::new() };
        let mut examination = examination(n);
        examination.findings.clear();
        let (examination, clean) = (Arc::new(examination), Some(Arc::new(clean("x"))));
        let received = site.clock.now();
        learner.teach(CleanMail { mail_id, received, envelope, examination, clean, answers_itself: false }).await;
    }
    learner.written().await;
    assert_eq!(site.number("select count(*) from identity").await, 1);
}
