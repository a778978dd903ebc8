//! How often one client may make us ask a next hop again for recipients that it has accepted before: each time costs the hop as much as they are.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Instant;

/// Repetitions that a client may cause at once.
const AT_ONCE: f64 = 30.0;
/// Repetitions that are granted again in a second.
const PER_SECOND: f64 = 1.0;
/// Clients that are remembered at most.
const CLIENTS_MAX: usize = 10_000;

/// What each client has left.
#[derive(Debug, Default)]
pub struct Repeats(Mutex<HashMap<IpAddr, (f64, Instant)>>);

impl Repeats {
    /// Whether a client may cause one more.
    pub fn may(&self, client: IpAddr, now: Instant) -> bool {
        let mut clients = self.0.lock().expect("nobody panics while counting repetitions");
        let refilled = |left: f64, since: Instant| {
            (left + now.saturating_duration_since(since).as_secs_f64() * PER_SECOND).min(AT_ONCE)
        };
        if clients.len() >= CLIENTS_MAX && !clients.contains_key(&client) {
            clients.retain(|_, (left, since)| refilled(*left, *since) < AT_ONCE);
            if clients.len() >= CLIENTS_MAX {
                return false;
            }
        }
        let (left, since) = clients.get(&client).copied().unwrap_or((AT_ONCE, now));
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
        let (repeats, now) = (Repeats::default(), Instant::now());
        let [one, other] = [1, 2].map(|n| IpAddr::from([192, 0, 2, n]));
        assert_eq!((0..100).filter(|_| repeats.may(one, now)).count(), 30);
        assert!(repeats.may(other, now), "another client's are its own");
        let later = now + Duration::from_secs(5);
        assert_eq!((0..100).filter(|_| repeats.may(one, later)).count(), 5);
    }

    #[test]
    fn clients_that_are_remembered_are_bounded() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        for n in 0..30_000_u32 {
            repeats.may(IpAddr::from(n.to_be_bytes()), now);
        }
        assert_eq!(repeats.0.lock().expect("free").len(), CLIENTS_MAX);
        assert!(repeats.may(IpAddr::from([9, 9, 9, 9]), now + Duration::from_secs(60)), "there is room again");
    }
}
