//! A held message before all that is in force now: how a replay and a re-examination look at it again, and how they
//! decide.

use std::sync::Arc;
use std::time::Instant;

use detect::examine::EnvelopeFacts;
use domain::containment::Containment;
use domain::envelope::Border;
use domain::finding::Outcome;
use domain::policy::{OnFailure, Policy};
use domain::token::TokenKey;
use domain::verdict::{Verdict, decide};
use domain::{Examination, MailId, Timestamp};
use store::blob::Blobs;
use store::mail::arrival::Record;
use store::{ContainmentStore, EntryStore, KnownGoodStore, MailStore, RuleStore, StoreError};

use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use known_good::known_senders;
use platform::config::SentinelConfig;
use platform::containment::ContainmentInForce;
use platform::entries::Entries;
use platform::priority::Priority;
use platform::traces::Traces;
use platform::traces::way::Way;

/// What tells whether engines answer.
const PROBE: &[u8] = b"From: postmaster@localhost\r\nSubject: probe\r\n\r\nDoes every engine answer?\r\n";

/// What a message is examined with.
#[derive(Clone, Debug)]
pub struct Reexamination {
    /// Our domains and networks.
    pub border: Arc<Border>,
    /// The policy.
    pub policy: Arc<Policy>,
    /// How the sentinel acts.
    pub sentinel: SentinelConfig,
    /// The bytes of held mail.
    pub blobs: Blobs,
    /// Content of clean mail, and who sends mail.
    pub known_good: KnownGoodStore,
    /// Mail and its units.
    pub mail: MailStore,
    /// Our own engines.
    pub examiner: ExaminerPool,
    /// The engines beside them.
    pub external_engines: ExternalEngines,
    /// Allow and block entries.
    pub entries: Entries,
    /// What is contained.
    pub contained: ContainmentInForce,
    /// Seals identities.
    pub key: TokenKey,
    /// Live mail comes first.
    pub priority: Priority,
    /// Where the ways of what is examined again are left to be told.
    pub traces: Traces,
}

impl Reexamination {
    /// Examines a message as it came, with the authentication of then and the lists, entries and memory of `at`. The
    /// inner error says which engine did not finish; what policy does without is done without.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn examine(
        &self,
        mail_id: MailId,
        record: &Record,
        bytes: Arc<Vec<u8>>,
        at: Timestamp,
    ) -> Result<Result<Examination, String>, StoreError> {
        let mut way = self.traces.begin("reexamination", mail_id, at, Instant::now());
        let examined = self.examine_on(&mut way, record, bytes, at).await;
        if let Ok(Ok(examination)) = &examined {
            way.tell_examination(examination);
        }
        way.is_certainly_told();
        way.finish(!matches!(examined, Ok(Ok(_))));
        examined
    }

    async fn examine_on(
        &self,
        way: &mut Way,
        record: &Record,
        bytes: Arc<Vec<u8>>,
        at: Timestamp,
    ) -> Result<Result<Examination, String>, StoreError> {
        let (step, so_far) = (way.enter("examine"), way.so_far());
        let facts = EnvelopeFacts::of(&record.envelope, &self.border);
        let facts = EnvelopeFacts { authentication: record.examination.facts.authentication.clone(), ..facts };
        let mut examination = self.external_engines.examine(&self.examiner, bytes, facts).await;
        way.tell_engines(&examination, so_far);
        way.leave(step);
        // A sender whose name servers are dead must not keep others waiting.
        for report in &mut examination.engines {
            if report.is_missed() && self.policy.on_failure(&report.engine) == OnFailure::Continue {
                report.outcome = Outcome::Skipped;
            }
        }
        if let Some(missed) = examination.engines.iter().find(|report| report.is_missed()) {
            return Ok(Err(format!("engine {} did not finish: {}", missed.engine, missed.detail)));
        }
        let _remember = way.enter("remember");
        examination.facts.first_contact = record.examination.facts.first_contact;
        examination.facts.entries = self.entries.matching(&examination, &record.envelope, at);
        let rule = &self.sentinel.establish;
        known_senders::resolve(&self.known_good, &self.key, rule, &mut examination, &record.envelope, at).await?;
        Ok(Ok(examination))
    }

    /// Whether what examines here is what the store says is in force, and what is contained and which entries count
    /// likewise: a ruleset takes seconds to compile, and until then the wrong one would say once more what it has said.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_up_to_date(
        &self,
        rules: &RuleStore,
        entries: &EntryStore,
        containments: &ContainmentStore,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let live = rules.ruleset_in_force().await?;
        let is_loaded = live.is_none_or(|live| self.examiner.in_force().live.id == live);
        let entries = entries.entries_stamp(now).await?;
        let epoch = containments.containment(now).await?.epoch;
        Ok(is_loaded && self.entries.stamp() == Some(entries) && self.contained.now().epoch == epoch)
    }

    /// Whether all engines finish with a mail of our own, in which nothing is.
    ///
    /// # Errors
    /// Which engine did not, and why.
    pub async fn probe(&self) -> Result<(), String> {
        let examination =
            self.external_engines.examine(&self.examiner, Arc::new(PROBE.to_vec()), EnvelopeFacts::default()).await;
        let is_needed = |engine: &str| self.policy.on_failure(engine) != OnFailure::Continue;
        match examination.engines.iter().find(|report| report.is_missed() && is_needed(&report.engine)) {
            Some(missed) => Err(format!("engine {} did not finish: {}", missed.engine, missed.detail)),
            None => Ok(()),
        }
    }

    /// What is decided about each unit of a message, by its number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn decide(
        &self,
        mail_id: MailId,
        record: &Record,
        examination: &Examination,
        containment: &Containment,
    ) -> Result<Vec<(u32, Verdict)>, StoreError> {
        let numbers = self.mail.unit_numbers(mail_id).await?;
        let units = record.envelope.recipients.iter().zip(numbers);
        let verdict = |unit| decide(examination, &record.envelope, unit, &self.policy, containment);
        Ok(units.map(|(unit, number)| (number, verdict(unit))).collect())
    }
}
