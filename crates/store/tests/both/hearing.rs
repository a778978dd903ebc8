//! The part of the story that the sentinel hears: mail in the order in which it was committed, each testimony once.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use domain::detection::{DetectionCode, DetectionVersion};
use domain::finding::MemoryClass;
use domain::ledger::Account;
use domain::sentinel::suspicion::Hit;
use domain::sentinel::{Event, Settings, Suspect, Suspicion, Weights};
use domain::{Digest, MailId};
use store::blob::Blobs;
use store::evidence::hearing::{Heard, Page, SetAside};
use store::evidence::sentinel::NewLine;
use store::mail::arrival::Arrival;
use store::{Store, StoreError};

use super::{arrival, at, key, mail_id};

fn suspect() -> Suspect {
    Suspect { code: DetectionCode::parse("IMG-0007").expect("code"), version: DetectionVersion::of(&[b"heard"]) }
}

/// A mail that something has acted on, with an id and a time that are older the greater `n` is.
fn mail(n: u16) -> Arrival {
    let id = MailId::new(at(9_000 - i64::from(n)), [7; 10]);
    let received = at(9_000 - i64::from(n));
    Arrival { mail_id: id, received, ..arrival(1, &n.to_be_bytes(), &[("h@ours.example", Account::Forwarding)]) }
}

fn testimony(mail: MailId, part: u32, content: Option<&[u8]>) -> NewLine {
    let hit = Hit {
        at: at(1),
        identity: "i".into(),
        content: content.map(|bytes| Digest::of(bytes).hex()),
        class: MemoryClass::C2,
        carriers: BTreeSet::new(),
        weights: Weights::of([1, 1, 1, 1]),
    };
    NewLine { key: format!("hit/{mail}/{part}"), suspect: suspect(), event: Event::Hit(hit), mail: Some(mail) }
}

/// Hears all there is, and moves on.
async fn hear_all(store: &Store) -> Vec<MailId> {
    let mut mails = Vec::new();
    loop {
        let page = store.evidence.unheard_page(7).await.expect("reads");
        if page.to == page.from {
            return mails;
        }
        mails.extend(page.mails);
        let moved = Some((page.from, page.to));
        store.evidence.record_heard(Heard { moved, ..Heard::default() }).await.expect("moves on");
    }
}

pub(crate) async fn testimonies(store: &Store) {
    let before = hear_all(store).await;
    assert!(before.contains(&mail_id(201)), "what was held before is heard: {before:?}");
    // Whatever its id and its clock say, what is committed later is heard later, and heard.
    for n in 1..4 {
        store.mail.record_arrival(mail(n)).await.expect("records");
    }
    let page = store.evidence.unheard_page(2).await.expect("reads");
    assert_eq!(page.mails, [mail(2).mail_id, mail(1).mail_id], "those that were committed first");

    // How far was heard and what was said are one: from a place that another has moved nothing is written.
    let moved = |page: &Page| Some((page.from.clone(), page.to.clone()));
    let lines = vec![testimony(mail(1).mail_id, 0, Some(b"a"))];
    let heard = Heard { moved: moved(&page), lines, ..Heard::default() };
    assert_eq!(store.evidence.record_heard(heard.clone()).await.expect("hears"), 1);
    let later = Heard { lines: vec![testimony(mail(2).mail_id, 0, Some(b"a"))], ..heard };
    assert!(matches!(store.evidence.record_heard(later).await, Err(StoreError::Refused(_))));
    let about = |lines: Vec<store::evidence::sentinel::JournalLine>| {
        lines.into_iter().filter(|one| one.suspect == suspect()).count()
    };
    let heard = |store: &Store| {
        let store = store.clone();
        async move { store.evidence.evidence_after(0, Some(&suspect().code)).await.expect("reads") }
    };
    assert_eq!(about(heard(store).await.lines), 1);

    // A content of a mail testifies once against a suspect, in however many parts it is and however often it is heard.
    let one = mail(1).mail_id;
    let again = vec![testimony(one, 0, Some(b"a")), testimony(one, 1, Some(b"a")), testimony(one, 2, Some(b"b"))];
    assert_eq!(store.evidence.append_evidence(again.clone()).await.expect("appends"), 1);
    assert_eq!(store.evidence.append_evidence(again).await.expect("appends"), 0);
    let message = |part| NewLine { key: format!("message/{part}"), ..testimony(one, part, None) };
    assert_eq!(
        store.evidence.append_evidence(vec![message(0), message(1)]).await.expect("appends"),
        1,
        "the mail itself, once"
    );
    let others = vec![testimony(mail(2).mail_id, 0, Some(b"a"))];
    assert_eq!(store.evidence.append_evidence(others).await.expect("appends"), 1, "another mail");

    // What cannot be heard is set aside, and those behind it are heard.
    let page = store.evidence.unheard_page(10).await.expect("reads");
    assert_eq!(page.mails, [mail(3).mail_id]);
    let aside = SetAside { mail: mail(3).mail_id, tries: 1, next: at(100), fault: "f".repeat(400) };
    store
        .evidence
        .record_heard(Heard { moved: moved(&page), set_aside: vec![aside], ..Heard::default() })
        .await
        .expect("hears");
    assert!(store.evidence.unheard_page(10).await.expect("reads").mails.is_empty());
    assert!(store.evidence.due_unheard(at(99)).await.expect("reads").is_empty(), "it rests");
    let due = store.evidence.due_unheard(at(100)).await.expect("reads");
    assert_eq!((due.len(), due[0].mail, due[0].fault.len()), (1, mail(3).mail_id, 300));
    let again = SetAside { tries: 2, next: at(200), ..due[0].clone() };
    store.evidence.record_heard(Heard { set_aside: vec![again], ..Heard::default() }).await.expect("hears");
    let (count, all) = store.evidence.all_unheard(5).await.expect("reads");
    assert_eq!((count, all[0].tries), (1, 2));
    store.evidence.record_heard(Heard { settled: vec![mail(3).mail_id], ..Heard::default() }).await.expect("hears");
    assert_eq!(store.evidence.all_unheard(5).await.expect("reads").0, 0);

    // What a suspect is judged by is a line of its journal.
    let settings = Settings { trip: 1e3, ..Settings::default() };
    let opened = Event::Opened { at: at(1), settings };
    let line =
        NewLine::new("opened".into(), Suspect { version: DetectionVersion::of(&[b"judged"]), ..suspect() }, opened);
    store.evidence.append_evidence(vec![line]).await.expect("appends");
    let evidence = heard(store).await;
    let last = evidence.lines.last().expect("a line");
    assert_eq!((Suspicion::replay([&last.event]).threshold(), evidence.last), (1e3, Some(last.seq)));
}

