//! The room over a real store and a process that examines; time stands still unless a test moves it. One detection is
//! wrong; its earlier form was right, and so is the one that corrects it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use detect::examine::{EnvelopeFacts, unfinished};
use detect::in_force::InForce;
use detect::limits::Limits;
use detect::ruleset::{Ruleset, load};
use domain::containment::Containment;
use domain::detection::DetectionCode;
use domain::entry::EntryBook;
use domain::envelope::{Client, Envelope, MailParams, RcptParams, Recipient};
use domain::finding::Outcome as EngineOutcome;
use domain::incident::{Outcome, Stage};
use domain::ledger::{Account, Move};
use domain::policy::Policy;
use domain::sentinel::Suspect;
use domain::token::TokenKey;
use domain::verdict::decide;
use domain::{Address, Digest, Direction, Examination, MailId, Timestamp, UnitId};
use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use platform::clock::{Clock, ManualClock};
use platform::reconciler::Reconciler;
use platform::ruleset_store::keep;
use platform::shared::Shared;
use recovery::tasks::{Parts, StoreParts};
use store::incident::{Incident, NewIncident};
use store::mail::arrival::{Arrival, UnitArrival};
use store::mail::moves::UnitMove;
use store::mail::trace::TraceFilter;
use store::{Scope, Store};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::support::{BEGIN_US, config};

/// What the wrong detection takes for phishing.
pub(crate) const HARMLESS: &str = "please find the quarterly figures attached";
/// What malware has in it.
pub(crate) const MALWARE: &str = "recovery-malware-0471";
/// What the detection was made for.
const PHISHING: &str = "recovery-phishing-0472";
/// A minute and more, after which a ruleset that was put in force later is the later one.
const MOMENT: Duration = Duration::from_secs(61);

/// Which form of the ruleset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Wrong,
    Corrected,
}

impl Form {
    pub(crate) fn ruleset(self) -> Ruleset {
        let detection = |code: &str, category: &str| {
            format!(
                "code = \"{code}\"\ntitle = \"A test\"\nengine = \"yara\"\ncategory = \"{category}\"\n\
                 effect = \"Hold\"\ntarget = \"text\"\nscope = \"content\"\nmode = \"Enforce\"\n\
                 owner = \"x\"\nsince = \"0.1.0\"\n"
            )
        };
        let rule = |name: &str, text: &str| {
            format!("rule {name} {{\n  strings:\n    $text = \"{text}\"\n  condition:\n    $text\n}}\n")
        };
        let wrong = if self == Self::Wrong { HARMLESS } else { PHISHING };
        let files = [
            ("WRO-0001/detection.toml", detection("WRO-0001", "Phish")),
            ("WRO-0001/rule.yar", rule("WRO_0001", wrong)),
            ("MAL-0001/detection.toml", detection("MAL-0001", "Malware")),
            ("MAL-0001/rule.yar", rule("MAL_0001", MALWARE)),
        ];
        let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.into_bytes())).collect();
        load::from_files(files).expect("a right ruleset")
    }
}

/// The version of the detection that is wrong.
pub(crate) fn suspect() -> Suspect {
    let code = DetectionCode::parse("WRO-0001").expect("a code");
    let version = Form::Wrong.ruleset().detections[&code].version.clone();
    Suspect { code, version }
}

pub(crate) struct Site {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) parts: Parts,
    _folder: TempDir,
}

