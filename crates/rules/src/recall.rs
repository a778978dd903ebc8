//! The whole memory against a version that a person put in force although the backtest named known-good content: all of
//! it, not a sample, before the version can do much. What it says is a line of the journal, and people are called.
//!
//! It goes on slice by slice, so that mail is heard meanwhile; a restart begins anew, and says the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use detect::backtest::{self, reads_families, reads_mails};
use detect::in_force::InForce;
use detect::ruleset::load;
use domain::detection::{Detection, DetectionCode, DetectionVersion, RulesetId};
use domain::message::Family;
use domain::rollout::Gate;
use domain::sentinel::group::Group;
use domain::sentinel::past::{CONTENTS_MAX, CONVERSED_AGE, CONVERSING_MIN, Past, conversing, votes};
use domain::sentinel::probation::LET_OUT_MAX;
use domain::sentinel::{Event, State, Suspect};
use domain::{Digest, Timestamp};
use store::StoreError;
use store::evidence::sentinel::NewLine;
use store::known_good::memory::PROBE_AGE;
use store::known_good::recall::{PageOf, Recollection};
use store::known_good::vault::Vault;
use store::notices::alert::AlertKind;

use crate::conviction::{ConvictionMemory, ConvictionWorker};
use crate::in_force::{FRESH, InForceNow};
use crate::retrospective_scan::{self, Seen};

/// Contents or mails of one slice.
const SLICE: usize = 500;
/// Contents and mails in all: so many are enough, and they come in the order of hashes, which nobody chooses.
const LOOKED_AT_MAX: u32 = 200_000;

/// How far it is.
#[derive(Debug)]
pub(crate) struct Recall {
    ruleset: RulesetId,
    in_force: Arc<InForce>,
    families: Option<BTreeSet<Family>>,
    reads_mails: bool,
    /// What is tried, and since when each of it exists.
    suspects: BTreeMap<DetectionCode, (Suspect, Timestamp)>,
    /// The newest of these moments: what is older than it by three days may testify against one of them at least.
    drafted: Timestamp,
    place: Place,
    looked_at: u32,
    tallies: BTreeMap<DetectionCode, Tally>,
    /// All of them as one.
    together: Tally,
}

/// What is looked at next.
#[derive(Clone, Copy, Debug)]
enum Place {
    Parts(Option<Digest>),
    Mails(Option<Digest>),
    End,
}

/// What one suspect has hit.
#[derive(Clone, Debug, Default)]
struct Tally {
    seen: u32,
    /// Each content with its domains, and since when it is known.
    hits: Vec<(Digest, BTreeSet<String>, Timestamp)>,
}

impl Tally {
    fn take(&mut self, is_hit: bool, one: &Recollection) {
        self.seen += 1;
        if is_hit && self.hits.len() < CONTENTS_MAX {
            let exhibit = &one.exhibit;
            self.hits.push((exhibit.content.sha256, exhibit.carriers.clone(), one.first_seen));
        }
    }
}

impl ConvictionWorker {
    /// One slice; whether there is more to do.
    pub(super) async fn recall(
        &self,
        mind: &mut ConvictionMemory,
        in_force: &InForceNow,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some((live, _)) = in_force.rulesets.first() else { return Ok(false) };
        let Some(vault) = self.vault.clone() else { return Ok(false) };
        if mind.recalled.contains(&live.id) {
            return Ok(false);
        }
        // What is under way is taken out: where it fails, it begins anew.
        let under_way = mind.recall.take().filter(|recall| recall.ruleset == live.id);
        let Some(mut recall) = (match under_way {
            Some(recall) => Some(recall),
            None => self.begin_recall(in_force, now).await?,
        }) else {
            mind.recalled.insert(live.id.clone());
            return Ok(false);
        };
        if !matches!(recall.place, Place::End) {
            let (slice, next) = self.slice(&recall, now).await?;
            recall = self.look_at(recall, slice, vault).await?;
            recall.place = if recall.looked_at >= LOOKED_AT_MAX { Place::End } else { next };
            mind.recall = Some(recall);
            return Ok(true);
        }
        let ruleset = recall.ruleset.clone();
        self.end_recall(recall, mind, in_force, now).await?;
        mind.recalled.insert(ruleset);
        Ok(true)
    }

