//! What went through clean is remembered as known-good, behind the mail and never before it: parts by hash with their
//! bytes, and a sample of whole mails. What is called bad vouches for nothing any more.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use detect::limits::Limits;
use detect::mime;
use domain::envelope::{Direction, Envelope};
use domain::finding::MemoryClass;
use domain::identity::Identity;
use domain::message::{Family, Part};
use domain::token::TokenKey;
use domain::{Digest, DomainName, Examination, MailId, Timestamp};
use store::KnownGoodStore;
use store::known_good::memory::Meeting;
use store::known_good::vault::Vault;
use store::known_good::{GoodMail, GoodPart};
use tokio::sync::{mpsc, oneshot};

use crate::conversation::{Conversations, Sender};
use crate::first_contact;
use crate::known_senders::{answered, node, sealed};
use platform::config::KnownGoodConfig;
use platform::items::caught;

/// Lessons waiting at most; more are not learned, and mail does not wait.
const WAITING_MAX: usize = 64;
/// Bytes of a mail that is looked at for its parts.
const MAIL_BYTES_MAX: usize = 8 << 20;
/// Bytes below which a part is not worth remembering: spacers and blank lines.
const PART_BYTES_MIN: u64 = 64;
/// How often what was learned is written, so that a logo in every mail is one row a round.
const FLUSH: Duration = Duration::from_secs(2);
/// What waits to be written, at most, while the store fails.
const UNWRITTEN_MAX: usize = 20_000;
/// Contents known to be kept already, before they are asked for again.
const KNOWN_MAX: usize = 200_000;

/// A mail that has been decided.
#[derive(Debug)]
pub struct CleanMail {
    /// Our id.
    pub mail_id: MailId,
    /// When it came.
    pub received: Timestamp,
    /// Its envelope.
    pub envelope: Envelope,
    /// What was found.
    pub examination: Arc<Examination>,
    /// Its bytes, for a clean one; none for a bad one.
    pub clean: Option<Arc<Vec<u8>>>,
    /// Whether it counts as an answer of ours to its sender as well: for an archive that has only what came in.
    pub answers_itself: bool,
}

/// What the learner is told.
#[derive(Debug)]
enum Word {
    CleanMail(Box<CleanMail>),
    /// To write what it has learned, and to say so.
    Write(oneshot::Sender<()>),
    /// To write when it is asked to, and not by itself.
    WriteWhenAsked,
}

/// The handle that the way of a message has.
#[derive(Clone, Debug)]
pub struct KnownGoodRecorder(Option<mpsc::Sender<Word>>);

impl KnownGoodRecorder {
    /// Learns nothing.
    pub fn idle() -> Self {
        Self(None)
    }

    /// Starts to learn; it ends when the last handle is gone.
    pub fn start(
        store: KnownGoodStore,
        vault: Vault,
        config: KnownGoodConfig,
        key: TokenKey,
        met: Arc<first_contact::FirstContacts>,
    ) -> Self {
        let (sender, lessons) = mpsc::channel(WAITING_MAX);
        let memory = Memory {
            store,
            vault,
            config,
            key,
            kept: HashSet::new(),
            parts: BTreeMap::new(),
            mails: Vec::new(),
            meetings: BTreeMap::new(),
            met,
            contacts: BTreeMap::new(),
            conversations: Conversations::default(),
            day: (0, 0),
        };
        tokio::spawn(memory.run(lessons));
        Self(Some(sender))
    }

    /// Takes a lesson, if there is room for it.
    pub fn learn(&self, lesson: CleanMail) {
        if let Some(sender) = &self.0 {
            // Full means busy; what recurs comes again.
            let _ = sender.try_send(Word::CleanMail(Box::new(lesson)));
        }
    }

    /// Takes a lesson, when there is room for it: for what nobody waits for. `false` when nothing is learned here.
    pub async fn teach(&self, lesson: CleanMail) -> bool {
        match &self.0 {
            Some(sender) => sender.send(Word::CleanMail(Box::new(lesson))).await.is_ok(),
            None => false,
        }
    }

