//! The containment reconciler: what every verdict is made under becomes what the store says is contained, within a
//! second.

use std::sync::Arc;
use std::time::Duration;

use store::ContainmentStore;
use tokio::sync::watch;

use platform::clock::Clock;
use platform::containment::ContainmentInForce;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks without a signal.
const PERIOD: Duration = Duration::from_secs(1);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct ContainmentLoader {
    /// What is contained.
    pub containments: ContainmentStore,
    /// Where messages find it.
    pub contained: ContainmentInForce,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the loop.
    pub signals: Signals,
}

impl Reconciler for ContainmentLoader {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "containment", "the containment state could not be read; what is in force stays so")
            .or_when(&self.signals.containment)
    }

    /// One round.
    async fn round(&self, _: &mut (), _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let state = self.containments.containment(self.clock.now()).await?;
        if *self.contained.now() != state {
            let held_back: Vec<&str> = state.held_back.keys().map(|code| code.as_str()).collect();
            tracing::warn!(epoch = state.epoch, held_back = held_back.join(", "), "containment");
            self.contained.put(state);
        }
        Ok(false)
    }
}
