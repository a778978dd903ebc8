//! Networks that have sent good mail for some time: when connections are scarce they have a share that strangers cannot
//! take.
//!
//! What one accepted mail earns is nothing: a network is known after several, the first of them some time ago. It is a
//! matter of service alone; no verdict depends on it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use domain::Timestamp;
use domain::share::network_of;
use ipnet::IpNet;
use store::MailStore;

use platform::config::KnownClients;

/// Networks that are remembered at most.
const NETWORKS_MAX: usize = 20_000;

#[derive(Clone, Copy, Debug)]
struct Record {
    first: Timestamp,
    last: Timestamp,
    mails: u64,
}

/// The networks that have sent good mail.
#[derive(Debug)]
pub struct KnownNetworks {
    rule: KnownClients,
    networks: Mutex<HashMap<IpNet, Record>>,
}

impl KnownNetworks {
    /// Nobody is known yet.
    pub fn new(rule: KnownClients) -> Self {
        Self { rule, networks: Mutex::default() }
    }

    /// Whether the network of an address is known.
    pub fn knows(&self, ip: IpAddr, now: Timestamp) -> bool {
        let networks = self.networks.lock().expect("nobody panics while holding the known networks");
        networks.get(&network_of(ip)).is_some_and(|one| {
            one.mails >= self.rule.mails
                && now.since(one.first) >= self.rule.age
                && now.since(one.last) < self.rule.kept
        })
    }

    /// Takes over what the record says of recent mail, so that a restart makes nobody a stranger. It is no more than a
    /// matter of service: without it mail goes on.
    pub async fn recall(&self, mail: &MailStore) {
        match mail.recent_clients().await {
            Ok(clients) => clients.iter().for_each(|one| self.remember(one.ip, one.first, one.last, one.mails)),
            Err(error) => {
                tracing::warn!(%error, "known clients cannot be read; all are strangers until they send mail")
            }
        }
    }

    /// Mail from an address was clean, and the next hop has taken it.
    pub fn accepted(&self, ip: IpAddr, at: Timestamp) {
        self.remember(ip, at, at, 1);
    }

    /// What the record says of an address: mails, the first and the last of them.
    pub fn remember(&self, ip: IpAddr, first: Timestamp, last: Timestamp, mails: u64) {
        let mut networks = self.networks.lock().expect("nobody panics while holding the known networks");
        let network = network_of(ip);
        if networks.len() >= NETWORKS_MAX && !networks.contains_key(&network) {
            forget_a_tenth(&mut networks);
        }
        let record = networks.entry(network).or_insert(Record { first, last, mails: 0 });
        record.first = record.first.min(first);
        record.last = record.last.max(last);
        record.mails = record.mails.saturating_add(mails);
    }
}

/// Makes room: who has not been heard of for longest goes.
fn forget_a_tenth(networks: &mut HashMap<IpNet, Record>) {
    let mut heard: Vec<Timestamp> = networks.values().map(|one| one.last).collect();
    let tenth = heard.len() / 10;
    let (_, limit, _) = heard.select_nth_unstable(tenth);
    let limit = *limit;
    networks.retain(|_, one| one.last > limit);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const DAY: u64 = 86_400_000_000;

    fn known() -> KnownNetworks {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        KnownNetworks::new(KnownClients { mails: 3, age: days(1), kept: days(30) })
    }

    fn at(days: f64) -> Timestamp {
        Timestamp::from_micros((days * DAY as f64) as i64)
    }

    #[test]
    fn a_network_is_known_by_several_mails_over_some_time() {
        let known = known();
        let ip = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..10 {
            known.accepted(ip, at(10.0));
        }
        assert!(!known.knows(ip, at(10.5)), "many at once are no time");
        assert!(known.knows(ip, at(11.5)) && known.knows(IpAddr::from([192, 0, 2, 99]), at(11.5)));
        assert!(!known.knows(IpAddr::from([192, 0, 3, 1]), at(11.5)));
        assert!(!known.knows(ip, at(60.0)), "long ago");
    }

    #[test]
    fn what_the_record_says_counts_from_its_first_mail_to_its_last() {
        let (known, ip) = (known(), IpAddr::from([192, 0, 2, 1]));
        known.remember(ip, at(20.0), at(20.0), 1);
        known.remember(ip, at(10.0), at(15.0), 1);
        assert!(!known.knows(ip, at(20.0)), "two are too few");
        known.remember(ip, at(12.0), at(12.0), 1);
        assert!(known.knows(ip, at(20.0)) && known.knows(ip, at(49.9)) && !known.knows(ip, at(50.0)));
        let new = IpAddr::from([192, 0, 3, 1]);
        known.remember(new, at(10.0), at(10.0), 3);
        assert!(!known.knows(new, at(10.9)) && known.knows(new, at(11.0)), "a day after the first");
    }

    #[test]
    fn who_has_not_been_heard_of_for_longest_is_forgotten_first() {
        let known = known();
        let ip = |n: u32| IpAddr::from((0x0a00_0001 + (n << 8)).to_be_bytes());
        for n in 0..NETWORKS_MAX as u32 {
            known.remember(ip(n), at(1.0), at(1.0 + f64::from(n) / 1e5), 3);
        }
        let is_known = |n: u32| known.networks.lock().expect("free").contains_key(&network_of(ip(n)));
        assert!(is_known(0));
        known.accepted(ip(5), at(2.0));
        assert!(is_known(0), "who is known already needs no room");
        known.accepted(IpAddr::from([192, 0, 2, 1]), at(3.0));
        assert!(!is_known(0) && !is_known(1_999) && is_known(3_000) && is_known(5));
    }

    #[test]
    fn what_strangers_can_name_is_bounded() {
        let known = known();
        for n in 0..30_000_u32 {
            let [_, a, b, c] = n.to_be_bytes();
            known.accepted(IpAddr::from([10 + a, b, c, 1]), at(f64::from(n) / 1e5));
        }
        assert!(known.networks.lock().expect("free").len() <= NETWORKS_MAX);
    }
}
