//! Mail of those whom we know that a forced version holds: it waits, people are called, and what leaves is bounded,
//! recorded, and of the past alone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use detect::clamd::{Address, Clamd};
use detect::examine::EnvelopeFacts;
use detect::in_force::InForce;
use domain::containment::Level;
use domain::finding::SenderFact;
use domain::ledger::{Account, Move};
use domain::sentinel::probation::{DELAY, LET_OUT_MAX, Stage, Step};
use domain::sentinel::{Event, Past};
use domain::{MailId, UnitId};
use examiner::external_engines::ExternalEngines;
use platform::clock::Clock;
use platform::reconciler::Reconciler;
use recovery::tasks::Parts;
use store::evidence::probation::Decision;
use store::evidence::sentinel::{ContainmentChange, NewLine};
use tokio::sync::watch;

use crate::site::{BEN, Form, HARMLESS, MALWARE, Site, envelope, letter, round, suspect};

/// What the version hits as well, and nobody has sent before.
const NEW: &str = "please find the quarterly figures attached, and the payload of today";

/// A site at which the wrong detection was forced past a gate: it is on probation, and of all that it hits these
/// contents had gone to and fro before.
async fn on_probation(conversed: &[&str], has_previous: bool) -> Site {
    let site = Site::new().await;
    let mut forced = Form::Wrong.ruleset();
    if has_previous {
        assert_eq!(forced.remember_previous(Form::Corrected.ruleset().stored()), Vec::<String>::new());
    }
    site.parts.examiner.put_in_force(InForce::only(forced));
    let mut hashes = BTreeSet::new();
    for content in conversed {
        let (envelope, bytes) = (envelope(&[BEN]), Arc::new(letter(content).into_bytes()));
        let facts = EnvelopeFacts::of(&envelope, &site.parts.shared.config.border);
        let examination = site.parts.examiner.examine(bytes, facts).await;
        hashes.extend(examination.message.parts.iter().map(|part| part.sha256.hex()));
    }
    let conversed: Vec<String> = hashes.into_iter().collect();
    let past = Past { votes: 1, seen: 20_000, domains: 1, contents: conversed.clone(), conversed };
    let recalled = Event::Recalled { at: site.clock.now(), past };
    let line = NewLine::new("recalled".into(), suspect(), recalled);
    site.store.evidence.append_evidence(vec![line]).await.expect("appends");
    put(&site, Some(Level::Delay)).await;
    site
}

/// The version is held back so far from now on.
async fn put(site: &Site, level: Option<Level>) {
    let (at, actor, reason) = (site.clock.now(), "sentinel".to_owned(), "so it is".to_owned());
    let change = ContainmentChange { epoch: 0, at, suspect: suspect(), level, until: None, actor, reason };
    site.store.containments.change_containment(change).await.expect("changes");
    site.load().await;
}

/// Holds a mail of one of ours, whom everybody knows.
async fn hold(site: &Site, content: &str) -> MailId {
    let mut envelope = envelope(&[BEN]);
    envelope.client.login = Some("carla@ours.example".into());
    // Each is another mail with the same content.
    let id = site.clock.mail_id();
    let bytes = Arc::new(format!("Message-ID: <{id}@ours.example>\r\n{}", letter(content)).into_bytes());
    let facts = EnvelopeFacts::of(&envelope, &site.parts.shared.config.border);
    let mut examination = site.parts.examiner.examine(bytes.clone(), facts).await;
    examination.facts.sender = Some(SenderFact { established: true, internal: true });
    site.record(envelope, bytes, examination).await
}

async fn account(site: &Site, mail: MailId) -> Account {
    site.store.quarantine.accounts_of(mail).await.expect("reads")[0].1
}

async fn stands(site: &Site, mail: MailId) -> Option<(Stage, String)> {
    let all = site.store.containments.probations_of_mail(mail).await.expect("reads");
    all.into_iter().find(|(version, ..)| *version == suspect()).map(|(_, stage, why)| (stage, why))
}

/// Why a mail stays; it must.
async fn stays(site: &Site, mail: MailId) -> String {
    let (stage, why) = stands(site, mail).await.expect("it is noted");
    assert_eq!((stage, account(site, mail).await), (Stage::Kept, Account::Held), "{why}");
    why
}

