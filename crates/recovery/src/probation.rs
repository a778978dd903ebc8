//! The probation reconciler: mail of those whom we know that a version on probation holds is noted and calls people;
//! once they had time to choose it is examined again, and leaves or stays. Which may leave is
//! `domain::sentinel::probation`; nothing leaves by time alone.
//!
//! A mail is decided about once, and its release is asked for in the same write. One that cannot be examined is tried
//! again, and holds up no other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::containment::Level;
use domain::ledger::Account;
use domain::sentinel::Suspect;
use domain::sentinel::probation::{DELAY, LET_OUT_MAX, Look, Stage, Stays, Step, why_it_stays};
use domain::{MailId, Timestamp, UnitId};
use platform::belief::Belief;
use store::audit::Act;
use store::evidence::probation::{Counts, Decision};
use store::mail::completion::{Completion, Occasion};
use store::notices::alert::{AlertKind, NewAlert};
use store::{
    AuditStore, ContainmentStore, EntryStore, EvidenceStore, NoticeStore, QuarantineStore, RuleStore, StoreError,
    failpoint,
};
use tokio::sync::watch;

use crate::reexamination::Reexamination;
use platform::clock::Clock;
use platform::items::Items;
use platform::measure;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(10);
/// How often everything that a version on probation holds is gone through; in between only what came within [`RECENT`].
const ALL_EVERY: Duration = Duration::from_secs(60);
/// Mail that is recent: longer than any arrival takes to be written.
const RECENT: Duration = Duration::from_secs(10 * 60);
/// Mails that one look notes for each version.
const NOTED_AT_ONCE: i64 = 200;
/// Delayed mails that one round looks at, among so many that are due or rest.
const BATCH: usize = 50;
const WAITING_MAX: i64 = 2000;
/// Failures of one mail, about an hour of them, after which it stays.
const FAILURES_MAX: u32 = 12;
/// Seconds of a day: people are called once a day and version.
const DAY_SECONDS: i64 = 86_400;
/// Who acts, in the audit log.
const ACTOR: &str = "probation";

/// The reconciler.
#[derive(Clone, Debug)]
pub struct ProbationWorker {
    /// The audit log.
    pub audit: AuditStore,
    /// What is held back, and the mail that is delayed.
    pub containments: ContainmentStore,
    /// Allow and block entries.
    pub entries: EntryStore,
    /// The journal of evidence: which content was to and fro.
    pub evidence: EvidenceStore,
    /// What people are called for.
    pub notices: NoticeStore,
    /// What is held.
    pub quarantine: QuarantineStore,
    /// Rulesets and their roll-outs.
    pub rules: RuleStore,
    /// What a message is examined with.
    pub reexamination: Reexamination,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the releases, and who calls people.
    pub signals: Signals,
    /// Versions and mails that fail.
    pub items: Items,
}

impl Reconciler for ProbationWorker {
    /// When everything was gone through last.
    type Memory = Option<Instant>;

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "probation", "a round over mail that is on probation failed")
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: what is new is noted, what is due is decided. Returns whether more is due.
    async fn round(&self, all: &mut Option<Instant>, _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let now = self.clock.now();
        let is_all = all.is_none_or(|last| last.elapsed() >= ALL_EVERY);
        let from = (!is_all).then(|| MailId::new(now.before(RECENT), [0; 10]));
        for change in self.containments.containments(now).await? {
            if change.level == Some(Level::Delay) {
                let item = format!("mail delayed by {} {}", change.suspect.code, change.suspect.version);
                self.items.alone(&item, now, self.note(&change.suspect, from, now)).await?;
            }
        }
        if is_all {
            *all = Some(Instant::now());
        }
        Ok(self.decide_due(now).await?)
    }
}

impl ProbationWorker {
    /// Mail that a version delays and that is not noted yet; people are called where there is some.
    async fn note(&self, suspect: &Suspect, mut from: Option<MailId>, now: Timestamp) -> Result<(), StoreError> {
        let mut found = 0;
        loop {
            let mails = self.containments.mail_to_delay(suspect, from, NOTED_AT_ONCE).await?;
            let Some(last) = mails.last().copied() else { break };
            let new = self.containments.note_delayed(suspect, mails, now).await?;
            found += new;
            if new == 0 {
                // As many are noted as may be.
                break;
            }
            from = Some(last);
        }
        if found > 0 {
            measure::probation(Stage::Delayed.as_str(), found);
            self.call_about_delay(suspect, now).await?;
        }
        Ok(())
    }

