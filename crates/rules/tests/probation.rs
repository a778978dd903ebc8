//! A version that was forced past a gate, over a real store: what puts it on probation, and what ends that.

use std::sync::Arc;
use std::time::Duration;

use detect::ruleset::{Ruleset, load};
use domain::Timestamp;
use domain::containment::Level;
use domain::detection::DetectionCode;
use domain::sentinel::state::SuspicionStep;
use domain::sentinel::{Event, Past, Suspect};
use domain::token::TokenKey;
use examiner::external_engines::ExternalEngines;
use platform::clock::{Clock, ManualClock};
use platform::config::Config;
use platform::items::Items;
use platform::reconciler::Reconciler;
use platform::ruleset_store::keep;
use platform::signals::Signals;
use rules::conviction::{ConvictionMemory, ConvictionWorker};
use rules::tasks::StoreParts;
use store::Store;
use store::evidence::sentinel::{NewLine, Pin};
use tempfile::TempDir;
use tokio::sync::watch;

/// A form of the detection that looks for this.
fn ruleset(text: &str) -> Ruleset {
    let detection = "code = \"WRO-0001\"\ntitle = \"A test\"\nengine = \"yara\"\ncategory = \"Phish\"\n\
        effect = \"Hold\"\ntarget = \"text\"\nscope = \"content\"\nmode = \"Enforce\"\nowner = \"x\"\n\
        since = \"0.1.0\"\n";
    let rule = format!("rule WRO_0001 {{\n  strings:\n    $text = \"{text}\"\n  condition:\n    $text\n}}\n");
    let files = [("WRO-0001/detection.toml", detection.to_owned()), ("WRO-0001/rule.yar", rule)];
    load::from_files(files.into_iter().map(|(path, text)| (path.to_owned(), text.into_bytes())).collect())
        .expect("a right ruleset")
}

struct Site {
    store: Store,
    clock: Arc<ManualClock>,
    worker: ConvictionWorker,
    mind: ConvictionMemory,
    _folder: TempDir,
}

impl Site {
    /// With a form in force in the place of an earlier one.
    async fn new(sentinel: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_795_770_000_000_000)));
        let key = TokenKey::new([7; 32]);
        let store = Store::open_embedded(folder.path(), "n", &key, clock.now()).await.expect("opens");
        let text = format!(
            "data_dir = \"data\"\nhostname = \"gateway.ours.example\"\naccepted_domains = [\"ours.example\"]\n\
             [[listener]]\naddress = \"127.0.0.1:0\"\nrole = \"mx\"\n[next_hop.inbound]\naddress = \
             \"127.0.0.1:9\"\ntls = \"none\"\n[api]\naddress = \"127.0.0.1:0\"\n[sentinel]\n{sentinel}\n"
        );
        let config = Config::parse(&text, folder.path()).expect("a right one");
        let worker = ConvictionWorker {
            sentinel: config.sentinel.clone(),
            border: config.border.clone(),
            store: StoreParts::from(&store),
            vault: None,
            external_engines: ExternalEngines::default(),
            clock: clock.clone(),
            key,
            signals: Signals::default(),
            items: Items::default(),
        };
        let site = Self { store, clock, worker, mind: ConvictionMemory::default(), _folder: folder };
        site.put_in_force("right-0472").await;
        site.put_in_force("wrong-0471").await;
        site
    }

    async fn put_in_force(&self, text: &str) {
        self.clock.advance(Duration::from_secs(61));
        keep(&self.store.rules, &ruleset(text), Vec::new(), true, self.clock.now()).await.expect("keeps");
    }

    /// What the whole memory says of the version in force.
    async fn recalled(&self, votes: u32) {
        let past = Past { votes, seen: 20_000, contents: vec!["a".into()], ..Past::default() };
        self.said(Event::Recalled { at: self.clock.now(), past }).await;
    }

    async fn said(&self, event: Event) {
        self.clock.advance(Duration::from_secs(1));
        let line = NewLine::new(format!("line/{}", self.clock.now().as_micros()), suspect(), event);
        self.store.evidence.append_evidence(vec![line]).await.expect("appends");
    }

    async fn pin(&self, holds: bool) {
        let (code, at) = (suspect().code, self.clock.now());
        let pin = Pin { code, at, by: "a person".into(), reason: "it is right".into() };
        self.store.containments.pin(pin, holds).await.expect("pins");
    }

    /// The level after a round, and the epoch.
    async fn round(&mut self) -> (Option<Level>, u64) {
        self.clock.advance(Duration::from_secs(2));
        let (_stops, stop) = watch::channel(false);
        self.worker.round(&mut self.mind, &stop).await.expect("a round");
        let contained = self.store.containments.containment(self.clock.now()).await.expect("reads");
        (contained.held_back.get(&suspect().code).map(|held| held.level), contained.epoch)
    }

    async fn level(&mut self) -> Option<Level> {
        self.round().await.0
    }
}

