//! The part of the story that people see and do: looking, jobs, sign-in, reports and calls.

use std::time::Duration;

use domain::detection::{DetectionCode, DetectionVersion};
use domain::incident::{IncidentStep, Stage};
use domain::ledger::{Account, Move};
use domain::query::Query;
use domain::query::field::{Field, Kind};
use domain::{Digest, MailId, UnitId};
use store::evidence::hits::{HourOfHits, hour_of};
use store::evidence::sentinel::Suspect;
use store::evidence::submission::{NewSubmission, SubmissionKind};
use store::explorer::bulk::{Bulk, BulkItem, BulkPlace, BulkStage, BulkVerb, PENDING};
use store::explorer::explore::ExploreCursor;
use store::explorer::facets::BY;
use store::explorer::saved::{SAVED_MAX, SavedQuery};
use store::incident::IncidentChange;
use store::mail::moves::UnitMove;
use store::notices::alert::{AlertKind, NewAlert};
use store::people::person::{LastAdmin, Person, Session};
use store::quarantine::recipient::Noticed;
use store::{Scope, Store, StoreError};

use super::late::claimed;
use super::{arrival, at, mail_id, unit};

/// Hits by the hour, what people say, and what people are called for.
pub(crate) async fn voices(store: &Store) {
    let suspect =
        Suspect { code: DetectionCode::parse("IMG-0007").expect("code"), version: DetectionVersion::of(&[b"v1"]) };
    let hour = hour_of(at(202));
    let counted = store.evidence.count_hits(hour).await.expect("counts");
    let one = counted.iter().find(|one| one.suspect == suspect).expect("it has hit").clone();
    assert!(one.hits >= 2 && one.acted == one.hits && counted.len() == 1, "{counted:?}");
    store.evidence.keep_hits(counted.clone()).await.expect("keeps");
    store.evidence.keep_hits(vec![HourOfHits { acted: 1, ..one.clone() }]).await.expect("keeps in its place");
    assert_eq!(store.evidence.last_hour_of_hits().await.expect("reads"), Some(hour));
    let acted = store.evidence.hits_that_could_act(&[hour, at(0)]).await.expect("reads");
    assert_eq!(acted.into_iter().collect::<Vec<_>>(), [((suspect.code.clone(), hour), 1)]);
    assert_eq!(store.evidence.hours_of_hits(Some(&suspect.code), at(-4000)).await.expect("reads").len(), 1);
    assert_eq!(store.evidence.hours_of_hits(None, at(-4000)).await.expect("reads").len(), 1);
    assert!(store.evidence.first_message_came_at().await.expect("reads").is_some());
    assert!(!store.evidence.forget_hits(at(90_000)).await.expect("forgets"));
    assert!(store.evidence.hours_of_hits(None, at(-4000)).await.expect("reads").is_empty());
    // One person says the same of a message once; a missed mail is no word against a detection.
    let said = |n: u8, kind, reporter: &str| NewSubmission {
        at: at(400),
        mail_id: mail_id(n),
        kind,
        reporter: reporter.into(),
        comment: "c".into(),
        about: vec![suspect.clone()],
    };
    use SubmissionKind::{FalseNegative, FalsePositive};
    let all = vec![
        said(200, FalsePositive, "a@ours.example"),
        said(200, FalsePositive, "a@ours.example"),
        said(201, FalsePositive, "A@ours.example"),
        said(201, FalsePositive, "c@ours.example"),
        said(202, FalseNegative, "b@ours.example"),
    ];
    assert_eq!(store.submissions.submit(all).await.expect("submits"), 4);
    let voices = store.submissions.people_against_detections(at(0), 2).await.expect("reads");
    assert_eq!((voices.len(), voices[0].people, &voices[0].suspect), (1, 2, &suspect));
    assert!(store.submissions.people_against_detections(at(0), 3).await.expect("reads").is_empty());
    assert!(store.submissions.people_against_detections(at(401), 1).await.expect("reads").is_empty(), "they are older");
    // Called wrong, or cleared by the incident about it: each message once. A release alone says nothing of a verdict.
    assert_eq!(store.submissions.contradictions(at(0)).await.expect("reads"), [(suspect.code.clone(), 2)]);
    assert!(
        store.submissions.contradictions(at(90_000)).await.expect("reads").is_empty(),
        "of messages that came since"
    );
    // A code in any case is the one that is kept; what nothing was ever called is none.
    let known = async |text: &str| {
        let code = DetectionCode::parse(text).expect("code");
        store.rules.known_detection(&code).await.expect("reads").map(|code| code.to_string())
    };
    assert_eq!(known("img-0007").await.as_deref(), Some("IMG-0007"));
    assert_eq!((known("IMG-0007").await.as_deref(), known("IMG-9999").await), (Some("IMG-0007"), None));
    let waiting = store.submissions.awaiting_answer(at(0), 10).await.expect("reads");
    assert_eq!(waiting.len(), 4);
    let number = waiting[0].number;
    let incident = store.submissions.incident_of(mail_id(200)).await.expect("reads").expect("it belongs to one");
    store
        .submissions
        .record_acknowledged(claimed(store, "arrived", at(401)).await, number, at(401))
        .await
        .expect("remembers");
    store.submissions.link_to_incident(number, incident.clone()).await.expect("remembers");
    assert_eq!(store.submissions.awaiting_answer(at(0), 10).await.expect("reads").len(), 3, "until the incident ends");
    store
        .submissions
        .record_told_of_end(claimed(store, "ended", at(402)).await, number, at(402))
        .await
        .expect("remembers");
    let one = store.submissions.submission(number).await.expect("reads");
    assert_eq!((one.incident, one.acknowledged, one.ended), (Some(incident), Some(at(401)), Some(at(402))));
    assert_eq!((one.about, one.kind), (vec![suspect.clone()], FalsePositive));
    assert_eq!(store.submissions.submissions(None, 2).await.expect("reads").len(), 2);
    assert_eq!(store.submissions.submissions_of(mail_id(201)).await.expect("reads").len(), 2);
    store.submissions.forget_submissions(at(500)).await.expect("forgets");
    assert!(store.submissions.submissions(None, 10).await.expect("reads").is_empty());
    assert!(matches!(store.submissions.submission(number).await, Err(StoreError::NotFound(_))));
    // Each thing calls once, each channel once, until somebody has seen it.
    let alert = |key: &str| NewAlert {
        key: key.into(),
        at: at(500),
        kind: AlertKind::Rate,
        subject: "IMG-0007".into(),
        text: "t".into(),
    };
    assert!(
        store.notices.raise_alert(alert("a")).await.expect("calls")
            && store.notices.raise_alert(alert("b")).await.expect("calls")
    );
    assert!(!store.notices.raise_alert(alert("a")).await.expect("calls"), "no news");
    let untold = store.notices.alerts_not_yet_told("hook", at(0)).await.expect("reads");
    assert_eq!(untold.iter().map(|one| one.number).collect::<Vec<_>>(), [1, 2]);
    store
        .notices
        .record_alert_told(claimed(store, "alert", at(501)).await, 1, "hook", at(501), "200".into())
        .await
        .expect("remembers");
    store.notices.mark_alert_seen(2, at(502), "anna").await.expect("remembers");
    assert!(store.notices.alerts_not_yet_told("hook", at(0)).await.expect("reads").is_empty());
    assert_eq!(store.notices.alerts_not_yet_told("other", at(0)).await.expect("reads").len(), 1);
    assert_eq!(store.notices.alerts(false, 10).await.expect("reads").len(), 1);
    assert_eq!(store.notices.alerts(true, 10).await.expect("reads")[0].seen, Some((at(502), "anna".into())));
    assert!(matches!(store.notices.mark_alert_seen(9, at(503), "anna").await, Err(StoreError::NotFound(_))));
}

