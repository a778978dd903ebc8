//! The probe: detections tried on what was accepted as clean before they existed, with a stop as soon as that decides.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use detect::backtest::{reads_families, reads_mails};
use detect::examine::{EnvelopeFacts, Examiner};
use detect::family;
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::ruleset::Ruleset;
use domain::Digest;
use domain::detection::{DetectionCode, Target};
use domain::envelope::Border;
use domain::finding::Finding;
use domain::identity::Establish;
use domain::message::Family;
use domain::sentinel::evidence::{PROBE_BATCH, probe_value};
use store::known_good::memory::Exhibit;
use store::known_good::vault::Vault;
use store::{KnownGoodStore, StoreError};

use examiner::external_engines::ExternalEngines;
use platform::clock::Clock;

/// Contents and mails that a probe looks at.
pub const SAMPLE: usize = 2000;
/// Time for one content.
const CONTENT_TIME: Duration = Duration::from_secs(2);
/// Hits that are named to people.
const NAMED_MAX: usize = 10;

/// What a probe found about one detection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Contents hit, each with a carrier of its own.
    pub hits: u32,
    /// Contents looked at.
    pub seen: u32,
    /// What that proves.
    pub value: f64,
    /// Some of what was hit.
    pub named: Vec<String>,
    used: BTreeSet<String>,
    is_decided: bool,
}

impl Found {
    /// One more content: whether it was hit, and who carried it.
    fn take(&mut self, is_hit: bool, exhibit: &Exhibit, enough: (f64, u32)) {
        self.seen += 1;
        if is_hit && let Some(free) = exhibit.carriers.iter().find(|carrier| !self.used.contains(*carrier)) {
            self.used.insert(free.clone());
            self.hits += 1;
            if self.named.len() < NAMED_MAX {
                self.named.push(name_of(exhibit));
            }
        }
        if self.seen.is_multiple_of(PROBE_BATCH) {
            self.weigh(enough);
        }
    }

    fn weigh(&mut self, (trip, hits_min): (f64, u32)) {
        self.value = if self.seen == 0 { 1.0 } else { probe_value(self.hits, self.seen) };
        self.is_decided = self.value >= trip && self.hits >= hits_min;
    }
}

fn name_of(exhibit: &Exhibit) -> String {
    match &exhibit.mail {
        Some((mail, _)) => format!("mail {mail}"),
        None if exhibit.content.name.is_empty() => {
            format!("a part without a name, {}", &exhibit.content.sha256.hex()[..12])
        }
        None => exhibit.content.name.clone(),
    }
}

/// What is there to try detections on.
#[derive(Clone, Debug, Default)]
pub struct Exhibits {
    parts: Vec<Exhibit>,
    mails: Vec<Exhibit>,
}

impl Exhibits {
    /// What these detections need to see.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(
        known_good: &KnownGoodStore,
        families: Option<&BTreeSet<Family>>,
        wants_mails: bool,
        rule: &Establish,
        clock: &dyn Clock,
    ) -> Result<Self, StoreError> {
        let now = clock.now();
        let from = Digest::of(&now.as_micros().to_be_bytes());
        let wants_parts = families.is_none_or(|families| !families.is_empty());
        let parts = if wants_parts {
            known_good.contents_that_testify(families, SAMPLE, from, rule, now).await?
        } else {
            Vec::new()
        };
        let mails = if wants_mails { known_good.mails_that_testify(SAMPLE, rule, now).await? } else { Vec::new() };
        Ok(Self { parts, mails })
    }

    /// What the detections of a ruleset need to see.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn for_ruleset(
        known_good: &KnownGoodStore,
        ruleset: &Ruleset,
        rule: &Establish,
        clock: &dyn Clock,
    ) -> Result<Self, StoreError> {
        Self::of(known_good, reads_families(ruleset).as_ref(), reads_mails(ruleset), rule, clock).await
    }
}

/// What the detections of a ruleset make of one exhibit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Those that read it.
    pub(crate) read: BTreeSet<DetectionCode>,
    /// Those that hit it, and may act.
    pub(crate) hit: BTreeSet<DetectionCode>,
}

