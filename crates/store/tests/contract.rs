//! One story, run on SQLite and on a real PostgreSQL: the same text must mean the same on both.

#[path = "both/acquaintances.rs"]
mod acquaintances;
mod both;
#[path = "both/console.rs"]
mod console;
#[path = "both/ending.rs"]
mod ending;
#[path = "both/events.rs"]
mod events;
#[path = "both/folding.rs"]
mod folding;
#[path = "both/hearing.rs"]
mod hearing;
#[path = "both/hold.rs"]
mod hold;
#[path = "both/late.rs"]
mod late;
#[path = "both/likeness.rs"]
mod likeness;
#[path = "both/probation.rs"]
mod probation;
#[path = "both/recollection.rs"]
mod recollection;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use domain::containment::{Containment, Level};
use domain::detection::{Category, DetectionCode, DetectionVersion, Effect, Mode, RulesetId};
use domain::envelope::{Body, Client, Envelope, MailParams, RcptParams, Recipient};
use domain::finding::{EngineReport, Examination, Facts, Finding, MemoryFact, Outcome, PreviousForm};
use domain::incident::{IncidentStep, Outcome as UnitOutcome, Stage};
use domain::ledger::{Account, Move};
use domain::message::{Ambiguity, Correspondence, Family, Message, Part, Tail};
use domain::policy::Policy;
use domain::release::{ReleaseEvent, ReleaseState};
use domain::sentinel::Event;
use domain::token::TokenKey;
use domain::verdict::decide;
use domain::{Address, Digest, Direction, MailId, Timestamp, UnitId};
use store::audit::Act;
use store::audit::verify::Verified;
use store::blob::Blobs;
use store::evidence::sentinel::{ContainmentChange, NewLine, Pin, Suspect};
use store::incident::digest::Digested;
use store::incident::{Announced, IncidentChange, NewIncident, Replayed};
use store::mail::arrival::{Arrival, Recorded, UnitArrival};
use store::mail::completion::Completion;
use store::mail::moves::UnitMove;
use store::mail::trace::TraceFilter;
use store::people::access::Token;
use store::people::agreement::Wish;
use store::quarantine::Filter;
use store::release::{Claim, Requested};
use store::{Scope, Store, StoreError};

const LEASE: Duration = Duration::from_secs(60);
const DAY: i64 = 24 * 3600;
const ALL: u64 = 1000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000 + second * 1_000_000)
}

fn key() -> TokenKey {
    TokenKey::new([5; 32])
}

fn mail_id(n: u8) -> MailId {
    MailId::new(at(i64::from(n)), [n; 10])
}

fn examination(body: &[u8]) -> Examination {
    Examination {
        ruleset: RulesetId::from_text("0123456789abcdef"),
        message: Message {
            sha256: Digest::of(body),
            body_sha256: Digest::of(body),
            size: body.len() as u64,
            message_id: Some("<1@x.example>".into()),
            subject: "100% \u{fc}ber_all".into(),
            from: "a@x.example".into(),
            from_domain: "x.example".into(),
            auto_submitted: None,
            correspondence: Default::default(),
            authentication_results: vec!["mx; spf=pass".into()],
            received_count: 2,
            text_sha256: Some(Digest::of(b"text")),
            url_domains: vec!["x.example".into()],
            fingerprints: domain::fingerprint::Fingerprints::default(),
            urls: vec!["x.example/a?b".into()],
            parts: vec![Part {
                number: 0,
                parent: None,
                sha256: Digest::of(b"part"),
                size: 4,
                family: Family::Image,
                content_type: "image/png".into(),
                declared: "image/png".into(),
                name: "logo.png".into(),
                tail: Tail::Known("mpf".into()),
            }],
            ambiguities: vec![Ambiguity::RepeatedField],
        },
        findings: vec![Finding {
            detection: DetectionCode::parse("IMG-0007").expect("code"),
            detection_version: DetectionVersion::of(&[b"v1"]),
            engine: "yara".into(),
            category: Category::Malware,
            effect: Effect::Hold,
            mode: Mode::Enforce,
            part: Some(0),
            family: Family::Image,
            offset: Some(7),
            evidence: "$a".into(),
            previous: Some(PreviousForm { detection_version: DetectionVersion::of(&[b"v0"]), hit: false }),
        }],
        engines: vec![EngineReport {
            engine: "yara".into(),
            version: "1".into(),
            data_version: String::new(),
            outcome: Outcome::Done,
            millis: 0.5,
            detail: String::new(),
        }],
        facts: Facts { memory: [(0, MemoryFact::default())].into(), ..Facts::default() },
    }
}

fn envelope(recipients: &[&str]) -> Envelope {
    let ip = "192.0.2.1".parse().expect("ip");
    let recipient = |text: &&str| {
        let address = Address::parse(text).expect("address");
        let domain = address.domain();
        let params = RcptParams { notify: Some("NEVER".into()), ..RcptParams::default() };
        Recipient { address, params, direction: Direction::Inbound, domain }
    };
    Envelope {
        client: Client { ip, peer: ip, helo: "x".into(), protocol: "ESMTP".into(), login: None },
        sender: Address::parse("a@x.example").ok(),
        params: MailParams { body: Some(Body::EightBitMime), envid: Some("e".into()), ..MailParams::default() },
        recipients: recipients.iter().map(recipient).collect(),
    }
}

fn arrival(n: u8, body: &[u8], units: &[(&str, Account)]) -> Arrival {
    let recipients: Vec<&str> = units.iter().map(|(recipient, _)| *recipient).collect();
    let envelope = envelope(&recipients);
    let examination = Arc::new(examination(body));
    let arrive = |(recipient, (_, account)): (&Recipient, &(&str, Account))| UnitArrival {
        verdict: decide(&examination, &envelope, recipient, &Policy::standard(), &Containment::default()),
        enforced: true,
        account: *account,
        reply: String::new(),
    };
    let units = envelope.recipients.iter().zip(units).map(arrive).collect();
    Arrival {
        mail_id: mail_id(n),
        received: at(i64::from(n)),
        envelope: envelope.clone(),
        examination: examination.clone(),
        units,
        normalised: false,
        removed_fields: vec!["X-Reprieve-Verdict".into()],
        blob: Some(Digest::of(body)),
        timings: BTreeMap::from([("examine".into(), 1.5)]),
    }
}

