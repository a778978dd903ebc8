//! Next hops: where a direction goes, what it offers, and connections that are used again.

mod pool;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use domain::Direction;
use domain::share::{Bounds, Over, Source, Standing, Stress};
pub use pool::Purpose;
use pool::{Admitted, Pool};
use tokio::sync::Notify;
use wire::smtp::capabilities::Capabilities;
use wire::smtp::client::{ClientError, Connection, Target, Timeouts};
use wire::tls;

use crate::config::{Config, HopConfig};
use crate::measure::{self, Scarce};

/// How long what a hop offers is believed.
const CAPABILITIES_KEPT: Duration = Duration::from_secs(60);
/// How long a hop that could not be asked is left alone before it is asked again.
const SILENCE_KEPT: Duration = Duration::from_secs(5);
/// How long asking a hop for what it offers may take, since a client waits.
const PROBE_MAX: Duration = Duration::from_secs(10);
/// How often who waits for a connection looks again, if nobody wakes it: its own bound may be what it waits for.
const LOOK: Duration = Duration::from_millis(25);
/// Whoever works for the installation itself.
const HOUSE: Source = Source { client: IpAddr::V4(Ipv4Addr::LOCALHOST), standing: Standing::Ours, is_relay: true };

/// The hops of an installation. Directions with the same address and policy share one hop.
#[derive(Clone, Debug)]
pub struct Hops {
    by_direction: BTreeMap<Direction, Arc<Hop>>,
    distinct: Vec<Arc<Hop>>,
}

impl Hops {
    /// The hops of a configuration for work of our own, with at most `connections` to each.
    pub fn new(config: &Config, connections: usize, timeouts: &Timeouts) -> Self {
        Self::bounded(config, Bounds::only(connections as u64), timeouts)
    }

    /// The hops of a configuration for live mail: each client has a part of the connections only.
    pub fn for_live_mail(config: &Config, timeouts: &Timeouts) -> Self {
        let limits = &config.limits;
        Self::bounded(config, Bounds::of(limits.hop_connections_max as u64, &limits.percents, 1), timeouts)
    }

    fn bounded(config: &Config, bounds: Bounds, timeouts: &Timeouts) -> Self {
        let mut distinct: Vec<Arc<Hop>> = Vec::new();
        let mut by_direction = BTreeMap::new();
        for (direction, hop_config) in &config.hops {
            let known = distinct.iter().find(|hop| hop.config == *hop_config).cloned();
            let hop = known.unwrap_or_else(|| {
                let hop = Arc::new(Hop::new(hop_config.clone(), &config.hostname, bounds, timeouts.clone()));
                distinct.push(hop.clone());
                hop
            });
            by_direction.insert(*direction, hop);
        }
        Self { by_direction, distinct }
    }

    /// The hop of a direction.
    pub fn of(&self, direction: Direction) -> Arc<Hop> {
        self.by_direction[&direction].clone()
    }

    /// What every hop offers. One that cannot be asked counts as bare ESMTP.
    pub async fn capabilities(&self) -> Capabilities {
        let mut common: Option<Capabilities> = None;
        for hop in &self.distinct {
            let offered = hop.capabilities().await;
            common = Some(common.map_or(offered.clone(), |common| common.intersection(&offered)));
        }
        common.unwrap_or_default()
    }

    /// How scarce connections are for strangers, at the hop where they are scarcest.
    pub fn stress(&self, threshold_percent: u64) -> Stress {
        let of = |hop: &Arc<Hop>| {
            let (held, bound) = hop.lock_pool().strangers();
            Stress::of(held, bound, threshold_percent)
        };
        self.distinct.iter().map(of).max().unwrap_or_default()
    }
}

