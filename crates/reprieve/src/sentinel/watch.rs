//! The sentinel: what acts on mail is heard, what the past says of it is asked, and a detection that the past convicts is contained.
//!
//! Evidence is a journal in the store; what is believed of a detection version is a pure function of it (`domain::sentinel`). Nothing is
//! remembered here that cannot be read again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use detect::backtest;
use detect::ruleset::{Ruleset, load};
use domain::containment::Level;
use domain::detection::{Detection, DetectionCode, DetectionVersion, Mode, RulesetId, Scope};
use domain::finding::{Finding, MemoryClass};
use domain::message::Family;
use domain::rollout::Stage;
use domain::sentinel::group::Group;
use domain::sentinel::state::Step;
use domain::sentinel::suspicion::{Hit, TRIP, TRIP_AFTER_CHANGE};
use domain::sentinel::{Event, Settings, State, Suspicion, VOICES_MIN, VOICES_SPAN, Weights};
use domain::token::TokenKey;
use domain::{Digest, MailId, Timestamp};
use store::alert::{AlertKind, NewAlert};
use store::audit::Act;
use store::incident::NewIncident;
use store::memory::Remembered;
use store::sentinel::{ContainmentChange, NewLine, Suspect};
use store::vault::Vault;
use store::version::KeptRuleset;
use store::{Store, StoreError};
use tokio::sync::watch;

use super::probe::{self, Exhibits, Found};
use crate::acquaintance::sealed;
use crate::clock::Clock;
use crate::config::{Config, ContainmentMode};
use crate::neighbours::Neighbours;
use crate::rounds::{Beat, Rounds};
use crate::signals::Signals;

/// How often it looks without a signal.
const PERIOD: Duration = Duration::from_secs(2);
/// How far back it listens again, for mail that was recorded late.
const OVERLAP: Duration = Duration::from_secs(10);
/// How far back it listens after a start.
const FIRST_LOOK: Duration = Duration::from_secs(3600);
/// Messages that one look takes.
const BATCH: i64 = 200;
/// A version that has come into force within this time needs less evidence against it.
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// Time until a suspect that nothing could be tried on is tried again.
const EMPTY_AGAIN: Duration = Duration::from_secs(60);
/// How much of the past the share of good content by class is measured on.
const MEASURED: Duration = Duration::from_secs(3 * 24 * 3600);
/// A corrected form is watched for this long, or for this many messages.
const PROBATION: Duration = Duration::from_secs(2 * 3600);
const PROBATION_MESSAGES: u64 = 300;
/// How often it is counted how many are established.
const SIZED_EVERY: Duration = Duration::from_secs(3600);
/// When an incident's public text is to be renewed.
const NEXT_UPDATE: Duration = Duration::from_secs(3600);
/// Held hits on which the previous form is asked.
const COUNTERFACTUALS_MAX: i64 = 1000;
/// Who acts, in the audit log.
const ACTOR: &str = "sentinel";

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Watcher {
    /// The configuration.
    pub config: Arc<Config>,
    /// The store.
    pub store: Store,
    /// The bytes of known-good content, if they are kept.
    pub vault: Option<Vault>,
    /// The engines outside.
    pub neighbours: Neighbours,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Seals identities.
    pub key: TokenKey,
    /// Wakes the loop, and others.
    pub signals: Signals,
}

/// What was read so far: all of it is in the store.
#[derive(Debug, Default)]
pub struct Mind {
    seq: i64,
    pub(super) suspicions: BTreeMap<Suspect, Suspicion>,
    heard: BTreeSet<MailId>,
    heard_until: Option<Timestamp>,
    /// Rulesets that were in force, by id.
    rulesets: HashMap<RulesetId, Arc<KeptRuleset>>,
    /// Roll-outs that were taken back and whose held mail was looked for.
    followed: BTreeSet<u32>,
    /// Rulesets whose changes have been tried.
    tried: BTreeSet<RulesetId>,
    /// When there was last nothing to try a suspect on.
    nothing_to_try: BTreeMap<Suspect, Timestamp>,
    /// When it was last counted how many are established.
    sized: Option<Timestamp>,
    /// Suspects that several people speak against, and when the last did.
    accused: BTreeMap<Suspect, Timestamp>,
    /// Suspects of whom people have been told.
    pub(super) told: BTreeSet<(Suspect, State)>,
}

