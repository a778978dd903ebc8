//! What a wrong detection held is counted in, examined again, and released or kept with its reason.

use std::time::Duration;

use detect::clamd::{Address, Clamd};
use domain::containment::Containment;
use domain::incident::{Outcome, Stage};
use domain::ledger::{Account, Move};
use domain::{Direction, MailId, UnitId};
use examiner::external_engines::ExternalEngines;
use platform::reconciler::Reconciler;
use platform::traces::Traces;
use platform::traces::share::Share;
use platform::traces::way::Trace;
use recovery::tasks::Parts;
use store::incident::IncidentChange;
use tokio::sync::watch;

use crate::site::{BEN, HARMLESS, MALWARE, Site, round};

/// A stranger, to whom mail goes.
const FRIEND: (&str, Direction) = ("friend@outside.example", Direction::Outbound);

/// An incident whose units are being examined again by a corrected ruleset.
async fn replaying(site: &Site) -> String {
    let incident = site.open_incident().await;
    site.correct(true).await;
    assert!(round(&site.parts.incident_worker()).await);
    assert_eq!(site.stage(&incident).await, Stage::Replaying);
    incident
}

fn first(mail: MailId) -> UnitId {
    UnitId { mail, number: 0 }
}

pub(crate) async fn what_was_held_by_mistake_is_released_and_what_harms_stays() {
    let site = Site::new().await;
    let (good, bad) = (site.hold(HARMLESS, &[BEN]).await, site.hold(&format!("{HARMLESS} {MALWARE}"), &[BEN]).await);
    let other = site.hold(MALWARE, &[BEN]).await;
    let incident = replaying(&site).await;
    assert_eq!(site.incident(&incident).await.waves, 1);
    assert_eq!(site.of(&incident, Outcome::Pending).await, 2, "what it did not hold is not its own");
    assert!(round(&site.parts.replayer()).await);
    let outcomes = [Outcome::Cleared, Outcome::Upheld, Outcome::Pending];
    let mut counted = Vec::new();
    for outcome in outcomes {
        counted.push(site.of(&incident, outcome).await);
    }
    assert_eq!(counted, [1, 1, 0]);
    assert_eq!((site.releases(good).await, site.releases(bad).await, site.releases(other).await), (1, 0, 0));
    assert_eq!(site.stands(&incident, good).await.0, Account::Releasing);
    let (account, why) = site.stands(&incident, bad).await;
    assert_eq!(account, Account::Held);
    assert!(why.contains("MAL-0001"), "{why}");
    let (actor, reason) = site.last_moved(good).await;
    assert_eq!(actor, incident);
    assert!(reason.starts_with("WRO-0001 (") && reason.contains("examined again: Clean"), "{reason}");
    let record = site.store.mail.record(good).await.expect("reads");
    assert_eq!(record.examination.findings, [], "its new record has no finding");
    // Nothing is left to examine: it says so, and waits for the releases.
    assert!(round(&site.parts.replayer()).await);
    assert_eq!(site.stage(&incident).await, Stage::Releasing);
    let notes = site.store.incidents.timeline(&incident).await.expect("reads");
    let said = &notes.last().expect("a note").text;
    assert!(said.contains("1 cleared, 1 upheld, 0 inconclusive, 0 settled before, 0 old"), "{said}");
    assert!(!round(&site.parts.incident_worker()).await, "one is still on its way");
    assert_eq!(site.stage(&incident).await, Stage::Releasing);
}

pub(crate) async fn an_incident_ends_when_every_unit_is_accounted_for() {
    let site = Site::new().await;
    site.hold(&format!("{HARMLESS} {MALWARE}"), &[BEN]).await;
    let incident = replaying(&site).await;
    for _ in 0..2 {
        round(&site.parts.replayer()).await;
    }
    assert!(round(&site.parts.incident_worker()).await);
    assert_eq!(site.stage(&incident).await, Stage::Resolved);
    assert!(!round(&site.parts.incident_worker()).await && !round(&site.parts.replayer()).await, "it is over");
}

pub(crate) async fn what_was_held_meanwhile_is_a_wave_of_its_own() {
    let site = Site::new().await;
    site.hold(&format!("{HARMLESS} {MALWARE}"), &[BEN]).await;
    let incident = site.open_incident().await;
    // Counted in before anything can be replayed.
    assert!(!round(&site.parts.incident_worker()).await);
    assert_eq!((site.stage(&incident).await, site.incident(&incident).await.waves), (Stage::Investigating, 1));
    assert!(!site.incident(&incident).await.root.is_empty());
    let late = site.hold(HARMLESS, &[BEN]).await;
    site.correct(true).await;
    assert!(round(&site.parts.incident_worker()).await);
    let stands = site.incident(&incident).await;
    assert_eq!((stands.stage, stands.waves, site.of(&incident, Outcome::Pending).await), (Stage::Replaying, 2, 2));
    for _ in 0..2 {
        round(&site.parts.replayer()).await;
    }
    assert_eq!((site.stage(&incident).await, site.releases(late).await), (Stage::Releasing, 1));
}