    /// What is to be tried: what is new in a ruleset that was forced past the backtest; nothing otherwise.
    async fn begin_recall(&self, in_force: &InForceNow, now: Timestamp) -> Result<Option<Box<Recall>>, StoreError> {
        let Some((live, since)) = in_force.rulesets.first() else { return Ok(None) };
        let is_past_gate = |one: &store::rules::rollout::Rollout| {
            one.is_forced
                && one.ruleset == live.id
                && one.gates.iter().any(|gate| gate.gate == Gate::Backtest && !gate.passed)
        };
        let forced = self.store.rules.rollout_in_force().await?.is_some_and(|rollout| is_past_gate(&rollout));
        let changed: Vec<(Detection, String)> = in_force.changed().into_iter().cloned().collect();
        if !forced || changed.is_empty() || now.since(*since) >= FRESH {
            return Ok(None);
        }
        let mut suspects = BTreeMap::new();
        for (one, _) in &changed {
            // What is in force was kept at some time: that it was not is taken for now.
            let drafted = self.store.rules.first_draft(&one.code, &one.version).await?.unwrap_or(now);
            let suspect = Suspect { code: one.code.clone(), version: one.version.clone() };
            suspects.insert(one.code.clone(), (suspect, drafted));
        }
        let loaded = tokio::task::spawn_blocking(move || load::all_of(changed)).await;
        let ruleset = loaded
            .map_err(|panic| StoreError::Unreadable(panic.to_string()))?
            .map_err(|errors| StoreError::Unreadable(errors.to_string()))?;
        let (families, reads_mails) = (reads_families(&ruleset), reads_mails(&ruleset));
        let drafted = suspects.values().map(|(_, drafted)| *drafted).max().unwrap_or(now);
        tracing::info!(ruleset = %live.id, "it was forced past a gate: it is tried on all that is known to be good");
        Ok(Some(Box::new(Recall {
            ruleset: live.id.clone(),
            in_force: Arc::new(backtest::of(Arc::new(ruleset))),
            families,
            reads_mails,
            suspects,
            drafted,
            place: Place::Parts(None),
            looked_at: 0,
            tallies: BTreeMap::new(),
            together: Tally::default(),
        })))
    }

    /// What is looked at now, and where the next slice begins.
    async fn slice(&self, recall: &Recall, now: Timestamp) -> Result<(Vec<Recollection>, Place), StoreError> {
        let rule = &self.sentinel.establish;
        let (drafted, families) = (recall.drafted, recall.families.as_ref());
        let page = |after| PageOf { after, most: SLICE, families, drafted };
        let mails = if recall.reads_mails { Place::Mails(None) } else { Place::End };
        Ok(match recall.place {
            Place::Parts(after) => {
                let page = self.store.known_good.recollected_parts(page(after), rule, now).await?;
                (page.found, page.next.map_or(mails, |next| Place::Parts(Some(next))))
            }
            Place::Mails(after) => {
                let page = self.store.known_good.recollected_mails(page(after), rule, now).await?;
                (page.found, page.next.map_or(Place::End, |next| Place::Mails(Some(next))))
            }
            Place::End => (Vec::new(), Place::End),
        })
    }

    async fn look_at(
        &self,
        recall: Box<Recall>,
        slice: Vec<Recollection>,
        vault: Vault,
    ) -> Result<Box<Recall>, StoreError> {
        let border = self.border.clone();
        let looking = tokio::task::spawn_blocking(move || {
            let mut recall = recall;
            let in_force = recall.in_force.clone();
            let exhibits = slice.iter().map(|one| &one.exhibit);
            retrospective_scan::look_at_each(&in_force, exhibits, &vault, &border, |at, seen| {
                if let Some(one) = slice.get(at) {
                    recall.tally(one, seen);
                }
                false
            });
            recall.looked_at = recall.looked_at.saturating_add(u32::try_from(slice.len()).unwrap_or(u32::MAX));
            recall
        });
        looking.await.map_err(|panic| StoreError::Unreadable(panic.to_string()))
    }

