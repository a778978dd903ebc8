//! Who may hold how much of something scarce that strangers can ask for: connections, connections to a next hop, bytes
//! of mail in memory.
//!
//! What is held is counted for the client, for its network, for its [`Standing`] and in all. So one client cannot take
//! everything, many clients of one network cannot, and all strangers together cannot: a part is always left for clients
//! that are known and for our own.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// How well a client is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Nothing is known of it.
    Stranger,
    /// Its network has sent good mail for some time, or it is a relay that the configuration lists.
    Known,
    /// It has logged in, submits mail, or sits in a trusted network.
    Ours,
}

/// A client that asks for a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its address: the real client's where a listed proxy or relay names it.
    pub client: IpAddr,
    /// How well it is known.
    pub standing: Standing,
    /// Whether it is a listed relay that speaks for many: then no limit for one address applies, but those in all do.
    pub is_relay: bool,
}

impl Source {
    /// The network that is counted as one: /24 of IPv4, /64 of IPv6, as one customer of a provider usually gets.
    pub fn network(&self) -> IpNet {
        network_of(self.client)
    }
}

/// The network of an address that is counted as one: /24 of IPv4, /64 of IPv6.
pub fn network_of(ip: IpAddr) -> IpNet {
    match ip.to_canonical() {
        IpAddr::V4(v4) => IpNet::V4(Ipv4Net::new_assert(v4, 24).trunc()),
        IpAddr::V6(v6) => IpNet::V6(Ipv6Net::new_assert(v6, 64).trunc()),
    }
}

/// The parts of the whole that clients may hold, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percents {
    /// One client.
    pub client: u64,
    /// One network.
    pub network: u64,
    /// All strangers.
    pub strangers: u64,
    /// Strangers and known clients together; and our own alone as well.
    pub others: u64,
}

impl Default for Percents {
    fn default() -> Self {
        Self { client: 25, network: 40, strangers: 70, others: 90 }
    }
}

/// How much may be held, in the unit of what is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// By everybody.
    pub all: u64,
    /// By one client.
    pub client: u64,
    /// By the clients of one network.
    pub network: u64,
    /// By all strangers.
    pub strangers: u64,
    /// By strangers and known clients together.
    pub others: u64,
    /// By our own.
    pub ours: u64,
}

impl Bounds {
    /// Bounds in percent of `all`. Nobody's bound is under `least`, so that one request always fits.
    pub fn of(all: u64, percents: &Percents, least: u64) -> Self {
        let part = |percent: u64| (all.saturating_mul(percent) / 100).max(least).min(all);
        Self {
            all,
            client: part(percents.client),
            network: part(percents.network),
            strangers: part(percents.strangers),
            others: part(percents.others),
            ours: part(percents.others),
        }
    }

    /// No bound but that in all: for work of our own.
    pub fn only(all: u64) -> Self {
        Self { all, client: all, network: all, strangers: all, others: all, ours: all }
    }
}

/// The bound that a request would go over; the narrowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Over {
    /// That of the client.
    Client,
    /// That of its network.
    Network,
    /// That of all strangers.
    Strangers,
    /// That of strangers and known clients together.
    Others,
    /// That of our own.
    Ours,
    /// That of everybody.
    All,
}

impl Over {
    /// The name in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Network => "network",
            Self::Strangers => "strangers",
            Self::Others => "others",
            Self::Ours => "ours",
            Self::All => "all",
        }
    }

    /// What is over its bound, for people.
    pub fn who(self) -> &'static str {
        match self {
            Self::Client => "this client",
            Self::Network => "this network",
            Self::Strangers | Self::Others | Self::Ours | Self::All => "all clients together",
        }
    }
}

/// What is held now.
#[derive(Debug)]
pub struct Shares {
    bounds: Bounds,
    strangers: u64,
    known: u64,
    ours: u64,
    clients: HashMap<IpAddr, u64>,
    networks: HashMap<IpNet, u64>,
}

