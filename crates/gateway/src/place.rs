//! Places: how many connections clients may have at once, and who goes when there are none left.
//!
//! Nobody is shut out by those who hold a place and do nothing with it: a newcomer gets the place of an idle client
//! that takes more of them than the newcomer does, strangers first, the longest idle first. That client is told 421 and
//! may come again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use domain::share::{Bounds, Over, Shares, Source, Standing, Stress};
use tokio::sync::Notify;

use platform::measure::{self, Scarce};

/// How long a client of the same weight as the newcomer must have been idle before it has to go.
const IDLE_LEAST: Duration = Duration::from_secs(2);
/// Clients that have been told to go and are not gone, per hundred places, at most: so much more than the limit may be
/// open for a moment.
const LEAVING_PERCENT: u64 = 10;

/// All places of an installation. Clones are the same.
#[derive(Clone, Debug)]
pub struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    began: Instant,
    threshold_percent: u64,
    room: Mutex<Room>,
    /// Stress as of the last change, readable without the lock.
    strangers: AtomicU64,
    bound: u64,
}

#[derive(Debug)]
struct Room {
    shares: Shares,
    guests: HashMap<u64, Guest>,
    next: u64,
    leaving: u64,
}

/// One connection, as the others see it.
#[derive(Debug)]
struct Guest {
    source: Source,
    signs: Arc<Signs>,
}

/// What a connection and the room tell one another.
#[derive(Debug, Default)]
struct Signs {
    /// Milliseconds since the room's beginning at which it began to wait for its client, plus one; zero while it works.
    idle_since: AtomicU64,
    leave: Notify,
}

impl Places {
    /// Places within `bounds`; stress begins at `threshold_percent` of what strangers may have.
    pub fn new(bounds: Bounds, threshold_percent: u64) -> Self {
        let room = Room { shares: Shares::new(bounds), guests: HashMap::new(), next: 0, leaving: 0 };
        Self(Arc::new(Inner {
            began: Instant::now(),
            threshold_percent,
            room: Mutex::new(room),
            strangers: AtomicU64::new(0),
            bound: bounds.strangers,
        }))
    }

    /// A place for a connection, if need be that of somebody who does nothing with it.
    ///
    /// # Errors
    /// The bound that it would go over, where nobody can be sent away for it.
    pub fn enter(&self, source: Source) -> Result<Place, Over> {
        let mut room = self.lock();
        room.take(&source, self.now())?;
        let id = room.next;
        room.next += 1;
        let signs = Arc::new(Signs::default());
        room.guests.insert(id, Guest { source, signs: signs.clone() });
        self.note(&room);
        Ok(Place { places: self.clone(), id, signs })
    }

    /// How scarce places are for strangers.
    pub fn stress(&self) -> Stress {
        Stress::of(self.0.strangers.load(Ordering::Relaxed), self.0.bound, self.0.threshold_percent)
    }

    /// Connections that are open now.
    pub fn taken(&self) -> u64 {
        self.lock().shares.held()
    }

    fn note(&self, room: &Room) {
        self.0.strangers.store(room.shares.held_by_strangers(), Ordering::Relaxed);
        measure::connections(room.shares.held());
        measure::in_use(Scarce::Connections, room.shares.held());
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Room> {
        self.0.room.lock().expect("nobody panics while counting connections")
    }
}

impl Room {
    /// Takes a share, and sends somebody away where that makes room.
    fn take(&mut self, source: &Source, now: u64) -> Result<(), Over> {
        let over = match self.shares.take(source, 1) {
            Ok(()) => return Ok(()),
            Err(over) => over,
        };
        let most_leaving = (self.shares.bounds().all * LEAVING_PERCENT / 100).max(1);
        let chosen = self.who_goes(source, over, now).filter(|_| self.leaving < most_leaving).ok_or(over)?;
        let Some(guest) = self.guests.remove(&chosen) else { return Err(over) };
        self.shares.give(&guest.source, 1);
        self.leaving += 1;
        guest.signs.leave.notify_one();
        measure::sent_away(over);
        self.shares.take(source, 1)
    }