fn unit(n: u8, number: u32) -> UnitId {
    UnitId { mail: mail_id(n), number }
}

fn step(unit: UnitId, from: Account, by: Move) -> UnitMove {
    UnitMove { unit, from, by, at: at(50), actor: "test".into(), reason: "250 ok".into() }
}

async fn check_balanced(store: &Store) {
    let balance = store.upkeep.check_ledger(false).await.expect("checks");
    assert!(balance.is_balanced(), "{:?}", balance.faults);
}

async fn arrivals(store: &Store) {
    let first = arrival(1, b"one", &[("a@ours.example", Account::Held), ("b@other.example", Account::Forwarding)]);
    assert_eq!(store.mail.record_arrival(first.clone()).await.expect("records"), [Recorded::New, Recorded::New]);
    let read = store.mail.record(mail_id(1)).await.expect("reads");
    assert_eq!(read.examination, *first.examination, "what is read is what was recorded");
    assert_eq!(read.envelope, first.envelope);
    assert_eq!((read.blob, read.received), (first.blob, first.received));
    assert!(matches!(store.mail.record(mail_id(99)).await, Err(StoreError::NotFound(_))));

    // A retry finds the unit in custody, and adds only what is new.
    let retry = arrival(2, b"one", &[("a@ours.example", Account::Held), ("c@ours.example", Account::Held)]);
    let reused = Recorded::Reused { unit: unit(1, 0), account: Account::Held };
    assert_eq!(store.mail.record_arrival(retry).await.expect("records"), [reused, Recorded::New]);
    let again = arrival(3, b"one", &[("a@ours.example", Account::Held)]);
    assert_eq!(store.mail.record_arrival(again).await.expect("records"), [reused]);
    assert!(store.mail.record(mail_id(3)).await.is_err(), "nothing new, nothing recorded");
    store.mail.move_units(vec![step(unit(1, 1), Account::Forwarding, Move::HopAccepted)]).await.expect("moves");
    let twice = store.mail.move_units(vec![step(unit(1, 1), Account::Forwarding, Move::HopAccepted)]).await;
    assert!(matches!(twice, Err(StoreError::Refused(_))));
    check_balanced(store).await;
}

async fn a_group_of_many(store: &Store) {
    let many = (10..60_u8).map(|n| {
        let body = [n; 4];
        let store = store.clone();
        async move { store.mail.record_arrival(arrival(n, &body, &[("m@ours.example", Account::Forwarding)])).await }
    });
    let handles: Vec<_> = many.map(tokio::spawn).collect();
    for handle in handles {
        assert_eq!(handle.await.expect("runs").expect("records"), [Recorded::New]);
    }
    // One refused write takes no other of its group with it.
    let bad = store.mail.move_units(vec![step(unit(10, 0), Account::Held, Move::Denied)]);
    let good = store.mail.move_units(vec![step(unit(11, 0), Account::Forwarding, Move::HopAccepted)]);
    let (bad, good) = tokio::join!(bad, good);
    assert!(bad.is_err() && good.is_ok());
    assert_eq!(store.mail.doubt_forwarding(at(70)).await.expect("doubts"), 49);
    check_balanced(store).await;
}

async fn releases(store: &Store) {
    let release = match store.releases.request_release(unit(1, 0), "anna", "wanted", at(100)).await.expect("asks") {
        Requested::Queued(release) => release,
        other => panic!("{other:?}"),
    };
    let again = store.releases.request_release(unit(1, 0), "bert", "me too", at(101)).await.expect("asks");
    assert_eq!(again, Requested::Already(release.clone(), ReleaseState::Queued));
    let delivered = store.releases.request_release(unit(1, 1), "anna", "", at(101)).await.expect("asks");
    assert_eq!(delivered, Requested::Impossible(Account::Delivered));

    let claims = store.releases.claim_releases("n/1", at(102), LEASE).await.expect("claims");
    assert_eq!(claims.len(), 1);
    assert!(
        store.releases.claim_releases("n/2", at(102), LEASE).await.expect("claims").is_empty(),
        "one claim at a time"
    );
    let parcel = store.releases.parcel(&claims[0]).await.expect("parcel");
    assert_eq!(parcel.envelope.recipients[0].address.as_str(), "a@ours.example");
    store.releases.start_attempt(&claims[0], at(103)).await.expect("attempt");

    // The worker stops; its lease ends; the attempt without outcome is in doubt, and its late word counts no more.
    assert_eq!(store.releases.end_leases(None, at(103)).await.expect("ends"), 0);
    assert_eq!(store.releases.end_leases(None, at(200)).await.expect("ends"), 1);
    let late = store.releases.conclude_release(&claims[0], ReleaseEvent::Accepted, "250", at(201), at(201)).await;
    assert!(matches!(late, Err(StoreError::Refused(_))));
    let doubts = store.releases.releases_in_doubt(10).await.expect("doubts");
    assert_eq!(doubts.len(), 1);
    store.releases.decide_doubt(&release, ReleaseEvent::Repeat, "once more", at(900)).await.expect("repeats");
    let claims = store.releases.claim_releases("n/2", at(901), LEASE).await.expect("claims");
    assert_eq!((claims[0].repeats, claims[0].fence), (1, 2));
    store.releases.start_attempt(&claims[0], at(902)).await.expect("attempt");
    store
        .releases
        .conclude_release(&claims[0], ReleaseEvent::PutOff, "451 later", at(903), at(960))
        .await
        .expect("defers");
    assert!(
        store.releases.claim_releases("n/2", at(950), LEASE).await.expect("claims").is_empty(),
        "not before its time"
    );
    let claims = store.releases.claim_releases("n/2", at(961), LEASE).await.expect("claims");
    store.releases.start_attempt(&claims[0], at(962)).await.expect("attempt");
    store
        .releases
        .conclude_release(&claims[0], ReleaseEvent::Accepted, "250 ok", at(963), at(963))
        .await
        .expect("concludes");
    let rows = store.releases.releases_of(mail_id(1)).await.expect("rows");
    assert_eq!((rows[0].state, rows[0].attempt, rows[0].possibly_twice), (ReleaseState::Released, 3, false));
    check_balanced(store).await;
    // A restart ends its own leases at once.
    store.releases.request_release(unit(2, 1), "anna", "", at(970)).await.expect("asks");
    store.releases.claim_releases("n/2", at(971), LEASE).await.expect("claims");
    assert_eq!(store.releases.end_leases(Some("m/"), at(972)).await.expect("ends"), 0);
    assert_eq!(store.releases.end_leases(Some("n/"), at(972)).await.expect("ends"), 1);
    check_balanced(store).await;
}

