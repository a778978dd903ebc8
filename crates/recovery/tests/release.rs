//! Releases over a real store and a next hop that does what a script says; time stands still unless a test moves it.

#[path = "support/held.rs"]
mod held;
mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::ledger::Account;
use domain::release::{IN_DOUBT_REST, LEASE, ReleaseState};
use domain::token::TokenKey;
use domain::{Timestamp, UnitId};
use held::{MAIL, held};
use platform::clock::{Clock, ManualClock};
use platform::config::Config;
use platform::hop::Hops;
use platform::items::Items;
use platform::outgoing::find_token;
use platform::priority::Priority;
use platform::reconciler::Reconciler;
use platform::signals::Signals;
use recovery::pacing::Pacing;
use recovery::release::Releaser;
use scripted_hop::{AtDot, Envelope, Listed, Script, Taken};
use store::Store;
use store::release::{ReleaseRow, Requested};
use support::{BEGIN_US, config};
use tempfile::TempDir;
use tokio::sync::watch;
use wire::smtp::client::Timeouts;
use wire::smtp::reply::Reply;

/// Longer than the first wait after a temporary answer.
const BACKED_OFF: Duration = Duration::from_secs(61);

/// A hop that says something else than yes to the next recipients, or to the next DATA.
struct Choosy {
    listed: Listed,
    recipients: Mutex<Vec<Reply>>,
    data: Mutex<Vec<Reply>>,
}

impl Choosy {
    fn taken(&self) -> Vec<Taken> {
        self.listed.taken()
    }
}

impl Script for Choosy {
    fn recipient(&self, envelope: &Envelope, recipient: &str) -> Reply {
        self.recipients.lock().expect("free").pop().unwrap_or_else(|| self.listed.recipient(envelope, recipient))
    }

    async fn data(&self, envelope: &Envelope) {
        self.listed.data(envelope).await;
    }

    fn answer_to_data(&self) -> Reply {
        self.data.lock().expect("free").pop().unwrap_or_else(|| self.listed.answer_to_data())
    }

    async fn dot(&self, envelope: &Envelope, bytes: Vec<u8>) -> Option<Reply> {
        self.listed.dot(envelope, bytes).await
    }
}

/// One held mail whose release is asked for, and the next hop that it goes to.
struct Held {
    store: Store,
    clock: Arc<ManualClock>,
    hop: Arc<Choosy>,
    config: Arc<Config>,
    unit: UnitId,
    _folder: TempDir,
}

impl Held {
    async fn with(hop: Listed) -> Self {
        let folder = TempDir::new().expect("a folder");
        let hop = Arc::new(Choosy { listed: hop, recipients: Mutex::default(), data: Mutex::default() });
        let address = scripted_hop::listen(hop.clone()).await.expect("a port");
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(BEGIN_US)));
        let now = clock.now();
        let key = TokenKey::new([7; 32]);
        let store = Store::open_embedded(folder.path(), "gateway.ours.example", &key, now).await.expect("opens");
        let unit = held(&store, clock.as_ref(), Vec::new()).await;
        let asked = store.releases.request_release(unit, "a person", "it is needed", now).await.expect("asks");
        assert!(matches!(asked, Requested::Queued(_)));
        let config = Arc::new(config(folder.path(), address));
        Self { store, clock, hop, config, unit, _folder: folder }
    }

    fn worker(&self, owner: &str) -> Releaser {
        Releaser {
            hostname: self.config.hostname.clone(),
            authserv_id: self.config.authserv_id.clone(),
            release: self.config.release,
            blobs: self.store.blobs().clone(),
            releases: self.store.releases.clone(),
            hops: Hops::new(&self.config, self.config.release.connections, &Timeouts::default()),
            pacing: Arc::new(Pacing::of_drill(1000)),
            clock: self.clock.clone(),
            token_key: TokenKey::new([7; 32]),
            signals: Signals::default(),
            priority: Priority::default(),
            owner: owner.to_owned(),
            items: Items::default(),
            traces: platform::traces::Traces::default(),
        }
    }

    async fn round(&self) {
        self.round_of(&self.worker("a/1")).await;
    }

    async fn round_of(&self, worker: &Releaser) {
        let (_stops, stop) = watch::channel(false);
        worker.round(&mut (), &stop).await.expect("a round");
    }

    async fn release(&self) -> ReleaseRow {
        self.store.releases.releases_of(self.unit.mail).await.expect("reads").remove(0)
    }

    /// The state of the release, the account of the unit, how often the hop has taken the mail; the ledger balances.
    async fn stands(&self) -> (ReleaseState, Account, usize) {
        let balance = self.store.upkeep.check_ledger(true).await.expect("checks");
        assert!(balance.is_balanced(), "{:?}", balance.faults);
        let account = self.store.quarantine.accounts_of(self.unit.mail).await.expect("reads")[0].1;
        (self.release().await.state, account, self.hop.taken().len())
    }
}

