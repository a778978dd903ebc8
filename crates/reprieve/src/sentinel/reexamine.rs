//! The re-examination reconciler: mail that was held because an engine failed is looked at again when the engine is back.
//! What passes then is released; what does not stays, with what was found. Nobody has to ask (promise 6).

use std::sync::Arc;
use std::time::Duration;

use domain::MailId;
use store::StoreError;
use store::completion::{Completion, Occasion};
use tokio::sync::watch;

use super::retrial::Retrial;
use crate::clock::Clock;
use crate::rounds::{Beat, Rounds};
use crate::signals::Signals;

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(10);
/// Messages that one look takes at most.
const BATCH: i64 = 50;

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Reexaminer {
    /// What a message is examined with.
    pub retrial: Retrial,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the releases.
    pub signals: Signals,
}

impl Reexaminer {
    /// Runs until `stop` says so.
    pub async fn run(self, rounds: Rounds, stop: watch::Receiver<bool>) {
        let beat = Beat::every(PERIOD, "re-examination", "a round of re-examinations failed");
        let mut turns = rounds.turns(beat, stop);
        while turns.after(self.round().await.map(|()| false)).await {}
    }

    /// One round, oldest first; it ends at the first message that is partial again, since the engine is not back.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn round(&self) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let waiting = self.retrial.store.partial_held(after, BATCH).await?;
            let Some(last) = waiting.last().copied() else { return Ok(()) };
            for mail in waiting {
                if !self.look_again(mail).await? {
                    return Ok(());
                }
            }
            after = Some(last);
        }
    }

    /// Looks at one message again; `false` when an engine still fails.
    async fn look_again(&self, mail_id: MailId) -> Result<bool, StoreError> {
        let Retrial { store, contained, way, .. } = &self.retrial;
        way.give().await;
        let record = store.record(mail_id).await?;
        let Some(blob) = record.blob else { return Ok(true) };
        let bytes = Arc::new(store.blobs().get(blob).await?);
        let at = self.clock.now();
        let Ok(examination) = self.retrial.examine(&record, bytes, at).await? else { return Ok(false) };
        let verdicts = self.retrial.decide(mail_id, &record, &examination, &contained.now()).await?;
        let examination = Arc::new(examination);
        store.complete(Completion { mail_id, verdicts, examination, at, occasion: Occasion::Partial }).await?;
        tracing::info!(%mail_id, "examined again, completely");
        self.signals.release.notify_one();
        Ok(true)
    }
}
