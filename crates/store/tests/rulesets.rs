//! Rulesets, roll-outs, modes, engines and known-good content: one story on SQLite and on a real PostgreSQL.

mod both;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use domain::detection::{
    Category, Detection, DetectionCode, DetectionVersion, Effect, Mode, RulesetId, Scope as DetectionScope, Target,
};
use domain::entry::{Entry, Reach, Subject};
use domain::envelope::{Client, Direction, Envelope, MailParams};
use domain::finding::MemoryClass;
use domain::message::{Family, Part, Tail};
use domain::rollout::{Gate, GateReport, RolloutTrigger, Stage};
use domain::token::TokenKey;
use domain::{Digest, MailId, Timestamp};
use store::blob::Blobs;
use store::known_good::{GoodMail, GoodPart};
use store::rules::rollout::{NewRollout, RolloutMove, SetMode};
use store::rules::version::{KeptFixtures, KeptRuleset};
use store::{Store, StoreError};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000 + second * 1_000_000)
}

fn code(text: &str) -> DetectionCode {
    DetectionCode::parse(text).expect("code")
}

fn detection(name: &str, source: &str) -> (Detection, String) {
    let detection = Detection {
        code: code(name),
        version: DetectionVersion::of(&[source.as_bytes()]),
        engine: "yara".into(),
        title: name.into(),
        category: Category::Malware,
        effect: Effect::Hold,
        target: Target::Part(Some(Family::Image)),
        scope: DetectionScope::Content,
        mode: Mode::Enforce,
        owner: "o".into(),
    };
    (detection, source.to_owned())
}

fn kept(detections: Vec<(Detection, String)>) -> KeptRuleset {
    let id = RulesetId::of(detections.iter().map(|(one, _)| (&one.code, &one.version)));
    let pages = BTreeMap::from([(code("IMG-1"), "# IMG-1".to_owned())]);
    KeptRuleset { id, detections, pages, gates: Vec::new() }
}

fn step(number: u32, from: Stage, by: RolloutTrigger, second: i64) -> RolloutMove {
    let gates = (by == RolloutTrigger::Passed).then(|| {
        let summary = "fine".to_owned();
        vec![GateReport { gate: Gate::Static, passed: true, summary, faults: Vec::new(), notes: Vec::new() }]
    });
    RolloutMove { number, from, by, at: at(second), actor: "a".into(), reason: format!("{by:?}"), gates }
}

fn publish(ruleset: &RulesetId, second: i64) -> NewRollout {
    NewRollout {
        ruleset: ruleset.clone(),
        by: "anna".into(),
        reason: "r".into(),
        force: false,
        fast: false,
        at: at(second),
    }
}

async fn versions(store: &Store) -> [RulesetId; 3] {
    assert_eq!(store.rules.ruleset_in_force().await.expect("asks"), None);
    assert!(store.rules.plan(at(0)).await.expect("asks").is_none());
    let [one, two, three] = ["one", "two", "three"].map(|source| kept(vec![detection("IMG-1", source)]));
    let ids = [one.id.clone(), two.id.clone(), three.id.clone()];
    assert!(matches!(store.rules.begin_rollout(publish(&ids[1], 1)).await, Err(StoreError::Refused(_))));
    store.rules.remember_ruleset(one, true, at(1)).await.expect("remembers");
    store.rules.remember_ruleset(two.clone(), false, at(2)).await.expect("remembers");
    store.rules.remember_ruleset(three, false, at(3)).await.expect("remembers");
    store.rules.remember_ruleset(two, false, at(4)).await.expect("remembers again");
    assert_eq!(store.rules.ruleset_in_force().await.expect("asks"), Some(ids[0].clone()));
    let back = store.rules.ruleset(&ids[1]).await.expect("asks").expect("is kept");
    assert_eq!((back.detections[0].1.as_str(), back.pages.len()), ("two", 1));
    assert!(store.rules.ruleset(&RulesetId::from_text("none")).await.expect("asks").is_none());
    let listed = store.rules.rulesets().await.expect("lists");
    assert_eq!(listed.len(), 3);
    assert_eq!(listed.iter().filter(|one| one.in_force_since.is_some()).count(), 1);
    assert_eq!(store.rules.versions_of(&code("IMG-1")).await.expect("lists").len(), 3);
    let fixtures = |hit: &str| KeptFixtures {
        code: code("IMG-1"),
        version: back.detections[0].0.version.clone(),
        hit: hit.into(),
        miss: "Subject: miss".into(),
    };
    store.rules.remember_fixtures(vec![fixtures("Subject: hit\0")]).await.expect("remembers");
    store.rules.remember_fixtures(vec![fixtures("other")]).await.expect("remembers again");
    let known = store.rules.fixtures_of(&code("IMG-1"), &back.detections[0].0.version).await.expect("asks");
    assert_eq!(known, Some(fixtures("Subject: hit\u{fffd}")), "a version is never changed");
    assert_eq!(store.rules.fixtures_of(&code("IMG-2"), &back.detections[0].0.version).await.expect("asks"), None);
    ids
}