/// A mail that was held because an engine failed, examined again and passed: a release that a program asks for.
async fn drained(store: &Store, n: u8, to: &str, kind: Correspondence) {
    let mut arrival = arrival(n, &[n], &[(to, Account::Held)]);
    let whole = Examination { findings: vec![], ..examination(&[n]) };
    let mut partial =
        Examination { message: Message { correspondence: kind, ..whole.message.clone() }, ..whole.clone() };
    partial.engines[0].outcome = Outcome::Error;
    arrival.examination = Arc::new(partial);
    let verdict = decide(
        &whole,
        &arrival.envelope,
        &arrival.envelope.recipients[0],
        &Policy::standard(),
        &Containment::default(),
    );
    store.mail.record_arrival(arrival).await.expect("records");
    let (verdicts, occasion) = (vec![(0, verdict)], store::mail::completion::Occasion::Partial);
    let completion = Completion { mail_id: mail_id(n), examination: Arc::new(whole), verdicts, at: at(2000), occasion };
    store.mail.record_full_examination(completion).await.expect("completes");
}

/// What a person asks for goes first, then by class; in a class each recipient in turn, for a recipient oldest first.
async fn order_of_release(store: &Store) {
    use Correspondence::{Automatic, Bulk, Person};
    // What the steps before have left.
    send_all(store, &store.releases.claim_releases("n/1", at(1900), LEASE).await.expect("claims")).await;
    let (anna, bert) = ("anna@ours.example", "bert@ours.example");
    let mails = [
        (241, anna, Bulk),
        (242, anna, Person),
        (243, anna, Person),
        (244, anna, Automatic),
        (245, bert, Person),
        (246, anna, Person),
        (247, bert, Bulk),
    ];
    for (n, to, kind) in mails {
        drained(store, n, to, kind).await;
    }
    store.mail.record_arrival(arrival(248, b"248", &[(bert, Account::Held)])).await.expect("records");
    store.releases.request_release(unit(248, 0), "bert", "I wait for it", at(2001)).await.expect("asks");
    let claims = store.releases.claim_releases("n/1", at(2002), LEASE).await.expect("claims");
    let order: Vec<UnitId> = claims.iter().map(|claim| claim.unit).collect();
    let expected = [248, 242, 245, 243, 246, 244, 241, 247].map(|n| unit(n, 0));
    // In one turn of a class it is the id of the release that decides.
    let same = |at: usize, other: usize| order[at] == expected[at] || order[at] == expected[other];
    assert!(order.len() == 8 && order[0] == expected[0], "{order:?}");
    assert!(same(1, 2) && same(2, 1) && order[3..6] == expected[3..6] && same(6, 7) && same(7, 6), "{order:?}");
    // What is put off keeps its place.
    store.releases.start_attempt(&claims[3], at(2003)).await.expect("attempt");
    store.releases.conclude_release(&claims[3], ReleaseEvent::PutOff, "451", at(2004), at(2010)).await.expect("defers");
    store.releases.end_leases(None, at(3000)).await.expect("ends");
    let again = store.releases.claim_releases("n/1", at(3001), LEASE).await.expect("claims");
    assert_eq!(again.iter().map(|claim| claim.unit).collect::<Vec<_>>(), order);
    send_all(store, &again).await;
    check_balanced(store).await;
}

async fn send_all(store: &Store, claims: &[Claim]) {
    for claim in claims {
        store.releases.start_attempt(claim, at(3002)).await.expect("attempt");
        store
            .releases
            .conclude_release(claim, ReleaseEvent::Accepted, "250", at(3003), at(3003))
            .await
            .expect("concludes");
    }
}

