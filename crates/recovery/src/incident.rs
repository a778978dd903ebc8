//! The incident reconciler: its units are counted in, it moves when what it waits for has come, and it ends when every
//! unit is accounted for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::containment::Level;
use domain::detection::DetectionCode;
use domain::incident::{IncidentStep, Outcome, Stage};
use domain::{MailId, Timestamp};
use store::incident::{Incident, IncidentChange, WAVE_BATCH};
use store::{AuditStore, ContainmentStore, EntryStore, EvidenceStore, IncidentStore, RuleStore, StoreError};
use tokio::sync::watch;

use platform::clock::Clock;
use platform::config::SentinelConfig;
use platform::derived;
use platform::items::Items;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks without a signal.
const PERIOD: Duration = Duration::from_secs(2);
/// How often everything that the detection ever held is gone through; in between only what came within [`RECENT`] is.
const ALL_EVERY: Duration = Duration::from_secs(60);
/// Mail that is recent: longer than any arrival takes to be written.
const RECENT: Duration = Duration::from_secs(10 * 60);
/// How often what was inconclusive is examined once more, and for how long.
const RETRY_EVERY: Duration = Duration::from_secs(10 * 60);
const RETRIED: Duration = Duration::from_secs(24 * 3600);
/// Who moves an incident by itself.
pub const ACTOR: &str = "sentinel";

/// The reconciler.
#[derive(Clone, Debug)]
pub struct IncidentWorker {
    /// How the sentinel acts.
    pub sentinel: SentinelConfig,
    /// The audit log.
    pub audit: AuditStore,
    /// What is contained.
    pub containments: ContainmentStore,
    /// Allow and block entries.
    pub entries: EntryStore,
    /// The journal of evidence, and hits by the hour.
    pub evidence: EvidenceStore,
    /// Incidents.
    pub incidents: IncidentStore,
    /// Rulesets and their roll-outs.
    pub rules: RuleStore,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the loop, and the replay.
    pub signals: Signals,
    /// What of its work fails.
    pub items: Items,
}

impl Reconciler for IncidentWorker {
    type Memory = Option<Instant>;

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "incidents", "a round of incidents failed").or_when(&self.signals.incident)
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round over all that are open; returns whether anything moved.
    async fn round(&self, all: &mut Option<Instant>, _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        if all.is_some_and(|last| last.elapsed() < ALL_EVERY) {
            return Ok(self.round_of_recent().await?);
        }
        let more = self.round_since(None).await?;
        *all = Some(Instant::now());
        Ok(more)
    }
}

impl IncidentWorker {
    /// The same, but only of mail that came a moment ago. An old mail may get into an incident as well, when an engine
    /// that had failed is back and it is examined again: for those there is [`IncidentWorker::round`].
    async fn round_of_recent(&self) -> Result<bool, StoreError> {
        let since = self.clock.now().before(RECENT);
        self.round_since(Some(MailId::new(since, [0; 10]))).await
    }

    async fn round_since(&self, since: Option<MailId>) -> Result<bool, StoreError> {
        let (mut moved, now) = (false, self.clock.now());
        for incident in self.incidents.all().await? {
            if incident.stage != Stage::Resolved {
                // What was never counted is counted from its beginning.
                let since = since.filter(|_| incident.waves > 0);
                moved |= self.items.alone(&incident.id, now, self.keep(&incident, since)).await?.unwrap_or(false);
            }
        }
        Ok(moved)
    }

