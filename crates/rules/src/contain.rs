//! The containment reconciler: what every verdict is made under becomes what the store says is contained, within a second.

use std::sync::Arc;
use std::time::Duration;

use store::{Store, StoreError};
use tokio::sync::watch;

use platform::clock::Clock;
use platform::containment::Contained;
use platform::reconciler::{Beat, Rounds};
use platform::signals::Signals;

/// How often it looks without a signal.
const PERIOD: Duration = Duration::from_secs(1);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Container {
    /// The store.
    pub store: Store,
    /// Where messages find it.
    pub contained: Contained,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the loop.
    pub signals: Signals,
}

impl Container {
    /// Runs until `stop` says so.
    pub async fn run(self, rounds: Rounds, stop: watch::Receiver<bool>) {
        let beat =
            Beat::every(PERIOD, "containment", "the containment state could not be read; what is in force stays so")
                .or_when(&self.signals.containment);
        let mut turns = rounds.turns(beat, stop);
        while turns.after(self.round().await.map(|()| false)).await {}
    }

    /// One round.
    ///
    /// # Errors
    /// When the store fails; then what was in force before goes on.
    pub async fn round(&self) -> Result<(), StoreError> {
        let state = self.store.containment(self.clock.now()).await?;
        if *self.contained.now() != state {
            let held_back: Vec<&str> = state.held_back.keys().map(|code| code.as_str()).collect();
            tracing::warn!(epoch = state.epoch, held_back = held_back.join(", "), "containment");
            self.contained.put(state);
        }
        Ok(())
    }
}