    /// From now on what was learned is written when somebody waits for it, and not with real time: so that a drill with
    /// one seed gives one result.
    pub async fn write_when_asked(&self) {
        if let Some(sender) = &self.0 {
            // One that has ended writes nothing.
            let _ = sender.send(Word::WriteWhenAsked).await;
        }
    }

    /// Waits until all that was learned is written.
    pub async fn written(&self) {
        let (answer, written) = oneshot::channel();
        if let Some(sender) = &self.0
            && sender.send(Word::Write(answer)).await.is_ok()
        {
            // A learner that has ended has written all it had.
            let _ = written.await;
        }
    }
}

struct Memory {
    store: KnownGoodStore,
    vault: Vault,
    config: KnownGoodConfig,
    key: TokenKey,
    /// Contents that are kept already.
    kept: HashSet<Digest>,
    /// What was seen since the last write.
    parts: BTreeMap<(Digest, String), GoodPart>,
    mails: Vec<GoodMail>,
    /// Who has written, and whom we have answered, since the last write.
    meetings: BTreeMap<String, Meeting>,
    /// Who is known to have met.
    met: Arc<first_contact::FirstContacts>,
    /// Who has met since the last write.
    contacts: BTreeMap<String, Timestamp>,
    /// Who has answered whom since the last write.
    conversations: Conversations,
    /// The day, and whole mails kept on it.
    day: (i64, u64),
}

impl Memory {
    async fn run(mut self, mut lessons: mpsc::Receiver<Word>) {
        let mut flush = tokio::time::interval(FLUSH);
        let mut is_by_itself = true;
        loop {
            tokio::select! {
                lesson = lessons.recv() => match lesson {
                    Some(Word::CleanMail(lesson)) => {
                        // A fault of ours over one mail must not end the learning of all others.
                        let mail = lesson.mail_id;
                        if let Err(panic) = caught(self.take(*lesson)).await {
                            tracing::error!(%mail, panic, "a mail could not be learned from");
                        }
                    }
                    Some(Word::Write(answer)) => {
                        self.write().await;
                        // Who asked may have gone.
                        let _ = answer.send(());
                    }
                    Some(Word::WriteWhenAsked) => is_by_itself = false,
                    None => return self.write().await,
                },
                _ = flush.tick(), if is_by_itself => self.write().await,
            }
        }
    }

    async fn take(&mut self, lesson: CleanMail) {
        let Some(raw) = lesson.clean.clone() else { return self.unlearn(&lesson).await };
        if self.is_left_out(&lesson.envelope) {
            return;
        }
        let direction = lesson.envelope.recipients.first().map_or(Direction::Inbound, |unit| unit.direction);
        let carrier = sealed(&self.key, &sender(&lesson));
        self.meet(&lesson);
        let met = first_contact::pairs(&self.key, &lesson.examination, &lesson.envelope);
        let met = self.met.unwritten(met, lesson.received);
        self.contacts.extend(met.into_iter().map(|pair| (pair, lesson.received)));
        let wanted: Vec<Part> =
            lesson.examination.message.parts.iter().filter(|part| self.wants(part, &lesson)).cloned().collect();
        if let Some(node) = node(&self.key, &sender(&lesson), &lesson.envelope) {
            let contents: Vec<Digest> = wanted.iter().map(|part| part.sha256).collect();
            let from = Sender { identity: &carrier, node: &node };
            let message_id = lesson.examination.message.message_id.as_deref();
            self.conversations.note(&self.key, &from, message_id, &raw, &contents, lesson.received);
        }
        let fresh = self.fresh(&wanted).await;
        let whole = self.wants_whole(&lesson);
        if !fresh.is_empty() || whole {
            let vault = self.vault.clone();
            let digest = whole.then_some(lesson.examination.message.sha256);
            let stored = tokio::task::spawn_blocking(move || keep(&vault, &raw, &fresh, digest)).await;
            match stored {
                Ok(Ok(kept)) => self.kept.extend(kept),
                Ok(Err(error)) => tracing::warn!(%error, "known-good content could not be kept"),
                Err(panic) => tracing::warn!(%panic, "known-good content could not be kept"),
            }
        }
        let pictures = &lesson.examination.message.fingerprints.pictures;
        for part in wanted {
            let is_kept = self.kept.contains(&part.sha256);
            let seen = lesson.received;
            let print = pictures.iter().find(|picture| picture.part == part.number).map(|picture| picture.print);
            let carrier_of = carrier.clone();
            let good = GoodPart { carrier: carrier_of, direction, is_kept, mails: 0, first: seen, seen, part, print };
            let known = self.parts.entry((good.part.sha256, carrier.clone())).or_insert(good);
            known.mails += 1;
            (known.first, known.seen) = (known.first.min(seen), known.seen.max(seen));
            known.is_kept = is_kept;
        }
        if whole {
            let CleanMail { mail_id, received, envelope, examination, .. } = lesson;
            let message = &examination.message;
            let (sha256, size) = (message.sha256, message.size);
            let (text, layout) = (message.fingerprints.text, message.fingerprints.layout);
            self.mails.push(GoodMail { sha256, mail_id, size, seen: received, envelope, carrier, text, layout });
        }
    }

