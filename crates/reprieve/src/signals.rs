//! Signals between rooms: they wake, they carry no data. Losing one costs time only.

use std::sync::Arc;

use tokio::sync::Notify;

/// All signals.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// A release was asked for.
    pub release: Arc<Notify>,
}
