//! What acts on mail is heard: what each message says against the detections that hit it becomes lines of the journal.
//!
//! Mail is read in the order in which it was committed, and how far is written together with what it said: nothing is
//! missed and nothing said twice, however long a message was examined and wherever we die. A message that cannot be
//! read is set aside, and tried again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::detection::Scope;
use domain::finding::{Finding, MemoryClass};
use domain::message::Family;
use domain::sentinel::suspicion::Hit;
use domain::sentinel::{Event, State, Suspect, VOICES_MIN, VOICES_SPAN, Weights};
use domain::{Digest, MailId, Timestamp};
use store::evidence::hearing::{Heard, HearingCursor, SetAside};
use store::evidence::sentinel::NewLine;
use store::known_good::memory::Remembered;
use store::notices::alert::AlertKind;
use store::{StoreError, failpoint};

use super::in_force::{InForceNow, engine_of};
use crate::conviction::{ConvictionMemory, ConvictionWorker, day};
use known_good::known_senders::sealed;
use platform::items::{caught, rest};

/// Messages that one look takes.
const BATCH: i64 = 200;
/// How much of the past the share of good content by class is measured on.
const MEASURED: Duration = Duration::from_secs(3 * 24 * 3600);

/// A message to hear, and how often that has failed.
type Wanted = (MailId, u32);