/// Nothing that is committed is missed, by however many writers at once, and wherever the one who listens looks in
/// between.
pub(crate) async fn many_writers(url: &str, folder: &Path) {
    let open = |node: &'static str, folder: &str| {
        let blobs = Blobs::open(&Path::new(folder).join("blobs")).expect("blobs");
        async move { Store::open(url, blobs, node, &key(), at(0)).await.expect("opens") }
    };
    let folder = folder.to_str().expect("a path").to_owned();
    let (one, two) = (open("one", &folder).await, open("two", &folder).await);
    hear_all(&one).await;
    let writes = |store: Store, from: u16| async move {
        for n in from..from + 15 {
            // On PostgreSQL another may have taken the same place in the log: then nothing was written, and the client
            // comes again.
            while store.mail.record_arrival(mail(n)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    let (first, second) = (tokio::spawn(writes(one.clone(), 100)), tokio::spawn(writes(two.clone(), 200)));
    let mut heard = Vec::new();
    while !(first.is_finished() && second.is_finished()) {
        heard.extend(hear_all(&one).await);
    }
    first.await.expect("writes");
    second.await.expect("writes");
    heard.extend(hear_all(&one).await);
    let expected: BTreeSet<MailId> = (100..115).chain(200..215).map(|n| mail(n).mail_id).collect();
    assert_eq!(heard.len(), expected.len(), "each once");
    assert_eq!(heard.into_iter().collect::<BTreeSet<_>>(), expected);
    if url.starts_with("postgres") {
        commits_in_reverse(url, &one, &two).await;
    }
    one.close().await;
    two.close().await;
}

/// The first of two writers is kept from committing until the second has, and what the second wrote was heard.
async fn commits_in_reverse(url: &str, one: &Store, two: &Store) {
    let (slow, fast) = (mail(300), mail(301));
    let mut other = store::database::connect(url).await.expect("connects");
    // A row that the first writer has to wait for, since it writes one with the same key.
    let begun = [
        "begin".to_owned(),
        format!(
            "insert into finding (mail_id, finding_no, detection, detection_version, engine, category, effect, mode, \
                family, evidence) \
                 values ('{}', 0, '', '', '', '', '', '', '', '')",
            slow.mail_id
        ),
    ];
    for sql in begun {
        store::database::query(sql, Vec::new()).execute(&mut other).await.expect("blocks");
    }
    let first = tokio::spawn({
        let (one, slow) = (one.clone(), slow.clone());
        async move { one.mail.record_arrival(slow).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    // Its first write may be refused, since the log has moved on without it; then it knows where the log ends.
    if two.mail.record_arrival(fast.clone()).await.is_err() {
        two.mail.record_arrival(fast.clone()).await.expect("the second writer waits for nobody");
    }
    assert!(!first.is_finished(), "the first one began before, and has not ended");
    assert_eq!(hear_all(two).await, [fast.mail_id]);
    store::database::query("rollback".into(), Vec::new()).execute(&mut other).await.expect("lets go");
    // It is refused, since the log has moved on, or it is written behind what was heard; never before it.
    if first.await.expect("runs").is_err() {
        assert!(hear_all(two).await.is_empty(), "nothing of it was written");
        one.mail.record_arrival(slow.clone()).await.expect("the client comes again");
    }
    assert_eq!(hear_all(two).await, [slow.mail_id], "what was committed last is heard last, and heard");
}
