//! Signals between rooms: they wake, they carry no data. Losing one costs time only.

use std::sync::Arc;

use tokio::sync::Notify;

/// All signals.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// A release was asked for.
    pub release: Arc<Notify>,
    /// A roll-out or a mode has changed: what examines mail may have to change.
    pub plan: Arc<Notify>,
    /// An allow or block entry was made or ended.
    pub entries: Arc<Notify>,
    /// A version was published: the gates have work.
    pub rollout: Arc<Notify>,
    /// Something acted on a mail, or a person told the sentinel something.
    pub sentinel: Arc<Notify>,
    /// The containment state has changed.
    pub containment: Arc<Notify>,
    /// An incident was opened or moved: its units, its replay, its page.
    pub incident: Arc<Notify>,
    /// A job over everything that a query fits has work.
    pub bulk: Arc<Notify>,
    /// A legal hold was made or lifted.
    pub hold: Arc<Notify>,
    /// The clock is believed again: what is over may go.
    pub retention: Arc<Notify>,
    /// A replay has work.
    pub replay: Arc<Notify>,
    /// What the public is told has changed.
    pub status: Arc<Notify>,
    /// The same, for those who are told.
    pub announce: Arc<Notify>,
    /// The files of certificates are to be looked at now.
    pub certificates: Arc<Notify>,
    /// A reload was asked for and not done.
    pub reload: Arc<Notify>,
    /// Operators are called for something.
    pub operators: Arc<Notify>,
}
