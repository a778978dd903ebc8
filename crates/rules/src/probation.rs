//! What was forced past a gate and hits known-good content is put on probation, and its probation ends: which versions,
//! and when, is `domain::sentinel::probation`. What becomes of their mail is another room's.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::containment::Level;
use domain::detection::DetectionCode;
use domain::sentinel::group::Group;
use domain::sentinel::probation::{Circumstances, Standing, standing};
use domain::sentinel::{Suspect, Suspicion};
use store::StoreError;
use store::evidence::sentinel::ContainmentChange;

use crate::conviction::{ConvictionMemory, ConvictionWorker};
use crate::in_force::InForceNow;

/// Why a version is put on probation, as a sentence of the record.
const WHY: &str = "it was forced past a gate and hits content that was known to be good before it was drafted: mail of \
    those whom we know is delayed, and people are called";

impl ConvictionWorker {
    /// Each version by itself: what cannot be written of one is tried again.
    pub(super) async fn keep_probations(
        &self,
        mind: &ConvictionMemory,
        in_force: &InForceNow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let changes = self.store.containments.containments(now).await?;
        let held_back: BTreeMap<&DetectionCode, &ContainmentChange> =
            changes.iter().map(|change| (&change.suspect.code, change)).collect();
        let is_delay = |change: &&ContainmentChange| change.level == Some(Level::Delay);
        let delayed = changes.iter().filter(is_delay).map(|change| &change.suspect);
        let suspicions = &mind.belief.suspicions;
        let suspected = suspicions.iter().filter(|(_, one)| hits_known_good(one)).map(|(suspect, _)| suspect);
        let concerned: BTreeSet<&Suspect> =
            delayed.chain(suspected).filter(|suspect| Group::parse(&suspect.code).is_none()).collect();
        if concerned.is_empty() {
            return Ok(());
        }
        let pinned: BTreeSet<DetectionCode> =
            self.store.containments.pins().await?.into_iter().map(|pin| pin.code).collect();
        let may_act = self.may_act(now).await?;
        for suspect in concerned {
            let (change, suspicion) = (held_back.get(&suspect.code).copied(), suspicions.get(suspect));
            let is_on = change.is_some_and(|change| is_delay(&change) && change.suspect == *suspect);
            let is_held_back = suspicion.is_some_and(|one| one.state().holds_back()) || (change.is_some() && !is_on);
            let found = standing(Circumstances {
                is_in_force: in_force.since(suspect).is_some(),
                hits_known_good: suspicion.is_some_and(hits_known_good),
                is_confirmed: pinned.contains(&suspect.code),
                is_held_back,
                may_act,
            });
            let (level, why) = match (found, is_on, found.why_it_ends()) {
                (Standing::OnProbation, false, _) => (Some(Level::Delay), WHY),
                (_, true, Some(why)) => (None, why),
                _ => continue,
            };
            let item = format!("probation of {} {}", suspect.code, suspect.version);
            self.items.alone(&item, now, self.change(suspect, level, why, now)).await?;
        }
        Ok(())
    }
}

/// Whether the whole memory has named something that it hits: it is asked of what was forced past a gate alone.
fn hits_known_good(suspicion: &Suspicion) -> bool {
    suspicion.past().is_some_and(|past| past.votes > 0)
}
