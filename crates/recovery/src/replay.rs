//! The replay reconciler: what a wrong detection held is examined again by all that is in force now, and decided under
//! what is contained now. What passes is released by the one way that there is; what does not stays, with its reason.
//!
//! Each message is one write: its new record, the outcome of its units and the requests for their release. A replay
//! that is killed goes on where it was; one that is repeated changes nothing.

use std::sync::Arc;
use std::time::Duration;

use domain::containment::Containment;
use domain::incident::{IncidentStep, Outcome, Stage};
use domain::ledger::Account;
use domain::verdict::Verdict;
use domain::{MailId, Timestamp};
use store::evidence::sentinel::Suspect;
use store::incident::{Incident, IncidentChange, Replayed};
use store::mail::arrival::Record;
use store::mail::completion::{Completion, Occasion};
use store::{ContainmentStore, EntryStore, IncidentStore, QuarantineStore, RuleStore, StoreError, failpoint};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::incident::ACTOR;
use crate::reexamination::Reexamination;
use platform::clock::Clock;
use platform::items::{Items, caught};
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks without a signal.
const PERIOD: Duration = Duration::from_secs(2);
/// Units that one look takes.
const BATCH: usize = 200;
/// Messages whose outcomes are written together: so few that live mail, which waits for the same writer, does not
/// notice.
const WRITTEN_TOGETHER: usize = 6;
/// Failures of one message after which its units are inconclusive: the incident has them examined once more later, and
/// ends without them at last.
const FAILURES_MAX: u32 = 2;

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Replayer {
    /// What is contained.
    pub containments: ContainmentStore,
    /// Allow and block entries.
    pub entries: EntryStore,
    /// Incidents.
    pub incidents: IncidentStore,
    /// What is held.
    pub quarantine: QuarantineStore,
    /// Rulesets and their roll-outs.
    pub rules: RuleStore,
    /// What a message is examined with.
    pub reexamination: Reexamination,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the loop, and the releases.
    pub signals: Signals,
    /// Messages that are under way at the same time: while some are examined, others are read, and others written.
    pub at_once: usize,
    /// Incidents and messages that fail.
    pub items: Items,
}

impl Reconciler for Replayer {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "replays", "a round of replays failed").or_when(&self.signals.replay)
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: some messages of each incident that is being replayed. Returns whether there was anything to do.
    async fn round(&self, _: &mut (), stop: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let mut worked = false;
        for incident in self.incidents.all().await? {
            if incident.stage == Stage::Replaying && !incident.is_paused && !*stop.borrow() {
                let now = self.clock.now();
                worked |= self.items.alone(&incident.id, now, self.replay_some(&incident)).await?.unwrap_or(false);
            }
        }
        Ok(worked)
    }
}

impl Replayer {
    async fn replay_some(&self, incident: &Incident) -> Result<bool, StoreError> {
        let waiting = self.incidents.mail_awaiting_replay(&incident.id, BATCH).await?;
        if waiting.is_empty() {
            return self.finish_when_all_are_replayed(incident).await;
        }
        if !self.is_up_to_date().await? {
            return Ok(false);
        }
        let containment = self.reexamination.contained.now();
        let mut running: JoinSet<Result<Option<Replayed>, StoreError>> = JoinSet::new();
        let mut waiting = waiting.into_iter();
        let (mut ready, mut found) = (Vec::new(), false);
        loop {
            while running.len() < self.at_once {
                let Some((mail, numbers)) = waiting.next() else { break };
                running.spawn(self.clone().replay_one_or_give_up(incident.clone(), mail, numbers, containment.clone()));
            }
            let Some(finished) = running.join_next().await else { break };
            match finished {
                Ok(replayed) => ready.extend(replayed?),
                Err(ended) => tracing::error!(%ended, "a message could not be replayed"),
            }
            found |= !ready.is_empty();
            if ready.len() >= WRITTEN_TOGETHER {
                self.write(std::mem::take(&mut ready)).await?;
            }
        }
        self.write(ready).await?;
        Ok(found)
    }