impl Shares {
    /// Nothing is held.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, strangers: 0, known: 0, ours: 0, clients: HashMap::new(), networks: HashMap::new() }
    }

    /// The bounds.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// What is held in all.
    pub fn held(&self) -> u64 {
        self.strangers + self.known + self.ours
    }

    /// What strangers hold.
    pub fn held_by_strangers(&self) -> u64 {
        self.strangers
    }

    /// What one client holds; for a relay, which is not counted apart, nothing.
    pub fn held_by(&self, source: &Source) -> u64 {
        self.clients.get(&source.client).copied().filter(|_| !source.is_relay).unwrap_or(0)
    }

    /// Whether nobody holds anything, and nothing is kept about anybody.
    pub fn is_empty(&self) -> bool {
        self.held() == 0 && self.clients.is_empty() && self.networks.is_empty()
    }

    /// Whether `amount` more fits.
    ///
    /// # Errors
    /// The narrowest bound that it would go over.
    pub fn fits(&self, source: &Source, amount: u64) -> Result<(), Over> {
        let Bounds { all, client, network, strangers, others, ours } = self.bounds;
        let of_network = self.networks.get(&source.network()).copied().filter(|_| !source.is_relay).unwrap_or(0);
        let over = |held: u64, bound: u64| held.saturating_add(amount) > bound;
        if !source.is_relay && over(self.held_by(source), client) {
            return Err(Over::Client);
        }
        if !source.is_relay && over(of_network, network) {
            return Err(Over::Network);
        }
        match source.standing {
            Standing::Stranger if over(self.strangers, strangers) => return Err(Over::Strangers),
            Standing::Stranger | Standing::Known if over(self.strangers + self.known, others) => {
                return Err(Over::Others);
            }
            Standing::Ours if over(self.ours, ours) => return Err(Over::Ours),
            _ => {}
        }
        if over(self.held(), all) { Err(Over::All) } else { Ok(()) }
    }

    /// Takes `amount` more.
    ///
    /// # Errors
    /// The narrowest bound that it would go over; then nothing is taken.
    pub fn take(&mut self, source: &Source, amount: u64) -> Result<(), Over> {
        self.fits(source, amount)?;
        *self.class(source.standing) += amount;
        if !source.is_relay && amount > 0 {
            *self.clients.entry(source.client).or_insert(0) += amount;
            *self.networks.entry(source.network()).or_insert(0) += amount;
        }
        Ok(())
    }

    /// Gives back `amount` of what the same source has taken.
    pub fn give(&mut self, source: &Source, amount: u64) {
        let class = self.class(source.standing);
        *class = class.saturating_sub(amount);
        if !source.is_relay {
            lower(&mut self.clients, source.client, amount);
            lower(&mut self.networks, source.network(), amount);
        }
    }

    fn class(&mut self, standing: Standing) -> &mut u64 {
        match standing {
            Standing::Stranger => &mut self.strangers,
            Standing::Known => &mut self.known,
            Standing::Ours => &mut self.ours,
        }
    }
}