async fn alerts(site: &Site) -> Vec<String> {
    let alerts = site.store.notices.alerts(true, 100).await.expect("reads");
    alerts.into_iter().map(|alert| format!("{} {}: {}", alert.kind.as_str(), alert.subject, alert.text)).collect()
}

pub(crate) async fn what_is_of_the_past_leaves_once_and_what_is_new_never() {
    let site = on_probation(&[HARMLESS], true).await;
    let stranger = site.hold(HARMLESS, &[BEN]).await;
    let (good, new) = (hold(&site, HARMLESS).await, hold(&site, NEW).await);
    let worker = site.parts.probation_worker();
    round(&worker).await;
    let called = alerts(&site).await;
    assert!(called.len() == 1 && called[0].starts_with("forced WRO-0001: "), "{called:?}");
    assert!(called[0].contains("2 so far, of which 2 wait"), "{called:?}");
    assert_eq!(stands(&site, stranger).await, None, "for strangers it acts as policy says");
    assert_eq!(stands(&site, good).await.map(|(stage, _)| stage), Some(Stage::Delayed));
    // Not a second too soon.
    site.clock.advance(DELAY - Duration::from_secs(2));
    round(&worker).await;
    assert_eq!((account(&site, good).await, site.releases(good).await), (Account::Held, 0));
    site.clock.advance(Duration::from_secs(2));
    round(&worker).await;
    assert_eq!((account(&site, good).await, site.releases(good).await), (Account::Releasing, 1));
    let (actor, reason) = site.last_moved(good).await;
    assert_eq!(actor, "probation");
    assert!(reason.ends_with("possibly a lost catch"), "{reason}");
    assert!(stays(&site, new).await.contains("had not gone to and fro"));
    let log = site.store.audit.audit_entries(0, false, 100).await.expect("reads");
    let let_out: Vec<_> = log.iter().filter(|entry| entry.action == "probation.let-out").collect();
    assert!(let_out.len() == 1 && let_out[0].object == good.to_string(), "{let_out:?}");
    // A month later, after a restart: nothing more.
    site.clock.advance(Duration::from_secs(30 * 24 * 3600));
    for _ in 0..2 {
        assert!(!round(&site.parts.probation_worker()).await);
    }
    for (mail, releases) in [(good, 1), (new, 0), (stranger, 0)] {
        assert_eq!(site.releases(mail).await, releases);
    }
    let counts = site.store.containments.probation_counts(&suspect()).await.expect("reads");
    assert_eq!(Stage::ALL.map(|stage| counts.of(stage)), [0, 1, 1, 0]);
}

pub(crate) async fn what_somebody_else_objects_to_or_has_decided_is_not_let_out() {
    let bad = format!("{HARMLESS} {MALWARE}");
    let site = on_probation(&[HARMLESS, &bad], true).await;
    let (bad, decided) = (hold(&site, &bad).await, hold(&site, HARMLESS).await);
    round(&site.parts.probation_worker()).await;
    site.settle(UnitId { mail: decided, number: 0 }, Move::Denied).await;
    site.clock.advance(DELAY);
    round(&site.parts.probation_worker()).await;
    assert!(stays(&site, bad).await.contains("something else objects"));
    assert_eq!(stands(&site, decided).await.map(|(stage, _)| stage), Some(Stage::Settled));
    assert_eq!((account(&site, decided).await, site.releases(decided).await), (Account::Denied, 0));
    let record = site.store.mail.record(bad).await.expect("reads");
    assert_eq!(record.examination.findings.len(), 2, "its new record has what both say");
}

pub(crate) async fn without_a_previous_form_nothing_leaves() {
    let site = on_probation(&[HARMLESS], false).await;
    let mail = hold(&site, HARMLESS).await;
    site.clock.advance(DELAY);
    round(&site.parts.probation_worker()).await;
    assert!(stays(&site, mail).await.contains("no previous form"));
}

