//! Incidents over a real store; time stands still.

#[path = "support/held.rs"]
mod held;
mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use domain::detection::{Category, DetectionCode, DetectionVersion, Effect, Mode, RulesetId};
use domain::finding::Finding;
use domain::incident::{IncidentStep, Outcome, Stage};
use domain::message::Family;
use domain::sentinel::Suspect;
use domain::token::TokenKey;
use domain::{Timestamp, UnitId};
use held::{MAIL, held};
use platform::clock::{Clock, ManualClock};
use platform::items::Items;
use platform::reconciler::Reconciler;
use platform::signals::Signals;
use recovery::incident::IncidentWorker;
use store::Store;
use store::incident::{Incident, IncidentChange, NewIncident};
use support::{BEGIN_US, config};
use tempfile::TempDir;
use tokio::sync::watch;

/// A mail that a detection held, and the incident about that detection, which has been replayed.
struct Replayed {
    worker: IncidentWorker,
    incident: String,
    held: UnitId,
    _folder: TempDir,
}

fn suspect() -> Suspect {
    let code = DetectionCode::parse("WRO-0001").expect("a code");
    Suspect { code, version: DetectionVersion::of(&[b"wrong"]) }
}

fn hit() -> Finding {
    let Suspect { code, version } = suspect();
    Finding {
        detection: code,
        detection_version: version,
        engine: "yara".into(),
        category: Category::Phish,
        effect: Effect::Hold,
        mode: Mode::Enforce,
        part: None,
        family: Family::Text,
        offset: None,
        evidence: format!("{} bytes", MAIL.len()),
        previous: None,
    }
}

impl Replayed {
    async fn with_a_mail() -> Self {
        let folder = TempDir::new().expect("a folder");
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(BEGIN_US)));
        let key = TokenKey::new([7; 32]);
        let store = Store::open_embedded(folder.path(), "n", &key, clock.now()).await.expect("opens");
        let held = held(&store, clock.as_ref(), vec![hit()]).await;
        let new = NewIncident {
            at: clock.now(),
            by: "a person".into(),
            in_force: None,
            is_convicted: true,
            suspect: suspect(),
            ruleset: RulesetId::from_text("0123456789abcdef"),
            cause: "it holds innocent mail".into(),
            public_text: String::new(),
            next_update: clock.now(),
        };
        let incident = store.incidents.open(new).await.expect("opens");
        for step in [IncidentStep::Contained, IncidentStep::ReplayBegun, IncidentStep::ReplayDone] {
            let stands = store.incidents.by_id(&incident).await.expect("is there");
            let change = IncidentChange::step(&stands, step, clock.now(), "a person", "so it is");
            store.incidents.change(change).await.expect("moves");
        }
        let hop = SocketAddr::from(([127, 0, 0, 1], 9));
        let worker = IncidentWorker {
            sentinel: config(folder.path(), hop).sentinel,
            audit: store.audit.clone(),
            containments: store.containments.clone(),
            entries: store.entries.clone(),
            evidence: store.evidence.clone(),
            incidents: store.incidents.clone(),
            rules: store.rules.clone(),
            clock,
            signals: Signals::default(),
            items: Items::default(),
        };
        Self { worker, incident, held, _folder: folder }
    }

    async fn round(&self) -> Incident {
        let (_stops, stop) = watch::channel(false);
        self.worker.round(&mut None, &stop).await.expect("a round");
        self.worker.incidents.by_id(&self.incident).await.expect("is there")
    }

    async fn pending(&self) -> u64 {
        self.worker.incidents.progress(&self.incident).await.expect("reads").of(Outcome::Pending)
    }
}

#[tokio::test]
async fn what_the_detection_held_is_counted_in_and_examined_again() {
    let replayed = Replayed::with_a_mail().await;
    assert_eq!((replayed.round().await.stage, replayed.pending().await), (Stage::Replaying, 1));
}

/// A round that dies when it has counted units in has not said yet that they wait: the next one says so.
#[tokio::test]
async fn units_counted_in_by_a_round_that_died_are_examined_again() {
    let replayed = Replayed::with_a_mail().await;
    replayed.worker.incidents.add_to_manifest(&replayed.incident, 1, vec![replayed.held]).await.expect("counts in");
    assert_eq!((replayed.round().await.stage, replayed.pending().await), (Stage::Replaying, 1));
}
