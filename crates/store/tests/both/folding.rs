//! What is searched is found whatever its case, script and kind of labels, on both databases; mail from before as well.

use std::sync::Arc;
use std::time::Duration;

use domain::ledger::Account;
use domain::query::Query;
use domain::{Address, MailId};
use store::mail::arrival::Arrival;
use store::mail::trace::TraceFilter;
use store::quarantine::Filter;
use store::{Scope, Store, database};

use crate::{arrival, at};

/// Milliseconds behind everything else of the story.
const DAY: i64 = 20 * 86_400;

fn id(n: u8) -> MailId {
    MailId::new(at(DAY + i64::from(n)), [n; 10])
}

fn mail(n: u8, subject: &str, sender: &str, recipient: &str, file: &str) -> Arrival {
    let mut arrival = arrival(n, format!("folding {n}").as_bytes(), &[(recipient, Account::Held)]);
    let mut examination = (*arrival.examination).clone();
    examination.message.subject = subject.into();
    examination.message.from = sender.into();
    examination.message.from_domain = Address::parse(sender).expect("address").domain().into();
    examination.message.parts[0].name = file.into();
    arrival.examination = Arc::new(examination);
    arrival.envelope.sender = Address::parse(sender).ok();
    arrival.mail_id = id(n);
    arrival.received = at(DAY + i64::from(n));
    arrival
}

async fn found(store: &Store, text: &str) -> Vec<u8> {
    let query = Query::parse(text, at(2 * DAY)).expect("a query");
    let page = store.explorer.explore(&query, &Scope::All, None, 500, Duration::from_secs(60)).await;
    let page = page.unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut numbers: Vec<u8> = page.rows.iter().filter_map(|row| (1..=9).find(|n| id(*n) == row.mail_id)).collect();
    numbers.sort_unstable();
    numbers
}

async fn is_found(store: &Store) {
    for (text, numbers) in [
        // Subjects: other letters, composed or not, in any case; words, beginnings, pieces.
        ("subject:MÄRZ", &[1][..]),
        ("subject:märz", &[1]),
        ("subject:\"rechnung ma\u{308}rz\"", &[1]),
        ("subject:RECHNUNG*2026", &[1]),
        ("subject:СЧЁТ", &[2]),
        ("subject:счёт*", &[2]),
        ("subject:*?плату", &[2]),
        ("ΟΔΟΣ", &[3]),
        ("subject:STRASSE", &[3]),
        ("subject:straße", &[3]),
        ("subject:%", &[]),
        // Local parts, and both kinds of labels.
        ("sender:JÜRGEN@bücher.example", &[1]),
        ("sender:jürgen@xn--bcher-kva.example", &[1]),
        ("sender:jü*@bücher.example", &[1]),
        ("sender:*@bücher.example", &[1, 2]),
        ("sender:*@bü*", &[1, 2]),
        ("sender:*@XN--BCHER-KVA.example", &[1, 2]),
        ("sender:info@BÜCHER.example", &[2]),
        ("sender:info@xn--bcher-kva.example", &[2]),
        ("from:JÜRGEN", &[1]),
        ("from_domain:bücher.example", &[1, 2]),
        ("from_domain:xn--bcher-kva.example", &[1, 2]),
        ("bücher", &[1, 2]),
        ("recipient:ЮЛИЯ@ours.example", &[2]),
        ("recipient:юли?@ours.example", &[2]),
        ("recipient:ANNA@straße.example", &[3]),
        ("recipient:anna@xn--strae-oqa.example", &[3]),
        ("domain:straße.example", &[3]),
        ("domain:*.example recipient:anna@*", &[3]),
        // Names of files.
        ("file:ÜBERSICHT.pdf", &[1]),
        ("file:*СХЕМА*", &[2]),
        ("file:схема*", &[2]),
        // And what they are not.
        ("sender:info@bucher.example", &[]),
        ("subject:marz", &[]),
        ("sender:*@xn--bcher-kva.example NOT subject:МАРТ NOT subject:MÄRZ", &[2]),
    ] {
        assert_eq!(found(store, text).await, numbers, "{text}");
    }
}

