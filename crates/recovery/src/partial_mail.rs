//! The re-examination reconciler: mail that was held because an engine failed is looked at again when the engine is back.
//! What passes then is released; what does not stays, with what was found. Nobody has to ask.

use std::sync::Arc;
use std::time::Duration;

use domain::{MailId, Timestamp};
use store::StoreError;
use store::completion::{Completion, Occasion};
use tokio::sync::watch;

use crate::reexamination::Retrial;
use platform::clock::Clock;
use platform::items::Items;
use platform::reconciler::{Beat, Rounds};
use platform::signals::Signals;

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(10);
/// Messages that one look takes at most.
const BATCH: i64 = 50;
/// Messages in a row that are partial again, after which an engine is taken for not being back.
const MISSED_MAX: u32 = 3;

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Reexaminer {
    /// What a message is examined with.
    pub retrial: Retrial,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the releases.
    pub signals: Signals,
    /// What of its work fails.
    pub items: Items,
}

impl Reexaminer {
    /// Runs until `stop` says so.
    pub async fn run(self, rounds: Rounds, stop: watch::Receiver<bool>) {
        let beat = Beat::every(PERIOD, "re-examination", "a round of re-examinations failed");
        let mut turns = rounds.with_items(&self.items).turns(beat, stop);
        while turns.after(self.round().await.map(|()| false)).await {}
    }

    /// One round: first what was not looked at again before, oldest first, then what was partial again, those first that were so least often. A
    /// message that is partial every time keeps no other waiting. When several in a row are partial again, the engine is not back, and the round
    /// ends.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn round(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let (mut after, mut again, mut missed) = (None, Vec::new(), 0);
        loop {
            let waiting = self.retrial.store.partial_held(after, BATCH).await?;
            let Some(last) = waiting.last().copied() else { break };
            for mail in waiting {
                match self.items.failures(&mail.to_string()) {
                    0 if !self.look(mail, now, &mut missed).await? => return Ok(()),
                    0 => {}
                    failures => again.push((failures, mail)),
                }
            }
            after = Some(last);
        }
        again.sort_unstable();
        for (_, mail) in again {
            if !self.look(mail, now, &mut missed).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Looks at one message again, unless it rests; `false` when the engine is not back. `missed` counts the messages in a row that are partial
    /// again.
    async fn look(&self, mail: MailId, now: Timestamp, missed: &mut u32) -> Result<bool, StoreError> {
        let item = mail.to_string();
        if self.items.is_due(&item, now) {
            let done = self.items.attempt(&item, now, self.look_again(mail)).await?;
            *missed = if done.is_some() { 0 } else { *missed + 1 };
        }
        Ok(*missed < MISSED_MAX)
    }

    /// Looks at one message again; the inner error says which engine still fails.
    async fn look_again(&self, mail_id: MailId) -> Result<Result<(), String>, StoreError> {
        let Retrial { store, contained, way, .. } = &self.retrial;
        way.give().await;
        let record = store.record(mail_id).await?;
        let Some(blob) = record.blob else { return Ok(Ok(())) };
        let bytes = Arc::new(store.blobs().get(blob).await?);
        let at = self.clock.now();
        let examination = match self.retrial.examine(&record, bytes, at).await? {
            Ok(examination) => examination,
            Err(why) => return Ok(Err(why)),
        };
        let verdicts = self.retrial.decide(mail_id, &record, &examination, &contained.now()).await?;
        let examination = Arc::new(examination);
        store.complete(Completion { mail_id, verdicts, examination, at, occasion: Occasion::Partial }).await?;
        tracing::info!(%mail_id, "examined again, completely");
        self.signals.release.notify_one();
        self.signals.sentinel.notify_one();
        Ok(Ok(()))
    }
}
