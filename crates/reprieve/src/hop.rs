//! Next hops: where a direction goes, what it offers, and connections that are used again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::Direction;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wire::smtp::capabilities::Capabilities;
use wire::smtp::client::{ClientError, Connection, Target, Timeouts};
use wire::tls;

use crate::config::{Config, HopConfig};

/// How long what a hop offers is believed (ruling 3).
const CAPABILITIES_KEPT: Duration = Duration::from_secs(60);
/// How long a hop that could not be asked counts as bare ESMTP before it is asked again.
const SILENCE_KEPT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept; well under what hops allow.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// How long asking a hop for what it offers may take, since a client waits.
const PROBE_MAX: Duration = Duration::from_secs(10);

/// The hops of an installation. Directions with the same address and policy share one hop.
#[derive(Clone, Debug)]
pub struct Hops {
    by_direction: BTreeMap<Direction, Arc<Hop>>,
    distinct: Vec<Arc<Hop>>,
}

impl Hops {
    /// The hops of a configuration, with at most `connections` to each.
    pub fn new(config: &Config, connections: usize, timeouts: &Timeouts) -> Self {
        let mut distinct: Vec<Arc<Hop>> = Vec::new();
        let mut by_direction = BTreeMap::new();
        for (direction, hop_config) in &config.hops {
            let known = distinct.iter().find(|hop| hop.config == *hop_config).cloned();
            let hop = known.unwrap_or_else(|| {
                let hop = Arc::new(Hop::new(hop_config.clone(), &config.hostname, connections, timeouts.clone()));
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

    /// Whether any hop has a free connection.
    pub fn any_is_free(&self) -> bool {
        self.distinct.iter().any(|hop| hop.permits.available_permits() > 0)
    }
}

/// A hop could not be used.
#[derive(Debug, thiserror::Error)]
pub enum HopError {
    /// All connections are in use.
    #[error("all connections to {0} are in use")]
    Busy(String),
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
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<(Connection, Instant)>>,
    /// What it offers, and until when that is believed.
    offered: Mutex<Option<(Capabilities, Instant)>>,
}

/// A connection on loan, with its place among the hop's connections.
#[derive(Debug)]
pub struct Loan {
    /// The connection.
    pub connection: Connection,
    /// Whether it has been used before, so that the hop may have closed it meanwhile.
    pub reused: bool,
    hop: Arc<Hop>,
    _permit: OwnedSemaphorePermit,
}

impl Loan {
    /// Gives back a connection that is between transactions.
    pub fn give_back(self) {
        let Self { connection, hop, .. } = self;
        hop.lock_idle().push((connection, Instant::now()));
    }

    /// A new connection in the place of this one, which the hop has closed. It is the same place among the hop's connections: nobody has to give
    /// one back first.
    ///
    /// # Errors
    /// When the hop cannot be reached.
    pub async fn reconnect(self) -> Result<Self, HopError> {
        let Self { connection, hop, _permit: permit, .. } = self;
        drop(connection);
        hop.open(permit).await
    }

    /// Its hop.
    pub fn hop(&self) -> &Arc<Hop> {
        &self.hop
    }
}

impl Hop {
    fn new(config: HopConfig, helo: &str, connections: usize, timeouts: Timeouts) -> Self {
        Self {
            config,
            helo: helo.to_owned(),
            timeouts,
            permits: Arc::new(Semaphore::new(connections)),
            idle: Mutex::default(),
            offered: Mutex::default(),
        }
    }

    /// Its address, for people.
    pub fn name(&self) -> &str {
        &self.config.address
    }

    /// A connection, an idle one where there is one.
    ///
    /// # Errors
    /// When all are in use, or the hop cannot be reached.
    pub async fn connection(self: &Arc<Self>) -> Result<Loan, HopError> {
        let permit = self.permit()?;
        let idle = {
            let mut idle = self.lock_idle();
            idle.retain(|(_, since)| since.elapsed() < IDLE_MAX);
            idle.pop()
        };
        match idle {
            Some((connection, _)) => Ok(Loan { connection, reused: true, hop: self.clone(), _permit: permit }),
            None => self.open(permit).await,
        }
    }

    /// A connection that nobody has used before.
    ///
    /// # Errors
    /// As [`Hop::connection`].
    pub async fn fresh_connection(self: &Arc<Self>) -> Result<Loan, HopError> {
        let permit = self.permit()?;
        self.open(permit).await
    }

    fn permit(&self) -> Result<OwnedSemaphorePermit, HopError> {
        self.permits.clone().try_acquire_owned().map_err(|_| HopError::Busy(self.config.address.clone()))
    }

    async fn open(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Result<Loan, HopError> {
        let connection = Connection::open(Arc::new(self.target().await?)).await?;
        let offered = connection.capabilities().clone();
        *self.lock_offered() = Some((offered, Instant::now() + CAPABILITIES_KEPT));
        Ok(Loan { connection, reused: false, hop: self.clone(), _permit: permit })
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

    /// What it offers, as it said within the last minute; bare ESMTP if it cannot be asked.
    pub async fn capabilities(self: &Arc<Self>) -> Capabilities {
        if let Some((offered, until)) = self.lock_offered().clone()
            && Instant::now() < until
        {
            return offered;
        }
        match tokio::time::timeout(PROBE_MAX, self.connection()).await {
            Ok(Ok(loan)) => {
                let offered = loan.connection.capabilities().clone();
                *self.lock_offered() = Some((offered.clone(), Instant::now() + CAPABILITIES_KEPT));
                loan.give_back();
                offered
            }
            Ok(Err(error)) => self.unasked(&error.to_string()),
            Err(_) => self.unasked("no answer in time"),
        }
    }

    fn unasked(&self, why: &str) -> Capabilities {
        tracing::warn!(hop = self.config.address, why, "cannot ask the next hop what it offers");
        *self.lock_offered() = Some((Capabilities::bare(), Instant::now() + SILENCE_KEPT));
        Capabilities::bare()
    }

    fn lock_idle(&self) -> std::sync::MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.idle.lock().expect("nobody panics while holding the idle connections")
    }

    fn lock_offered(&self) -> std::sync::MutexGuard<'_, Option<(Capabilities, Instant)>> {
        self.offered.lock().expect("nobody panics while holding the capabilities")
    }
}