    async fn keep(&self, incident: &Incident, since: Option<MailId>) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut found = self.count_in(incident, since).await?;
        if incident.stage == Stage::Releasing && since.is_some() && self.is_over(incident).await? {
            // Before it ends all of it is looked through.
            found += self.count_in(incident, None).await?;
        }
        if found > 0 && incident.stage == Stage::Releasing {
            let text = format!("{found} more units were held by it: wave {}", incident.waves + 1);
            return self.step(incident, IncidentStep::WaveFound, now, &text).await;
        }
        match incident.stage {
            Stage::Investigating => {
                let contained = self.containments.containment(now).await?;
                let level = contained.level(&incident.suspect.code, &incident.suspect.version);
                if level == Some(Level::Contained) {
                    return self.step(incident, IncidentStep::Contained, now, "The detection is contained.").await;
                }
                self.begin_replay(incident, now).await
            }
            Stage::Contained => self.begin_replay(incident, now).await,
            Stage::Replaying => Ok(false),
            Stage::Releasing => {
                let progress = self.incidents.progress(&incident.id).await?;
                let pending = progress.of(Outcome::Pending);
                if pending > 0 {
                    // A round has counted them in and ended before it said so.
                    let text = format!("{pending} units of it wait to be examined again.");
                    return self.step(incident, IncidentStep::WaveFound, now, &text).await;
                }
                if progress.of(Outcome::Inconclusive) > 0 && now.since(incident.opened) < RETRIED {
                    return self.retry(incident, now).await;
                }
                if progress.over() < progress.units() {
                    return Ok(false);
                }
                self.step(incident, IncidentStep::Resolved, now, &progress.tally().closing()).await
            }
            Stage::Resolved => Ok(false),
        }
    }

    async fn is_over(&self, incident: &Incident) -> Result<bool, StoreError> {
        let progress = self.incidents.progress(&incident.id).await?;
        Ok(progress.over() >= progress.units())
    }

    /// Units that it held and that are in no wave yet, of mail that came at `since` or later. Returns how many there
    /// were.
    async fn count_in(&self, incident: &Incident, since: Option<MailId>) -> Result<usize, StoreError> {
        let mut found = 0;
        // While it is replayed nothing is asked twice; what comes then is a wave of its own behind it.
        if incident.stage == Stage::Replaying {
            return Ok(0);
        }
        let mut from = since;
        loop {
            let missing = self.incidents.held_units_not_in_manifest(incident, from, WAVE_BATCH).await?;
            let Some(last) = missing.last() else { break };
            from = Some(last.mail);
            found += missing.len();
            self.incidents.add_to_manifest(&incident.id, incident.waves + 1, missing).await?;
        }
        if found > 0 || incident.root.is_empty() {
            let wave = incident.waves + u32::from(found > 0 || incident.waves == 0);
            self.incidents.freeze_manifest(&incident.id, wave).await?;
        }
        Ok(found)
    }

    /// What was held is examined again as soon as that can lead to something: a corrected ruleset is in force, or the
    /// previous form decides under the containment.
    async fn begin_replay(&self, incident: &Incident, now: Timestamp) -> Result<bool, StoreError> {
        if !self.sentinel.replays || incident.is_paused {
            return Ok(false);
        }
        let is_gone = !self.is_in_force(&incident.suspect.code, incident).await?;
        let contained = self.containments.containment(now).await?;
        let level = contained.level(&incident.suspect.code, &incident.suspect.version);
        let is_contained = level.is_some_and(|level| !level.holds_as_before());
        let text = if is_gone {
            "A corrected ruleset is in force. What was held is examined again."
        } else if is_contained && self.has_previous(incident).await? {
            "The previous form of the detection decides. What was held is examined again."
        } else {
            return Ok(false);
        };
        if derived::undo(&self.entries, &self.audit, &self.incidents, &incident.id, now, ACTOR).await? > 0 {
            self.signals.entries.notify_one();
        }
        self.step(incident, IncidentStep::ReplayBegun, now, text).await
    }

    async fn is_in_force(&self, code: &DetectionCode, incident: &Incident) -> Result<bool, StoreError> {
        if code.as_str().contains(':') {
            let engine = code.as_str().split(':').next().unwrap_or_default().to_owned();
            let newest = self.rules.engine_versions().await?.into_iter().find(|one| one.engine == engine);
            return Ok(newest.is_none_or(|one| one.data_version == incident.suspect.version.as_str()));
        }
        let Some(live) = self.rules.ruleset_in_force().await? else { return Ok(true) };
        let kept = self.rules.ruleset(&live).await?;
        Ok(kept.is_none_or(|kept| {
            kept.detections.iter().any(|(one, _)| one.code == *code && one.version == incident.suspect.version)
        }))
    }

    /// Whether an earlier form of the detection was run on what it hit.
    async fn has_previous(&self, incident: &Incident) -> Result<bool, StoreError> {
        let hits = self.evidence.hits_of(&incident.suspect, 100).await?;
        Ok(!hits.is_empty() && hits.iter().all(|hit| hit.previous.is_some()))
    }

    /// An engine that failed may be back: what was inconclusive is examined once more, now and then.
    async fn retry(&self, incident: &Incident, now: Timestamp) -> Result<bool, StoreError> {
        if incident.is_paused || now.since(incident.moved) < RETRY_EVERY {
            return Ok(false);
        }
        let units = self.incidents.retry_inconclusive(&incident.id).await?;
        self.step(
            incident,
            IncidentStep::WaveFound,
            now,
            &format!("{units} units that were inconclusive are examined once more."),
        )
        .await
    }

    async fn step(&self, incident: &Incident, by: IncidentStep, at: Timestamp, text: &str) -> Result<bool, StoreError> {
        let change = IncidentChange::step(incident, by, at, ACTOR, text);
        match self.incidents.change(change).await {
            Ok(()) => {
                tracing::warn!(incident = incident.id, ?by, text, "incident");
                self.signals.replay.notify_one();
                self.signals.status.notify_one();
                self.signals.announce.notify_one();
                Ok(true)
            }
            // A person was quicker.
            Err(StoreError::Refused(why)) => {
                tracing::info!(why, "an incident was moved by another");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}