    async fn call_about_delay(&self, suspect: &Suspect, now: Timestamp) -> Result<(), StoreError> {
        let (counts, Suspect { code, version }) = (self.containments.probation_counts(suspect).await?, suspect);
        let text = format!(
            "{code} ({version}) is on probation: it was forced past a gate and hits what was known to be good. It has \
             delayed mail of those whom you know: {}. Choose: `reprieve contain {code} --hours 24` lets its previous \
             form decide, `reprieve detection off {code}` switches it off, `reprieve detection pin {code}` says that \
             it is right, and what it holds stays held.",
            told(&counts)
        );
        let day = now.as_seconds() / DAY_SECONDS;
        self.call(format!("delayed/{code}/{version}/{day}"), suspect, text, now).await
    }

    async fn call(&self, key: String, suspect: &Suspect, text: String, at: Timestamp) -> Result<(), StoreError> {
        let alert = NewAlert { key, at, kind: AlertKind::Forced, subject: suspect.code.to_string(), text };
        if self.notices.raise_alert(alert).await? {
            tracing::error!(code = %suspect.code, "people are called about a version on probation");
            self.signals.operators.notify_one();
        }
        Ok(())
    }

    /// Decides about mails that people had time to choose about; whether there may be more.
    async fn decide_due(&self, now: Timestamp) -> Result<bool, StoreError> {
        let waiting = self.containments.delayed_mail(now.before(DELAY), WAITING_MAX).await?;
        let name = |(suspect, mail): (Suspect, MailId)| {
            (format!("{mail} of {} {}", suspect.code, suspect.version), suspect, mail)
        };
        let mut due = waiting.into_iter().map(name).filter(|(item, ..)| self.items.is_due(item, now));
        let some: Vec<(String, Suspect, MailId)> = due.by_ref().take(BATCH).collect();
        let has_more = due.next().is_some();
        let Self { rules, entries, containments, reexamination, .. } = self;
        if some.is_empty() || !reexamination.is_up_to_date(rules, entries, containments, now).await? {
            return Ok(false);
        }
        let mut conversed: BTreeMap<Suspect, BTreeSet<String>> = BTreeMap::new();
        for (item, suspect, mail) in some {
            if !conversed.contains_key(&suspect) {
                conversed.insert(suspect.clone(), self.conversed(&suspect).await?);
            }
            let Some(known) = conversed.get(&suspect) else { continue };
            if self.items.failures(&item) >= FAILURES_MAX {
                let why = "it could not be examined again".to_owned();
                self.items.alone(&item, now, self.write(kept(&suspect, mail, why, now))).await?;
            } else {
                self.items.attempt(&item, now, self.decide(&suspect, mail, known, now)).await?;
            }
        }
        Ok(has_more)
    }

    /// Contents of the past that the version hits and that were to and fro before its first draft.
    async fn conversed(&self, suspect: &Suspect) -> Result<BTreeSet<String>, StoreError> {
        let belief = Belief::about(&self.evidence, &suspect.code).await?;
        let past = belief.suspicions.get(suspect).and_then(|one| one.past());
        Ok(past.map(|past| past.conversed.iter().cloned().collect()).unwrap_or_default())
    }