/// What has been done about a detection when its incident opens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Done {
    Contained,
    Asked,
    TakenBack,
}

/// What is in force, and what was.
pub(super) struct InForceNow {
    /// Newest first.
    pub(super) rulesets: Vec<(Arc<KeptRuleset>, Timestamp)>,
    /// The data versions of outside engines, newest first.
    pub(super) engines: Vec<(String, String, Timestamp)>,
}

impl InForceNow {
    fn detection(&self, code: &DetectionCode) -> Option<&Detection> {
        let (live, _) = self.rulesets.first()?;
        live.detections.iter().map(|(detection, _)| detection).find(|detection| detection.code == *code)
    }

    /// The data version of an engine outside that is in force, since when, and whether there was another before it.
    pub(super) fn data_of(&self, engine: &str) -> Option<(&str, Timestamp, bool)> {
        let mut of_engine = self.engines.iter().filter(|(name, ..)| name == engine);
        let (_, version, since) = of_engine.next()?;
        Some((version, *since, of_engine.any(|(_, other, _)| other != version)))
    }

    /// Since when this version has been in force without a break; none when it is not.
    pub(super) fn since(&self, suspect: &Suspect) -> Option<(Timestamp, RulesetId)> {
        if let Some(group) = Group::parse(&suspect.code) {
            let (live, since) = self.rulesets.first()?;
            let since = match group {
                Group::ChangedInRuleset => (live.id.as_str() == suspect.version.as_str()).then_some(*since),
                Group::ChangedIn(engine) => self
                    .data_of(&engine)
                    .filter(|(version, ..)| *version == suspect.version.as_str())
                    .map(|(_, since, _)| since),
                Group::Engine(engine) => {
                    self.engines.iter().filter(|(name, ..)| *name == engine).map(|one| one.2).min()
                }
            };
            return since.map(|since| (since, live.id.clone()));
        }
        if let Some((_, version, since)) =
            engine_of(&suspect.code).and_then(|engine| self.engines.iter().find(|(name, ..)| name == engine))
        {
            let live = self.rulesets.first()?.0.id.clone();
            return (version == suspect.version.as_str() || suspect.code.as_str().starts_with("rspamd:"))
                .then_some((*since, live));
        }
        let mut found = None;
        for (ruleset, since) in &self.rulesets {
            let has = ruleset
                .detections
                .iter()
                .any(|(detection, _)| detection.code == suspect.code && detection.version == suspect.version);
            if !has {
                break;
            }
            found = Some((*since, ruleset.id.clone()));
        }
        found
    }
}

/// The outside engine that brings a code, by its name.
pub(super) fn engine_of(code: &DetectionCode) -> Option<&str> {
    let (engine, _) = code.as_str().split_once(':')?;
    ["clamd", "rspamd", "dnsbl"].into_iter().find(|known| *known == engine)
}

impl Watcher {
    /// Runs until `stop` says so.
    pub async fn run(self, rounds: Rounds, stop: watch::Receiver<bool>) {
        let beat = Beat::every(PERIOD, "sentinel", "a round of the sentinel failed").or_when(&self.signals.sentinel);
        let mut turns = rounds.turns(beat, stop);
        let mut mind = Mind::default();
        while turns.after(self.round(&mut mind).await.map(|()| false)).await {}
    }

