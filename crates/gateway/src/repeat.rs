//! For how many recipients one client may make us ask a next hop again. A transaction that waits may lose its
//! connection to others through no fault of its client, so a few recipients cost nothing to speak of; what is bounded
//! is a long list that is asked for again and again.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Instant;

use domain::share::network_of;

/// Recipients that are granted again in a second, of a hundred that are granted at once.
const PER_SECOND: f64 = 0.02;
/// Clients that are remembered at most.
const CLIENTS_MAX: usize = 10_000;

/// What each client has left.
#[derive(Debug)]
pub struct Repeats {
    at_once: f64,
    clients: Mutex<HashMap<IpAddr, (f64, Instant)>>,
}

/// Whose repetitions those of an address are: a host has a whole /64 of IPv6 to choose from.
fn counted(client: IpAddr) -> IpAddr {
    if client.to_canonical().is_ipv6() { network_of(client).network() } else { client.to_canonical() }
}

impl Repeats {
    /// So many recipients at once, and a fiftieth of them more each second.
    pub fn new(at_once: u64) -> Self {
        Self { at_once: at_once as f64, clients: Mutex::default() }
    }

    /// Whether a client may have so many recipients asked for again.
    pub fn may(&self, client: IpAddr, recipients: usize, now: Instant) -> bool {
        let client = counted(client);
        let mut clients = self.clients.lock().expect("nobody panics while counting repetitions");
        let refilled = |left: f64, since: Instant| {
            (left + now.saturating_duration_since(since).as_secs_f64() * PER_SECOND * self.at_once).min(self.at_once)
        };
        if clients.len() >= CLIENTS_MAX && !clients.contains_key(&client) {
            clients.retain(|_, (left, since)| refilled(*left, *since) < self.at_once);
            if clients.len() >= CLIENTS_MAX {
                return false;
            }
        }
        let (left, since) = clients.get(&client).copied().unwrap_or((self.at_once, now));
        let left = refilled(left, since);
        // Whoever has all of it left may have one list repeated, however long.
        let may = left >= recipients as f64 || left >= self.at_once;
        clients.insert(client, (if may { (left - recipients as f64).max(0.0) } else { left }, now));
        may
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_client_has_its_repetitions_back_with_time() {
        let (repeats, now) = (Repeats::new(50), Instant::now());
        let [one, other] = [1, 2].map(|n| IpAddr::from([192, 0, 2, n]));
        assert_eq!((0..100).filter(|_| repeats.may(one, 1, now)).count(), 50);
        assert!(repeats.may(other, 1, now), "another client's are its own");
        let later = now + Duration::from_secs(5);
        assert_eq!((0..100).filter(|_| repeats.may(one, 1, later)).count(), 5);
        let much_later = now + Duration::from_secs(500);
        assert!(repeats.may(one, 1000, much_later), "one long list");
        assert!(!repeats.may(one, 1, much_later) && !repeats.may(one, 1000, much_later + Duration::from_secs(10)));
    }

    #[test]
    fn clients_that_are_remembered_are_bounded() {
        let (repeats, now) = (Repeats::new(50), Instant::now());
        for n in 0..30_000_u32 {
            repeats.may(IpAddr::from(n.to_be_bytes()), 1, now);
        }
        assert_eq!(repeats.clients.lock().expect("free").len(), CLIENTS_MAX);
        assert!(repeats.may(IpAddr::from([9, 9, 9, 9]), 1, now + Duration::from_secs(60)), "there is room again");
    }

    #[test]
    fn a_host_has_one_share_however_many_addresses_it_has() {
        let (repeats, now) = (Repeats::new(10), Instant::now());
        let of = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(repeats.may(of("2001:db8::1"), 10, now));
        assert!(!repeats.may(of("2001:db8::2"), 1, now), "the same /64");
        assert!(repeats.may(of("2001:db8:0:1::1"), 1, now), "another");
        assert!(repeats.may(of("::ffff:192.0.2.1"), 10, now));
        assert!(!repeats.may(of("192.0.2.1"), 1, now), "mapped or not");
    }

    #[test]
    fn what_is_refused_costs_nothing() {
        let (repeats, now, ip) = (Repeats::new(10), Instant::now(), IpAddr::from([192, 0, 2, 1]));
        assert!(repeats.may(ip, 4, now));
        assert!(!repeats.may(ip, 7, now), "six are left");
        assert!(repeats.may(ip, 6, now));
        // A fiftieth of ten a second: one after five seconds.
        assert!(!repeats.may(ip, 1, now + Duration::from_millis(4_900)));
        assert!(repeats.may(ip, 1, now + Duration::from_millis(5_100)));
    }
}