/// A hop could not be used.
#[derive(Debug, thiserror::Error)]
pub enum HopError {
    /// No connection can be had.
    #[error("no connection to {hop} is free for {}", .over.who())]
    Busy {
        /// The hop's address.
        hop: String,
        /// The bound that is met.
        over: Over,
    },
    /// It cannot be reached, or does not behave.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// One next hop.
#[derive(Debug)]
pub struct Hop {
    config: HopConfig,
    helo: String,
    timeouts: Timeouts,
    pool: Mutex<Pool>,
    /// Wakes one of those that wait for a connection.
    freed: Notify,
    /// What it offers, and until when that is believed.
    offered: Mutex<Option<(Capabilities, Instant)>>,
    /// Held by whoever asks what it offers.
    asking: tokio::sync::Mutex<()>,
}

/// A place among the connections to a hop; free again when dropped.
#[derive(Debug)]
struct HopPlace {
    hop: Arc<Hop>,
    source: Source,
    purpose: Option<Purpose>,
    /// It has become that of a transaction that waits.
    is_passed_on: bool,
}

impl Drop for HopPlace {
    fn drop(&mut self) {
        let mut pool = self.hop.lock_pool();
        if self.is_passed_on {
            pool.asked(self.purpose);
        } else {
            pool.leave(&self.source, self.purpose);
        }
        drop(pool);
        self.hop.freed.notify_one();
    }
}

/// A connection on loan, with its place among the hop's connections.
#[derive(Debug)]
pub struct Loan {
    /// The connection.
    pub connection: Connection,
    /// Whether it has been used before, so that the hop may have closed it meanwhile.
    pub reused: bool,
    place: HopPlace,
}

impl Loan {
    /// Gives back a connection that is between transactions.
    pub fn give_back(self) {
        let Self { connection, place, .. } = self;
        place.hop.lock_pool().keep(connection, Instant::now());
    }

    /// Its hop.
    pub fn hop(&self) -> &Arc<Hop> {
        &self.place.hop
    }

    /// A connection that nobody has used before, in the place of this one.
    ///
    /// # Errors
    /// When the hop cannot be reached.
    pub async fn reconnect(self) -> Result<Self, HopError> {
        let Self { connection, place, .. } = self;
        drop(connection);
        let hop = place.hop.clone();
        hop.open(place).await
    }