async fn rollouts(store: &Store, [one, two, three]: &[RulesetId; 3]) {
    assert!(
        matches!(store.rules.begin_rollout(publish(one, 9)).await, Err(StoreError::Refused(_))),
        "in force already"
    );
    assert!(!store.rules.was_ever_published().await.expect("asks"));
    let first = store.rules.begin_rollout(publish(two, 10)).await.expect("begins");
    assert_eq!(store.rules.plan(at(10)).await.expect("plans").expect("a plan").candidate, None, "the gates look at it");
    assert!(matches!(
        store.rules.move_rollout(step(first, Stage::Checking, RolloutTrigger::Promoted, 11)).await,
        Err(StoreError::Refused(_))
    ));
    store.rules.move_rollout(step(first, Stage::Checking, RolloutTrigger::Passed, 12)).await.expect("moves");
    // Somebody who believes that it is still in the gates is told so.
    assert!(matches!(
        store.rules.move_rollout(step(first, Stage::Checking, RolloutTrigger::Failed, 13)).await,
        Err(StoreError::Refused(_))
    ));
    store.rules.note_rollout(first, "waits").await.expect("notes");
    let plan = store.rules.plan(at(14)).await.expect("plans").expect("a plan");
    assert_eq!((plan.live, plan.candidate), (one.clone(), Some((two.clone(), Stage::Shadow))));
    for (from, second) in [(Stage::Shadow, 15), (Stage::Canary1, 16), (Stage::Canary10, 17), (Stage::Canary50, 18)] {
        store.rules.move_rollout(step(first, from, RolloutTrigger::Promoted, second)).await.expect("moves");
    }
    assert_eq!(store.rules.ruleset_in_force().await.expect("asks"), Some(two.clone()));
    assert_eq!(store.rules.ruleset_before(two).await.expect("asks")[0].1, "one");
    // The next one takes its place, and gives it back.
    let second = store.rules.begin_rollout(publish(three, 20)).await.expect("begins");
    store.rules.move_rollout(step(second, Stage::Checking, RolloutTrigger::Forced, 20)).await.expect("moves");
    assert_eq!(store.rules.rollout(first).await.expect("asks").stage, Stage::Superseded);
    assert_eq!(store.rules.rollout_in_force().await.expect("asks").map(|one| one.number), Some(second));
    store.rules.move_rollout(step(second, Stage::Live, RolloutTrigger::TakenBack, 20)).await.expect("moves");
    assert_eq!(
        store.rules.ruleset_in_force().await.expect("asks"),
        Some(two.clone()),
        "three changes in one second keep order"
    );
    // A third supersedes a fourth that is still under way.
    let third = store.rules.begin_rollout(publish(three, 30)).await.expect("begins");
    let fourth = store.rules.begin_rollout(publish(one, 31)).await.expect("begins");
    assert_eq!(store.rules.rollout(third).await.expect("asks").stage, Stage::Superseded);
    assert_eq!(store.rules.rollout_under_way().await.expect("asks").map(|one| one.number), Some(fourth));
    let steps = store.rules.rollout_steps(first).await.expect("lists");
    assert_eq!(steps.len(), 6);
    assert_eq!(steps.last().map(|step| step.to), Some(Stage::Superseded));
    let gates = store.rules.rollout(first).await.expect("asks").gates;
    assert!(gates.len() == 1 && gates[0].passed);
    assert_eq!(store.rules.rollouts().await.expect("lists").len(), 4);
    assert!(store.rules.was_ever_published().await.expect("asks"));
}