/// Every field of the query language is SQL that both databases take, and means the same; page by page it is the whole.
pub(crate) async fn exploring(store: &Store) {
    let budget = Duration::from_secs(60);
    let page = async |text: &str, scope: &Scope, after, limit| {
        let query = Query::parse(text, at(3000)).expect("a query");
        store
            .explorer
            .explore(&query, scope, after, limit, budget)
            .await
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    let count = async |text: &str| {
        let found = page(text, &Scope::All, None, 500).await;
        let query = Query::parse(text, at(3000)).expect("a query");
        let sums = store.explorer.summarise(&query, &Scope::All, None, 3_600_000_000, budget).await.expect("sums");
        assert!(!found.is_cut && found.next.is_none() && sums.next.is_none(), "{text}");
        assert_eq!(sums.units, found.rows.len() as u64, "{text}");
        assert_eq!(sums.over_time.values().sum::<u64>(), sums.units, "{text}");
        found.rows.len()
    };
    let all = count("").await;
    assert!(all > 10, "{all}");
    for field in Field::ALL {
        let name = field.as_str();
        let terms: Vec<String> = match field.kind() {
            Kind::Text => vec![format!("{name}:nothing"), format!("{name}:*n?thing*"), format!("{name}:*")],
            Kind::Word => field.words().iter().map(|word| format!("{name}:{word}")).collect(),
            Kind::Bytes | Kind::Moment => {
                vec![format!("{name}:<{}", if name == "size" { "1G" } else { "now" })]
            }
        };
        for term in terms {
            let (one, other) = (count(&term).await, count(&format!("NOT {term}")).await);
            assert_eq!(one + other, all, "{term}: what fits and what does not is all there is");
        }
    }
    assert_eq!(count("direction:Inbound").await, all);
    assert_eq!(count("sender:A@X.example").await, all);
    assert!(count("subject:\"100% \u{fc}ber_a\"").await > 0, "its own signs are text");
    assert_eq!(count("subject:\"100_ \"").await, 0);
    let found = count("file:LOGO.png type:image detection:IMG-0007").await;
    assert!(found > 0);
    assert_eq!(count("file:logo.PNG type:IMAGE detection:img-0007").await, found, "in any case");
    assert_eq!(count("detection:img-* domain:OURS.example").await, count("detection:IMG-* domain:ours.example").await);
    assert_eq!(count("direction:in*").await, all, "a pattern of a word, whatever the database makes of case");
    assert!(count("url:x.example").await > 0 && count("url:*.example").await > 0 && count("url:example").await == 0);
    assert!(count("incident:inc-2026-0001").await > 0);
    for limit in [1, 3] {
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let found = page("", &Scope::All, after, limit).await;
            seen.extend(found.rows.iter().map(|row| (row.mail_id, row.number)));
            match found.next {
                Some(next) => after = Some(ExploreCursor::parse(&next.to_string()).expect("a place")),
                None => break,
            }
        }
        assert!(
            seen.len() == all && seen.is_sorted_by(|one, next| one.0 > next.0 || one.0 == next.0 && one.1 < next.1)
        );
    }
    pivots_and_kept_queries(store).await;
    rolled_up(store).await;
    let theirs = Scope::Domains(vec!["other.example".into()]);
    let found = page("", &theirs, None, 500).await;
    assert!(found.rows.len() < all && found.rows.iter().all(|row| row.recipient.ends_with("@other.example")));
    assert!(page("", &Scope::Domains(vec![]), None, 500).await.rows.is_empty());
    // A job: written down before it acts, each unit with its result.
    let bulk = Bulk {
        number: 0,
        verb: BulkVerb::Deny,
        query: "state:held".into(),
        scope: theirs,
        actor: "anna".into(),
        reason: "r".into(),
        made: at(3000),
        stage: BulkStage::Running,
        moved: at(3000),
        place: BulkPlace::Begin,
        fence: 0,
    };
    let number = store.explorer.begin_job(bulk.clone()).await.expect("begins");
    assert_eq!(store.explorer.job(number).await.expect("reads"), Bulk { number, ..bulk });
    let item = |n: u8, outcome: &str| BulkItem {
        unit: unit(n, 0),
        recipient: "a@ours.example".into(),
        outcome: outcome.into(),
        reply: String::new(),
    };
    let place = BulkPlace::At(ExploreCursor { mail_id: mail_id(7), number: Some(1) });
    let job = store.explorer.job(number).await.expect("reads");
    let job = store.explorer.claim_job(&job, at(3000)).await.expect("claims").expect("nobody has it");
    store
        .explorer
        .record_found_units(&job, place, vec![item(7, PENDING), item(8, PENDING)], at(3001))
        .await
        .expect("finds");
    assert_eq!(store.explorer.job(number).await.expect("reads").place, place);
    store.explorer.record_results(&job, vec![item(7, "done")], at(3002)).await.expect("acts");
    assert_eq!(
        store.explorer.count_units_of_job(number).await.expect("counts"),
        [("done".to_owned(), 1), (PENDING.to_owned(), 1)]
    );
    assert_eq!(store.explorer.units_of_job(number, Some(PENDING), None, 9).await.expect("reads"), [item(8, PENDING)]);
    assert_eq!(store.explorer.units_of_job(number, None, Some(mail_id(7)), 9).await.expect("reads").len(), 1);
    let waits = Bulk { stage: BulkStage::Waiting, ..store.explorer.job(number).await.expect("reads") };
    let waiting = store.explorer.begin_job(waits).await.expect("begins");
    assert!(
        !store.explorer.jobs(true).await.expect("reads").iter().any(|one| one.number == waiting),
        "it does not run"
    );
    store.explorer.approve_job(waiting, at(3003)).await.expect("approves");
    assert!(matches!(store.explorer.approve_job(waiting, at(3003)).await, Err(StoreError::Refused(_))), "once");
    assert_eq!(store.explorer.job(waiting).await.expect("reads").stage, BulkStage::Running);
    store.explorer.cancel_job(waiting, at(3003)).await.expect("cancels");
    store.explorer.cancel_job(number, at(3003)).await.expect("cancels");
    assert!(matches!(store.explorer.cancel_job(number, at(3004)).await, Err(StoreError::Refused(_))));
    assert!(
        store.explorer.jobs(true).await.expect("reads").is_empty()
            && store.explorer.jobs(false).await.expect("reads").len() == 2
    );
    while store.explorer.forget_jobs(at(4000)).await.expect("forgets") {}
    assert!(matches!(store.explorer.job(number).await, Err(StoreError::NotFound(_))));
}