async fn looking(store: &Store) {
    let all = |filter: Filter| async move { store.quarantine.held(&filter, &Scope::All).await.expect("lists").len() };
    assert_eq!(all(Filter::default()).await, 2);
    assert_eq!(all(Filter { subject: Some("0% \u{fc}ber_a".into()), ..Filter::default() }).await, 2);
    assert_eq!(all(Filter { subject: Some("0%b".into()), ..Filter::default() }).await, 0, "wildcards are literal");
    assert_eq!(all(Filter { detection: Some("IMG-0007".into()), ..Filter::default() }).await, 2);
    assert_eq!(all(Filter { accounts: vec![Account::Released], ..Filter::default() }).await, 1);
    assert_eq!(all(Filter { recipient: Some("c@ours.example".into()), ..Filter::default() }).await, 1);
    assert_eq!(all(Filter { recipient: Some("C@Ours.example".into()), ..Filter::default() }).await, 1, "in any case");
    assert_eq!(all(Filter { sender: Some("A@X.example".into()), ..Filter::default() }).await, 2);
    assert_eq!(all(Filter { subject: Some("0% \u{fc}BER_A".into()), ..Filter::default() }).await, 2);
    assert_eq!(all(Filter { limit: 1, ..Filter::default() }).await, 1);
    assert_eq!(all(Filter { after: Some(mail_id(2)), ..Filter::default() }).await, 1);
    assert_eq!(all(Filter { direction: Some(Direction::Outbound), ..Filter::default() }).await, 0);
    let mine = Scope::Domains(vec!["other.example".into()]);
    assert_eq!(
        store.quarantine.held(&Filter::default(), &mine).await.expect("lists").len(),
        0,
        "its unit was delivered"
    );
    let ours = Scope::Domains(vec!["ours.example".into()]);
    let one = store.quarantine.held_one(mail_id(1), &ours).await.expect("shows").expect("in scope");
    assert_eq!(one.units.len(), 1, "units of other domains are not shown");
    assert_eq!(one.cause().map(|(code, _)| code).as_deref(), Some("IMG-0007"));
    assert!(store.quarantine.held_one(mail_id(1), &Scope::Domains(vec![])).await.expect("shows").is_none());
    let filter = TraceFilter { mail_id: Some(mail_id(1)), ..TraceFilter::default() };
    let traced = store.mail.trace(&filter, &ours).await.expect("traces");
    let life: Vec<&str> = traced[0].events.iter().map(|event| event.what.as_str()).collect();
    assert_eq!(life, ["arrived", "release_requested", "release_unanswered", "release_repeated", "release_accepted"]);
    assert!(store.mail.trace(&TraceFilter::default(), &Scope::All).await.is_err(), "nothing given is not everything");
}

/// What takes two persons is done when another one wants it within the hour, once.
async fn agreements(store: &Store) {
    let wish = |actor: &str, object: &str, minute: i64| Wish {
        what: "ruleset.force".into(),
        object: object.into(),
        actor: actor.into(),
        reason: "r".into(),
        asked: Timestamp::from_micros(1_795_000_000_000_000 + minute * 60_000_000),
    };
    let agree = async |wish: Wish| store.people.agree(wish).await.expect("asks").map(|first| first.actor);
    assert_eq!(agree(wish("anna", "one", 0)).await, None);
    assert_eq!(agree(wish("anna", "one", 1)).await, None, "nobody agrees with themselves");
    assert_eq!(agree(wish("ben", "two", 2)).await, None, "it is about something else");
    assert_eq!(store.people.wishes(wish("", "", 3).asked).await.expect("lists").len(), 2);
    assert_eq!(agree(wish("ben", "one", 30)).await.as_deref(), Some("anna"));
    assert_eq!(agree(wish("carla", "one", 31)).await, None, "once");
    assert_eq!(agree(wish("anna", "one", 31 + 60)).await, None, "not for ever");
    assert_eq!(agree(wish("carla", "two", 100)).await, None);
}

async fn people(store: &Store) {
    let token = Token {
        id: "t1".into(),
        name: "anna".into(),
        role: "analyst".into(),
        scope: Scope::Domains(vec!["ours.example".into()]),
        created: at(1),
        created_by: "root".into(),
        expires: at(100),
        revoked: None,
    };
    let secret = Digest::of(b"secret");
    store.people.add_token(token.clone(), secret).await.expect("adds");
    assert_eq!(store.people.token(secret, at(50)).await.expect("looks"), Some(token));
    assert_eq!(store.people.token(Digest::of(b"other"), at(50)).await.expect("looks"), None);
    assert_eq!(store.people.token(secret, at(100)).await.expect("looks"), None, "expired");
    store.people.revoke_token("t1", at(60)).await.expect("revokes");
    assert_eq!(store.people.token(secret, at(70)).await.expect("looks"), None, "revoked");
    assert!(store.people.revoke_token("t1", at(61)).await.is_err(), "once");
    for n in 0..9 {
        store.audit.record_act(act(n)).await.expect("records");
    }
    let verified = check_intact(store).await;
    let acts = store.audit.audit_entries(0, false, 100).await.expect("reads");
    assert_eq!((acts.len(), acts[8].object.as_str(), acts[8].reason.as_str()), (9, "mail 8", "wanted"));
    // What may be about people is beside the log, which commits to it; once destroyed, nobody can tell what it was, and
    // the log stands.
    assert_eq!((verified.private, verified.erased), (9, 0));
    store.audit.erase_private(acts[8].seq).await.expect("erases");
    assert!(store.audit.erase_private(acts[8].seq).await.is_err(), "once");
    let erased = check_intact(store).await;
    assert_eq!((erased.private, erased.erased, &erased.root), (8, 1, &verified.root));
    let acts = store.audit.audit_entries(0, false, 100).await.expect("reads");
    assert_eq!((acts[8].actor.as_str(), acts[8].object.as_str(), acts[8].reason.as_str()), ("anna", "mail 8", ""));
    assert_eq!(store.audit.audit_entries(0, true, 100).await.expect("reads").len() as u64, verified.size);
}

async fn check_intact(store: &Store) -> Verified {
    let verified = store.audit.verify_audit(true).await.expect("verifies");
    assert!(verified.faults.is_empty(), "{:?}", verified.faults);
    verified
}