#[tokio::test]
async fn what_the_hop_takes_is_released_once_and_byte_for_byte() {
    let held = Held::with(Listed::new([])).await;
    for _ in 0..3 {
        held.round().await;
        held.clock.advance(LEASE);
    }
    assert_eq!(held.stands().await, (ReleaseState::Released, Account::Released, 1));
    assert!(held.hop.taken()[0].bytes.ends_with(MAIL));
}

#[tokio::test]
async fn a_temporary_answer_is_tried_again_after_a_wait_and_not_before() {
    let held = Held::with(Listed::new([AtDot::PutOff])).await;
    held.round().await;
    held.round().await;
    assert_eq!(held.stands().await, (ReleaseState::Deferred, Account::Releasing, 0));
    held.clock.advance(BACKED_OFF);
    held.round().await;
    assert_eq!(held.stands().await, (ReleaseState::Released, Account::Released, 1));
}

#[tokio::test]
async fn a_final_answer_ends_it_until_a_person_asks_again() {
    let held = Held::with(Listed::new([AtDot::Refuse])).await;
    held.round().await;
    held.clock.advance(LEASE);
    held.round().await;
    assert_eq!(held.stands().await, (ReleaseState::Failed, Account::Failed, 0));
    held.store.releases.request_release(held.unit, "a person", "once more", held.clock.now()).await.expect("asks");
    held.round().await;
    assert_eq!(held.stands().await, (ReleaseState::Released, Account::Released, 1));
}

#[tokio::test]
async fn a_lost_answer_is_doubted_and_repeated_once() {
    for first in [AtDot::Close, AtDot::TakeAndClose] {
        let held = Held::with(Listed::new([first])).await;
        held.round().await;
        held.round().await;
        let taken = usize::from(first == AtDot::TakeAndClose);
        assert_eq!(held.stands().await, (ReleaseState::InDoubt, Account::InDoubt, taken));
        held.clock.advance(IN_DOUBT_REST);
        held.round().await;
        assert_eq!(held.stands().await, (ReleaseState::Released, Account::Released, taken + 1));
    }
}

#[tokio::test]
async fn two_lost_answers_are_settled_as_possibly_twice() {
    let held = Held::with(Listed::new([AtDot::TakeAndClose, AtDot::TakeAndClose])).await;
    for _ in 0..5 {
        held.round().await;
        held.clock.advance(IN_DOUBT_REST);
    }
    assert_eq!(held.stands().await, (ReleaseState::Released, Account::Released, 2));
    assert!(held.release().await.possibly_twice);
}

/// The first worker is kept waiting at DATA until its lease is over and another one has delivered: then it sends
/// nothing, and writes nothing.
#[tokio::test]
async fn a_worker_that_comes_too_late_sends_nothing() {
    let held = Held::with(Listed::that_waits()).await;
    let (_stops, stop) = watch::channel(false);
    let (late, stopping) = (held.worker("a/1"), stop.clone());
    let late = tokio::spawn(async move { late.round(&mut (), &stopping).await.is_ok() });
    held.hop.listed.asked().await;
    assert_eq!(held.release().await.state, ReleaseState::Claimed);
    held.clock.advance(LEASE);
    let (other, stopping) = (held.worker("b/1"), stop.clone());
    let other = tokio::spawn(async move { other.round(&mut (), &stopping).await.is_ok() });
    held.hop.listed.asked().await;
    // Both are answered 354 now; the lease of the first is over.
    held.hop.listed.go_on(2);
    assert!(other.await.expect("ends") && late.await.expect("ends"));
    assert_eq!(held.stands().await, (ReleaseState::Released, Account::Released, 1));
    assert_eq!(held.release().await.attempt, 1);
}

#[tokio::test]
async fn what_is_sent_says_which_mail_it_is_how_late_it_is_and_that_we_have_released_it() {
    let held = Held::with(Listed::new([])).await;
    held.clock.advance(Duration::from_secs(90));
    held.round().await;
    let sent = String::from_utf8(held.hop.taken()[0].bytes.clone()).expect("text");
    let head = sent.strip_suffix(std::str::from_utf8(MAIL).expect("text")).expect("it ends with the mail");
    let lines: Vec<&str> = head.lines().filter(|line| !line.starts_with(char::is_whitespace)).collect();
    assert!(lines[0].starts_with("Received: from x ([192.0.2.1])"), "{head}");
    assert_eq!(lines[1], format!("X-Reprieve-Id: {}", held.unit.mail));
    assert_eq!(lines[2], "X-Reprieve-Late: 90");
    assert!(lines[3].starts_with(domain::token::FIELD) && lines.len() == 4, "{head}");
    assert_eq!(held.hop.taken()[0].envelope.recipients, ["b@ours.example"]);
    assert_eq!(held.hop.taken()[0].envelope.sender, "a@outside.example");
}