/// Takes from a count, and forgets who has nothing left: what strangers can name must not stay.
fn lower<K: Eq + std::hash::Hash>(counts: &mut HashMap<K, u64>, key: K, amount: u64) {
    if let Some(count) = counts.get_mut(&key) {
        *count = count.saturating_sub(amount);
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

/// How much of what strangers may hold is in use: the fuller it is, the less patience there is for those who do nothing
/// with what they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stress {
    /// There is enough.
    #[default]
    None,
    /// Over the first threshold.
    High,
    /// Nearly nothing is left.
    Severe,
}

impl Stress {
    /// The stress when `held` of `bound` is in use, with the first threshold in percent. Severe begins half-way between
    /// it and the bound.
    pub fn of(held: u64, bound: u64, threshold_percent: u64) -> Self {
        let percent = held.saturating_mul(100) / bound.max(1);
        match percent {
            _ if percent >= (threshold_percent + 100) / 2 => Self::Severe,
            _ if percent >= threshold_percent => Self::High,
            _ => Self::None,
        }
    }

    /// The name in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::High => "high",
            Self::Severe => "severe",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn source(ip: [u8; 4], standing: Standing) -> Source {
        Source { client: IpAddr::from(ip), standing, is_relay: false }
    }

    fn taken(shares: &mut Shares, source: &Source, times: usize) -> usize {
        (0..times).filter(|_| shares.take(source, 1).is_ok()).count()
    }

    #[test]
    fn one_client_one_network_and_all_strangers_leave_room_for_others() {
        let mut shares = Shares::new(Bounds::of(100, &Percents::default(), 1));
        let of = |ip| source(ip, Standing::Stranger);
        assert_eq!(taken(&mut shares, &of([1, 1, 1, 1]), 100), 25);
        assert_eq!(taken(&mut shares, &of([1, 1, 1, 2]), 100), 15, "the network has 40");
        assert_eq!(shares.take(&of([1, 1, 1, 3]), 1), Err(Over::Network));
        assert_eq!(taken(&mut shares, &of([2, 1, 1, 1]), 100), 25);
        assert_eq!(taken(&mut shares, &of([3, 1, 1, 1]), 100), 5, "all strangers have 70");
        assert_eq!(shares.take(&of([4, 1, 1, 1]), 1), Err(Over::Strangers));
        assert_eq!(taken(&mut shares, &source([5, 1, 1, 1], Standing::Known), 100), 20);
        assert_eq!(taken(&mut shares, &source([6, 1, 1, 1], Standing::Ours), 100), 10);
        assert_eq!(shares.take(&source([6, 1, 1, 1], Standing::Ours), 1), Err(Over::All));
    }

    #[test]
    fn a_relay_is_exempt_from_the_limit_of_one_address_and_not_from_the_total() {
        let mut shares = Shares::new(Bounds::of(100, &Percents::default(), 1));
        let relay = Source { is_relay: true, ..source([1, 1, 1, 1], Standing::Known) };
        assert_eq!(taken(&mut shares, &relay, 100), 90);
        assert_eq!(shares.take(&relay, 1), Err(Over::Others));
    }

    #[test]
    fn with_one_place_everybody_can_have_it() {
        for standing in [Standing::Stranger, Standing::Known, Standing::Ours] {
            let mut shares = Shares::new(Bounds::of(1, &Percents::default(), 1));
            assert_eq!(taken(&mut shares, &source([1, 1, 1, 1], standing), 3), 1);
        }
    }

    #[test]
    fn stress_grows_with_use() {
        assert_eq!([0, 59, 60, 79, 80, 100].map(|held| Stress::of(held, 100, 60)), {
            use Stress::{High, None, Severe};
            [None, None, High, High, Severe, Severe]
        });
        assert_eq!(Stress::of(5, 0, 60), Stress::Severe, "nothing may be held");
    }

    proptest! {
        #[test]
        fn what_is_given_back_leaves_no_trace(steps in prop::collection::vec((0..4_u8, 0..3_u8, 0..30_u64,
            any::<bool>()), 0..60)) {
            let bounds = Bounds::of(100, &Percents::default(), 1);
            let mut shares = Shares::new(bounds);
            let mut held = Vec::new();
            for (host, standing, amount, is_relay) in steps {
                let standing = [Standing::Stranger, Standing::Known, Standing::Ours][usize::from(standing)];
                let source = Source { is_relay, ..source([host, 0, 0, host], standing) };
                if shares.take(&source, amount).is_ok() {
                    held.push((source, amount));
                }
                prop_assert!(shares.held() <= bounds.all && shares.held_by_strangers() <= bounds.strangers);
                prop_assert!(shares.clients.values().all(|one| *one <= bounds.client));
                prop_assert!(shares.networks.values().all(|one| *one <= bounds.network));
                prop_assert_eq!(shares.held(), held.iter().map(|(_, amount)| amount).sum::<u64>());
            }
            for (source, amount) in held {
                shares.give(&source, amount);
            }
            prop_assert!(shares.is_empty());
        }
    }
}
