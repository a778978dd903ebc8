//! The re-examination reconciler: mail that was held because an engine failed is looked at again when the engine is back.
//! What passes then is released; what does not stays, with what was found. Nobody has to ask (promise 6).

use std::sync::Arc;
use std::time::Duration;

use detect::examine::EnvelopeFacts;
use domain::MailId;
use domain::finding::Outcome;
use domain::policy::OnFailure;
use domain::token::TokenKey;
use domain::verdict::decide;
use store::completion::{Completion, Occasion};
use store::{Store, StoreError};
use tokio::sync::watch;

use crate::acquaintance;
use crate::clock::Clock;
use crate::config::Config;
use crate::contained::Contained;
use crate::entries::Entries;
use crate::examiner::ExaminerPool;
use crate::neighbours::Neighbours;
use crate::signals::Signals;

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(10);
/// Messages that one look takes at most.
const BATCH: i64 = 50;

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Reexaminer {
    /// The configuration.
    pub config: Arc<Config>,
    /// The store.
    pub store: Store,
    /// The examining threads.
    pub examiner: ExaminerPool,
    /// The engines beside them.
    pub neighbours: Neighbours,
    /// Allow and block entries.
    pub entries: Entries,
    /// What is contained.
    pub contained: Contained,
    /// Seals identities.
    pub key: TokenKey,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the releases.
    pub signals: Signals,
}

impl Reexaminer {
    /// Runs until `stop` says so.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.round().await {
                tracing::error!(%error, "a round of re-examinations failed");
            }
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }

    /// One round, oldest first; it ends at the first message that is partial again, since the engine is not back.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn round(&self) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let waiting = self.store.partial_held(after, BATCH).await?;
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
        let record = self.store.record(mail_id).await?;
        let Some(blob) = record.blob else { return Ok(true) };
        let bytes = Arc::new(self.store.blobs().get(blob).await?);
        let facts = EnvelopeFacts::of(&record.envelope, &self.config.border);
        // How a mail authenticates is what DNS said then; lists in DNS, as all lists, are those of now.
        let facts = EnvelopeFacts { authentication: record.examination.facts.authentication.clone(), ..facts };
        let mut examination = self.neighbours.examine(&self.examiner, bytes, facts).await;
        // What policy does without now is done without: a sender whose name servers are dead must not keep others waiting.
        for report in &mut examination.engines {
            if report.is_missed() && self.config.policy.on_failure(&report.engine) == OnFailure::Continue {
                report.outcome = Outcome::Skipped;
            }
        }
        if examination.is_partial() {
            return Ok(false);
        }
        examination.facts.first_contact = record.examination.facts.first_contact;
        let at = self.clock.now();
        examination.facts.entries = self.entries.matching(&examination, &record.envelope, at);
        let rule = &self.config.sentinel.establish;
        acquaintance::resolve(&self.store, &self.key, rule, &mut examination, &record.envelope, at).await?;
        let containment = self.contained.now();
        let numbers = self.store.unit_numbers(mail_id).await?;
        let verdicts = record.envelope.recipients.iter().zip(numbers).map(|(unit, number)| {
            (number, decide(&examination, &record.envelope, unit, &self.config.policy, &containment))
        });
        let verdicts = verdicts.collect();
        self.store
            .complete(Completion {
                mail_id,
                verdicts,
                examination: Arc::new(examination),
                at,
                occasion: Occasion::Partial,
            })
            .await?;
        tracing::info!(%mail_id, "examined again, completely");
        self.signals.release.notify_one();
        Ok(true)
    }
}