pub(crate) async fn when_the_probation_is_over_what_it_delayed_stays() {
    let site = on_probation(&[HARMLESS], true).await;
    let mail = hold(&site, HARMLESS).await;
    round(&site.parts.probation_worker()).await;
    // Somebody has confirmed the version.
    put(&site, None).await;
    site.clock.advance(DELAY);
    let late = hold(&site, HARMLESS).await;
    round(&site.parts.probation_worker()).await;
    assert!(stays(&site, mail).await.contains("is over"));
    assert_eq!((stands(&site, late).await, account(&site, late).await), (None, Account::Held));
}

pub(crate) async fn no_more_is_let_out_than_may_be_and_people_are_called() {
    let site = on_probation(&[HARMLESS], true).await;
    let before = (0..LET_OUT_MAX).map(|n| MailId::new(site.clock.now(), [1, 1, 1, 1, 1, 1, 1, 1, 1, n as u8]));
    let before: Vec<MailId> = before.collect();
    let (held, at) = (&site.store.containments, site.clock.now());
    held.note_delayed(&suspect(), before.clone(), at).await.expect("notes");
    for mail in before {
        let (step, reason, units) = (Step::LetOut, String::new(), Vec::new());
        let decision = Decision { suspect: suspect(), mail, step, reason, completion: None, units, at };
        held.decide_delayed(decision).await.expect("decides");
    }
    let mail = hold(&site, HARMLESS).await;
    round(&site.parts.probation_worker()).await;
    site.clock.advance(DELAY);
    round(&site.parts.probation_worker()).await;
    assert!(stays(&site, mail).await.contains("100 mails of this version have been let out"));
    assert!(alerts(&site).await.iter().any(|said| said.contains("No more will be")));
}

/// One whose bytes cannot be read and an engine that is away: the mail waits, and no other waits for it.
pub(crate) async fn a_mail_that_cannot_be_looked_at_holds_up_no_other() {
    let site = on_probation(&[HARMLESS], true).await;
    let (lost, good) = (hold(&site, NEW).await, hold(&site, HARMLESS).await);
    let blob = site.store.mail.record(lost).await.expect("reads").blob.expect("its bytes are kept");
    let path = site.store.blobs().path(blob);
    std::fs::rename(&path, path.with_extension("aside")).expect("moves");
    let mut engines = site.parts.shared.config.engines.clone();
    engines.clamd = Some(Clamd { address: Address::Tcp("127.0.0.1:1".into()), timeout: Duration::from_secs(5) });
    let away = Parts { external_engines: ExternalEngines::new(&engines).expect("engines"), ..site.parts.clone() };
    site.clock.advance(DELAY);
    round(&away.probation_worker()).await;
    for mail in [lost, good] {
        assert_eq!(stands(&site, mail).await.map(|(stage, _)| stage), Some(Stage::Delayed));
    }
    let worker = site.parts.probation_worker();
    round(&worker).await;
    assert_eq!(account(&site, good).await, Account::Releasing);
    assert_eq!(worker.items.failing().len(), 1);
    // It ends at last: an hour later nobody tries any more.
    let (_stops, stop) = watch::channel(false);
    let mut seen = Default::default();
    for _ in 0..20 {
        site.clock.advance(Duration::from_secs(601));
        worker.round(&mut seen, &stop).await.expect("a round");
    }
    assert!(stays(&site, lost).await.contains("could not be examined again"));
}

/// While an incident about it is open: the containment replaces the probation, and the mail is the incident's.
pub(crate) async fn a_conviction_takes_the_mail_over() {
    let site = on_probation(&[HARMLESS], true).await;
    let (good, new) = (hold(&site, HARMLESS).await, hold(&site, NEW).await);
    round(&site.parts.probation_worker()).await;
    let incident = site.open_incident().await;
    assert!(!round(&site.parts.incident_worker()).await, "a delay is no reason to examine again");
    put(&site, Some(Level::Contained)).await;
    for _ in 0..2 {
        round(&site.parts.incident_worker()).await;
    }
    round(&site.parts.replayer()).await;
    for mail in [good, new] {
        assert_eq!((site.releases(mail).await, site.last_moved(mail).await.0), (1, incident.clone()));
    }
    site.clock.advance(DELAY);
    round(&site.parts.probation_worker()).await;
    for mail in [good, new] {
        assert_eq!(stands(&site, mail).await.map(|(stage, _)| stage), Some(Stage::Settled));
        assert_eq!(site.releases(mail).await, 1, "once");
    }
}