/// What nobody confirmed lapses, a new verdict is journalled, and both stay comparable with the log.
async fn unfinished(store: &Store) {
    let mut partial = arrival(70, b"partial", &[("p@ours.example", Account::Held)]);
    let mut examination = examination(b"partial");
    examination.engines[0].outcome = Outcome::Timeout;
    partial.examination = Arc::new(examination.clone());
    store.mail.record_arrival(partial.clone()).await.expect("records");
    assert_eq!(
        store.mail.held_and_examined_in_part(None, 10).await.expect("lists"),
        [(mail_id(70), "192.0.2.1".to_owned())]
    );
    examination.engines[0].outcome = Outcome::Done;
    examination.findings.clear();
    let recipient = &partial.envelope.recipients[0];
    let verdict = decide(&examination, &partial.envelope, recipient, &Policy::standard(), &Containment::default());
    let examination = Arc::new(examination);
    let (verdicts, occasion) = (vec![(0, verdict)], store::mail::completion::Occasion::Partial);
    let completion = Completion { mail_id: mail_id(70), examination, verdicts, at: at(80), occasion };
    store.mail.record_full_examination(completion.clone()).await.expect("completes");
    assert!(store.mail.record_full_examination(completion).await.is_err(), "once");
    let filter = TraceFilter { mail_id: Some(mail_id(70)), ..TraceFilter::default() };
    let traced = store.mail.trace(&filter, &Scope::All).await.expect("traces");
    let life: Vec<&str> = traced[0].events.iter().map(|event| event.what.as_str()).collect();
    assert_eq!(life, ["arrived", "reexamined", "release_requested"]);

    store
        .mail
        .record_arrival(arrival(71, b"tentative", &[("q@ours.example", Account::Tentative)]))
        .await
        .expect("records");
    assert_eq!(store.upkeep.lapse_tentative(at(71), at(90)).await.expect("lapses"), 0, "not yet");
    assert_eq!(store.upkeep.tentative(at(72), 10).await.expect("lists"), [unit(71, 0)]);
    assert_eq!(store.upkeep.lapse_tentative(at(72), at(90)).await.expect("lapses"), 1);
    let asked =
        store.releases.request_release(unit(71, 0), "anna", "the hop's log says that it took nothing", at(91)).await;
    assert!(matches!(asked.expect("asks"), Requested::Queued(_)), "a person may still release it");
    check_balanced(store).await;
    check_intact(store).await;
}

/// Old entries go, and the rest still agrees with the head.
async fn pruning(store: &Store) {
    let before = check_intact(store).await;
    assert!(before.batches > 0 && before.batches_purged > 0, "{before:?}");
    assert_eq!(store.audit.prune_audit(at(0)).await.expect("prunes"), 0, "nothing is that old");
    let pruned = store.audit.prune_audit(at(105)).await.expect("prunes");
    assert!(pruned > 9 && (pruned as u64) < before.size, "{pruned} of {before:?}");
    let after = check_intact(store).await;
    assert_eq!((after.pruned, after.size, &after.root), (pruned as u64, before.size, &before.root));
    store.audit.record_act(act(7)).await.expect("records");
    assert_eq!(check_intact(store).await.size, before.size + 1);
}

fn act(n: i64) -> Act {
    let (actor, action, object) = ("anna".into(), "quarantine.release".into(), format!("mail {n}"));
    Act { at: at(n), actor, action, object, reason: "wanted".into(), detail: String::new() }
}

async fn orphans(store: &Store) {
    let (kept, orphan) = (arrival(80, b"kept", &[("k@ours.example", Account::Held)]), Digest::of(b"orphan"));
    store.blobs().put(Arc::new(b"kept".to_vec()), Digest::of(b"kept")).await.expect("puts");
    store.mail.record_arrival(kept).await.expect("records");
    drop(store.blobs().put(Arc::new(b"orphan".to_vec()), orphan).await.expect("puts"));
    let now = SystemTime::now();
    let yesterday = now - Duration::from_secs(24 * 3600);
    assert_eq!(
        store.upkeep.sweep_orphans(yesterday, 100).await.expect("sweeps"),
        0,
        "it may still be on its way to a record"
    );
    assert_eq!(store.upkeep.sweep_orphans(now + Duration::from_secs(60), 100).await.expect("sweeps"), 1);
    assert!(store.blobs().has(Digest::of(b"kept")) && !store.blobs().has(orphan));
}

async fn versions(store: &Store) {
    store.rules.remember_policy(&Policy::standard(), at(1)).await.expect("remembers");
    store.rules.remember_policy(&Policy::standard(), at(2)).await.expect("remembers again");
}

async fn retention(store: &Store) {
    let units = |balance: &store::upkeep::ledger::Balance| balance.accounts.values().sum::<i64>();
    let before = store.upkeep.check_ledger(false).await.expect("checks");
    // Everything here came to where it is within the first hour.
    let later = |second| at(DAY + 5000 + second);
    assert_eq!(store.upkeep.purge_records(at(1), later(0), ALL).await.expect("purges"), 0, "nothing is that old");
    // The bytes of what has ended go; custody keeps its own (the check of the ledger would say so).
    assert!(store.upkeep.drop_blobs(at(5000), ALL).await.expect("drops") > 0);
    while store.upkeep.drop_blobs(at(5000), ALL).await.expect("drops") > 0 {}
    check_balanced(store).await;
    // What is held stays, however old; what has ended goes.
    let mut purged = 0;
    loop {
        let count = store.upkeep.purge_records(at(5000), later(purged), ALL).await.expect("purges");
        if count == 0 {
            break;
        }
        purged += 1;
    }
    let after = store.upkeep.check_ledger(false).await.expect("checks");
    assert!(after.is_balanced(), "{:?}", after.faults);
    assert_eq!(units(&after) + after.closed.values().sum::<i64>(), units(&before), "the books keep what was purged");
    assert!(!after.accounts.contains_key("delivered"));
    let in_custody =
        after.accounts.get("releasing").copied().unwrap_or(0) + after.accounts.get("held").copied().unwrap_or(0);
    assert!(in_custody > 0, "custody is never purged: {after:?}");
    store.mail.record_arrival(arrival(90, b"old", &[("z@ours.example", Account::Held)])).await.expect("records");
    let expire = |category, before| store.upkeep.expire_held(category, before, later(0), ALL);
    assert_eq!(expire(Category::Malware, at(1)).await.expect("expires"), 0, "not so old");
    assert_eq!(expire(Category::Spam, at(5000)).await.expect("expires"), 0, "another category");
    assert!(expire(Category::Malware, at(5000)).await.expect("expires") > 0);
    store.upkeep.forget_retries(at(5000)).await.expect("forgets");
    check_balanced(store).await;
}