async fn modes(store: &Store) {
    let set = |mode, until| SetMode {
        code: code("IMG-1"),
        mode,
        reason: "r".into(),
        by: "anna".into(),
        at: at(40),
        until: at(until),
    };
    store.rules.set_mode(set(Mode::Off, 50)).await.expect("sets");
    store.rules.set_mode(set(Mode::Shadow, 60)).await.expect("sets");
    assert_eq!(store.rules.modes(at(59)).await.expect("asks"), [set(Mode::Shadow, 60)]);
    assert_eq!(store.rules.plan(at(59)).await.expect("plans").expect("a plan").modes.len(), 1);
    assert!(store.rules.modes(at(60)).await.expect("asks").is_empty(), "its time is over");
    store.rules.reset_mode(&code("IMG-1")).await.expect("resets");
    assert!(matches!(store.rules.reset_mode(&code("IMG-1")).await, Err(StoreError::NotFound(_))));
    store.rules.remember_engine("clamd", "1.4", "daily 1", at(1)).await.expect("remembers");
    store.rules.remember_engine("clamd", "1.4", "daily 2", at(2)).await.expect("remembers");
    store.rules.remember_engine("clamd", "1.4", "daily 2", at(3)).await.expect("remembers");
    let engines = store.rules.engine_versions().await.expect("lists");
    assert_eq!(engines.iter().map(|one| one.data_version.as_str()).collect::<Vec<_>>(), ["daily 2", "daily 1"]);
}

fn good(name: &str, carrier: &str, seen: Timestamp) -> GoodPart {
    let part = Part {
        number: 0,
        parent: None,
        sha256: Digest::of(name.as_bytes()),
        size: 1000,
        family: if name.starts_with("doc") { Family::Pdf } else { Family::Image },
        content_type: "image/png".into(),
        declared: "image/png".into(),
        name: format!("{name}.png"),
        tail: Tail::None,
    };
    GoodPart {
        part,
        print: None,
        carrier: carrier.into(),
        direction: Direction::Inbound,
        is_kept: true,
        mails: 2,
        first: seen,
        seen,
    }
}

