//! Who has a place at a listener of HTTP: so many in all, so many of one address. When all are taken, whoever has shown
//! nothing of who they are and does nothing makes room.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::client::counted;
use crate::pulse::Pulse;

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// All are taken, by those who are at something.
    Total,
    /// This address has its share.
    Address,
}

/// Places of one kind: connections, requests or streams.
#[derive(Clone, Debug)]
pub(super) struct Places {
    total_max: usize,
    per_ip_max: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    by_number: BTreeMap<u64, (Option<IpAddr>, Option<Arc<Pulse>>)>,
    by_ip: HashMap<IpAddr, usize>,
}

impl Taken {
    fn give_back(&mut self, number: u64) {
        let Some((Some(ip), _)) = self.by_number.remove(&number) else { return };
        if let Some(count) = self.by_ip.get_mut(&ip) {
            *count -= 1;
            if *count == 0 {
                self.by_ip.remove(&ip);
            }
        }
    }

    /// The connection that a stranger has done nothing with for the longest time.
    fn idlest(&self) -> Option<(u64, Arc<Pulse>)> {
        let idle = self.by_number.iter().filter_map(|(number, (_, pulse))| {
            let pulse = pulse.as_ref()?;
            Some((pulse.idle_stranger()?, *number, pulse))
        });
        idle.max_by_key(|(span, ..)| *span).map(|(_, number, pulse)| (number, pulse.clone()))
    }
}

impl Places {
    pub(super) fn new(total_max: usize, per_ip_max: usize) -> Self {
        Self { total_max, per_ip_max, taken: Arc::default() }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().expect("nobody panics while counting places")
    }

    /// How many are taken.
    pub(super) fn count(&self) -> usize {
        self.taken().by_number.len()
    }

    /// Takes a place. `ip` is whose share it is of, `None` for who is not counted by address. With a pulse, it may have
    /// to make room later. The second is whether somebody made room for it now.
    pub(super) fn take(&self, ip: Option<IpAddr>, pulse: Option<Arc<Pulse>>) -> Result<(Place, bool), Full> {
        let ip = ip.map(counted);
        let mut taken = self.taken();
        if ip.is_some_and(|ip| taken.by_ip.get(&ip).is_some_and(|count| *count >= self.per_ip_max)) {
            return Err(Full::Address);
        }
        let mut evicts = false;
        if taken.by_number.len() >= self.total_max {
            let (number, pulse) = taken.idlest().ok_or(Full::Total)?;
            pulse.evicted.notify_one();
            taken.give_back(number);
            evicts = true;
        }
        taken.next += 1;
        let number = taken.next;
        taken.by_number.insert(number, (ip, pulse));
        if let Some(ip) = ip {
            *taken.by_ip.entry(ip).or_insert(0) += 1;
        }
        drop(taken);
        Ok((Place { places: self.clone(), number }, evicts))
    }
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        // It may have been given to another already.
        self.places.taken().give_back(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulse::Phase;

    fn ip(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn an_address_has_its_share_and_no_more() {
        let places = Places::new(10, 2);
        let one = places.take(ip(1), None).expect("the first");
        let _two = places.take(ip(1), None).expect("the second");
        assert_eq!(places.take(ip(1), None).err(), Some(Full::Address));
        let _other = places.take(ip(2), None).expect("another address");
        drop(one);
        let _again = places.take(ip(1), None).expect("one was given back");
        // A proxy counts for the total alone.
        let proxied: Vec<_> = (0..20).map_while(|_| places.take(None, None).ok()).collect();
        assert_eq!((proxied.len(), places.count()), (7, 10));
        drop(proxied);
        assert_eq!((places.count(), places.taken().by_ip.len()), (3, 2));
    }

    #[test]
    fn an_idle_stranger_makes_room_and_nobody_else_does() {
        let places = Places::new(3, 3);
        let pulse = |phase: Phase, is_known: bool| {
            let pulse = Arc::new(Pulse::new());
            pulse.enter(phase);
            if is_known {
                pulse.know();
            }
            pulse
        };
        let (stranger, known, busy) =
            (pulse(Phase::Idle, false), pulse(Phase::Idle, true), pulse(Phase::Answer, false));
        let held: Vec<_> =
            [&stranger, &known, &busy].map(|pulse| places.take(ip(1), Some(pulse.clone())).expect("room")).into();
        let (place, evicts) = places.take(ip(2), Some(busy.clone())).expect("the stranger makes room");
        assert!(evicts);
        assert_eq!(places.count(), 3);
        assert_eq!(places.take(ip(3), Some(busy.clone())).err(), Some(Full::Total), "nobody else does");
        drop(held);
        assert_eq!(places.count(), 1, "a place that was given away is not given back twice");
        drop(place);
        assert_eq!(places.count(), 0);
    }
}