impl Site {
    /// With the wrong detection in force.
    pub(crate) async fn new() -> Self {
        let folder = folder();
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(BEGIN_US)));
        let key = TokenKey::new([7; 32]);
        let store = Store::open_embedded(folder.path(), "n", &key, clock.now()).await.expect("opens");
        let ruleset = Form::Wrong.ruleset();
        keep(&store.rules, &ruleset, Vec::new(), true, clock.now()).await.expect("keeps");
        let examiner = ExaminerPool::alone(InForce::only(ruleset), Limits::default()).expect("starts");
        let mut config = config(folder.path(), ([127, 0, 0, 1], 9).into());
        config.engines.auth = None;
        config.sentinel.replays = true;
        let parts = Parts {
            store: StoreParts::from(&store),
            examiner,
            external_engines: ExternalEngines::default(),
            shared: Shared::new(Arc::new(config), clock.clone(), key),
        };
        let site = Self { store, clock, parts, _folder: folder };
        site.load().await;
        site
    }

    /// What is in force by the store is in force here: entries, and what is contained.
    pub(crate) async fn load(&self) {
        let now = self.clock.now();
        let stamp = self.store.entries.entries_stamp(now).await.expect("reads");
        let entries = self.store.entries.entries(now).await.expect("reads");
        self.parts.shared.entries.put(EntryBook::new(entries), stamp);
        self.parts.shared.contained.put(self.store.containments.containment(now).await.expect("reads"));
    }

    /// A corrected ruleset is in force from now on; here only where `is_loaded`.
    pub(crate) async fn correct(&self, is_loaded: bool) {
        self.clock.advance(MOMENT);
        let corrected = Form::Corrected.ruleset();
        keep(&self.store.rules, &corrected, Vec::new(), true, self.clock.now()).await.expect("keeps");
        if is_loaded {
            self.parts.examiner.put_in_force(InForce::only(corrected));
        }
    }

    /// Holds a mail, as the gateway does: whatever is decided for each recipient, it is held for all.
    pub(crate) async fn hold(&self, content: &str, recipients: &[(&str, Direction)]) -> MailId {
        let (envelope, bytes) = (envelope(recipients), Arc::new(letter(content).into_bytes()));
        let facts = EnvelopeFacts::of(&envelope, &self.parts.shared.config.border);
        let examination = self.parts.examiner.examine(bytes.clone(), facts).await;
        self.record(envelope, bytes, examination).await
    }

    /// Holds a mail that no engine has finished with.
    pub(crate) async fn hold_unfinished(&self, content: &str) -> MailId {
        let bytes = Arc::new(letter(content).into_bytes());
        let ruleset = self.parts.examiner.in_force().live.clone();
        let examination = unfinished(&bytes, &ruleset, EngineOutcome::Timeout, "it took too long");
        self.record(envelope(&[BEN]), bytes, examination).await
    }

    pub(crate) async fn record(&self, envelope: Envelope, bytes: Arc<Vec<u8>>, examination: Examination) -> MailId {
        self.clock.advance(Duration::from_secs(1));
        let (digest, mail_id) = (Digest::of(&bytes), self.clock.mail_id());
        let pin = self.store.blobs().put(bytes, digest).await.expect("puts");
        let policy = Policy::standard();
        let verdict = |unit| decide(&examination, &envelope, unit, &policy, &Containment::default());
        let held =
            |unit| UnitArrival { verdict: verdict(unit), enforced: true, account: Account::Held, reply: String::new() };
        let units = envelope.recipients.iter().map(held).collect();
        let arrival = Arrival {
            mail_id,
            received: self.clock.now(),
            units,
            examination: Arc::new(examination.clone()),
            envelope,
            normalised: false,
            removed_fields: Vec::new(),
            blob: Some(digest),
            timings: BTreeMap::new(),
        };
        self.store.mail.record_arrival(arrival).await.expect("records");
        drop(pin);
        mail_id
    }

    /// Opens the incident about the wrong detection.
    pub(crate) async fn open_incident(&self) -> String {
        let new = NewIncident {
            at: self.clock.now(),
            by: "a person".into(),
            in_force: None,
            is_convicted: true,
            suspect: suspect(),
            ruleset: Form::Wrong.ruleset().id,
            cause: "it holds innocent mail".into(),
            public_text: String::new(),
            next_update: self.clock.now(),
        };
        self.store.incidents.open(new).await.expect("opens")
    }

    /// A person moves a unit.
    pub(crate) async fn settle(&self, unit: UnitId, by: Move) {
        let (at, actor, reason) = (self.clock.now(), "a person".into(), "so it is".into());
        let step = UnitMove { unit, from: Account::Held, by, at, actor, reason };
        self.store.mail.move_units(vec![step]).await.expect("moves");
    }

    pub(crate) async fn incident(&self, id: &str) -> Incident {
        self.store.incidents.by_id(id).await.expect("is there")
    }

    pub(crate) async fn stage(&self, id: &str) -> Stage {
        self.incident(id).await.stage
    }

    /// Units of an incident with this outcome.
    pub(crate) async fn of(&self, id: &str, outcome: Outcome) -> u64 {
        self.store.incidents.progress(id).await.expect("reads").of(outcome)
    }

    /// The account of the first unit of a mail, and the reason that its incident gives.
    pub(crate) async fn stands(&self, incident: &str, mail: MailId) -> (Account, String) {
        let account = self.store.quarantine.accounts_of(mail).await.expect("reads")[0].1;
        let rest = self.store.incidents.undelivered_units(incident, 100).await.expect("reads");
        let reason = rest.into_iter().find(|one| one.unit.mail == mail).map(|one| one.reason).unwrap_or_default();
        (account, reason)
    }

    /// Who moved the first unit of a mail last, and why.
    pub(crate) async fn last_moved(&self, mail: MailId) -> (String, String) {
        let filter = TraceFilter { mail_id: Some(mail), ..TraceFilter::default() };
        let units = self.store.mail.trace(&filter, &Scope::All).await.expect("reads");
        let last = units[0].events.last().expect("it came").clone();
        (last.actor, last.reason)
    }

    /// How often the release of a mail was asked for.
    pub(crate) async fn releases(&self, mail: MailId) -> usize {
        self.store.releases.releases_of(mail).await.expect("reads").len()
    }
}

/// A folder of files in memory, where the system has one: what these tests are about is not the disk.
fn folder() -> TempDir {
    if Path::new("/dev/shm").is_dir() { TempDir::new_in("/dev/shm") } else { TempDir::new() }.expect("a folder")
}

/// One round of a reconciler, which remembers nothing.
pub(crate) async fn round(reconciler: &impl Reconciler) -> bool {
    let (_stops, stop) = watch::channel(false);
    reconciler.round(&mut Default::default(), &stop).await.expect("a round")
}

/// One of ours, to whom mail comes.
pub(crate) const BEN: (&str, Direction) = ("ben@ours.example", Direction::Inbound);

pub(crate) fn envelope(recipients: &[(&str, Direction)]) -> Envelope {
    let ip = "192.0.2.1".parse().expect("an address");
    let recipients = recipients.iter().map(|(address, direction)| {
        let address = Address::parse(address).expect("a mailbox");
        let domain = address.domain();
        Recipient { address, params: RcptParams::default(), direction: *direction, domain }
    });
    Envelope {
        client: Client { ip, peer: ip, helo: "x".into(), protocol: "ESMTP".into(), login: None },
        sender: Address::parse("a@outside.example").ok(),
        params: MailParams::default(),
        recipients: recipients.collect(),
    }
}

pub(crate) fn letter(content: &str) -> String {
    format!("From: a@outside.example\r\nSubject: held\r\nDate: Fri, 27 Nov 2026 09:00:00 +0000\r\n\r\n{content}\r\n")
}