    /// Attachments and pictures of a size that is worth it; not texts, which are somebody's words, and not what lies in
    /// an archive that is kept itself.
    fn wants(&self, part: &Part, lesson: &CleanMail) -> bool {
        let is_body = matches!(part.family, Family::Text | Family::Html) && part.name.is_empty();
        let of_mail = part.parent.is_none_or(|parent| {
            lesson.examination.message.part(parent).is_some_and(|parent| parent.family == Family::Mail)
        });
        of_mail && !is_body && (PART_BYTES_MIN..=self.config.part_bytes_max).contains(&part.size)
    }

    /// Which of these are not kept yet.
    async fn fresh(&mut self, wanted: &[Part]) -> HashSet<Digest> {
        if self.kept.len() > KNOWN_MAX {
            self.kept.clear();
        }
        let unknown: Vec<Digest> =
            wanted.iter().map(|part| part.sha256).filter(|digest| !self.kept.contains(digest)).collect();
        if unknown.is_empty() {
            return HashSet::new();
        }
        match self.store.contents_kept_with_bytes(&unknown).await {
            Ok(kept) => {
                self.kept.extend(kept.iter().copied());
                unknown.into_iter().filter(|digest| !kept.contains(digest)).collect()
            }
            Err(error) => {
                tracing::warn!(%error, "cannot tell which content is kept");
                HashSet::new()
            }
        }
    }

    /// Whole mails are spread over the day: by noon at most half of a day's share is taken.
    fn wants_whole(&mut self, lesson: &CleanMail) -> bool {
        const DAY: i64 = 24 * 3600;
        let seconds = lesson.received.as_seconds();
        let (day, of_day) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        if self.day.0 != day {
            self.day = (day, 0);
        }
        let share = self.config.mails_a_day * u64::try_from(of_day).unwrap_or(0) / DAY as u64;
        let fits = lesson.examination.message.size <= self.config.part_bytes_max && self.day.1 <= share;
        if fits && self.config.mails_a_day > 0 {
            self.day.1 += 1;
            return true;
        }
        false
    }

    /// The sender has written once more, and those of outside to whom one of ours has written have an answer.
    fn meet(&mut self, lesson: &CleanMail) {
        let from = sender(lesson);
        if from != Identity::Unverified {
            let answers = u64::from(lesson.answers_itself);
            let node = node(&self.key, &from, &lesson.envelope).unwrap_or_default();
            let meeting = self.meeting(&from, lesson.received);
            meeting.node = node;
            meeting.mails += 1;
            meeting.answered += answers;
        }
        for to in answered(&lesson.examination, &lesson.envelope) {
            self.meeting(&to, lesson.received).answered += 1;
        }
    }

