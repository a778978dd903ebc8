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
}