    /// Who has to go for a newcomer. A client that is over its own bound has nobody sent away but is refused.
    fn who_goes(&self, newcomer: &Source, over: Over, now: u64) -> Option<u64> {
        let may_go: &[Standing] = match over {
            Over::Client | Over::Network | Over::Ours => return None,
            Over::Strangers => &[Standing::Stranger],
            Over::Others | Over::All if newcomer.standing == Standing::Stranger => &[Standing::Stranger],
            Over::Others | Over::All => &[Standing::Stranger, Standing::Known],
        };
        let own = self.shares.held_by(newcomer);
        let idle_for = |guest: &Guest| {
            let since = guest.signs.idle_since.load(Ordering::Relaxed);
            (since > 0).then(|| Duration::from_millis((now + 1).saturating_sub(since)))
        };
        let candidates = self.guests.iter().filter(|(_, guest)| may_go.contains(&guest.source.standing));
        let idle = candidates.filter_map(|(id, guest)| {
            let idle = idle_for(guest)?;
            let weight = self.shares.held_by(&guest.source);
            let outweighs = weight > own + 1 || guest.source.standing < newcomer.standing;
            (outweighs || idle >= IDLE_LEAST).then_some((*id, guest.source.standing, weight, idle))
        });
        // The least known first, then the heaviest, then the longest idle.
        let chosen = idle.max_by_key(|(_, standing, weight, idle)| (std::cmp::Reverse(*standing), *weight, *idle));
        chosen.map(|(id, ..)| id)
    }
}

/// A connection's place; it is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    id: u64,
    signs: Arc<Signs>,
}

impl Place {
    /// The connection waits for its client from now on, and may be sent away.
    pub fn waits(&self) {
        self.signs.idle_since.store(self.places.now() + 1, Ordering::Relaxed);
    }

    /// The connection has something to do.
    pub fn works(&self) {
        self.signs.idle_since.store(0, Ordering::Relaxed);
    }

    /// Waits until the place is needed by somebody else.
    pub async fn is_wanted(&self) {
        self.signs.leave.notified().await;
    }

    /// The connection speaks for another client from now on (PROXY, XCLIENT).
    ///
    /// # Errors
    /// The bound that the other client would go over; then nothing has changed.
    pub fn is_of(&self, source: Source) -> Result<(), Over> {
        let mut room = self.places.lock();
        let Some(before) = room.guests.get(&self.id).map(|guest| guest.source) else { return Ok(()) };
        if before == source {
            return Ok(());
        }
        room.shares.give(&before, 1);
        let taken = room.take(&source, self.places.now());
        // What was given back a line above fits again.
        let now = if taken.is_ok() { source } else { room.shares.take(&before, 1).map(|()| before)? };
        if let Some(guest) = room.guests.get_mut(&self.id) {
            guest.source = now;
        }
        self.places.note(&room);
        taken
    }