    /// What the whole memory says becomes lines of the journal, where it says anything.
    async fn end_recall(
        &self,
        recall: Box<Recall>,
        mind: &mut ConvictionMemory,
        in_force: &InForceNow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Recall { suspects, tallies, together, ruleset, drafted, .. } = *recall;
        let mut found = Vec::new();
        for (code, tally) in tallies {
            let Some((suspect, drafted)) = suspects.get(&code) else { continue };
            found.push((suspect.clone(), self.past(&tally, *drafted, now).await?, *drafted));
        }
        if suspects.len() > 1 {
            // One detection and what changed with it: the same.
            let code = Group::ChangedInRuleset.code();
            let suspect = Suspect { code, version: DetectionVersion::external(ruleset.as_str()) };
            found.push((suspect, self.past(&together, drafted, now).await?, drafted));
        }
        found.retain(|(_, past, _)| past.votes > 0);
        let line = |(suspect, past, _): &(Suspect, Past, Timestamp)| {
            let key = format!("recalled/{}/{}/{ruleset}", suspect.code, suspect.version);
            NewLine::new(key, suspect.clone(), Event::Recalled { at: now, past: past.clone() })
        };
        let lines = found.iter().map(line).collect();
        self.append(mind, in_force, lines).await?;
        for (suspect, past, drafted) in found.iter().filter(|(one, ..)| Group::parse(&one.code).is_none()) {
            let believed = mind.belief.suspicions.get(suspect);
            let is_convicted = believed.is_some_and(|one| one.state() == State::Contained);
            self.call_about_forced(suspect, past, *drafted, is_convicted, now).await?;
        }
        Ok(())
    }

    async fn past(&self, tally: &Tally, drafted: Timestamp, now: Timestamp) -> Result<Past, StoreError> {
        let rule = &self.sentinel.establish;
        let old = tally.hits.iter().filter(|(.., since)| drafted.since(*since) >= CONVERSED_AGE);
        let old: Vec<Digest> = old.map(|(content, ..)| *content).collect();
        let answers = self.store.known_good.answers_with(&old, drafted.before(PROBE_AGE), rule, now).await?;
        let converse: Vec<(String, u32)> =
            answers.iter().map(|(content, answers)| (content.hex(), conversing(answers))).collect();
        let domains = converse.iter().map(|(_, domains)| *domains).max().unwrap_or(0);
        let mut conversed: Vec<String> = converse
            .into_iter()
            .filter(|(_, domains)| *domains >= CONVERSING_MIN)
            .map(|(content, _)| content)
            .collect();
        conversed.sort();
        let carried: Vec<BTreeSet<String>> = tally.hits.iter().map(|(_, domains, _)| domains.clone()).collect();
        let contents = tally.hits.iter().map(|(content, ..)| content.hex()).collect();
        Ok(Past { votes: votes(&carried), seen: tally.seen, domains, contents, conversed })
    }

    /// People are called once for each forced version that hits what is known to be good.
    async fn call_about_forced(
        &self,
        suspect: &Suspect,
        past: &Past,
        drafted: Timestamp,
        is_convicted: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Suspect { code, version } = suspect;
        let delay = if is_convicted {
            String::new()
        } else {
            format!(
                " Mail of those whom you know that it holds is delayed: where the sentinel acts by itself, what this \
                 version alone holds, and for content alone that had gone to and fro for two weeks before ({} of \
                 these), leaves after a quarter of an hour, {LET_OUT_MAX} mails at most. The rest waits for you.",
                past.conversed.len()
            )
        };
        let text = format!(
            "{code} ({version}) is in force past a gate, and of {} contents that were known to be good before it was \
             drafted ({drafted}) it hits {}, which {} unrelated domains have carried.{delay} `reprieve contain {code} \
             --hours 24` holds it back for a day, `reprieve detection off {code}` switches it off, `reprieve detection \
             pin {code}` says that it is right.",
            past.seen,
            past.contents.len(),
            past.votes
        );
        self.call(format!("forced/{code}/{version}"), AlertKind::Forced, code.to_string(), text, now).await
    }
}

impl Recall {
    /// What was seen of one content or mail, for each suspect that may be judged by it.
    fn tally(&mut self, one: &Recollection, seen: &Seen) {
        let mut is_read = false;
        for code in &seen.read {
            let Some((_, drafted)) = self.suspects.get(code) else { continue };
            if drafted.since(one.first_seen) >= PROBE_AGE {
                is_read = true;
                self.tallies.entry(code.clone()).or_default().take(seen.hit.contains(code), one);
            }
        }
        if is_read {
            let is_hit = seen.read.iter().any(|code| seen.hit.contains(code));
            self.together.take(is_hit, one);
        }
    }
}