    /// The transaction on it waits for its client: the connection stays with it until somebody needs it more.
    pub fn wait(self) -> Ticket {
        let Self { connection, mut place, .. } = self;
        let hop = place.hop.clone();
        let id = hop.lock_pool().wait(connection, place.source, Instant::now());
        place.is_passed_on = true;
        drop(place);
        Ticket { hop, id }
    }
}

/// The claim of a transaction that waits to the connection that it is open on.
#[derive(Debug)]
pub struct Ticket {
    hop: Arc<Hop>,
    id: u64,
}

impl Ticket {
    /// The connection, if it has not been taken back.
    pub fn redeem(self) -> Option<Loan> {
        let (connection, source) = self.hop.lock_pool().go_on(self.id)?;
        let place = HopPlace { hop: self.hop.clone(), source, purpose: None, is_passed_on: false };
        Some(Loan { connection, reused: true, place })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut pool = self.hop.lock_pool();
        let given = pool.go_on(self.id);
        if let Some((_, source)) = &given {
            pool.leave(source, None);
        }
        drop(pool);
        if given.is_some() {
            self.hop.freed.notify_one();
        }
    }
}

impl Hop {
    fn new(config: HopConfig, helo: &str, bounds: Bounds, timeouts: Timeouts) -> Self {
        Self {
            config,
            helo: helo.to_owned(),
            timeouts,
            pool: Mutex::new(Pool::new(bounds)),
            freed: Notify::new(),
            offered: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// Its address, for people.
    pub fn name(&self) -> &str {
        &self.config.address
    }

    /// A connection for work of our own, an idle one where there is one; nobody is waited for.
    ///
    /// # Errors
    /// When all are in use, or the hop cannot be reached.
    pub async fn connection(self: &Arc<Self>) -> Result<Loan, HopError> {
        self.lend(&HOUSE, Purpose::Message, Instant::now()).await
    }

    /// A connection for a client's mail. Waits for one until `until`; a transaction that only waits for its client
    /// gives up its own.
    ///
    /// # Errors
    /// When none can be had in time, or the hop cannot be reached.
    pub async fn lend(self: &Arc<Self>, source: &Source, purpose: Purpose, until: Instant) -> Result<Loan, HopError> {
        let (place, admitted) = self.admit(source, purpose, until).await?;
        match admitted {
            Some(connection) => Ok(Loan { connection, reused: true, place }),
            None => self.open(place).await,
        }
    }

    /// A place, with a connection that is between transactions where there is one.
    async fn admit(
        self: &Arc<Self>,
        source: &Source,
        purpose: Purpose,
        until: Instant,
    ) -> Result<(HopPlace, Option<Connection>), HopError> {
        let over = loop {
            let admitted = {
                let mut pool = self.lock_pool();
                let admitted = pool.admit(source, purpose, Instant::now());
                // Work of our own has connections of its own.
                if *source != HOUSE {
                    measure::in_use(Scarce::HopConnections, pool.held());
                }
                admitted
            };
            let place = || HopPlace { hop: self.clone(), source: *source, purpose: Some(purpose), is_passed_on: false };
            match admitted {
                Admitted::HopPlace(idle) => return Ok((place(), idle.map(|connection| *connection))),
                Admitted::TakenBack(mut connection) => {
                    let place = place();
                    measure::taken_back();
                    // What was open on it ends; if the hop has gone, there is a place at least.
                    let is_usable = connection.reset().await.is_ok();
                    return Ok((place, is_usable.then_some(*connection)));
                }
                Admitted::Not(over) if Instant::now() >= until => break over,
                Admitted::Not(_) => {}
            }
            let look = until.min(Instant::now() + LOOK);
            // Woken or not, there is a look; who was woken for nothing leaves it to the next look of another.
            let _ = tokio::time::timeout_at(look.into(), self.freed.notified()).await;
        };
        measure::refused("hop_connection", over);
        Err(HopError::Busy { hop: self.config.address.clone(), over })
    }

    async fn open(self: &Arc<Self>, place: HopPlace) -> Result<Loan, HopError> {
        let connection = Connection::open(Arc::new(self.target().await?)).await?;
        self.offers(connection.capabilities().clone(), CAPABILITIES_KEPT);
        Ok(Loan { connection, reused: false, place })
    }

    async fn target(&self) -> Result<Target, ClientError> {
        let address = &self.config.address;
        let failed = |source| ClientError::Connect { name: address.clone(), source };
        let addresses = tokio::net::lookup_host(address.as_str()).await.map_err(failed)?.collect();
        let name =
            address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host).trim_matches(['[', ']']).to_owned();
        Ok(Target {
            addresses,
            name,
            helo: self.helo.clone(),
            tls: self.config.tls,
            tls_config: tls::client_config(self.config.tls),
            timeouts: self.timeouts.clone(),
        })
    }

    /// What it offers, as it said within the last minute. One asks, and the others take what it said before, or wait
    /// where it has said nothing yet. One that cannot be asked is believed as it was; one that never could is bare
    /// ESMTP.
    pub async fn capabilities(self: &Arc<Self>) -> Capabilities {
        let (known, is_fresh) = self.known_capabilities();
        if let Some(known) = known.filter(|_| is_fresh) {
            return known;
        }
        let _asking = match self.asking.try_lock() {
            Ok(asking) => asking,
            Err(_) => match self.known_capabilities() {
                (Some(known), _) => return known,
                (None, _) => self.asking.lock().await,
            },
        };
        if let (Some(known), true) = self.known_capabilities() {
            return known;
        }
        let asked = async {
            let loan = self.lend(&HOUSE, Purpose::Message, Instant::now() + PROBE_MAX).await?;
            let offered = loan.connection.capabilities().clone();
            loan.give_back();
            Ok::<Capabilities, HopError>(offered)
        };
        match tokio::time::timeout(PROBE_MAX, asked).await {
            Ok(Ok(offered)) => self.offers(offered, CAPABILITIES_KEPT),
            Ok(Err(error)) => self.unasked(&error.to_string()),
            Err(_) => self.unasked("no answer in time"),
        }
    }

    /// What it said last, and whether that is still believed without asking.
    fn known_capabilities(&self) -> (Option<Capabilities>, bool) {
        match self.lock_offered().as_ref() {
            Some((offered, until)) => (Some(offered.clone()), Instant::now() < *until),
            None => (None, false),
        }
    }

    fn offers(&self, offered: Capabilities, kept: Duration) -> Capabilities {
        *self.lock_offered() = Some((offered.clone(), Instant::now() + kept));
        offered
    }

    fn unasked(&self, why: &str) -> Capabilities {
        tracing::warn!(hop = self.config.address, why, "cannot ask the next hop what it offers");
        let known = self.known_capabilities().0.unwrap_or_else(Capabilities::bare);
        self.offers(known, SILENCE_KEPT)
    }

    fn lock_pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().expect("nobody panics while holding the connections")
    }

    fn lock_offered(&self) -> MutexGuard<'_, Option<(Capabilities, Instant)>> {
        self.offered.lock().expect("nobody panics while holding the capabilities")
    }
}