/// What a wrong detection held: suspected, contained, counted in, replayed, released; and what is kept from expiry
/// meanwhile.
async fn taking_back(store: &Store) {
    let suspect =
        Suspect { code: DetectionCode::parse("IMG-0007").expect("code"), version: DetectionVersion::of(&[b"v1"]) };
    for n in 200..203 {
        let held = arrival(n, &[n; 3], &[("a@ours.example", Account::Held), ("b@ours.example", Account::Held)]);
        store.mail.record_arrival(held).await.expect("records");
    }
    // The journal hears everything once, in its order.
    let waited = |second| Event::Waited { at: at(second) };
    let line = |key: &str, second| NewLine::new(key.into(), suspect.clone(), waited(second));
    assert_eq!(
        store.evidence.append_evidence(vec![line("a", 300), line("b", 301), line("a", 302)]).await.expect("appends"),
        2
    );
    assert_eq!(store.evidence.append_evidence(vec![line("a", 303)]).await.expect("appends"), 0);
    let lines = store.evidence.evidence_after(0, None).await.expect("reads").lines;
    assert_eq!(lines.iter().map(|line| (line.seq, line.event.at())).collect::<Vec<_>>(), [(1, at(300)), (2, at(301))]);
    assert_eq!(store.evidence.evidence_about(&suspect.code, 10).await.expect("reads").len(), 2);
    assert_eq!(store.evidence.hits_of(&suspect, 2).await.expect("reads").len(), 2);
    // Contained, until it is given back or its time is over; what held in an epoch is known for ever.
    let change = |level, second, until: Option<i64>| ContainmentChange {
        epoch: 0,
        at: at(second),
        suspect: suspect.clone(),
        level,
        until: until.map(at),
        actor: "p".into(),
        reason: "r".into(),
    };
    let first =
        store.containments.change_containment(change(Some(Level::Contained), 310, Some(320))).await.expect("changes");
    let contained = store.containments.containment(at(311)).await.expect("reads");
    assert_eq!((contained.epoch, contained.level(&suspect.code, &suspect.version)), (first, Some(Level::Contained)));
    assert!(store.containments.containment(at(321)).await.expect("reads").held_back.is_empty(), "its time is over");
    store.containments.change_containment(change(None, 312, None)).await.expect("changes");
    assert!(store.containments.containment(at(313)).await.expect("reads").held_back.is_empty(), "given back");
    assert_eq!(store.containments.containment_in(first).await.expect("reads").held_back.len(), 1);
    let pin = Pin { code: suspect.code.clone(), at: at(1), by: "p".into(), reason: "r".into() };
    store.containments.pin(pin.clone(), true).await.expect("pins");
    assert_eq!(store.containments.pins().await.expect("reads").first(), Some(&pin));
    store.containments.pin(pin.clone(), false).await.expect("lets go");
    assert!(matches!(store.containments.pin(pin, false).await, Err(StoreError::NotFound(_))));
    // An incident: opened once, its units counted in, its manifest frozen.
    let new = NewIncident {
        at: at(330),
        by: "sentinel".into(),
        in_force: Some(at(190)),
        is_convicted: true,
        suspect: suspect.clone(),
        ruleset: RulesetId::from_text("r"),
        cause: "c".into(),
        public_text: "p".into(),
        next_update: at(340),
    };
    let id = store.incidents.open(new.clone()).await.expect("opens");
    assert_eq!(id, "INC-2026-0001");
    assert!(matches!(store.incidents.open(new).await, Err(StoreError::Refused(_))), "one is enough");
    let incident = store.incidents.by_id(&id).await.expect("reads");
    assert_eq!((incident.in_force, incident.is_convicted, incident.contained), (Some(at(190)), true, None));
    assert_eq!(
        store.incidents.first_held_and_first_wrongly_held(&id).await.expect("reads"),
        (None, None),
        "not known yet"
    );
    let missing = store.incidents.held_units_not_in_manifest(&incident, None, 1000).await.expect("reads");
    assert!(missing.len() >= 6 && missing.contains(&unit(200, 0)), "{missing:?}");
    store.incidents.add_to_manifest(&id, 1, missing.clone()).await.expect("adds");
    store.incidents.add_to_manifest(&id, 1, missing.clone()).await.expect("adds nothing");
    assert!(store.incidents.held_units_not_in_manifest(&incident, None, 1000).await.expect("reads").is_empty());
    store.incidents.freeze_manifest(&id, 1).await.expect("freezes");
    let frozen = store.incidents.by_id(&id).await.expect("reads");
    assert_eq!((frozen.waves, frozen.root.len()), (1, 64));
    assert_eq!(store.incidents.manifest_root(&id).await.expect("reads"), frozen.root);
    let (alone, others) = store.incidents.verdicts_without_suspect(&frozen).await.expect("reads");
    assert_eq!((alone as usize, others.len()), (missing.len(), 0));
    // It is kept from expiry while it is open.
    store.upkeep.expire_held(Category::Malware, at(100_000), at(DAY * 100), ALL).await.expect("expires");
    assert_eq!(store.quarantine.accounts_of(mail_id(200)).await.expect("reads")[0].1, Account::Held);
    // The table moves it, and nothing else does.
    let wrong = IncidentChange::step(&frozen, IncidentStep::ReplayDone, at(350), "p", "x");
    assert!(matches!(store.incidents.change(wrong).await, Err(StoreError::Refused(_))));
    store
        .incidents
        .change(IncidentChange::step(&frozen, IncidentStep::ReplayBegun, at(351), "p", "x"))
        .await
        .expect("moves");
    let mut change = IncidentChange::note(&id, at(352), "p", "a note");
    (change.pause, change.owner, change.public_text) = (Some(true), Some("me".into()), Some("q".into()));
    store.incidents.change(change).await.expect("notes");
    let now = store.incidents.by_id(&id).await.expect("reads");
    assert_eq!(
        (now.stage, now.is_paused, now.owner.as_str(), now.public_text.as_str()),
        (Stage::Replaying, true, "me", "q")
    );
    assert_eq!(store.incidents.timeline(&id).await.expect("reads").len(), 3);
    // Each channel is told each public line once.
    let untold = store.incidents.lines_not_yet_announced("hook", at(0)).await.expect("reads");
    assert_eq!(untold.iter().map(|one| one.note.what.as_str()).collect::<Vec<_>>(), ["replaying"]);
    let (incident, number) = (untold[0].incident.clone(), untold[0].number);
    let claim = late::claimed(store, "line", at(353)).await;
    let told = Announced { claim, incident, number, channel: "hook".into(), at: at(353), reply: "200".into() };
    store.incidents.record_line_announced(told).await.expect("remembers");
    assert!(store.incidents.lines_not_yet_announced("hook", at(0)).await.expect("reads").is_empty());
    assert_eq!(store.incidents.lines_not_yet_announced("other", at(0)).await.expect("reads").len(), 1);
    // The replay: one message passes for one recipient, another cannot be looked at.
    let waiting = store.incidents.mail_awaiting_replay(&id, 1000).await.expect("reads");
    assert!(waiting.iter().any(|(mail, numbers)| *mail == mail_id(200) && numbers == &[0, 1]), "{waiting:?}");
    let mut clean = examination(&[200; 3]);
    clean.findings.clear();
    let envelope = envelope(&["a@ours.example", "b@ours.example"]);
    let verdict = |number: usize| {
        decide(&clean, &envelope, &envelope.recipients[number], &Policy::standard(), &Containment::default())
    };
    let completion = Completion {
        mail_id: mail_id(200),
        examination: Arc::new(clean.clone()),
        verdicts: vec![(0, verdict(0)), (1, verdict(1))],
        at: at(360),
        occasion: store::mail::completion::Occasion::Replay,
    };
    let cleared = Replayed {
        incident: id.clone(),
        mail_id: mail_id(200),
        outcomes: vec![(0, UnitOutcome::Cleared, "clean".into()), (1, UnitOutcome::Cleared, "clean".into())],
        completion: Some(completion),
        at: at(360),
    };
    let unclear = Replayed {
        incident: id.clone(),
        mail_id: mail_id(201),
        outcomes: vec![(0, UnitOutcome::Inconclusive, "an engine".into())],
        completion: None,
        at: at(361),
    };
    store.incidents.record_replay(vec![cleared.clone(), unclear]).await.expect("records");
    store.incidents.record_replay(vec![cleared]).await.expect("records once more, and changes nothing");
    assert_eq!(
        store.quarantine.accounts_of(mail_id(200)).await.expect("reads"),
        [(0, Account::Releasing), (1, Account::Releasing)]
    );
    assert_eq!(store.mail.record(mail_id(200)).await.expect("reads").examination.findings, []);
    let progress = store.incidents.progress(&id).await.expect("reads");
    assert_eq!((progress.of(UnitOutcome::Cleared), progress.of(UnitOutcome::Inconclusive)), (2, 1));
    // What the public is told is computed from these: the first message that was held, and the first that was held
    // wrongly.
    let first = missing.iter().map(|unit| unit.mail.at()).min();
    let expected = (first, Some(mail_id(200).at()));
    assert_eq!(store.incidents.first_held_and_first_wrongly_held(&id).await.expect("reads"), expected);
    let tally = progress.tally();
    assert_eq!((tally.wrong, tally.right, tally.delivered, tally.units), (2, 0, 0, missing.len() as u64));
    assert_eq!(
        store.incidents.replay_outcomes_of_mail(&id, mail_id(200)).await.expect("reads"),
        [UnitOutcome::Cleared; 2]
    );
    // A replay that is cancelled leads to the stage "contained", and contains nothing.
    let replaying = store.incidents.by_id(&id).await.expect("reads");
    let cancelled = IncidentChange::step(&replaying, IncidentStep::ReplayCancelled, at(364), "p", "x");
    store.incidents.change(cancelled).await.expect("moves");
    let waiting = store.incidents.by_id(&id).await.expect("reads");
    assert_eq!((waiting.stage, waiting.contained), (Stage::Contained, None));
    store
        .incidents
        .change(IncidentChange::step(&waiting, IncidentStep::ReplayBegun, at(365), "p", "x"))
        .await
        .expect("moves");
    let residual = store.incidents.undelivered_units(&id, 100).await.expect("reads");
    assert!(residual.iter().any(|one| one.unit == unit(201, 0) && one.reason == "an engine"), "{residual:?}");
    assert_eq!(store.incidents.retry_inconclusive(&id).await.expect("retries"), 1);
    who_is_told(store, &id).await;
    let reach = store.incidents.blast_radius(&id).await.expect("reads");
    assert_eq!(reach.directions[0], ("Inbound".to_owned(), missing.len() as u64));
    assert!(store.incidents.senders_told_of_held_mail(&id).await.expect("reads").is_empty());
    check_balanced(store).await;
}