/// Sums by what no roll-up is kept of are those of the narrowed queries; kept queries are kept.
async fn pivots_and_kept_queries(store: &Store) {
    let patience = Duration::from_secs(60);
    for by in BY {
        let query = Query::parse("-state:delivered", at(3000)).expect("a query");
        let pivot = store.explorer.facets(&query, &Scope::All, by, patience).await.expect("sums");
        assert_eq!(pivot.since, None, "all of it");
        assert!(!pivot.units.is_empty(), "{}", by.as_str());
        for (value, units) in pivot.units {
            let narrowed = format!("-state:delivered {}:\"{value}\"", by.as_str());
            let query = Query::parse(&narrowed, at(3000)).expect("a query");
            let found = store.explorer.explore(&query, &Scope::All, None, 500, patience).await.expect("finds");
            // A type is asked for by its family or its content type; here each family is one.
            assert_eq!(found.rows.len() as u64, units, "{narrowed}");
        }
    }
    let query = Query::All(Vec::new());
    assert!(matches!(
        store.explorer.facets(&query, &Scope::All, Field::Subject, patience).await,
        Err(StoreError::Refused(_))
    ));
    assert!(
        store
            .explorer
            .facets(&query, &Scope::Domains(vec![]), Field::Ip, patience)
            .await
            .expect("sums")
            .units
            .is_empty()
    );
    let saved = |query: &str| SavedQuery {
        name: "held".into(),
        query: query.into(),
        by: "anna".into(),
        made: at(3000),
        is_tracked: true,
    };
    store.explorer.save_query(saved("state:held")).await.expect("keeps");
    store.explorer.save_query(saved("state:held ")).await.expect("keeps in its place");
    assert_eq!(store.explorer.saved_queries().await.expect("reads"), [saved("state:held ")]);
    for n in 1..SAVED_MAX {
        store.explorer.save_query(SavedQuery { name: n.to_string(), ..saved("x") }).await.expect("keeps");
    }
    let more = SavedQuery { name: "more".into(), ..saved("x") };
    assert!(matches!(store.explorer.save_query(more).await, Err(StoreError::Refused(_))));
    store.explorer.forget_query("held").await.expect("forgets");
    assert!(matches!(store.explorer.forget_query("held").await, Err(StoreError::NotFound(_))));
}