async fn known_good(store: &Store) {
    let now = at(0).after(60 * DAY);
    let old = at(0).after(30 * DAY);
    let everybody: Vec<GoodPart> = (0..40).map(|n| good("logo", &format!("c{n}"), old)).collect();
    store.known_good.learn_good(everybody.clone(), Vec::new()).await.expect("learns");
    store.known_good.learn_good(everybody, Vec::new()).await.expect("learns again");
    let few = ["a", "b"].map(|carrier| good("photo", carrier, old));
    store.known_good.learn_good(few.to_vec(), Vec::new()).await.expect("learns");
    let client = Client {
        ip: std::net::IpAddr::from([192, 0, 2, 1]),
        peer: std::net::IpAddr::from([192, 0, 2, 1]),
        helo: "x".into(),
        protocol: "ESMTP".into(),
        login: None,
    };
    let envelope = Envelope { client, sender: None, params: MailParams::default(), recipients: Vec::new() };
    let mail = GoodMail {
        sha256: Digest::of(b"mail"),
        mail_id: MailId::new(old, [1; 10]),
        size: 500,
        seen: old,
        envelope,
        carrier: String::new(),
        text: None,
        layout: None,
    };
    store.known_good.learn_good(vec![good("doc", "a", old)], vec![mail.clone(), mail]).await.expect("learns");
    let [logo, photo, doc] = ["logo", "photo", "doc"].map(|name| Digest::of(name.as_bytes()));
    let standing = store.known_good.standing_of(&[logo, photo, doc, Digest::of(b"none")]).await.expect("asks");
    assert_eq!(standing.len(), 3);
    assert_eq!((standing[&logo].class(now, 20), standing[&photo].class(now, 20)), (MemoryClass::C3, MemoryClass::C1));
    assert_eq!(standing[&logo].carriers, 32, "more are not remembered");
    assert_eq!(
        store.known_good.contents_kept_with_bytes(&[logo, Digest::of(b"none")]).await.expect("asks"),
        BTreeSet::from([logo])
    );
    let status = store.known_good.known_good_status(now).await.expect("asks");
    assert_eq!((status.contents, status.kept, status.kept_bytes, status.mails), (3, 3, 3000, 1));
    assert_eq!(status.by_class, [1, 0, 1]);
    let families = BTreeSet::from([Family::Image]);
    let sample = store.known_good.good_sample(Some(&families), 10, Digest::of(b"from"), now).await.expect("samples");
    assert_eq!(sample.iter().map(|one| one.sha256).collect::<BTreeSet<_>>(), BTreeSet::from([logo, photo]));
    assert_eq!(store.known_good.good_sample(None, 2, Digest::of(b"from"), now).await.expect("samples").len(), 2);
    assert!(
        store
            .known_good
            .good_sample(Some(&BTreeSet::new()), 2, Digest::of(b"from"), now)
            .await
            .expect("samples")
            .is_empty()
    );
    assert_eq!(store.known_good.good_mails(10).await.expect("asks").len(), 1);
    let (long_ago, later) = (Timestamp::from_micros(0), now.after(Duration::from_secs(3600)));
    assert_eq!(store.known_good.mails_since(long_ago, 10).await.expect("asks").len(), 1);
    assert_eq!(store.known_good.mails_since(later, 10).await.expect("asks").len(), 0);
    let kept = store.known_good.known_good_status(now).await.expect("asks").kept;
    assert_eq!(store.known_good.contents_since(long_ago, 100).await.expect("asks").len() as u64, kept);
    assert_eq!(store.known_good.contents_since(long_ago, 1).await.expect("asks").len(), 1);
    assert_eq!(store.known_good.contents_since(later, 10).await.expect("asks").len(), 0);
    // What was called bad vouches for nothing.
    store.known_good.mark_bad(vec![photo, Digest::of(b"mail")], now).await.expect("marks");
    assert_eq!(
        store.known_good.standing_of(&[photo]).await.expect("asks")[&photo].class(now, 20),
        MemoryClass::Unknown
    );
    assert_eq!(
        store.known_good.good_sample(Some(&families), 10, Digest::of(b"from"), now).await.expect("samples").len(),
        1
    );
    assert!(store.known_good.good_mails(10).await.expect("asks").is_empty());
    // It comes through clean again: its age begins anew.
    let later = Timestamp::from_micros(now.as_micros() + 1);
    store.known_good.learn_good(vec![good("photo", "a", later)], Vec::new()).await.expect("learns");
    let again = store.known_good.standing_of(&[photo]).await.expect("asks")[&photo];
    assert_eq!((again.first_seen, again.last_bad, again.carriers), (later, None, 2));
    // Beyond its bounds the longest unseen goes first; what is too old goes in any case.
    let (parts, mails) = store.known_good.good_to_forget(at(0), 2500, 0).await.expect("asks");
    assert_eq!((parts.len(), mails.len()), (1, 1));
    let (parts, mails) = store.known_good.good_to_forget(now.after(DAY), u64::MAX, 10).await.expect("asks");
    assert_eq!((parts.len(), mails.len()), (3, 1));
    store.known_good.forget_good(parts, mails).await.expect("forgets");
    assert_eq!(store.known_good.known_good_status(now).await.expect("asks").contents, 0);
}

async fn contacts(store: &Store) {
    let pairs = ["a", "b", "c"].map(str::to_owned);
    assert!(store.known_good.contacts_of(&pairs).await.expect("asks").is_empty());
    store.known_good.remember_contacts([("a".into(), at(1)), ("b".into(), at(2))].into()).await.expect("remembers");
    store.known_good.remember_contacts([("a".into(), at(5))].into()).await.expect("remembers");
    assert_eq!(store.known_good.contacts_of(&pairs).await.expect("asks"), BTreeSet::from(["a".into(), "b".into()]));
    assert!(!store.known_good.forget_contacts(at(3)).await.expect("forgets"));
    assert_eq!(
        store.known_good.contacts_of(&pairs).await.expect("asks"),
        BTreeSet::from(["a".into()]),
        "a has met again since"
    );
}