#[tokio::test]
async fn what_the_hop_says_before_the_dot_counts_as_what_it_says_at_it() {
    for (code, state, account) in
        [(550, ReleaseState::Failed, Account::Failed), (450, ReleaseState::Deferred, Account::Releasing)]
    {
        let reply = || vec![Reply::new(code, "5.1.1 So it is")];
        let held = Held::with(Listed::new([])).await;
        *held.hop.recipients.lock().expect("free") = reply();
        held.round().await;
        assert_eq!(held.stands().await, (state, account, 0), "to the recipient: {code}");
        assert_eq!(held.release().await.reply, format!("{code} 5.1.1 So it is"));
        assert_eq!(held.release().await.attempt, 0, "no attempt began");
        let held = Held::with(Listed::new([])).await;
        *held.hop.data.lock().expect("free") = reply();
        held.round().await;
        assert_eq!(held.stands().await, (state, account, 0), "to DATA: {code}");
    }
    let odd = Held::with(Listed::new([])).await;
    *odd.hop.data.lock().expect("free") = vec![Reply::new(250, "What?")];
    odd.round().await;
    assert_eq!(odd.hop.taken().len(), 0, "nothing is sent where it is not waited for");
}

#[tokio::test]
async fn a_hop_that_is_not_there_is_tried_again_later_and_less_often() {
    let mut held = Held::with(Listed::new([])).await;
    let mut away = config(held._folder.path(), std::net::SocketAddr::from(([127, 0, 0, 1], 1)));
    std::mem::swap(Arc::get_mut(&mut held.config).expect("its only owner"), &mut away);
    let worker = held.worker("a/1");
    held.round_of(&worker).await;
    assert_eq!(held.stands().await, (ReleaseState::Deferred, Account::Releasing, 0));
    held.clock.advance(BACKED_OFF);
    held.round_of(&worker).await;
    let twice = held.release().await;
    held.clock.advance(BACKED_OFF);
    *Arc::get_mut(&mut held.config).expect("its only owner") = away;
    held.round().await;
    assert_eq!(held.release().await, twice, "the second wait is longer");
    held.clock.advance(LEASE);
    held.round().await;
    assert_eq!(held.stands().await, (ReleaseState::Released, Account::Released, 1));
}

#[tokio::test]
async fn what_is_gone_or_damaged_fails_and_is_not_tried_for_ever() {
    for damage in [None, Some("something else")] {
        let held = Held::with(Listed::new([])).await;
        let path = held.store.blobs().path(domain::Digest::of(MAIL));
        match damage {
            None => std::fs::remove_file(path).expect("removes"),
            Some(text) => std::fs::write(path, text).expect("writes"),
        }
        held.round().await;
        let state = held.release().await.state;
        assert_eq!((state, held.hop.taken().len()), (ReleaseState::Failed, 0), "{damage:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_waits_for_a_person_where_that_is_asked_for() {
    let held = Held::with(Listed::new([AtDot::TakeAndClose])).await;
    let mut worker = held.worker("a/1");
    worker.release.in_doubt = platform::config::InDoubtPolicy::Ask;
    held.round_of(&worker).await;
    for _ in 0..3 {
        held.clock.advance(IN_DOUBT_REST);
        held.round_of(&worker).await;
    }
    assert_eq!(held.stands().await, (ReleaseState::InDoubt, Account::InDoubt, 1));
}

#[tokio::test]
async fn a_program_that_ends_sends_nothing_more() {
    let held = Held::with(Listed::new([])).await;
    let (_stops, stop) = watch::channel(true);
    held.worker("a/1").round(&mut (), &stop).await.expect("a round");
    assert_eq!((held.release().await.state, held.hop.taken().len()), (ReleaseState::Queued, 0));
}

#[tokio::test]
async fn what_we_have_released_is_known_to_us_for_a_week() {
    let held = Held::with(Listed::new([])).await;
    held.round().await;
    let sent = held.hop.taken()[0].bytes.clone();
    let (value, _, below) = find_token(&sent).expect("it has a token");
    let (key, week) = (TokenKey::new([7; 32]), Duration::from_secs(7 * 24 * 3600));
    let recipient = domain::Address::parse("b@ours.example").expect("a mailbox");
    let is_known = |at: Timestamp| domain::token::verify(&key, &value, &recipient, at, below).is_some();
    let now = held.clock.now();
    assert!(is_known(now.after(week - Duration::from_secs(1))));
    assert!(!is_known(now.after(week + Duration::from_secs(1))));
}