/// Sums from the roll-up are those of the rows, whatever changes afterwards.
async fn rolled_up(store: &Store) {
    let later = at(10 * 86_400);
    let (patience, none) = (Duration::from_secs(60), Duration::ZERO);
    same_sums(store, patience).await;
    while store.explorer.sum_finished_hours(later).await.expect("rolls") {}
    // Without time to walk: what is exact now comes from the roll-up.
    same_sums(store, none).await;
    let query = Query::parse("state:held", later).expect("a query");
    let mut held = store.explorer.explore(&query, &Scope::All, None, 1, Duration::from_secs(60)).await.expect("finds");
    let held = held.rows.remove(0);
    let unit = UnitId { mail: held.mail_id, number: held.number };
    let deny =
        UnitMove { unit, from: Account::Held, by: Move::Denied, at: later, actor: "a".into(), reason: "r".into() };
    store.mail.move_units(vec![deny.clone()]).await.expect("denies");
    same_sums(store, none).await;
    while store.explorer.sum_finished_hours(later).await.expect("rolls") {}
    same_sums(store, none).await;
}

/// What the roll-up says is what a walk through the rows says.
async fn same_sums(store: &Store, patience: Duration) {
    let behind_all = MailId::new(at(100 * 86_400), [0xff; 10]);
    let scopes = [Scope::All, Scope::Domains(vec!["other.example".into()]), Scope::Domains(vec![])];
    for text in [
        "",
        "state:held",
        "-state:held",
        "direction:Inbound (category:Malware OR category:Clean)",
        "domain:ours.example",
        "-domain:ours.example disposition:Hold",
        "received:<now",
        "received:>=-1h",
    ] {
        for scope in &scopes {
            for interval in [3_600_000_000, 86_400_000_000, i64::MAX] {
                let query = Query::parse(text, at(3000)).expect("a query");
                let sum =
                    async |before, patience| store.explorer.summarise(&query, scope, before, interval, patience).await;
                let quick = sum(None, patience).await.expect("sums");
                let walked = sum(Some(behind_all), Duration::from_secs(60)).await.expect("sums");
                assert_eq!(quick, walked, "{text} {scope:?} {interval}");
            }
        }
    }
}

