//! The re-examination reconciler: mail that was held because an engine failed is looked at again when the engine is
//! back. What passes then is released; what does not stays, with what was found. Nobody has to ask.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::MailId;
use store::StoreError;
use store::mail::completion::{Completion, Occasion};
use tokio::sync::watch;

use crate::queue::Queue;
use crate::reexamination::Reexamination;
use platform::clock::Clock;
use platform::items::Items;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(10);
/// Messages that one look takes at most.
const BATCH: i64 = 50;
/// How long a round goes on. After that it is begun anew, with what has come meanwhile, and those first that have
/// failed least often.
const ROUND_TIME: Duration = Duration::from_secs(30);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct PartialMailWorker {
    /// What a message is examined with.
    pub reexamination: Reexamination,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the releases.
    pub signals: Signals,
    /// What of its work fails.
    pub items: Items,
}

impl Reconciler for PartialMailWorker {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "re-examination", "a round of re-examinations failed")
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: everybody's messages in turn, those first that were partial again least often. A message that is
    /// partial again rests for a growing time and keeps no other waiting. Whether an engine is back is asked with a
    /// mail of our own, once a round, so that one that is away is not asked about every message. Returns whether the
    /// time of the round was over before all had their turn.
    async fn round(&self, _: &mut (), _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let mut queue = self.due().await?;
        let Some(mut next) = queue.take() else { return Ok(false) };
        if let Err(why) = self.reexamination.probe().await {
            tracing::info!(why, "mail that was held because an engine failed waits for it");
            return Ok(false);
        }
        let began = Instant::now();
        loop {
            let (mail, from) = next;
            let done = self.items.attempt(&mail.to_string(), self.clock.now(), self.look_again(mail)).await?;
            queue.went(from, done.is_some());
            match queue.take() {
                None => return Ok(false),
                Some(_) if began.elapsed() >= ROUND_TIME => return Ok(true),
                Some(waiting) => next = waiting,
            }
        }
    }
}

impl PartialMailWorker {
    /// What may be looked at again now.
    async fn due(&self) -> Result<Queue, StoreError> {
        let (mut queue, mut after, now) = (Queue::default(), None, self.clock.now());
        loop {
            let waiting = self.reexamination.mail.held_and_examined_in_part(after, BATCH).await?;
            let Some((last, _)) = waiting.last() else { break };
            after = Some(*last);
            for (mail, client) in waiting {
                let item = mail.to_string();
                if self.items.is_due(&item, now) {
                    queue.add(&client, mail, self.items.failures(&item));
                }
            }
        }
        queue.close();
        Ok(queue)
    }

    /// Looks at one message again; the inner error says which engine still fails.
    async fn look_again(&self, mail_id: MailId) -> Result<Result<(), String>, StoreError> {
        let Reexamination { mail, blobs, contained, priority, .. } = &self.reexamination;
        priority.give().await;
        let record = mail.record(mail_id).await?;
        let Some(blob) = record.blob else { return Ok(Ok(())) };
        let bytes = Arc::new(blobs.get(blob).await?);
        let at = self.clock.now();
        let examination = match self.reexamination.examine(mail_id, &record, bytes, at).await? {
            Ok(examination) => examination,
            Err(why) => return Ok(Err(why)),
        };
        let verdicts = self.reexamination.decide(mail_id, &record, &examination, &contained.now()).await?;
        let examination = Arc::new(examination);
        mail.record_full_examination(Completion { mail_id, verdicts, examination, at, occasion: Occasion::Partial })
            .await?;
        tracing::info!(%mail_id, "examined again, completely");
        self.signals.release.notify_one();
        self.signals.sentinel.notify_one();
        Ok(Ok(()))
    }
}