/// Has all detections of a ruleset look at exhibits, and tells of each with its place among them, until `tell` says
/// that it has heard enough. What cannot be read, or not be looked at, says nothing and is left out.
pub(crate) fn look_at_each<'e>(
    in_force: &InForce,
    exhibits: impl Iterator<Item = &'e Exhibit>,
    vault: &Vault,
    border: &Border,
    mut tell: impl FnMut(usize, &Seen) -> bool,
) {
    let ruleset = in_force.live.as_ref();
    let mut examiner = Examiner::new(in_force, Limits::default());
    for (at, exhibit) in exhibits.enumerate() {
        let Ok(Some(bytes)) = vault.get(exhibit.content.sha256) else { continue };
        let budget = Budget::starting_now(CONTENT_TIME);
        let findings = match &exhibit.mail {
            Some((_, envelope)) => examiner.examine(&bytes, &EnvelopeFacts::of(envelope, border), budget).findings,
            None => match examiner.examine_part(&bytes, &exhibit.content.name, &exhibit.content.declared, budget) {
                Ok(findings) => findings,
                Err(_) => continue,
            },
        };
        let acting = findings.into_iter().filter(|finding| finding.may_act());
        let hit: BTreeSet<DetectionCode> = acting.map(|finding| finding.detection).collect();
        let (family, _) = family::sniff(&bytes, &exhibit.content.name);
        let is_read = |code: &&DetectionCode| {
            let target = ruleset.detections.get(*code).map(|detection| detection.target);
            reads(target, exhibit, family, hit.contains(*code))
        };
        let read = ruleset.detections.keys().filter(is_read).cloned().collect();
        if tell(at, &Seen { read, hit }) {
            return;
        }
    }
}

/// Tries all detections of a ruleset at once, each for itself and all as one. `enough` is the evidence, and the hits,
/// at which one is decided.
pub fn try_ruleset(
    in_force: &InForce,
    exhibits: &Exhibits,
    vault: &Vault,
    border: &Border,
    enough: (f64, u32),
) -> (BTreeMap<DetectionCode, Found>, Found) {
    let codes = in_force.live.detections.keys();
    let mut found: BTreeMap<DetectionCode, Found> = codes.map(|code| (code.clone(), Found::default())).collect();
    let mut all = Found::default();
    let exhibits: Vec<&Exhibit> = exhibits.parts.iter().chain(&exhibits.mails).collect();
    look_at_each(in_force, exhibits.iter().copied(), vault, border, |at, seen| {
        let Some(exhibit) = exhibits.get(at) else { return true };
        if !all.is_decided && !seen.read.is_empty() {
            all.take(!seen.hit.is_empty(), exhibit, enough);
        }
        for (code, one) in found.iter_mut().filter(|(_, one)| !one.is_decided) {
            if seen.read.contains(code) {
                one.take(seen.hit.contains(code), exhibit, enough);
            }
        }
        found.values().chain([&all]).all(|one| one.is_decided)
    });
    for one in found.values_mut().chain([&mut all]).filter(|one| !one.is_decided) {
        one.weigh(enough);
    }
    (found, all)
}

/// Whether a detection reads this exhibit: parts of its family (or what holds them, if it hit there), else whole mails.
fn reads(target: Option<Target>, exhibit: &Exhibit, family: Family, is_hit: bool) -> bool {
    match target {
        Some(target @ Target::Part(_)) => exhibit.mail.is_none() && (is_hit || target.reads(family)),
        Some(Target::Raw | Target::Header | Target::Text) => exhibit.mail.is_some(),
        None => false,
    }
}

/// Tries those detections of an engine outside that are meant, as one. None when the engine cannot be asked.
pub async fn try_outside(
    external_engines: &ExternalEngines,
    engine: &str,
    is_meant: impl Fn(&DetectionCode) -> bool,
    exhibits: &Exhibits,
    vault: &Vault,
    border: &Border,
    enough: (f64, u32),
) -> Option<Found> {
    let mut found = Found::default();
    let mut failures = 0;
    for exhibit in exhibits.parts.iter().chain(&exhibits.mails) {
        let Ok(Some(bytes)) = vault.get(exhibit.content.sha256) else { continue };
        let facts =
            exhibit.mail.as_ref().map_or_else(EnvelopeFacts::default, |(_, one)| EnvelopeFacts::of(one, border));
        let Some(findings) = external_engines.says(engine, &bytes, &facts).await else {
            failures += 1;
            // An engine that is not there convicts nobody, and keeps nobody waiting.
            if failures > 3 {
                return None;
            }
            continue;
        };
        let is_hit = findings.iter().any(|finding: &Finding| is_meant(&finding.detection));
        found.take(is_hit, exhibit, enough);
        if found.is_decided {
            break;
        }
    }
    found.weigh(enough);
    Some(found)
}