/// What an incident might have given back and did not is told when it is over, to who was told of other mail meanwhile.
pub(crate) async fn left_untold(store: &Store) {
    let (address, newest) = ("b@ours.example", mail_id(211));
    let waits = async |period| {
        store.recipients.recipients_not_yet_told(period, at(0), 100).await.expect("reads").contains(&address.to_owned())
    };
    let told = async |period, second| {
        let reply = "250".to_owned();
        let claim = claimed(store, &format!("left {period}"), at(second)).await;
        let told = Noticed { claim, address: address.into(), period, until: newest, at: at(second), reply };
        store.recipients.record_recipient_told(told).await.expect("remembers");
    };
    let left = async || {
        store
            .recipients
            .left_untold_for_an_incident(address, &[mail_id(201), newest])
            .await
            .expect("reads")
            .into_iter()
            .collect::<Vec<_>>()
    };
    told(7, 3000).await;
    assert!(!waits(8).await && left().await.is_empty(), "it is open");
    for (step, second) in [(IncidentStep::ReplayDone, 3001), (IncidentStep::Resolved, 3002)] {
        let open = store
            .incidents
            .all()
            .await
            .expect("reads")
            .into_iter()
            .find(|one| one.stage != Stage::Resolved)
            .expect("is open");
        store.incidents.change(IncidentChange::step(&open, step, at(second), "p", "x")).await.expect("moves");
    }
    assert!(waits(8).await);
    assert_eq!(left().await, [mail_id(201)]);
    told(8, 3003).await;
    assert!(!waits(9).await && left().await.is_empty(), "once");
}