pub(crate) async fn nothing_is_replayed_while_nothing_has_changed_or_a_person_has_stopped_it() {
    let site = Site::new().await;
    site.hold(HARMLESS, &[BEN]).await;
    let incident = site.open_incident().await;
    assert!(!round(&site.parts.incident_worker()).await && !round(&site.parts.replayer()).await);
    assert_eq!(site.stage(&incident).await, Stage::Investigating, "the same version is in force");
    let at = site.parts.shared.clock.now();
    let pause =
        |paused| IncidentChange { pause: Some(paused), ..IncidentChange::note(&incident, at, "a person", "it waits") };
    site.store.incidents.change(pause(true)).await.expect("pauses");
    site.correct(true).await;
    assert!(!round(&site.parts.incident_worker()).await);
    site.store.incidents.change(pause(false)).await.expect("goes on");
    assert!(round(&site.parts.incident_worker()).await);
    site.store.incidents.change(pause(true)).await.expect("pauses");
    assert!(!round(&site.parts.replayer()).await);
    assert_eq!(site.of(&incident, Outcome::Pending).await, 1);
    site.store.incidents.change(pause(false)).await.expect("goes on");
    let (_stops, stop) = watch::channel(true);
    assert!(!site.parts.replayer().round(&mut (), &stop).await.expect("a round"), "the program ends");
    assert_eq!(site.of(&incident, Outcome::Pending).await, 1);
}

pub(crate) async fn nothing_is_replayed_by_what_is_not_in_force_any_more() {
    let site = Site::new().await;
    site.hold(HARMLESS, &[BEN]).await;
    let incident = site.open_incident().await;
    site.correct(false).await;
    assert!(round(&site.parts.incident_worker()).await);
    assert!(!round(&site.parts.replayer()).await, "the corrected ruleset is not loaded here yet");
    let clock = site.clock.clone();
    site.correct(true).await;
    site.parts.shared.entries.put(Default::default(), [7, 7, 7]);
    assert!(!round(&site.parts.replayer()).await, "other entries are in force");
    site.load().await;
    let other = Containment { epoch: 7, ..Default::default() };
    site.parts.shared.contained.put(other);
    assert!(!round(&site.parts.replayer()).await, "something else is contained");
    site.load().await;
    clock.advance(Duration::from_secs(1));
    assert!(round(&site.parts.replayer()).await);
    assert_eq!(site.of(&incident, Outcome::Cleared).await, 1);
}

pub(crate) async fn what_somebody_has_decided_before_is_not_touched() {
    let site = Site::new().await;
    let denied = site.hold(HARMLESS, &[BEN]).await;
    let asked = site.hold(&format!("{HARMLESS} at last"), &[BEN]).await;
    let incident = replaying(&site).await;
    site.settle(first(denied), Move::Denied).await;
    let now = site.parts.shared.clock.now();
    site.store.releases.request_release(first(asked), "a person", "it is needed", now).await.expect("asks");
    assert!(round(&site.parts.replayer()).await);
    assert_eq!(site.of(&incident, Outcome::Settled).await, 2);
    let (account, why) = site.stands(&incident, denied).await;
    assert_eq!((account, why.as_str()), (Account::Denied, "a person had decided that it stays"));
    assert_eq!((site.releases(denied).await, site.releases(asked).await), (0, 1));
}

pub(crate) async fn of_a_mail_for_two_each_unit_has_what_is_its_own() {
    let site = Site::new().await;
    let mail = site.hold(HARMLESS, &[BEN, ("carla@ours.example", Direction::Inbound)]).await;
    let incident = replaying(&site).await;
    site.settle(first(mail), Move::Denied).await;
    assert!(round(&site.parts.replayer()).await);
    let counted = (site.of(&incident, Outcome::Settled).await, site.of(&incident, Outcome::Cleared).await);
    assert_eq!(counted, (1, 1));
    let accounts = site.store.quarantine.accounts_of(mail).await.expect("reads");
    assert_eq!(accounts, [(0, Account::Denied), (1, Account::Releasing)]);
}

pub(crate) async fn of_old_mail_to_strangers_its_sender_is_asked_first() {
    let site = Site::new().await;
    let old = site.hold(HARMLESS, &[FRIEND, BEN]).await;
    site.clock.advance(Duration::from_secs(23 * 3600));
    let young = site.hold(&format!("{HARMLESS} again"), &[FRIEND]).await;
    site.clock.advance(Duration::from_secs(2 * 3600));
    let incident = replaying(&site).await;
    site.load().await;
    assert!(round(&site.parts.replayer()).await);
    assert_eq!((site.of(&incident, Outcome::Asked).await, site.of(&incident, Outcome::Cleared).await), (1, 2));
    let accounts = site.store.quarantine.accounts_of(old).await.expect("reads");
    assert_eq!(accounts, [(0, Account::Held), (1, Account::Releasing)]);
    assert_eq!(site.releases(young).await, 1);
    let (_, why) = site.stands(&incident, old).await;
    assert!(why.ends_with("held for over a day, so its sender is asked"), "{why}");
}

