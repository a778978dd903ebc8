//! The reconciler of the clock: looks at it again and again, and calls people while it is not believed and nothing is
//! removed.

use std::time::Duration;

use store::notices::alert::{AlertKind, NewAlert};
use store::{NoticeStore, StoreError, UpkeepStore};
use tokio::sync::watch;

use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::removal::{Looked, Removal};
use platform::signals::Signals;

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(60);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct ClockWatcher {
    /// What people are called for and told.
    pub notices: NoticeStore,
    /// What keeps the store in order.
    pub upkeep: UpkeepStore,
    /// Whether the clock is believed.
    pub removal: Removal,
    /// Wakes those who tell people, and retention when the clock is believed again.
    pub signals: Signals,
}

impl Reconciler for ClockWatcher {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "clock", "it could not be told whether the clock is right; nothing is removed meanwhile")
    }

    /// One round.
    async fn round(&self, _: &mut (), _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let was_doubted = self.removal.last().is_some_and(|last| last.doubt.is_some());
        let looked = self.removal.look(&self.upkeep).await?;
        if looked.doubt.is_some() {
            self.call(&looked).await?;
            return Ok(false);
        }
        if was_doubted {
            tracing::info!("the clock is believed again: retention goes on");
            self.signals.retention.notify_one();
        }
        Ok(false)
    }
}

impl ClockWatcher {
    /// People are called, once a day while it lasts.
    async fn call(&self, looked: &Looked) -> Result<(), StoreError> {
        let Looked { now, reached, doubt: Some(doubt), .. } = looked else { return Ok(()) };
        let text = format!(
            "The clock says {now}, and {doubt}. The last time that is certain is {reached}. Until that is settled \
                nothing is removed for its age: no \
             held mail expires, and no bytes, records or entries of the audit log go. Mail goes on. If the clock is \
             wrong, set it right, and retention \
             goes on by itself. If it is right (this machine was off, or a backup was restored and you want it to go \
             on from there), say so with \
             `reprieve retention confirm-clock --reason ...`: what is over then goes little by little, and for a day \
             `reprieve retention recover` takes \
             it back. Said nothing, it goes on when as much time has run."
        );
        let day = now.to_string().chars().take(10).collect::<String>();
        let alert =
            NewAlert { key: format!("clock/{day}"), at: *now, kind: AlertKind::Clock, subject: "clock".into(), text };
        if self.notices.raise_alert(alert).await? {
            tracing::error!(%now, certain = %reached, %doubt, "the clock is not believed: nothing is removed, and \
                people are called");
            self.signals.operators.notify_one();
        }
        Ok(())
    }
}