impl ConvictionWorker {
    /// Mail that something has acted on since the last look.
    pub(super) async fn hear(
        &self,
        mind: &mut ConvictionMemory,
        in_force: &InForceNow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for one in self.store.evidence.due_unheard(now).await? {
            // Each of them has failed before; that one fails again keeps nobody from being heard.
            match self.take(mind, in_force, &[(one.mail, one.tries)], None, now).await {
                Err(error) if error.may_be_of_item() => {
                    tracing::warn!(mail_id = %one.mail, %error, "what this mail says cannot be heard; tried again");
                }
                other => other?,
            }
        }
        let mut limit = BATCH;
        loop {
            let page = self.store.evidence.unheard_page(limit).await?;
            if page.to == page.from {
                return Ok(());
            }
            let wanted: Vec<Wanted> = page.mails.into_iter().map(|mail| (mail, 0)).collect();
            match self.take(mind, in_force, &wanted, Some((page.from, page.to)), now).await {
                Ok(()) => limit = BATCH,
                // Another hears as well, and was quicker.
                Err(StoreError::Refused(why)) => {
                    tracing::info!(why, "mail was heard by another");
                    return Ok(());
                }
                // One of them cannot be written: which one is found out one by one.
                Err(error) if limit > 1 && error.may_be_of_item() => {
                    tracing::warn!(%error, "what mail said could not be written together; it is heard one by one");
                    limit = 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes down what some messages say, and that they were heard: `moved` is from where to where that was.
    async fn take(
        &self,
        mind: &mut ConvictionMemory,
        in_force: &InForceNow,
        wanted: &[Wanted],
        moved: Option<(HearingCursor, HearingCursor)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut heard = Heard { moved: moved.clone(), ..Heard::default() };
        for (mail, tries) in wanted {
            match self.listen(*mail, mind, in_force).await? {
                Ok(lines) => {
                    heard.lines.extend(lines);
                    heard.settled.extend((*tries > 0).then_some(*mail));
                }
                Err(fault) => heard.set_aside.push(set_aside(*mail, *tries, fault, now)),
            }
        }
        heard.lines = self.opened(mind, in_force, heard.lines);
        failpoint::step("sentinel-heard");
        match (self.store.evidence.record_heard(heard).await, wanted) {
            (Ok(_), _) => self.catch_up(mind).await,
            (Err(error), [(mail, tries)]) if error.may_be_of_item() && !matches!(error, StoreError::Refused(_)) => {
                let set_aside = vec![set_aside(*mail, *tries, error.to_string(), now)];
                self.store.evidence.record_heard(Heard { moved, set_aside, ..Heard::default() }).await.map(drop)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// What one message says. The inner error is of this message alone.
    async fn listen(
        &self,
        mail: MailId,
        mind: &ConvictionMemory,
        in_force: &InForceNow,
    ) -> Result<Result<Vec<NewLine>, String>, StoreError> {
        match caught(self.testimony(mail, mind, in_force)).await {
            Ok(Ok(lines)) => Ok(Ok(lines)),
            // It was purged meanwhile.
            Ok(Err(StoreError::NotFound(_))) => Ok(Ok(Vec::new())),
            Ok(Err(error)) if error.may_be_of_item() && !matches!(error, StoreError::Sql(_)) => {
                Ok(Err(error.to_string()))
            }
            Ok(Err(error)) => Err(error),
            Err(panic) => Ok(Err(panic)),
        }
    }

    /// Lines for the journal, with what each suspect is judged by before the first line about it.
    pub(super) fn opened(&self, mind: &ConvictionMemory, in_force: &InForceNow, lines: Vec<NewLine>) -> Vec<NewLine> {
        let mut opened: BTreeMap<&Suspect, NewLine> = BTreeMap::new();
        for line in lines.iter().filter(|line| !mind.belief.is_opened(&line.suspect)) {
            let at = line.event.at();
            let Suspect { code, version } = &line.suspect;
            let event = Event::Opened { at, settings: in_force.settings(&line.suspect, at) };
            opened
                .entry(&line.suspect)
                .or_insert_with(|| NewLine::new(format!("opened/{code}/{version}"), line.suspect.clone(), event));
        }
        let opened: Vec<NewLine> = opened.into_values().collect();
        opened.into_iter().chain(lines).collect()
    }

    /// What several people call wrong is tried, and somebody is called. It convicts nothing: people report real malware
    /// as well.
    pub(super) async fn hear_people(&self, mind: &mut ConvictionMemory, now: Timestamp) -> Result<(), StoreError> {
        let mut accused = BTreeMap::new();
        for voices in self.store.submissions.people_against_detections(now.before(VOICES_SPAN), VOICES_MIN).await? {
            let Suspect { code, version } = &voices.suspect;
            let text = format!(
                "{} people have said within a day that {code} ({version}) is wrong. It is tried on mail that is known \
                    to be good; \
                 `reprieve sentinel explain {code}` says what came of it.",
                voices.people
            );
            let key = format!("reports/{code}/{version}/{}", day(voices.last));
            let item = format!("reports about {code} {version}");
            self.items.alone(&item, now, self.call(key, AlertKind::Reports, code.to_string(), text, now)).await?;
            accused.insert(voices.suspect, voices.last);
        }
        mind.accused = accused;
        Ok(())
    }

    /// What one mail says against the detections that hit it: only that of somebody whom we know, where no other engine
    /// agrees.
    async fn testimony(
        &self,
        mail: MailId,
        mind: &ConvictionMemory,
        in_force: &InForceNow,
    ) -> Result<Vec<NewLine>, StoreError> {
        let record = self.store.mail.record(mail).await?;
        let examination = &record.examination;
        if !examination.facts.sender.is_some_and(|sender| sender.established) {
            return Ok(Vec::new());
        }
        let identity = sealed(&self.key, &examination.identity(record.envelope.client.login.as_deref()));
        let mut lines = Vec::new();
        let mut seen = BTreeSet::new();
        for finding in examination.findings.iter().filter(|one| one.may_act()) {
            let suspect = suspect_of(finding);
            let is_contained = mind.belief.suspicions.get(&suspect).is_some_and(|one| one.state() == State::Contained);
            if is_contained || examination.is_corroborated(finding) || !seen.insert((suspect.clone(), finding.part)) {
                continue;
            }
            let content = self.content(finding, &record.examination, in_force);
            let weights = self.weights(finding.family, record.received).await?;
            let known = match content {
                Some(content) => self.remembered(content, record.received).await?,
                None => None,
            };
            let (class, carriers) = known.map_or((MemoryClass::Unknown, BTreeSet::new()), |known| {
                (known.standing.class(record.received, self.store.known_good.heirloom_carriers()), known.carriers)
            });
            let part = finding.part.map_or_else(|| "mail".to_owned(), |part| part.to_string());
            let key = format!("hit/{mail}/{part}/{}/{}", suspect.code, suspect.version);
            let content = content.map(|content| content.hex());
            let hit = Hit { at: record.received, identity: identity.clone(), content, class, carriers, weights };
            for group in self.groups_of(&suspect, in_force).await? {
                let key = format!("{key}/of/{}", group.code);
                lines.push(NewLine { key, suspect: group, event: Event::Hit(hit.clone()), mail: Some(mail) });
            }
            lines.push(NewLine { key, suspect, event: Event::Hit(hit), mail: Some(mail) });
        }
        Ok(lines)
    }

    /// The content that testifies: that of the part that was hit, where the detection speaks of content.
    fn content(&self, finding: &Finding, examination: &domain::Examination, in_force: &InForceNow) -> Option<Digest> {
        let scope = match (engine_of(&finding.detection), in_force.detection(&finding.detection)) {
            (Some("clamd"), _) => Scope::Content,
            (_, Some(detection)) => detection.scope,
            _ => Scope::Message,
        };
        let part = examination.message.part(finding.part?)?;
        (scope == Scope::Content).then_some(part.sha256)
    }

    async fn remembered(&self, content: Digest, now: Timestamp) -> Result<Option<Remembered>, StoreError> {
        Ok(self.store.known_good.remembered(&[content], &self.sentinel.establish, now).await?.remove(&content))
    }

    async fn weights(&self, family: Family, now: Timestamp) -> Result<Weights, StoreError> {
        Ok(Weights::of(self.store.known_good.contents_by_class(family, now.before(MEASURED), now).await?))
    }
}

fn set_aside(mail: MailId, tries: u32, fault: String, now: Timestamp) -> SetAside {
    tracing::warn!(%mail, fault, "a message cannot be heard; tried again later, and those behind it are heard");
    let tries = tries.saturating_add(1);
    SetAside { mail, tries, next: now.after(rest(tries)), fault }
}

fn suspect_of(finding: &Finding) -> Suspect {
    Suspect { code: finding.detection.clone(), version: finding.detection_version.clone() }
}