    /// One message by itself. None when it failed and is to be tried again; when it fails once more it is inconclusive,
    /// and holds up nothing.
    async fn replay_one_or_give_up(
        self,
        incident: Incident,
        mail_id: MailId,
        numbers: Vec<u32>,
        containment: Arc<Containment>,
    ) -> Result<Option<Replayed>, StoreError> {
        let replayer = self.clone();
        let again = self.replay_one(incident.clone(), mail_id, numbers.clone(), containment);
        let fault = match caught(again).await {
            Ok(Ok(replayed)) => return Ok(Some(replayed)),
            Ok(Err(error)) if !error.may_be_of_item() => return Err(error),
            Ok(Err(error)) => error.to_string(),
            Err(panic) => panic,
        };
        Ok(replayer.given_up(&incident.id, mail_id, numbers, &fault))
    }

    /// Counts a failure of one message; what its replay comes to when it has failed often enough.
    fn given_up(&self, incident: &str, mail_id: MailId, numbers: Vec<u32>, fault: &str) -> Option<Replayed> {
        let (at, item) = (self.clock.now(), format!("replay of {mail_id} for {incident}"));
        self.items.failed(&item, at, fault);
        if self.items.failures(&item) < FAILURES_MAX {
            return None;
        }
        let why = format!("it cannot be examined again: {fault}");
        let outcomes = numbers.into_iter().map(|number| (number, Outcome::Inconclusive, why.clone())).collect();
        Some(Replayed { incident: incident.to_owned(), mail_id, outcomes, completion: None, at })
    }

    async fn is_up_to_date(&self) -> Result<bool, StoreError> {
        let Self { rules, entries, containments, reexamination, .. } = self;
        reexamination.is_up_to_date(rules, entries, containments, self.clock.now()).await
    }

    async fn write(&self, replayed: Vec<Replayed>) -> Result<(), StoreError> {
        if replayed.is_empty() {
            return Ok(());
        }
        self.reexamination.priority.give().await;
        failpoint::step("replay-examined");
        match self.incidents.record_replay(replayed.clone()).await {
            Ok(()) => {}
            Err(error) if !error.may_be_of_item() => return Err(error),
            Err(_) => self.write_each(replayed).await?,
        }
        failpoint::step("replay-recorded");
        self.signals.release.notify_one();
        self.signals.status.notify_one();
        Ok(())
    }

    /// One of them cannot be written: each is written by itself.
    async fn write_each(&self, replayed: Vec<Replayed>) -> Result<(), StoreError> {
        for one in replayed {
            let (incident, mail_id) = (one.incident.clone(), one.mail_id);
            let numbers = one.outcomes.iter().map(|(number, ..)| *number).collect();
            let fault = match self.incidents.record_replay(vec![one]).await {
                Ok(()) => continue,
                Err(error) if !error.may_be_of_item() => return Err(error),
                Err(error) => error.to_string(),
            };
            if let Some(given_up) = self.given_up(&incident, mail_id, numbers, &fault) {
                self.incidents.record_replay(vec![given_up]).await?;
            }
        }
        Ok(())
    }