/// The version in force.
fn suspect() -> Suspect {
    let code = DetectionCode::parse("WRO-0001").expect("a code");
    let version = ruleset("wrong-0471").detections[&code].version.clone();
    Suspect { code, version }
}

const ACTS: &str = "trust_weak_memory = true";

#[tokio::test]
async fn it_is_on_probation_until_somebody_confirms_it_or_gives_it_back() {
    let mut site = Site::new(ACTS).await;
    assert_eq!(site.round().await, (None, 0), "nothing is known of it");
    site.recalled(1).await;
    assert_eq!(site.round().await, (Some(Level::Delay), 1));
    // Time alone changes nothing, and it is written once.
    site.clock.advance(Duration::from_secs(30 * 24 * 3600));
    assert_eq!(site.round().await, (Some(Level::Delay), 1));
    // A sentinel that starts anew believes the same.
    site.mind = ConvictionMemory::default();
    assert_eq!(site.round().await, (Some(Level::Delay), 1));
    site.pin(true).await;
    assert_eq!(site.round().await, (None, 2), "confirmed");
    site.pin(false).await;
    assert_eq!(site.level().await, Some(Level::Delay), "whoever lets go of the pin has it on probation again");
    site.said(Event::Moved { at: site.clock.now(), by: SuspicionStep::Restored }).await;
    assert_eq!(site.level().await, None, "given back");
    assert_eq!(site.level().await, None);
    let log = site.store.audit.audit_entries(0, false, 100).await.expect("reads");
    let said: Vec<&str> =
        log.iter().filter(|entry| entry.action == "containment.change").map(|entry| entry.detail.as_str()).collect();
    assert_eq!(said, ["delay", "given back", "delay", "given back"]);
}

#[tokio::test]
async fn one_that_is_withdrawn_leaves_nothing_behind() {
    let mut site = Site::new(ACTS).await;
    site.recalled(3).await;
    assert_eq!(site.level().await, Some(Level::Delay));
    site.put_in_force("corrected-0473").await;
    assert_eq!(site.level().await, None, "and what took its place acts as policy says");
    assert_eq!(site.level().await, None);
}

#[tokio::test]
async fn without_a_hit_of_the_past_or_leave_to_act_nothing_is_delayed() {
    let mut site = Site::new(ACTS).await;
    site.recalled(0).await;
    assert_eq!(site.round().await, (None, 0));
    let mut site = Site::new("containment = \"recommend\"").await;
    site.recalled(3).await;
    assert_eq!(site.round().await, (None, 0), "people are called, and choose");
}

#[tokio::test]
async fn a_conviction_goes_beyond_it() {
    let mut site = Site::new(ACTS).await;
    site.recalled(1).await;
    assert_eq!(site.level().await, Some(Level::Delay));
    site.said(Event::Probed { at: site.clock.now(), hits: 4, seen: 100, value: 1e6 }).await;
    assert_eq!(site.level().await, Some(Level::Contained));
    assert_eq!(site.level().await, Some(Level::Contained));
    assert_eq!(site.store.incidents.all().await.expect("reads").len(), 1);
}