    /// One round: hear, try, act.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn round(&self, mind: &mut Mind) -> Result<(), StoreError> {
        let now = self.clock.now();
        if mind.sized.is_none_or(|at| now.since(at) >= SIZED_EVERY) {
            self.store.size_site(&self.config.sentinel.establish, now).await?;
            mind.sized = Some(now);
        }
        let in_force = self.in_force(mind).await?;
        self.catch_up(mind, &in_force).await?;
        self.try_what_changed(mind, &in_force, now).await?;
        self.hear(mind, &in_force, now).await?;
        self.hear_people(mind, now).await?;
        self.try_suspects(mind, &in_force, now).await?;
        self.wait(mind, &in_force, now).await?;
        self.act(mind, &in_force, now).await?;
        self.act_on_groups(mind, &in_force, now).await?;
        self.correct(mind, &in_force, now).await?;
        self.follow_rollbacks(mind, now).await
    }

    /// What a person, or a roll-out, has taken back may have held mail meanwhile, whatever the sentinel has made of it: an incident opens, and
    /// what it held is examined again (methods section 2: a rollback re-evaluates everything that was held since).
    async fn follow_rollbacks(&self, mind: &mut Mind, now: Timestamp) -> Result<(), StoreError> {
        for rollout in self.store.rollouts().await? {
            let is_new = rollout.stage == Stage::RolledBack && now.since(rollout.since) < FRESH;
            if !is_new || mind.followed.contains(&rollout.number) {
                continue;
            }
            let (Some(taken), Some(before)) =
                (self.store.ruleset(&rollout.ruleset).await?, self.store.ruleset(&rollout.before).await?)
            else {
                continue;
            };
            let before: BTreeMap<&DetectionCode, &DetectionVersion> =
                before.detections.iter().map(|(one, _)| (&one.code, &one.version)).collect();
            let known = self.store.incidents().await?;
            for (one, _) in taken.detections.iter().filter(|(one, _)| before.get(&one.code) != Some(&&one.version)) {
                let suspect = Suspect { code: one.code.clone(), version: one.version.clone() };
                if known.iter().any(|incident| incident.suspect == suspect) || !self.store.has_held(&suspect).await? {
                    continue;
                }
                let why = format!("ruleset {} was taken back: {}", rollout.ruleset, rollout.note);
                self.open_incident(&suspect, rollout.started, rollout.ruleset.clone(), &why, Done::TakenBack, now)
                    .await?;
            }
            mind.followed.insert(rollout.number);
        }
        Ok(())
    }

    async fn in_force(&self, mind: &mut Mind) -> Result<InForceNow, StoreError> {
        let mut rulesets = Vec::new();
        for (id, since) in self.store.in_force_since().await?.into_iter().take(10) {
            if !mind.rulesets.contains_key(&id) {
                let Some(kept) = self.store.ruleset(&id).await? else { continue };
                mind.rulesets.insert(id.clone(), Arc::new(kept));
            }
            rulesets.push((mind.rulesets[&id].clone(), since));
        }
        let engines = self.store.engine_versions().await?.into_iter();
        let engines = engines.map(|one| (one.engine, one.data_version, one.first_seen)).collect();
        Ok(InForceNow { rulesets, engines })
    }

    /// Takes up what was added to the journal.
    async fn catch_up(&self, mind: &mut Mind, in_force: &InForceNow) -> Result<(), StoreError> {
        loop {
            let lines = self.store.evidence_after(mind.seq).await?;
            let Some(last) = lines.last() else { return Ok(()) };
            mind.seq = last.seq;
            for line in lines {
                let settings = settings(in_force, &line.suspect, line.event.at());
                let suspicion = mind.suspicions.entry(line.suspect.clone()).or_insert_with(|| Suspicion::new(settings));
                for state in suspicion.on(&line.event) {
                    let Suspect { code, version } = &line.suspect;
                    tracing::warn!(%code, %version, state = state.as_str(), evidence = suspicion.evidence(), "sentinel");
                }
            }
        }
    }

    async fn append(&self, mind: &mut Mind, in_force: &InForceNow, lines: Vec<NewLine>) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        self.store.append_evidence(lines).await?;
        self.catch_up(mind, in_force).await
    }

    /// Mail that something has acted on since the last look.
    async fn hear(&self, mind: &mut Mind, in_force: &InForceNow, now: Timestamp) -> Result<(), StoreError> {
        let from = mind.heard_until.map_or(now.before(FIRST_LOOK), |until| until.before(OVERLAP));
        let mut after = MailId::new(from, [0; 10]);
        mind.heard.retain(|mail| *mail > after);
        loop {
            let page = self.store.hit_messages(after, BATCH).await?;
            let Some(last) = page.last().copied() else { break };
            let mut lines = Vec::new();
            for mail in page {
                if mind.heard.insert(mail) {
                    lines.extend(self.testimony(mail, mind, in_force).await?);
                }
            }
            self.append(mind, in_force, lines).await?;
            after = last;
        }
        mind.heard_until = Some(now);
        Ok(())
    }

    /// What several people call wrong is tried, and somebody is called. It convicts nothing: people report real malware as well.
    async fn hear_people(&self, mind: &mut Mind, now: Timestamp) -> Result<(), StoreError> {
        mind.accused.clear();
        for voices in self.store.voices(now.before(VOICES_SPAN), VOICES_MIN).await? {
            let Suspect { code, version } = &voices.suspect;
            let text = format!(
                "{} people have said within a day that {code} ({version}) is wrong. It is tried on mail that is known to be good; \
                 `reprieve sentinel explain {code}` says what came of it.",
                voices.people
            );
            let key = format!("reports/{code}/{version}/{}", day(voices.last));
            self.call(key, AlertKind::Reports, code.to_string(), text, now).await?;
            mind.accused.insert(voices.suspect, voices.last);
        }
        Ok(())
    }

    /// Calls people, once for each `key`: what lasts is named with its [`day`], so that after a restart it calls again on another day.
    pub(super) async fn call(
        &self,
        key: String,
        kind: AlertKind,
        subject: String,
        text: String,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if self.store.call(NewAlert { key, at, kind, subject: subject.clone(), text: text.clone() }).await? {
            tracing::error!(about = subject, text, "people are called");
            self.signals.operators.notify_one();
        }
        Ok(())
    }

    /// What one mail says against the detections that hit it: only that of somebody whom we know, where no other engine agrees.
    async fn testimony(&self, mail: MailId, mind: &Mind, in_force: &InForceNow) -> Result<Vec<NewLine>, StoreError> {
        let record = self.store.record(mail).await?;
        let examination = &record.examination;
        if !examination.facts.sender.is_some_and(|sender| sender.established) {
            return Ok(Vec::new());
        }
        let identity = sealed(&self.key, &examination.identity(record.envelope.client.login.as_deref()));
        let mut lines = Vec::new();
        let mut seen = BTreeSet::new();
        for finding in examination.findings.iter().filter(|one| one.may_act()) {
            let suspect = suspect_of(finding);
            let is_contained = mind.suspicions.get(&suspect).is_some_and(|one| one.state() == State::Contained);
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
                (known.standing.class(record.received, self.store.heirloom()), known.carriers)
            });
            let part = finding.part.map_or_else(|| "mail".to_owned(), |part| part.to_string());
            let key = format!("hit/{mail}/{part}/{}/{}", suspect.code, suspect.version);
            let content = content.map(|content| content.hex());
            let hit = Hit { at: record.received, identity: identity.clone(), content, class, carriers, weights };
            for group in self.groups_of(&suspect, in_force).await? {
                let key = format!("{key}/of/{}", group.code);
                lines.push(NewLine { key, suspect: group, event: Event::Hit(hit.clone()) });
            }
            lines.push(NewLine { key, suspect, event: Event::Hit(hit) });
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
        Ok(self.store.remembered(&[content], &self.config.sentinel.establish, now).await?.remove(&content))
    }

    async fn weights(&self, family: Family, now: Timestamp) -> Result<Weights, StoreError> {
        Ok(Weights::of(self.store.contents_by_class(family, now.before(MEASURED), now).await?))
    }

    /// A ruleset that has just come into force: what is new in it is tried before it can do much (methods 1.4: a change is a reason).
    async fn try_what_changed(&self, mind: &mut Mind, in_force: &InForceNow, now: Timestamp) -> Result<(), StoreError> {
        let [(live, since), (before, _), ..] = in_force.rulesets.as_slice() else { return Ok(()) };
        if now.since(*since) >= FRESH || !mind.tried.insert(live.id.clone()) {
            return Ok(());
        }
        let before: BTreeMap<&DetectionCode, &DetectionVersion> =
            before.detections.iter().map(|(one, _)| (&one.code, &one.version)).collect();
        let changed = live.detections.iter().filter(|(one, _)| {
            let suspect = Suspect { code: one.code.clone(), version: one.version.clone() };
            one.effect.acts()
                && one.mode == Mode::Enforce
                && before.get(&one.code).is_none_or(|version| **version != one.version)
                && mind.suspicions.get(&suspect).is_none_or(|known| known.last_probe().is_none())
        });
        let changed: Vec<(Detection, String)> = changed.cloned().collect();
        if changed.is_empty() {
            return Ok(());
        }
        tracing::info!(ruleset = %live.id, detections = changed.len(), "what is new is tried on what is known to be good");
        let together =
            Suspect { code: Group::ChangedInRuleset.code(), version: DetectionVersion::external(live.id.as_str()) };
        let mut found = self.try_detections(changed, Some(&together), TRIP_AFTER_CHANGE).await?;
        if found.len() < 3 {
            // One detection and what changed with it: the same.
            found.remove(&together);
        }
        // Those that hit nothing are asked again when they hit mail.
        let lines = found.into_iter().filter(|(_, found)| found.hits > 0);
        let lines = lines.map(|(suspect, found)| probed(suspect, &found, now)).collect();
        self.append(mind, in_force, lines).await
    }

    /// Suspects whose turn it is.
    async fn try_suspects(&self, mind: &mut Mind, in_force: &InForceNow, now: Timestamp) -> Result<(), StoreError> {
        let suspected = mind.suspicions.iter().filter(|(_, one)| one.wants_probe(now)).map(|(suspect, _)| suspect);
        let accused = mind.accused.iter().filter(|(suspect, said)| {
            let probed = mind.suspicions.get(suspect).and_then(Suspicion::last_probe);
            probed.is_none_or(|at| at < **said && now.since(at) >= Settings::default().probe_every)
        });
        let due: BTreeSet<Suspect> = suspected
            .chain(accused.map(|(suspect, _)| suspect))
            .filter(|suspect| in_force.since(suspect).is_some())
            .filter(|suspect| mind.nothing_to_try.get(suspect).is_none_or(|at| now.since(*at) >= EMPTY_AGAIN))
            .cloned()
            .collect();
        for suspect in due {
            let trip = settings(in_force, &suspect, now).trip;
            let found = match (Group::parse(&suspect.code), engine_of(&suspect.code)) {
                (Some(group), _) => self.try_group(&group, &suspect, in_force, trip).await?,
                (None, Some(engine)) => self.try_outside(engine, |code| *code == suspect.code, trip).await?,
                (None, None) => {
                    let source = in_force.rulesets.first().and_then(|(live, _)| {
                        live.detections.iter().find(|(one, _)| one.code == suspect.code).cloned()
                    });
                    let Some(source) = source else { continue };
                    self.try_detections(vec![source], None, trip).await?.remove(&suspect)
                }
            };
            // No content to try it on proves nothing, and is not remembered as a probe.
            let Some(found) = found.filter(|found| found.seen > 0) else {
                mind.nothing_to_try.insert(suspect, now);
                continue;
            };
            tracing::warn!(code = %suspect.code, hits = found.hits, seen = found.seen, value = found.value, "probe");
            self.append(mind, in_force, vec![probed(suspect, &found, now)]).await?;
        }
        Ok(())
    }

    /// Tries detections, each for itself and, if that is wanted, all of them as one suspect.
    pub(super) async fn try_detections(
        &self,
        detections: Vec<(Detection, String)>,
        together: Option<&Suspect>,
        trip: f64,
    ) -> Result<BTreeMap<Suspect, Found>, StoreError> {
        let Some(vault) = self.vault.clone() else { return Ok(BTreeMap::new()) };
        let loaded = tokio::task::spawn_blocking(move || load::all_of(detections)).await;
        let ruleset: Ruleset = loaded
            .map_err(|panic| StoreError::Unreadable(panic.to_string()))?
            .map_err(|errors| StoreError::Unreadable(errors.to_string()))?;
        let rule = self.config.sentinel.establish;
        let exhibits = Exhibits::for_ruleset(&self.store, &ruleset, &rule, self.clock.as_ref()).await?;
        let versions: BTreeMap<DetectionCode, DetectionVersion> =
            ruleset.versions().map(|(code, version)| (code.clone(), version.clone())).collect();
        let border = self.config.border.clone();
        let enough = (trip, Settings::default().probe_hits_min);
        let trying = tokio::task::spawn_blocking(move || {
            probe::try_ruleset(&backtest::of(Arc::new(ruleset)), &exhibits, &vault, &border, enough)
        });
        let (found, all) = trying.await.map_err(|panic| StoreError::Unreadable(panic.to_string()))?;
        let named = found.into_iter().filter_map(|(code, found)| {
            let version = versions.get(&code)?.clone();
            Some((Suspect { code, version }, found))
        });
        Ok(named.chain(together.map(|suspect| (suspect.clone(), all))).collect())
    }

    /// Tries those of an engine's detections that are meant, as one suspect.
    pub(super) async fn try_outside(
        &self,
        engine: &str,
        is_meant: impl Fn(&DetectionCode) -> bool,
        trip: f64,
    ) -> Result<Option<Found>, StoreError> {
        let Some(vault) = &self.vault else { return Ok(None) };
        let rule = self.config.sentinel.establish;
        let (families, wants_mails) = match engine {
            "clamd" => (None, false),
            _ => (Some(BTreeSet::new()), true),
        };
        let exhibits = Exhibits::of(&self.store, families.as_ref(), wants_mails, &rule, self.clock.as_ref()).await?;
        let enough = (trip, Settings::default().probe_hits_min);
        let (neighbours, border) = (&self.neighbours, &self.config.border);
        Ok(probe::try_outside(neighbours, engine, is_meant, &exhibits, vault, border, enough).await)
    }

    /// Suspicions that nothing came of.
    async fn wait(&self, mind: &mut Mind, in_force: &InForceNow, now: Timestamp) -> Result<(), StoreError> {
        let stale = mind.suspicions.iter().filter(|(_, one)| one.is_stale(now));
        let lines = stale.map(|(suspect, _)| NewLine {
            key: format!("waited/{}/{}/{}", suspect.code, suspect.version, now.as_micros()),
            suspect: suspect.clone(),
            event: Event::Waited { at: now },
        });
        let lines = lines.collect();
        self.append(mind, in_force, lines).await
    }

    /// What is convicted is contained, or recommended to be.
    async fn act(&self, mind: &mut Mind, in_force: &InForceNow, now: Timestamp) -> Result<(), StoreError> {
        let contained = self.store.containment(now).await?;
        let pins: BTreeSet<DetectionCode> = self.store.pins().await?.into_iter().map(|pin| pin.code).collect();
        for (suspect, suspicion) in &mind.suspicions {
            let Some(level) = Level::of(suspicion.state()).filter(|level| *level != Level::Probation) else { continue };
            if Group::parse(&suspect.code).is_some() {
                continue;
            }
            let is_done = contained.level(&suspect.code, &suspect.version) == Some(level);
            let Some((began, ruleset)) = in_force.since(suspect) else { continue };
            let telling = (suspect.clone(), suspicion.state());
            if is_done || mind.told.contains(&telling) {
                continue;
            }
            let why = self.cause(suspect, suspicion).await?;
            let key = format!("{}/{}/{}/{}", suspicion.state().as_str(), suspect.code, suspect.version, day(now));
            if pins.contains(&suspect.code) {
                let text = format!("{} is pinned and left as it is, but it seems to be wrong. {why}", suspect.code);
                self.call(key, AlertKind::Undecided, suspect.code.to_string(), text, now).await?;
                mind.told.insert(telling);
                continue;
            }
            let acts = self.may_act(now).await?;
            if acts {
                self.contain(suspect, level, &why, now).await?;
            } else {
                let text =
                    format!("This detection should be contained: `reprieve contain {}` does it. {why}", suspect.code);
                self.call(key.clone(), AlertKind::Undecided, suspect.code.to_string(), text, now).await?;
            }
            if acts && level == Level::Pardon {
                let text = format!(
                    "Content that everybody knows passes {} from now on; what else it hits is held. Live witnesses speak against it, and no \
                     probe has convicted it: decide, with `reprieve contain` or `reprieve release-containment`. {why}",
                    suspect.code
                );
                self.call(key, AlertKind::Pardoned, suspect.code.to_string(), text, now).await?;
            }
            if level == Level::Contained {
                let done = if acts { Done::Contained } else { Done::Asked };
                self.open_incident(suspect, began, ruleset, &why, done, now).await?;
            }
            // Only now: what failed half way is done again.
            mind.told.insert(telling);
        }
        Ok(())
    }

    /// Whether it acts by itself: it is to, and the memory is strong enough to be trusted with it.
    pub(super) async fn may_act(&self, now: Timestamp) -> Result<bool, StoreError> {
        if self.config.sentinel.containment == ContainmentMode::Recommend {
            return Ok(false);
        }
        let trusts = self.config.sentinel.trusts_weak_memory;
        Ok(trusts || self.store.memory_strength(&self.config.sentinel.establish, now).await?.is_strong())
    }

    pub(super) async fn contain(
        &self,
        suspect: &Suspect,
        level: Level,
        why: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(suspect, Some(level), why, at).await
    }

    /// Written to the audit log before it is done.
    async fn change(
        &self,
        suspect: &Suspect,
        level: Option<Level>,
        why: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let act = Act {
            at,
            actor: ACTOR.into(),
            action: "containment.change".into(),
            object: format!("{} {}", suspect.code, suspect.version),
            reason: why.to_owned(),
            detail: level.map_or("given back", Level::as_str).to_owned(),
        };
        self.store.record_acts(vec![act]).await?;
        let (actor, reason) = (ACTOR.to_owned(), why.to_owned());
        let change = ContainmentChange { epoch: 0, at, suspect: suspect.clone(), level, until: None, actor, reason };
        self.store.change_containment(change).await?;
        self.signals.containment.notify_one();
        Ok(())
    }

    /// Why a detection is believed to be wrong, with the numbers.
    pub(super) async fn cause(&self, suspect: &Suspect, suspicion: &Suspicion) -> Result<String, StoreError> {
        let (hits, identities, witnesses) = suspicion.counts();
        let (_, probe_hits, seen) = suspicion.probe();
        let held = self.store.hits_of(suspect, COUNTERFACTUALS_MAX).await?;
        let previous: Vec<bool> = held.iter().filter_map(|one| one.previous.as_ref()).map(|one| !one.hit).collect();
        let clears = previous.iter().filter(|clears| **clears).count();
        let mut why = format!(
            "Tried on {seen} contents that are known to be good, it hits {probe_hits}, each of another sender: evidence {}; {} convicts it. \
             Live it has hit mail of known senders {hits} times ({identities} senders, {witnesses} of them with content that was known): evidence {}.",
            whole(suspicion.evidence()),
            whole(suspicion.threshold()),
            whole(suspicion.live()),
        );
        if !previous.is_empty() {
            why.push_str(&format!(" Its previous form clears {clears} of {} hits.", previous.len()));
        }
        Ok(why)
    }

    pub(super) async fn open_incident(
        &self,
        suspect: &Suspect,
        began: Timestamp,
        ruleset: RulesetId,
        why: &str,
        done: Done,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let new = NewIncident {
            at,
            by: ACTOR.into(),
            in_force: Some(began),
            // Of what a person or a roll-out has taken back nobody knows yet whether it was wrong about mail.
            is_convicted: !matches!(done, Done::TakenBack),
            suspect: suspect.clone(),
            ruleset,
            cause: why.to_owned(),
            // The public is told what the record says, and no more: `domain::incident::told`.
            public_text: String::new(),
            next_update: at.after(NEXT_UPDATE),
        };
        match self.store.open_incident(new).await {
            Ok(id) => {
                tracing::warn!(incident = id, code = %suspect.code, "an incident was opened");
                self.signals.incident.notify_one();
                self.signals.status.notify_one();
                Ok(())
            }
            // One is open already.
            Err(StoreError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What was contained and is corrected is watched for a while; what has stood that is free again.
    async fn correct(&self, mind: &mut Mind, in_force: &InForceNow, now: Timestamp) -> Result<(), StoreError> {
        let mut lines = Vec::new();
        for change in self.store.containments(now).await? {
            let Suspect { code, version } = &change.suspect;
            if change.level != Some(Level::Probation) {
                if in_force.since(&change.suspect).is_some() || in_force.rulesets.is_empty() {
                    continue;
                }
                let corrected = in_force.detection(code).map(|one| one.version.clone());
                let next = Suspect { code: code.clone(), version: corrected.clone().unwrap_or(version.clone()) };
                let level = corrected.is_some().then_some(Level::Probation);
                let why = match &corrected {
                    Some(corrected) => {
                        format!("{corrected} is in force in place of {version}: it is watched for a while")
                    }
                    None => format!("{version} is in force no more"),
                };
                self.change(&next, level, &why, now).await?;
                lines.push(moved(&change.suspect, Step::Corrected, now));
                self.signals.incident.notify_one();
            } else if now.since(change.at) >= PROBATION
                || self.store.messages_since(change.at).await? >= PROBATION_MESSAGES
            {
                self.change(&change.suspect, None, "it has stood its probation", now).await?;
            }
        }
        // What was convicted and has gone without a containment of its own (a person was asked, and corrected it) is over as well.
        for (suspect, suspicion) in &mind.suspicions {
            if suspicion.state() == State::Probation
                || (suspicion.state() == State::Suspect && in_force.since(suspect).is_none())
            {
                lines.push(moved(suspect, Step::Restored, now));
            }
        }
        self.append(mind, in_force, lines).await
    }
}

/// A weight of evidence as people read it: 1,000,000 or 0.76.
fn whole(weight: f64) -> String {
    if weight < 100.0 {
        return format!("{weight:.2}");
    }
    let digits = format!("{weight:.0}");
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// The number of the day that a moment is in, of UTC since 1970.
pub(super) fn day(at: Timestamp) -> i64 {
    at.as_seconds() / 86_400
}

fn suspect_of(finding: &Finding) -> Suspect {
    Suspect { code: finding.detection.clone(), version: finding.detection_version.clone() }
}

/// The thresholds for a detection version: lower while it is fresh.
fn settings(in_force: &InForceNow, suspect: &Suspect, at: Timestamp) -> Settings {
    let is_fresh = in_force.since(suspect).is_some_and(|(since, _)| at.since(since) < FRESH);
    // What came with the first ruleset of all has not changed anything.
    let changed = in_force.rulesets.len() > 1 || engine_of(&suspect.code).is_some();
    Settings { trip: if is_fresh && changed { TRIP_AFTER_CHANGE } else { TRIP }, ..Settings::default() }
}

fn probed(suspect: Suspect, found: &Found, at: Timestamp) -> NewLine {
    let key = format!("probe/{}/{}/{}", suspect.code, suspect.version, at.as_micros());
    let Found { hits, seen, value, .. } = found;
    NewLine { key, suspect, event: Event::Probed { at, hits: *hits, seen: *seen, value: *value } }
}

fn moved(suspect: &Suspect, by: Step, at: Timestamp) -> NewLine {
    let key = format!("moved/{by:?}/{}/{}/{}", suspect.code, suspect.version, at.as_micros());
    NewLine { key, suspect: suspect.clone(), event: Event::Moved { at, by } }
}