    async fn finish_when_all_are_replayed(&self, incident: &Incident) -> Result<bool, StoreError> {
        let progress = self.incidents.progress(&incident.id).await?;
        let text = format!(
            "Everything has been examined again: {} cleared, {} upheld, {} inconclusive, {} settled before, {} old, \
                whose senders \
             are asked first.",
            progress.of(Outcome::Cleared),
            progress.of(Outcome::Upheld),
            progress.of(Outcome::Inconclusive),
            progress.of(Outcome::Settled),
            progress.of(Outcome::Asked)
        );
        let change = IncidentChange::step(incident, IncidentStep::ReplayDone, self.clock.now(), ACTOR, &text);
        match self.incidents.change(change).await {
            Ok(()) | Err(StoreError::Refused(_)) => {
                self.signals.incident.notify_one();
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// One message: its bytes through everything that is in force.
    async fn replay_one(
        self,
        incident: Incident,
        mail_id: MailId,
        numbers: Vec<u32>,
        containment: Arc<Containment>,
    ) -> Result<Replayed, StoreError> {
        self.reexamination.priority.give().await;
        let at = self.clock.now();
        let accounts = self.quarantine.accounts_of(mail_id).await?;
        let account = |number: u32| accounts.iter().find(|(one, _)| *one == number).map(|(_, account)| *account);
        let all = |outcome: Outcome, why: &str| -> Vec<(u32, Outcome, String)> {
            numbers.iter().map(|number| (*number, outcome, why.to_owned())).collect()
        };
        let Suspect { code, version } = incident.suspect;
        let incident = incident.id;
        let replayed = |outcomes, completion| Replayed { incident, mail_id, outcomes, completion, at };
        // What somebody has decided, or what is under way, is not touched.
        if numbers.iter().all(|number| account(*number) != Some(Account::Held)) {
            let outcomes = numbers.iter().map(|number| (*number, Outcome::Settled, settled_by(account(*number))));
            return Ok(replayed(outcomes.collect(), None));
        }
        let record = self.reexamination.mail.record(mail_id).await?;
        let Some(blob) = record.blob else {
            return Ok(replayed(all(Outcome::Inconclusive, "its bytes are gone"), None));
        };
        let bytes = match self.reexamination.blobs.get(blob).await {
            Ok(bytes) => Arc::new(bytes),
            Err(error) => {
                let why = format!("its bytes cannot be read: {error}");
                return Ok(replayed(all(Outcome::Inconclusive, &why), None));
            }
        };
        let examination = match self.reexamination.examine(mail_id, &record, bytes, at).await? {
            Ok(examination) => examination,
            Err(why) => return Ok(replayed(all(Outcome::Inconclusive, &why), None)),
        };
        let verdicts = self.reexamination.decide(mail_id, &record, &examination, &containment).await?;
        let outcomes = numbers.iter().map(|number| match (account(*number), verdict_of(&verdicts, *number)) {
            (Some(Account::Held), Some(verdict)) if verdict.disposition.passes() => {
                let category = verdict.category.as_str();
                // The new record no longer has the finding; who asks why it was held finds it here.
                let why = format!("{code} ({version}) had held it; examined again: {category}");
                match outcome_of(&record, &verdicts, *number, at) {
                    Outcome::Asked => {
                        (*number, Outcome::Asked, format!("{why}; held for over a day, so its sender is asked"))
                    }
                    outcome => (*number, outcome, why),
                }
            }
            (Some(Account::Held), Some(verdict)) => {
                let why = verdict.reasons.first().map(|reason| reason.text.clone()).unwrap_or_default();
                (*number, Outcome::Upheld, why)
            }
            (account, _) => (*number, Outcome::Settled, settled_by(account)),
        });
        let outcomes = outcomes.collect();
        let (examination, occasion) = (Arc::new(examination), Occasion::Replay);
        let completion = Completion { mail_id, examination, verdicts, at, occasion };
        Ok(replayed(outcomes, Some(completion)))
    }
}

fn verdict_of(verdicts: &[(u32, Verdict)], number: u32) -> Option<&Verdict> {
    verdicts.iter().find(|(one, _)| *one == number).map(|(_, verdict)| verdict)
}

/// What becomes of a unit that passes.
fn outcome_of(record: &Record, verdicts: &[(u32, Verdict)], number: u32, at: Timestamp) -> Outcome {
    let place = verdicts.iter().position(|(one, _)| *one == number);
    let recipient = place.and_then(|place| record.envelope.recipients.get(place));
    recipient.map_or(Outcome::Cleared, |recipient| Outcome::of_passing(recipient.direction, at.since(record.received)))
}

/// Who or what has decided about a unit before the replay came to it.
fn settled_by(account: Option<Account>) -> String {
    match account {
        Some(Account::Released) => "it had been released".into(),
        Some(Account::Releasing | Account::InDoubt) => "its release was under way".into(),
        Some(Account::Denied) => "a person had decided that it stays".into(),
        Some(Account::Failed) => "the next hop had refused it".into(),
        Some(account) => format!("it was {}", account.as_str()),
        None => "it is gone".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_decided_before_is_named() {
        let told = [
            (Some(Account::Released), "it had been released"),
            (Some(Account::Releasing), "its release was under way"),
            (Some(Account::InDoubt), "its release was under way"),
            (Some(Account::Denied), "a person had decided that it stays"),
            (Some(Account::Failed), "the next hop had refused it"),
            (Some(Account::Expired), "it was expired"),
            (None, "it is gone"),
        ];
        for (account, text) in told {
            assert_eq!(settled_by(account), text);
        }
    }
}