/// The story of a search.
pub(crate) async fn folding(store: &Store, url: &str) {
    for mail in [
        mail(1, "Rechnung März 2026", "Jürgen@Bücher.example", "b@ours.example", "Übersicht.pdf"),
        mail(2, "Счёт на оплату", "Info@xn--bcher-kva.example", "Юлия@ours.example", "Схема.docx"),
        mail(3, "Οδός, Straße, ΟΔΟΣ", "c@x.example", "Anna@straße.example", "plain.txt"),
        mail(4, "plain subject", "d@x.example", "b@ours.example", "Plain.TXT"),
    ] {
        store.mail.record_arrival(mail).await.expect("records");
    }
    is_found(store).await;
    listed(store).await;
    // Mail from before the table: found by the case of ASCII, and wholly when the rounds have come by.
    let mut admin = database::connect(url).await.expect("connects");
    let rows = "select count(*) as rows from folded";
    let count = async |admin: &mut sqlx::AnyConnection| {
        let row = sqlx::query(rows).fetch_one(admin).await.expect("counts");
        sqlx::Row::try_get::<i64, _>(&row, "rows").expect("a number")
    };
    let before = count(&mut admin).await;
    for statement in ["delete from folded", "delete from folded_reach"] {
        sqlx::query(statement).execute(&mut admin).await.expect("deletes");
    }
    assert_eq!(found(store, "subject:plain").await, [4]);
    assert!(found(store, "sender:*@bü*").await.len() < 2);
    let mut rounds = 0;
    while store.explorer.fold_older_texts().await.expect("folds") {
        rounds += 1;
    }
    assert!(rounds < 10, "it comes to an end");
    assert!(!store.explorer.fold_older_texts().await.expect("folds"), "and has nothing to do afterwards");
    assert_eq!(count(&mut admin).await, before);
    is_found(store).await;
}

async fn listed(store: &Store) {
    let held = async |filter: Filter, scope: &Scope| {
        let filter = Filter { since: Some(at(DAY)), ..filter };
        store.quarantine.held(&filter, scope).await.expect("lists").len()
    };
    let all = Scope::All;
    assert_eq!(held(Filter { subject: Some("MÄRZ".into()), ..Filter::default() }, &all).await, 1);
    assert_eq!(held(Filter { sender: Some("INFO@bücher.example".into()), ..Filter::default() }, &all).await, 1);
    assert_eq!(held(Filter { recipient: Some("ЮЛИЯ@OURS.example".into()), ..Filter::default() }, &all).await, 1);
    assert_eq!(held(Filter::default(), &Scope::Domains(vec!["straße.example".into()])).await, 1);
    // A recipient sees their own, by either kind of labels, and a mailbox is no other's for a folded letter.
    let own = |text: &str| Scope::Recipient(domain::address::normal(text));
    assert_eq!(held(Filter::default(), &own("ANNA@STRAßE.example")).await, 1);
    assert_eq!(held(Filter::default(), &own("anna@xn--strae-oqa.example")).await, 1);
    assert_eq!(held(Filter::default(), &own("anna@strasse.example")).await, 0);
    assert_eq!(held(Filter::default(), &own("юлия@ours.example")).await, 1);
    assert_eq!(held(Filter::default(), &own("B@ours.example")).await, 2);
    let traced = async |sender: &str, recipient: &str| {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let filter = TraceFilter { sender: some(sender), recipient: some(recipient), ..TraceFilter::default() };
        store.mail.trace(&filter, &Scope::All).await.expect("traces").len()
    };
    assert_eq!(traced("jürgen@xn--bcher-kva.example", "").await, 1);
    assert_eq!(traced("", "Юлия@OURS.example").await, 1);
    let waiting = store.recipients.recipients_not_yet_told(100, at(DAY), 100).await.expect("reads");
    for address in ["anna@xn--strae-oqa.example", "юлия@ours.example", "b@ours.example"] {
        assert_eq!(waiting.iter().filter(|one| *one == address).count(), 1, "{address}: {waiting:?}");
    }
}