async fn entries(store: &Store) {
    let now = at(100);
    let new = |allow, kind: &str, value: &str, hours: u32| Entry {
        caused_by: None,
        id: 0,
        last_used: None,
        allow,
        subject: Subject::parse(kind, value).expect("subject"),
        reach: Reach::Domain("ours.example".into()),
        clears_malware: allow,
        owner: "anna".into(),
        reason: "a test".into(),
        made: now,
        expires: now.after(hours * Duration::from_secs(3600)),
    };
    let empty = store.entries.entries_stamp(now).await.expect("asks");
    let block = store.entries.add_entry(new(false, "ip", "192.0.2.0/24", 1)).await.expect("adds");
    let allow = store.entries.add_entry(new(true, "file", &Digest::of(b"x").hex(), 2)).await.expect("adds");
    assert_eq!((block, allow), (1, 2));
    let kept = store.entries.entries(now).await.expect("lists");
    assert_eq!(kept.iter().map(|one| one.id).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(
        (kept[0].allow, kept[0].clears_malware, &kept[0].subject),
        (true, true, &Subject::File(Digest::of(b"x")))
    );
    assert_eq!((&kept[1].reach, kept[1].last_used), (&Reach::Domain("ours.example".into()), None));
    assert_ne!(store.entries.entries_stamp(now).await.expect("asks"), empty);
    store.entries.record_use([(1, at(120)), (2, at(130))].into()).await.expect("notes");
    store.entries.record_use([(1, at(110))].into()).await.expect("notes");
    let used = |entries: Vec<Entry>| entries.iter().map(|one| one.last_used).collect::<Vec<_>>();
    assert_eq!(
        used(store.entries.entries(now).await.expect("lists")),
        [Some(at(130)), Some(at(120))],
        "never earlier than known"
    );
    // An hour later the block has ended by itself; the allow is ended by hand.
    let later = now.after(Duration::from_secs(3601));
    let before = store.entries.entries_stamp(now).await.expect("asks");
    assert_ne!(store.entries.entries_stamp(later).await.expect("asks"), before);
    assert_eq!(store.entries.entries(later).await.expect("lists").len(), 1);
    store.entries.remove_entry(allow, "bert".into(), later).await.expect("removes");
    assert!(store.entries.entries(later).await.expect("lists").is_empty());
    for gone in [allow, block, 99] {
        let error = store.entries.remove_entry(gone, "bert".into(), later).await.expect_err("is gone");
        assert!(matches!(error, StoreError::NotFound(_)), "{error}");
    }
}

async fn evidence(store: &Store) {
    let versions = [DetectionVersion::of(&[b"two"])];
    let families = BTreeSet::from([Family::Image]);
    let seen = store.rules.evidence(at(0), at(9), &versions, Some(&families)).await.expect("asks");
    assert_eq!((seen.messages, seen.hits, seen.known_good), (0, 0, [0, 0, 0]));
    assert_eq!(seen.against(), None);
}

async fn story(url: &str, folder: &Path) {
    let blobs = Blobs::open(&folder.join("blobs")).expect("blobs");
    let store = Store::open(url, blobs, "n", &TokenKey::new([5; 32]), at(0)).await.expect("opens");
    let ids = versions(&store).await;
    rollouts(&store, &ids).await;
    modes(&store).await;
    known_good(&store).await;
    contacts(&store).await;
    entries(&store).await;
    evidence(&store).await;
    store.close().await;
}

#[tokio::test]
async fn the_story_on_sqlite() {
    let folder = tempfile::tempdir().expect("folder");
    story(&store::database::sqlite_url(&folder.path().join("test.db")), folder.path()).await;
}

#[tokio::test]
async fn the_story_on_postgresql() {
    let Some(url) = both::postgres().await else { return };
    let folder = tempfile::tempdir().expect("folder");
    story(&url, folder.path()).await;
}