    /// The places that this is one of.
    pub fn places(&self) -> &Places {
        &self.places
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut room = self.places.lock();
        match room.guests.remove(&self.id) {
            Some(guest) => room.shares.give(&guest.source, 1),
            // It was sent away: its share has been somebody else's since.
            None => room.leaving = room.leaving.saturating_sub(1),
        }
        self.places.note(&room);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use domain::share::Percents;

    use super::*;

    fn stranger(a: u8, b: u8) -> Source {
        Source { client: IpAddr::from([10, a, b, 1]), standing: Standing::Stranger, is_relay: false }
    }

    fn places(all: u64) -> Places {
        let percents = Percents { client: 40, network: 40, strangers: 70, others: 90 };
        Places::new(Bounds::of(all, &percents, 1), 60)
    }

    fn idle(places: &Places, source: Source) -> Place {
        let place = places.enter(source).expect("room");
        place.waits();
        place
    }

    #[tokio::test]
    async fn a_newcomer_gets_the_place_of_the_heaviest_idle_stranger() {
        let places = places(10);
        let light = idle(&places, stranger(1, 0));
        let heavy: Vec<Place> = (0..4).map(|_| idle(&places, stranger(2, 0))).collect();
        let other: Vec<Place> = (0..2).map(|_| idle(&places, stranger(3, 0))).collect();
        assert_eq!(places.stress(), Stress::Severe);
        let newcomer = places.enter(stranger(4, 0)).expect("somebody goes");
        assert_eq!(places.taken(), 7);
        let wanted = async { futures_util::future::select_all(heavy.iter().map(|p| Box::pin(p.is_wanted()))).await };
        tokio::time::timeout(Duration::from_secs(1), wanted).await.expect("one of the heavy ones is told");
        drop((light, heavy, other, newcomer));
        assert_eq!(places.taken(), 0);
    }

    #[test]
    fn who_works_is_not_sent_away() {
        let places = places(10);
        let working: Vec<Place> = (0..7).map(|n| places.enter(stranger(n / 3, n)).expect("room")).collect();
        assert_eq!(places.enter(stranger(9, 0)).err(), Some(Over::Strangers));
        working[0].waits();
        assert_eq!(places.enter(stranger(9, 0)).err(), Some(Over::Strangers), "not idle for long, and no heavier");
    }

    #[test]
    fn strangers_leave_room_for_known_clients_and_for_ours() {
        let places = places(10);
        let strangers: Vec<Place> = (0..7).map(|n| places.enter(stranger(n, 0)).expect("room")).collect();
        let of = |standing| Source { standing, ..stranger(20, 0) };
        let known: Vec<Place> =
            (0..2).map(|_| places.enter(of(Standing::Known)).expect("a share of their own")).collect();
        assert_eq!(places.enter(of(Standing::Known)).err(), Some(Over::Others));
        let ours = places.enter(of(Standing::Ours)).expect("a share of their own");
        drop((strangers, known, ours));
        assert_eq!(places.taken(), 0);
    }

    #[test]
    fn a_proxy_s_connection_counts_for_its_client() {
        let places = places(10);
        let relay = Source { is_relay: true, standing: Standing::Known, ..stranger(1, 0) };
        let all: Vec<Place> =
            (0..5).map(|_| places.enter(relay).expect("exempt from the limit of one address")).collect();
        assert!(all[..4].iter().all(|place| place.is_of(stranger(2, 0)).is_ok()));
        assert_eq!(all[4].is_of(stranger(2, 0)), Err(Over::Client));
        drop(all);
        assert!(places.lock().shares.is_empty() && places.lock().guests.is_empty());
    }

    /// Has waited for its client since the room's beginning.
    fn idle_from_the_start(places: &Places, source: Source) -> Place {
        let place = places.enter(source).expect("room");
        place.signs.idle_since.store(1, Ordering::Relaxed);
        place
    }

    fn told(place: &Place) -> bool {
        use futures_util::FutureExt;
        place.is_wanted().now_or_never().is_some()
    }

    const LEAST_MS: u64 = IDLE_LEAST.as_millis() as u64;

    #[test]
    fn a_client_of_the_same_weight_goes_after_it_has_been_idle_for_long() {
        let places = places(10);
        let crowd: Vec<Place> = (0..7).map(|n| idle_from_the_start(&places, stranger(n, 0))).collect();
        crowd[3].works();
        let newcomer = stranger(9, 0);
        assert_eq!(places.lock().take(&newcomer, LEAST_MS - 1), Err(Over::Strangers));
        assert_eq!(crowd.iter().filter(|place| told(place)).count(), 0);
        assert_eq!(places.lock().take(&newcomer, LEAST_MS), Ok(()));
        assert_eq!(crowd.iter().filter(|place| told(place)).count(), 1);
        assert_eq!(places.lock().shares.held(), 7);
    }

    #[test]
    fn the_longest_idle_of_the_same_weight_goes() {
        let places = places(10);
        let crowd: Vec<Place> = (0..7).map(|n| idle_from_the_start(&places, stranger(n, 0))).collect();
        for (n, place) in crowd.iter().enumerate().filter(|(n, _)| *n != 4) {
            place.signs.idle_since.store(2 + n as u64, Ordering::Relaxed);
        }
        assert_eq!(places.lock().take(&stranger(9, 0), 2 * LEAST_MS), Ok(()));
        let went: Vec<usize> = (0..7).filter(|n| told(&crowd[*n])).collect();
        assert_eq!(went, [4]);
    }

    #[test]
    fn so_many_as_are_leaving_are_not_waited_for_without_end() {
        let places = places(30);
        let mut crowd: Vec<Place> = (0..21).map(|n| idle_from_the_start(&places, stranger(n, 0))).collect();
        let now = 2 * LEAST_MS;
        for n in 0..3 {
            assert_eq!(places.lock().take(&stranger(100 + n, 0), now), Ok(()));
        }
        assert_eq!(places.lock().take(&stranger(110, 0), now), Err(Over::Strangers), "three of thirty are leaving");
        let gone = crowd.iter().position(told).expect("somebody was told");
        drop(crowd.remove(gone));
        assert_eq!(places.lock().take(&stranger(110, 0), now), Ok(()), "one has gone");
    }

    #[test]
    fn who_is_over_its_own_bound_sends_nobody_away() {
        let places = places(10);
        let _own: Vec<Place> = (0..4).map(|_| idle_from_the_start(&places, stranger(1, 0))).collect();
        assert_eq!(places.lock().take(&stranger(1, 0), 2 * LEAST_MS), Err(Over::Client));
        let neighbour = Source { client: IpAddr::from([10, 1, 0, 77]), ..stranger(1, 0) };
        assert_eq!(places.lock().take(&neighbour, 2 * LEAST_MS), Err(Over::Network));
    }

    #[test]
    fn a_known_newcomer_gets_the_place_of_a_stranger_and_no_stranger_that_of_a_known_client() {
        let of = |standing, n: u8| Source { standing, ..stranger(20 + n, 0) };
        let places = places(10);
        let known: Vec<Place> = (0..2).map(|n| idle_from_the_start(&places, of(Standing::Known, n))).collect();
        let strangers: Vec<Place> = (0..7).map(|n| idle_from_the_start(&places, stranger(n, 0))).collect();
        assert_eq!(places.lock().take(&of(Standing::Known, 9), 1), Ok(()), "for however short it was idle");
        assert_eq!((strangers.iter().filter(|one| told(one)).count(), known.iter().any(told)), (1, false));
    }

    #[test]
    fn strangers_that_known_clients_leave_no_room_for_send_only_strangers_away() {
        let of = |standing, n: u8| Source { standing, ..stranger(20 + n, 0) };
        let places = places(10);
        let known: Vec<Place> = (0..8).map(|n| idle_from_the_start(&places, of(Standing::Known, n))).collect();
        let working = places.enter(stranger(1, 0)).expect("room");
        assert_eq!(places.lock().take(&stranger(2, 0), 2 * LEAST_MS), Err(Over::Others));
        working.signs.idle_since.store(1, Ordering::Relaxed);
        assert_eq!(places.lock().take(&stranger(2, 0), 2 * LEAST_MS), Ok(()));
        assert!(told(&working) && !known.iter().any(told));
    }

    #[test]
    fn a_place_that_is_not_given_to_another_client_is_as_before() {
        let places = places(10);
        let _other: Vec<Place> = (0..4).map(|_| places.enter(stranger(2, 0)).expect("room")).collect();
        let place = places.enter(stranger(1, 0)).expect("room");
        assert_eq!(place.is_of(stranger(1, 0)), Ok(()), "its own client already");
        assert_eq!(place.is_of(stranger(2, 0)), Err(Over::Client));
        assert_eq!(places.lock().shares.held_by(&stranger(1, 0)), 1);
        assert_eq!(place.is_of(stranger(3, 0)), Ok(()));
        let held = [1, 2, 3].map(|n| places.lock().shares.held_by(&stranger(n, 0)));
        assert_eq!(held, [0, 4, 1]);
        assert_eq!(places.lock().guests.len(), 5);
    }

    #[test]
    fn stress_follows_what_strangers_have() {
        let places = places(100);
        assert_eq!(places.stress(), Stress::None);
        let mut all = Vec::new();
        let mut seen = Vec::new();
        for n in 0..70 {
            all.push(places.enter(stranger(n, 0)).expect("room"));
            seen.push(places.stress());
        }
        // From 60 % of the 70 that strangers may have on; and the worst of it well before the last.
        assert_eq!(seen.iter().filter(|one| **one == Stress::None).count(), 41);
        assert_eq!(seen.last(), Some(&Stress::Severe));
        drop(all);
        assert_eq!((places.stress(), places.taken()), (Stress::None, 0));
    }
}
