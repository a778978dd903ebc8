//! Releases over a real store and a next hop that does what a script says; time stands still unless a test moves it.

mod support;

use std::sync::Arc;
use std::time::Duration;

use domain::ledger::Account;
use domain::release::{IN_DOUBT_REST, LEASE, ReleaseState};
use domain::token::TokenKey;
use domain::{Timestamp, UnitId};
use platform::clock::{Clock, ManualClock};
use platform::config::Config;
use platform::hop::Hops;
use platform::items::Items;
use platform::priority::Priority;
use platform::reconciler::Reconciler;
use platform::signals::Signals;
use recovery::pacing::Pacing;
use recovery::release::Releaser;
use scripted_hop::{AtDot, Listed};
use store::Store;
use store::release::{ReleaseRow, Requested};
use support::{BEGIN_US, MAIL, config};
use tempfile::TempDir;
use tokio::sync::watch;
use wire::smtp::client::Timeouts;

/// Longer than the first wait after a temporary answer.
const BACKED_OFF: Duration = Duration::from_secs(61);

/// One held mail whose release is asked for, and the next hop that it goes to.
struct Held {
    store: Store,
    clock: Arc<ManualClock>,
    hop: Arc<Listed>,
    config: Arc<Config>,
    unit: UnitId,
    _folder: TempDir,
}

impl Held {
    async fn with(hop: Listed) -> Self {
        let folder = TempDir::new().expect("a folder");
        let hop = Arc::new(hop);
        let address = scripted_hop::listen(hop.clone()).await.expect("a port");
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(BEGIN_US)));
        let now = clock.now();
        let key = TokenKey::new([7; 32]);
        let store = Store::open_embedded(folder.path(), "gateway.ours.example", &key, now).await.expect("opens");
        let unit = support::held(&store, clock.as_ref(), Vec::new()).await;
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
        }
    }

    async fn round(&self) {
        let (_stops, stop) = watch::channel(false);
        self.worker("a/1").round(&mut (), &stop).await.expect("a round");
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
    held.hop.asked().await;
    assert_eq!(held.release().await.state, ReleaseState::Claimed);
    held.clock.advance(LEASE);
    let (other, stopping) = (held.worker("b/1"), stop.clone());
    let other = tokio::spawn(async move { other.round(&mut (), &stopping).await.is_ok() });
    held.hop.asked().await;
    // Both are answered 354 now; the lease of the first is over.
    held.hop.go_on(2);
    assert!(other.await.expect("ends") && late.await.expect("ends"));
    assert_eq!(held.stands().await, (ReleaseState::Released, Account::Released, 1));
    assert_eq!(held.release().await.attempt, 1);
}