/// Who has to be told of an incident is told once, and forgotten when nobody asks any more.
async fn who_is_told(store: &Store, incident: &str) {
    let asked = Replayed {
        incident: incident.into(),
        mail_id: mail_id(201),
        outcomes: vec![(0, UnitOutcome::Asked, "old".into())],
        completion: None,
        at: at(362),
    };
    store.incidents.record_replay(vec![asked]).await.expect("records");
    let people = async || {
        store.incidents.people_not_yet_told(incident, 10).await.expect("reads").into_keys().collect::<Vec<_>>()
    };
    let first = people().await;
    let address = first.first().expect("somebody").clone();
    let reply = "250 ok".to_owned();
    let claim = late::claimed(store, "digest", at(400)).await;
    store
        .incidents
        .record_person_told(Digested { claim, incident: incident.into(), address, at: at(400), reply })
        .await
        .expect("records");
    assert_eq!(people().await.len(), first.len() - 1);
    assert!(!store.incidents.forget_people_told(at(400)).await.expect("forgets"));
    assert_eq!(people().await.len(), first.len() - 1, "not so old");
    assert!(!store.incidents.forget_people_told(at(401)).await.expect("forgets"), "that was all");
    assert_eq!(people().await, first);
}

async fn story(url: &str, folder: &Path) {
    let blobs = Blobs::open(&folder.join("blobs")).expect("blobs");
    let store = Store::open(url, blobs.clone(), "n", &key(), at(0)).await.expect("opens");
    versions(&store).await;
    people(&store).await;
    agreements(&store).await;
    arrivals(&store).await;
    a_group_of_many(&store).await;
    releases(&store).await;
    looking(&store).await;
    let balance = store.upkeep.check_ledger(false).await.expect("checks");
    assert_eq!((balance.accepted, balance.unconfirmed), (4, 49));
    unfinished(&store).await;
    retention(&store).await;
    ending::recovering(&store).await;
    ending::recovered_in_between(&store).await;
    ending::remembered(&store).await;
    orphans(&store).await;
    pruning(&store).await;
    taking_back(&store).await;
    hearing::testimonies(&store).await;
    console::exploring(&store).await;
    console::people_of_the_console(&store).await;
    console::the_last_administrator(&store).await;
    console::recipients(&store).await;
    console::voices(&store).await;
    console::left_untold(&store).await;
    acquaintances::story(&store).await;
    recollection::story(&store).await;
    order_of_release(&store).await;
    late::two_processes(&store, url, folder).await;
    folding::folding(&store, url).await;
    likeness::story(&store).await;
    probation::story(&store).await;
    events::story(&store).await;
    store.close().await;
    // It opens again, with its schema as it is.
    let store = Store::open(url, blobs, "n", &key(), at(0)).await.expect("opens again");
    check_balanced(&store).await;
    hold::story(&store).await;
    store.close().await;
    hearing::many_writers(url, folder).await;
    events::many_writers(url, folder).await;
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

#[tokio::test]
async fn damage_is_found() {
    let folder = tempfile::tempdir().expect("folder");
    let url = store::database::sqlite_url(&folder.path().join("test.db"));
    let store = Store::open(&url, Blobs::open(&folder.path().join("blobs")).expect("blobs"), "n", &key(), at(0))
        .await
        .expect("opens");
    store.mail.record_arrival(arrival(1, b"one", &[("a@ours.example", Account::Held)])).await.expect("records");
    check_balanced(&store).await;
    people(&store).await;
    let deep = store.upkeep.check_ledger(true).await.expect("checks");
    assert!(deep.faults[0].contains("not in the blob folder"), "{:?}", deep.faults);
    let mut admin = store::database::connect(&url).await.expect("connects");
    for (damage, repair) in [
        ("update unit set account = 'released'", "update unit set account = 'held'"),
        ("update message set blob = null", "update message set blob = 'x'"),
        ("update ledger set to_account = 'denied'", "update ledger set to_account = 'held'"),
        ("update ledger set from_account = 'held'", "update ledger set from_account = 'outside'"),
        ("update unit set unit_no = 7", "update unit set unit_no = 0"),
    ] {
        sqlx::query(damage).execute(&mut admin).await.expect("damages");
        assert!(!store.upkeep.check_ledger(false).await.expect("checks").is_balanced(), "{damage}");
        sqlx::query(repair).execute(&mut admin).await.expect("repairs");
    }
    for (damage, repair) in [
        ("update unit set disposition = 'Deliver'", "update unit set disposition = 'Hold'"),
        ("update message set category = 'Spam'", "update message set category = 'Malware'"),
        ("update finding set evidence = '$b'", "update finding set evidence = '$a'"),
        (
            "update ledger set reason = reason || 'x'",
            "update ledger set reason = substr(reason, 1, length(reason) - 1)",
        ),
        ("update ledger set batch = batch + 100", "update ledger set batch = batch - 100"),
        (
            "insert into ledger select mail_id, 9, step, at_us, from_account, to_account, moved_by, actor, reason, \
                batch, verdict from ledger",
            "delete from ledger where unit_no = 9",
        ),
        ("update ledger set batch = -1", "update ledger set batch = 0"),
        (
            "update audit_leaf set entry_json = replace(entry_json, 'release', 'releasf') where seq = 3",
            "update audit_leaf set entry_json = replace(entry_json, 'releasf', 'release') where seq = 3",
        ),
        (
            "update audit_private set private_json = replace(private_json, 'wanted', 'wantec') where seq = 3",
            "update audit_private set private_json = replace(private_json, 'wantec', 'wanted') where seq = 3",
        ),
        (
            "update audit_private set seq = 1000 + seq where seq in (3, 4); update audit_private set seq = 1007 - seq \
                where seq > 1000",
            "update audit_private set seq = 1000 + seq where seq in (3, 4); update audit_private set seq = 1007 - seq \
                where seq > 1000",
        ),
        ("update audit_leaf set actor = 'bert' where seq = 2", "update audit_leaf set actor = 'anna' where seq = 2"),
        ("update audit_head set seal = 'x' || seal", "update audit_head set seal = substr(seal, 2)"),
        ("delete from audit_leaf where seq = 8", ""),
    ] {
        check_intact(&store).await;
        sqlx::query(damage).execute(&mut admin).await.expect("damages");
        let faults = store.audit.verify_audit(true).await.expect("verifies").faults;
        assert!(!faults.is_empty(), "{damage}");
        sqlx::query(repair).execute(&mut admin).await.expect("repairs");
    }
}
