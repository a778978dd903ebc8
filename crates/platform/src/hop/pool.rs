//! The connections to one next hop: who has one, who waits for its client with one, and who has to give one up.
//!
//! A transaction whose client has not sent its message yet may keep its connection, but only as long as nobody needs
//! it: then it is taken back, and the transaction opens another when it goes on. So no client holds up others by
//! waiting, however many connections it opens.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::share::{Bounds, Over, Shares, Source, Standing};
use wire::smtp::client::Connection;

/// How long an idle connection is kept; well under what hops allow.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// For so long a transaction keeps its connection against one of the same weight, so that two do not take it from each
/// other in turns.
const KEPT_LEAST: Duration = Duration::from_millis(50);
/// After so long any transaction may lose its connection to any other.
const KEPT_MOST: Duration = Duration::from_secs(5);

/// What a connection is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To ask about recipients.
    Recipients,
    /// To send a message that is here. A part of the connections is kept for that.
    Message,
}

/// What became of a request.
#[derive(Debug)]
pub(super) enum Admitted {
    /// A place, with an idle connection where there was one.
    HopPlace(Option<Box<Connection>>),
    /// The connection of a transaction that waits; the transaction is still open on it.
    TakenBack(Box<Connection>),
    /// Nothing now.
    Not(Over),
}

/// A connection with an open transaction whose client has the word.
#[derive(Debug)]
struct Waiting {
    connection: Connection,
    source: Source,
    since: Instant,
}

/// The connections to one next hop.
#[derive(Debug)]
pub(super) struct Pool {
    shares: Shares,
    /// Connections on which recipients are being asked about now.
    asking: u64,
    asking_max: u64,
    idle: Vec<(Connection, Instant)>,
    waiting: BTreeMap<u64, Waiting>,
    next: u64,
}

impl Pool {
    pub(super) fn new(bounds: Bounds) -> Self {
        let asking_max = (bounds.all - bounds.all / 4).max(1);
        Self { shares: Shares::new(bounds), asking: 0, asking_max, idle: Vec::new(), waiting: BTreeMap::new(), next: 0 }
    }

    /// A connection for a client, if need be that of a transaction that waits.
    pub(super) fn admit(&mut self, source: &Source, purpose: Purpose, now: Instant) -> Admitted {
        if purpose == Purpose::Recipients && self.asking >= self.asking_max {
            return Admitted::Not(Over::All);
        }
        let admitted = match self.shares.take(source, 1) {
            Ok(()) => Admitted::HopPlace(self.idle(now)),
            Err(over) => match self.take_back(source, over, now) {
                Some(connection) => Admitted::TakenBack(Box::new(connection)),
                None => return Admitted::Not(over),
            },
        };
        self.asking += u64::from(purpose == Purpose::Recipients);
        admitted
    }

    fn idle(&mut self, now: Instant) -> Option<Box<Connection>> {
        self.idle.retain(|(_, since)| now.duration_since(*since) < IDLE_MAX);
        self.idle.pop().map(|(connection, _)| Box::new(connection))
    }

    fn take_back(&mut self, source: &Source, over: Over, now: Instant) -> Option<Connection> {
        let chosen = self.who_gives(source, over, now)?;
        let given = self.waiting.remove(&chosen)?;
        self.shares.give(&given.source, 1);
        // Another bound may be met as well; then the connection is closed, and the next round finds room.
        self.shares.take(source, 1).ok()?;
        Some(given.connection)
    }

    /// Whose connection is taken back: the least known's first, then that of who holds most, then the one that has
    /// waited longest.
    fn who_gives(&self, source: &Source, over: Over, now: Instant) -> Option<u64> {
        let own = self.shares.held_by(source);
        let may_be_taken = |one: &Waiting| {
            let waited = now.duration_since(one.since);
            let outweighs = one.source.standing < source.standing || self.shares.held_by(&one.source) > own + 1;
            match over {
                Over::Client => one.source.client == source.client && !one.source.is_relay && waited >= KEPT_LEAST,
                Over::Network => {
                    one.source.network() == source.network() && !one.source.is_relay && waited >= KEPT_LEAST
                }
                Over::Strangers => one.source.standing == Standing::Stranger && (outweighs || waited >= KEPT_LEAST),
                Over::Ours => one.source.standing == Standing::Ours && waited >= KEPT_LEAST,
                Over::Others => one.source.standing <= source.standing && (outweighs || waited >= KEPT_LEAST),
                Over::All => {
                    one.source.standing <= source.standing && (outweighs || waited >= KEPT_LEAST) || waited >= KEPT_MOST
                }
            }
        };
        let candidates = self.waiting.iter().filter(|(_, one)| may_be_taken(one));
        let chosen = candidates.max_by_key(|(_, one)| {
            let weight = self.shares.held_by(&one.source);
            (std::cmp::Reverse(one.source.standing), weight, now.duration_since(one.since))
        });
        chosen.map(|(id, _)| *id)
    }

    /// A transaction waits for its client with this connection; the number under which it is found again.
    pub(super) fn wait(&mut self, connection: Connection, source: Source, now: Instant) -> u64 {
        let id = self.next;
        self.next += 1;
        self.waiting.insert(id, Waiting { connection, source, since: now });
        id
    }

    /// The connection of a transaction that goes on, if it has not been taken back.
    pub(super) fn go_on(&mut self, id: u64) -> Option<(Connection, Source)> {
        self.waiting.remove(&id).map(|one| (one.connection, one.source))
    }

    /// A connection that is between transactions.
    pub(super) fn keep(&mut self, connection: Connection, now: Instant) {
        self.idle.push((connection, now));
    }

    /// A place is free again.
    pub(super) fn leave(&mut self, source: &Source, purpose: Option<Purpose>) {
        self.shares.give(source, 1);
        self.asked(purpose);
    }

    /// The asking about recipients is over, for now.
    pub(super) fn asked(&mut self, purpose: Option<Purpose>) {
        self.asking -= u64::from(purpose == Some(Purpose::Recipients)).min(self.asking);
    }

    /// What is held in all.
    pub(super) fn held(&self) -> u64 {
        self.shares.held()
    }

    /// What strangers hold, and what they may.
    pub(super) fn strangers(&self) -> (u64, u64) {
        (self.shares.held_by_strangers(), self.shares.bounds().strangers)
    }
}
