//! How often one client may make us ask a next hop again for recipients that it has accepted before: each time costs the hop as much as they are.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Instant;

use domain::share::network_of;

/// Repetitions that are granted again in a second.
const PER_SECOND: f64 = 1.0;
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
    /// So many at once, and one more each second.
    pub fn new(at_once: u64) -> Self {
        Self { at_once: at_once as f64, clients: Mutex::default() }
    }

    /// Whether a client may cause one more.
    pub fn may(&self, client: IpAddr, now: Instant) -> bool {
        let client = counted(client);
        let mut clients = self.clients.lock().expect("nobody panics while counting repetitions");
        let refilled = |left: f64, since: Instant| {
            (left + now.saturating_duration_since(since).as_secs_f64() * PER_SECOND).min(self.at_once)
        };
        if clients.len() >= CLIENTS_MAX && !clients.contains_key(&client) {
            clients.retain(|_, (left, since)| refilled(*left, *since) < self.at_once);
            if clients.len() >= CLIENTS_MAX {
                return false;
            }
        }
        let (left, since) = clients.get(&client).copied().unwrap_or((self.at_once, now));
        let left = refilled(left, since);
        let may = left >= 1.0;
        clients.insert(client, (if may { left - 1.0 } else { left }, now));
        may
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_client_has_its_repetitions_back_with_time() {
        let (repeats, now) = (Repeats::new(30), Instant::now());
        let [one, other] = [1, 2].map(|n| IpAddr::from([192, 0, 2, n]));
        assert_eq!((0..100).filter(|_| repeats.may(one, now)).count(), 30);
        assert!(repeats.may(other, now), "another client's are its own");
        let later = now + Duration::from_secs(5);
        assert_eq!((0..100).filter(|_| repeats.may(one, later)).count(), 5);
    }

    #[test]
    fn clients_that_are_remembered_are_bounded() {
        let (repeats, now) = (Repeats::new(30), Instant::now());
        for n in 0..30_000_u32 {
            repeats.may(IpAddr::from(n.to_be_bytes()), now);
        }
        assert_eq!(repeats.clients.lock().expect("free").len(), CLIENTS_MAX);
        assert!(repeats.may(IpAddr::from([9, 9, 9, 9]), now + Duration::from_secs(60)), "there is room again");
    }
}