    fn meeting(&mut self, identity: &Identity, at: Timestamp) -> &mut Meeting {
        let (seal, kind) = (sealed(&self.key, identity), identity.kind());
        let (identity, node) = (seal.clone(), String::new());
        let meeting = Meeting { identity, kind, node, mails: 0, answered: 0, is_bad: false, first: at, at };
        let known = self.meetings.entry(seal).or_insert(meeting);
        (known.first, known.at) = (known.first.min(at), known.at.max(at));
        known
    }

    /// What was called bad vouches for nothing any more; but one detection alone does not take its standing from what
    /// the past vouches for. That is the evidence that convicts a wrong one, and a right one does not need it gone.
    /// Whether a domain of ours that this mail is of, or for, has nothing remembered.
    fn is_left_out(&self, envelope: &Envelope) -> bool {
        let without = &self.config.without;
        let of = |domain: &DomainName| without.contains(domain);
        envelope.sender.as_ref().is_some_and(|sender| of(&sender.domain()))
            || envelope.recipients.iter().any(|unit| of(&unit.address.domain()) || of(&unit.domain))
    }

    async fn unlearn(&mut self, lesson: &CleanMail) {
        self.distrust(lesson);
        let accused = accused(&lesson.examination);
        let contents: Vec<Digest> = accused.keys().copied().collect();
        let standing = match self.store.standing_of(&contents).await {
            Ok(standing) => standing,
            Err(error) => return tracing::warn!(%error, "what is known of content that was found bad cannot be asked"),
        };
        let is_vouched_for = |content: &Digest| {
            standing.get(content).is_some_and(|known| {
                known.class(lesson.received, self.store.heirloom_carriers()) != MemoryClass::Unknown
            })
        };
        let bad = accused.into_iter().filter(|(content, engines)| engines.len() > 1 || !is_vouched_for(content));
        let bad: Vec<Digest> = bad.map(|(content, _)| content).chain([lesson.examination.message.sha256]).collect();
        self.parts.retain(|(digest, _), _| !bad.contains(digest));
        if let Err(error) = self.store.mark_bad(bad, lesson.received).await {
            tracing::warn!(%error, "content that was found bad could not be marked so");
        }
    }

    /// What more than one engine finds bad speaks against its sender; what one alone says does not take away whom we
    /// know.
    fn distrust(&mut self, lesson: &CleanMail) {
        let acting = lesson.examination.findings.iter().filter(|one| one.may_act());
        let engines: BTreeSet<&str> = acting.map(|one| one.engine.as_str()).collect();
        let from = sender(lesson);
        if engines.len() > 1 && !matches!(from, Identity::Unverified | Identity::Login(_)) {
            self.meeting(&from, lesson.received).is_bad = true;
        }
    }