pub(crate) async fn what_cannot_be_read_is_inconclusive_and_is_examined_once_more_later() {
    let site = Site::new().await;
    let mail = site.hold(HARMLESS, &[BEN]).await;
    let incident = replaying(&site).await;
    let blob = site.store.mail.record(mail).await.expect("reads").blob.expect("its bytes are kept");
    let path = site.store.blobs().path(blob);
    let aside = path.with_extension("aside");
    std::fs::rename(&path, &aside).expect("moves");
    assert!(round(&site.parts.replayer()).await);
    assert_eq!(site.of(&incident, Outcome::Inconclusive).await, 1);
    let (_, why) = site.stands(&incident, mail).await;
    assert!(why.starts_with("its bytes cannot be read"), "{why}");
    assert!(round(&site.parts.replayer()).await);
    assert_eq!(site.stage(&incident).await, Stage::Releasing);
    std::fs::rename(&aside, &path).expect("moves");
    assert!(!round(&site.parts.incident_worker()).await, "not at once");
    site.clock.advance(Duration::from_secs(10 * 60 - 1));
    assert!(!round(&site.parts.incident_worker()).await, "nor a second too soon");
    site.clock.advance(Duration::from_secs(1));
    assert!(round(&site.parts.incident_worker()).await);
    assert_eq!((site.stage(&incident).await, site.of(&incident, Outcome::Pending).await), (Stage::Replaying, 1));
    assert!(round(&site.parts.replayer()).await);
    assert_eq!((site.of(&incident, Outcome::Cleared).await, site.releases(mail).await), (1, 1));
}

pub(crate) async fn what_stays_inconclusive_for_a_day_holds_the_incident_up_no_more() {
    let site = Site::new().await;
    let mail = site.hold(HARMLESS, &[BEN]).await;
    let incident = replaying(&site).await;
    let blob = site.store.mail.record(mail).await.expect("reads").blob.expect("its bytes are kept");
    std::fs::remove_file(site.store.blobs().path(blob)).expect("removes");
    for _ in 0..2 {
        round(&site.parts.replayer()).await;
    }
    site.clock.advance(Duration::from_secs(24 * 3600));
    assert!(round(&site.parts.incident_worker()).await);
    assert_eq!(site.stage(&incident).await, Stage::Resolved);
}

pub(crate) async fn what_an_engine_had_not_finished_with_is_looked_at_again() {
    let site = Site::new().await;
    let (good, bad) = (site.hold_unfinished("nothing to see").await, site.hold_unfinished(MALWARE).await);
    let whole = site.hold(MALWARE, &[BEN]).await;
    let mut worker = site.parts.partial_mail_worker();
    let (traces, mut told) = Traces::queue(Share::of(0.0));
    worker.reexamination.traces = traces;
    assert!(!round(&worker).await, "all had their turn");
    assert_eq!((site.releases(good).await, site.releases(bad).await, site.releases(whole).await), (1, 0, 0));
    let record = site.store.mail.record(bad).await.expect("reads");
    assert_eq!(record.examination.findings.len(), 1, "what was found is on record");
    assert!(site.store.mail.held_and_examined_in_part(None, 10).await.expect("reads").is_empty());
    let (_stops, stop) = watch::channel(false);
    assert!(!worker.round(&mut (), &stop).await.expect("a round"), "nothing is left");
    let ways: Vec<Trace> = std::iter::from_fn(|| told.try_recv().ok()).collect();
    let of_bad: Vec<&Trace> = ways.iter().filter(|way| way.mail == bad).collect();
    let [way] = of_bad[..] else { panic!("once, into the trace of its mail, whatever the share is: {ways:?}") };
    assert_way(way, &["reexamination", "examine", "engine structure", "engine yara", "remember"]);
}

/// Whether a way has these steps and did not fail.
fn assert_way(way: &Trace, expected: &[&str]) {
    let names: Vec<&str> = way.steps.iter().map(|step| step.name.as_ref()).collect();
    assert_eq!(names, expected);
    assert!(!way.steps.iter().any(|step| step.is_failed), "{way:?}");
}

pub(crate) async fn while_an_engine_is_away_partial_mail_waits_for_it() {
    let site = Site::new().await;
    let mail = site.hold_unfinished("nothing to see").await;
    let mut engines = site.parts.shared.config.engines.clone();
    engines.clamd = Some(Clamd { address: Address::Tcp("127.0.0.1:1".into()), timeout: Duration::from_secs(5) });
    let away = Parts { external_engines: ExternalEngines::new(&engines).expect("engines"), ..site.parts.clone() };
    assert!(!round(&away.partial_mail_worker()).await);
    assert_eq!(
        (site.releases(mail).await, site.store.mail.held_and_examined_in_part(None, 10).await.expect("reads").len()),
        (0, 1)
    );
}