/// What recipients ask for and are told.
pub(crate) async fn recipients(store: &Store) {
    let address = "p@ours.example";
    store
        .mail
        .record_arrival(arrival(211, b"portal", &[(address, Account::Held), ("q@ours.example", Account::Held)]))
        .await
        .expect("records");
    let own = Scope::Recipient(address.into());
    let query = Query::parse("state:held", at(3000)).expect("a query");
    let page = store.explorer.explore(&query, &own, None, 100, Duration::from_secs(60)).await.expect("finds");
    assert!(!page.rows.is_empty() && page.rows.iter().all(|row| row.recipient == address), "{:?}", page.rows);
    let held = UnitId { mail: page.rows[0].mail_id, number: page.rows[0].number };
    let seen = store.quarantine.held_one(held.mail, &own).await.expect("reads").expect("it is there");
    assert!(seen.units.iter().all(|unit| unit.recipient == address), "nobody else's: {seen:?}");
    assert!(
        store
            .quarantine
            .held_one(held.mail, &Scope::Recipient("x@ours.example".into()))
            .await
            .expect("reads")
            .is_none()
    );
    // Asked once, until somebody decides.
    assert!(store.recipients.ask_release(held, address, "mine", at(3000)).await.expect("asks"));
    assert!(!store.recipients.ask_release(held, address, "mine!", at(3001)).await.expect("asks again"));
    let asked = async |scope: &Scope| store.recipients.release_requests(scope, 10).await.expect("reads");
    let one = asked(&Scope::All).await.remove(0);
    assert_eq!((one.unit, one.reason.as_str(), one.by.as_str()), (held, "mine", address));
    assert_eq!(asked(&Scope::Domains(vec!["ours.example".into()])).await.len(), 1);
    assert!(asked(&Scope::Domains(vec!["other.example".into()])).await.is_empty());
    assert_eq!(
        store.recipients.units_asked_for(&[held.mail]).await.expect("reads").into_iter().collect::<Vec<_>>(),
        [held]
    );
    let newest = page.rows[0].mail_id;
    // Told once of each, and once a period.
    let waiting = async |period| store.recipients.recipients_not_yet_told(period, at(0), 100).await.expect("reads");
    let coming_back = store.recipients.in_open_incident(&[mail_id(201), held.mail]).await.expect("reads");
    assert_eq!(coming_back.into_iter().collect::<Vec<_>>(), [mail_id(201)]);
    assert!(!waiting(7).await.contains(&"b@ours.example".to_owned()), "an open incident is about to give it back");
    assert!(waiting(7).await.contains(&address.to_owned()));
    let told = async |period, until| {
        let claim = claimed(store, &format!("held {period}"), at(3000)).await;
        Noticed { claim, address: address.into(), period, until, at: at(3000), reply: "250".into() }
    };
    store.recipients.record_recipient_told(told(7, mail_id(0)).await).await.expect("remembers");
    assert!(!waiting(7).await.contains(&address.to_owned()), "once a period");
    assert!(waiting(8).await.contains(&address.to_owned()));
    store.recipients.record_recipient_told(told(8, newest).await).await.expect("remembers");
    assert_eq!(store.recipients.told_up_to(address).await.expect("reads"), Some(newest));
    assert!(!waiting(9).await.contains(&address.to_owned()), "nothing new");
    let deny = UnitMove {
        unit: held,
        from: Account::Held,
        by: Move::Denied,
        at: at(3004),
        actor: "a".into(),
        reason: "r".into(),
    };
    store.mail.move_units(vec![deny]).await.expect("denies");
    assert!(asked(&Scope::All).await.is_empty(), "it is decided");
    // A link opens once.
    let link = Digest::of(b"link");
    assert!(
        store.recipients.use_link(link, at(100)).await.expect("uses")
            && !store.recipients.use_link(link, at(100)).await.expect("uses")
    );
    store.recipients.close_portal(address, at(50)).await.expect("closes");
    let closed = async || store.recipients.portal_closed_at(address).await.expect("reads");
    store.recipients.forget_recipients(at(100), at(50), at(0)).await.expect("forgets");
    assert_eq!(closed().await, Some(at(50)), "what is from before may hold still");
    assert!(!store.recipients.use_link(link, at(100)).await.expect("uses"), "it holds still");
    store.recipients.forget_recipients(at(101), at(51), at(4000)).await.expect("forgets");
    assert_eq!(closed().await, None);
    assert!(store.recipients.use_link(link, at(100)).await.expect("uses"));
    assert_eq!(store.recipients.told_up_to(address).await.expect("reads"), None);
}