    /// One mail. The inner error says which engine did not finish with it: it is tried again.
    async fn decide(
        &self,
        suspect: &Suspect,
        mail_id: MailId,
        conversed: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<Result<(), String>, StoreError> {
        let Reexamination { mail, blobs, contained, policy, priority, .. } = &self.reexamination;
        let accounts = self.quarantine.accounts_of(mail_id).await?;
        let held = accounts.iter().filter(|(_, account)| *account == Account::Held);
        let units: Vec<UnitId> = held.map(|(number, _)| UnitId { mail: mail_id, number: *number }).collect();
        let decision = |step: Step, reason: String, completion: Option<Completion>| Decision {
            suspect: suspect.clone(),
            mail: mail_id,
            step,
            reason,
            completion,
            units: units.clone(),
            at: now,
        };
        if units.is_empty() {
            let settled = decision(Step::Settle, "somebody else has decided about it".into(), None);
            return self.write(settled).await.map(Ok);
        }
        let containment = contained.now();
        // Whoever confirms a version ends its probation at once, before its level follows.
        let is_confirmed = self.containments.pins().await?.iter().any(|pin| pin.code == suspect.code);
        if is_confirmed || containment.level(&suspect.code, &suspect.version) != Some(Level::Delay) {
            return self.write(decision(Step::Keep, Stays::Over.to_string(), None)).await.map(Ok);
        }
        priority.give().await;
        let record = mail.record(mail_id).await?;
        let Some(blob) = record.blob else {
            return self.write(decision(Step::Keep, "its bytes are gone".into(), None)).await.map(Ok);
        };
        let bytes = Arc::new(blobs.get(blob).await?);
        let examination = match self.reexamination.examine(mail_id, &record, bytes, now).await? {
            Ok(examination) => examination,
            Err(why) => return Ok(Err(why)),
        };
        let verdicts = self.reexamination.decide(mail_id, &record, &examination, &containment).await?;
        let counts = self.containments.probation_counts(suspect).await?;
        let look = Look {
            suspect,
            examination: &examination,
            envelope: &record.envelope,
            policy,
            containment: &containment,
            conversed,
            received: record.received,
            let_out: u32::try_from(counts.of(Stage::LetOut)).unwrap_or(u32::MAX),
        };
        let stays = why_it_stays(&look, now);
        let (examination, occasion) = (Arc::new(examination), Occasion::Probation);
        let completion = Completion { mail_id, verdicts, examination, at: now, occasion };
        match stays {
            Some(stays) => {
                self.write(decision(Step::Keep, stays.to_string(), Some(completion))).await?;
                if stays == Stays::Full {
                    self.call_about_full(suspect, now).await?;
                }
            }
            None => {
                let reason = leaves_because(suspect);
                self.audit_release(suspect, mail_id, &reason, now).await?;
                failpoint::step("probation-audited");
                self.write(decision(Step::LetOut, reason, Some(completion))).await?;
                self.signals.release.notify_one();
            }
        }
        Ok(Ok(()))
    }

    async fn write(&self, decision: Decision) -> Result<(), StoreError> {
        let step = decision.step;
        self.containments.decide_delayed(decision).await?;
        if let Ok(stage) = Stage::Delayed.on(step) {
            measure::probation(stage.as_str(), 1);
        }
        Ok(())
    }

    /// Before it is done: what leaves so may be a catch that is lost, and somebody will want to know which.
    async fn audit_release(
        &self,
        suspect: &Suspect,
        mail: MailId,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let act = Act {
            at,
            actor: ACTOR.into(),
            action: "probation.let-out".into(),
            object: mail.to_string(),
            reason: reason.to_owned(),
            detail: format!("{} {}", suspect.code, suspect.version),
        };
        self.audit.record_acts(vec![act]).await
    }

    async fn call_about_full(&self, suspect: &Suspect, now: Timestamp) -> Result<(), StoreError> {
        let Suspect { code, version } = suspect;
        let text = format!(
            "{code} ({version}) is on probation, and {LET_OUT_MAX} mails that it alone held were let out. No more will \
             be: what it holds from now on stays until you choose. Contain it, switch it off, or say that it is right; \
             in the last case look at what was let out."
        );
        self.call(format!("probation-full/{code}/{version}"), suspect, text, now).await
    }
}

/// That a mail stays, though nobody could look at it.
fn kept(suspect: &Suspect, mail: MailId, reason: String, at: Timestamp) -> Decision {
    Decision { suspect: suspect.clone(), mail, step: Step::Keep, reason, completion: None, units: Vec::new(), at }
}

/// Why a mail leaves, as a sentence of the record.
fn leaves_because(suspect: &Suspect) -> String {
    format!(
        "{} ({}) is on probation and alone held it, its previous form does not hit, and what it hits had gone to and \
         fro for two weeks before it was drafted: possibly a lost catch",
        suspect.code, suspect.version
    )
}

/// How far a probation is, in words.
fn told(counts: &Counts) -> String {
    format!(
        "{} so far, of which {} wait, {} stay, {} were let out (each possibly a lost catch) and {} were decided by \
         others",
        counts.all(),
        counts.of(Stage::Delayed),
        counts.of(Stage::Kept),
        counts.of(Stage::LetOut),
        counts.of(Stage::Settled)
    )
}