    async fn write(&mut self) {
        if !self.contacts.is_empty() {
            match self.store.remember_contacts(self.contacts.clone()).await {
                Ok(()) => self.met.written(std::mem::take(&mut self.contacts)),
                Err(error) => tracing::warn!(%error, "who has met whom could not be remembered; tried again"),
            }
        }
        // What could not be written is written with the next round; it is forgotten only when more waits than is kept
        // in memory.
        let meetings: Vec<Meeting> = self.meetings.values().cloned().collect();
        if !meetings.is_empty() {
            match self.store.record_meetings(meetings).await {
                Ok(()) => self.meetings.clear(),
                Err(error) if error.may_be_of_item() => self.meet_each().await,
                Err(error) => tracing::warn!(%error, "who has written could not be remembered; tried again"),
            }
        }
        if !self.parts.is_empty() || !self.mails.is_empty() {
            let parts = self.parts.values().cloned().collect();
            match self.store.learn_good(parts, self.mails.clone()).await {
                Ok(()) => {
                    self.parts.clear();
                    self.mails.clear();
                }
                Err(error) if error.may_be_of_item() => self.learn_each().await,
                Err(error) => tracing::warn!(%error, "known-good content could not be remembered; tried again"),
            }
        }
        if self.conversations.waiting() > 0 {
            let Conversations { sent, answers, .. } = &self.conversations;
            match self.store.remember_conversation(sent.clone(), answers.clone()).await {
                Ok(()) => self.conversations.clear(),
                // It is a matter of many mails: that some are missing changes nothing.
                Err(error) if error.may_be_of_item() => {
                    tracing::warn!(%error, "who has answered whom could not be remembered");
                    self.conversations.clear();
                }
                Err(error) => tracing::warn!(%error, "who has answered whom could not be remembered; tried again"),
            }
        }
        let waiting = self.conversations.waiting()
            + self.parts.len()
            + self.mails.len()
            + self.meetings.len()
            + self.contacts.len();
        if waiting > UNWRITTEN_MAX {
            tracing::error!("more waits to be remembered than is kept in memory: it is forgotten");
            self.parts.clear();
            self.mails.clear();
            self.meetings.clear();
            self.contacts.clear();
            self.conversations.clear();
        }
    }

    /// One by one, when all together were refused: the one that is refused again is left out, and keeps no other.
    async fn meet_each(&mut self) {
        for (seal, meeting) in std::mem::take(&mut self.meetings) {
            match self.store.record_meetings(vec![meeting.clone()]).await {
                Ok(()) => {}
                Err(error) if error.may_be_of_item() => tracing::warn!(%error, "a sender could not be remembered"),
                Err(_) => drop(self.meetings.insert(seal, meeting)),
            }
        }
    }

    /// The same for known-good content.
    async fn learn_each(&mut self) {
        for (key, part) in std::mem::take(&mut self.parts) {
            match self.store.learn_good(vec![part.clone()], Vec::new()).await {
                Ok(()) => {}
                Err(error) if error.may_be_of_item() => {
                    tracing::warn!(%error, content = %key.0, "a content could not be remembered");
                }
                Err(_) => drop(self.parts.insert(key, part)),
            }
        }
        for mail in std::mem::take(&mut self.mails) {
            match self.store.learn_good(Vec::new(), vec![mail.clone()]).await {
                Ok(()) => {}
                Err(error) if error.may_be_of_item() => {
                    tracing::warn!(%error, mail = %mail.mail_id, "a mail could not be remembered");
                }
                Err(_) => self.mails.push(mail),
            }
        }
    }
}

fn sender(lesson: &CleanMail) -> Identity {
    lesson.examination.identity(lesson.envelope.client.login.as_deref())
}

/// The contents that something acted on, and which engines did.
fn accused(examination: &Examination) -> BTreeMap<Digest, BTreeSet<&str>> {
    let mut accused: BTreeMap<Digest, BTreeSet<&str>> = BTreeMap::new();
    for finding in examination.findings.iter().filter(|one| one.may_act()) {
        if let Some(part) = finding.part.and_then(|part| examination.message.part(part)) {
            accused.entry(part.sha256).or_default().insert(&finding.engine);
        }
    }
    accused
}

/// Takes the mail apart once more and keeps the bytes of what is fresh; returns what is kept now.
fn keep(vault: &Vault, raw: &[u8], fresh: &HashSet<Digest>, whole: Option<Digest>) -> std::io::Result<Vec<Digest>> {
    let mut kept = Vec::new();
    if !fresh.is_empty() && raw.len() <= MAIL_BYTES_MAX {
        let read = mime::read(raw);
        let parsed = mime::parse(raw, read.as_ref(), &Limits::default());
        for (part, decoded) in parsed.message.parts.iter().zip(&parsed.parts) {
            if fresh.contains(&part.sha256) {
                vault.put(part.sha256, &decoded.bytes)?;
                kept.push(part.sha256);
            }
        }
    }
    if let Some(digest) = whole {
        vault.put(digest, raw)?;
    }
    Ok(kept)
}