/// Who may sign in, and for how long.
pub(crate) async fn people_of_the_console(store: &Store) {
    let (secret, invitation) = (Digest::of(b"session"), Digest::of(b"invitation"));
    let anna = Person {
        name: "anna".into(),
        role: "admin".into(),
        scope: Scope::Domains(vec!["ours.example".into()]),
        password: None,
        totp: None,
        invited_until: Some(at(100)),
        made: at(1),
        made_by: "root".into(),
        disabled: None,
    };
    store.people.invite(anna.clone(), invitation, LastAdmin::MayGo).await.expect("invites");
    assert_eq!(store.people.person_invited_by(invitation, at(99)).await.expect("looks"), Some(anna.clone()));
    assert_eq!(store.people.person_invited_by(invitation, at(100)).await.expect("looks"), None, "its time is over");
    store.people.accept_invitation("anna", "hash".into()).await.expect("accepts");
    assert_eq!(store.people.person_invited_by(invitation, at(50)).await.expect("looks"), None, "used up");
    store.people.set_totp("anna", Some("s".into())).await.expect("sets");
    let known = store.people.person("anna").await.expect("reads").expect("is there");
    assert_eq!((known.password.as_deref(), known.totp.as_deref()), (Some("hash"), Some("s")));
    let session = Session {
        id: secret.hex(),
        person: "anna".into(),
        began: at(60),
        seen: at(60),
        until: at(200),
        client: "c".into(),
    };
    store.people.begin_session(session.clone()).await.expect("begins");
    store.people.record_session_use(&secret.hex(), at(70)).await.expect("remembers");
    let found = store.people.session(secret, at(199)).await.expect("looks").expect("holds");
    assert_eq!((found.0, found.1), (Session { seen: at(70), ..session.clone() }, known));
    assert!(store.people.session(secret, at(200)).await.expect("looks").is_none(), "its time is over");
    assert_eq!(store.people.sessions_of("anna", at(100)).await.expect("lists").len(), 1);
    store.people.sweep_sessions(at(150)).await.expect("sweeps");
    store.people.disable_person("anna", at(80), LastAdmin::MayGo).await.expect("shuts out");
    assert!(store.people.session(secret, at(90)).await.expect("looks").is_none());
    assert!(matches!(
        store.people.disable_person("anna", at(81), LastAdmin::MayGo).await,
        Err(StoreError::NotFound(_))
    ));
    assert!(matches!(store.people.set_totp("nobody", None).await, Err(StoreError::NotFound(_))));
    store.people.invite(anna, invitation, LastAdmin::MayGo).await.expect("invites anew");
    let again = store.people.people().await.expect("lists").remove(0);
    assert_eq!((again.password, again.totp, again.disabled), (None, None, None));
    store.people.begin_session(session).await.expect("begins");
    store.people.end_session(&secret.hex()).await.expect("ends");
    assert!(store.people.session(secret, at(90)).await.expect("looks").is_none());
}

/// Nobody shuts out, or invites anew, the last administrator who can sign in; nor do two who shut out each other at
/// once.
pub(crate) async fn the_last_administrator(store: &Store) {
    let admin = |name: &str| Person {
        name: name.into(),
        role: "admin".into(),
        scope: Scope::All,
        password: None,
        totp: None,
        invited_until: Some(at(100)),
        made: at(1),
        made_by: "root".into(),
        disabled: None,
    };
    let secret = |name: &str| Digest::of(name.as_bytes());
    for name in ["first", "second"] {
        store.people.invite(admin(name), secret(name), LastAdmin::StaysByPassword).await.expect("invites");
    }
    store.people.accept_invitation("first", "hash".into()).await.expect("accepts");
    let refused = |done: Result<(), StoreError>| matches!(done, Err(StoreError::Refused(_)));
    assert!(
        refused(store.people.disable_person("first", at(2), LastAdmin::StaysByPassword).await),
        "the other has no password"
    );
    assert!(refused(store.people.invite(admin("first"), secret("x"), LastAdmin::StaysByPassword).await));
    let known = store.people.person("first").await.expect("reads").expect("is there");
    assert_eq!((known.password.as_deref(), known.disabled), (Some("hash"), None), "nothing was done");
    store.people.accept_invitation("second", "hash".into()).await.expect("accepts");
    let (one, other) = tokio::join!(
        store.people.disable_person("first", at(3), LastAdmin::StaysByPassword),
        store.people.disable_person("second", at(3), LastAdmin::StaysByPassword)
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    let left = if one.is_ok() { "second" } else { "first" };
    assert!(refused(store.people.disable_person(left, at(4), LastAdmin::Stays).await));
    let demoted = Person { role: "auditor".into(), ..admin(left) };
    assert!(refused(store.people.invite(demoted.clone(), secret("y"), LastAdmin::StaysByPassword).await));
    // Where an account elsewhere vouches for people, an invitation is enough.
    store.people.invite(admin("third"), secret("third"), LastAdmin::Stays).await.expect("invites");
    store.people.invite(demoted, secret("y"), LastAdmin::Stays).await.expect("invites");
    assert!(refused(store.people.disable_person("third", at(5), LastAdmin::Stays).await));
    store.people.disable_person("third", at(5), LastAdmin::MayGo).await.expect("shuts out");
}
