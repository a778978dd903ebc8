//! A ruleset: a folder of detections as an immutable, content-addressed version.

pub mod diff;
pub mod lint;
pub mod load;
pub(crate) mod packed;
pub mod plain;

use std::collections::{BTreeMap, HashMap};

use domain::detection::{Detection, DetectionCode, DetectionVersion, RulesetId};

use crate::classifier::Model;
use crate::scorecard::card::Card;
use crate::structure::Check;
use crate::yara::RuleSets;

/// The folder of the shipped ruleset, inside the program.
static SHIPPED: include_dir::Dir<'_> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/../../detections");

/// A mail that a detection must hit, and one that it must miss, as text for people to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixtures {
    /// `hit.eml`.
    pub hit: String,
    /// `miss.eml`.
    pub miss: String,
}

/// A loaded, compiled ruleset.
#[derive(Debug)]
pub struct Ruleset {
    /// Its version.
    pub id: RulesetId,
    /// Its detections, by code.
    pub detections: BTreeMap<DetectionCode, Detection>,
    /// The canonical source of each, kept for ever.
    pub sources: BTreeMap<DetectionCode, String>,
    /// The page of documentation of those that have one.
    pub pages: BTreeMap<DetectionCode, String>,
    /// The mails that show what those with a folder must hit and must miss.
    pub fixtures: BTreeMap<DetectionCode, Fixtures>,
    /// Detections by the structure check that they act on.
    pub(crate) checks: HashMap<Check, Vec<DetectionCode>>,
    /// Detections by YARA namespace and rule.
    pub(crate) rules: HashMap<(String, String), DetectionCode>,
    /// Trained models.
    pub(crate) models: BTreeMap<DetectionCode, Model>,
    /// Scorecards.
    pub(crate) cards: BTreeMap<DetectionCode, Card>,
    /// Compiled rules.
    pub(crate) yara: RuleSets,
    /// The earlier forms of detections that have changed, by the same codes; each reads what the detection of today
    /// reads.
    pub(crate) previous: Option<Box<Ruleset>>,
}

impl Ruleset {
    /// The detection and its version for each code: what the id is made of.
    pub fn versions(&self) -> impl Iterator<Item = (&DetectionCode, &DetectionVersion)> {
        self.detections.iter().map(|(code, detection)| (code, &detection.version))
    }

    /// The trained models among them.
    pub fn models(&self) -> impl Iterator<Item = (&DetectionCode, &Model)> {
        self.models.iter()
    }

    /// The scorecard of a detection.
    pub fn card(&self, code: &DetectionCode) -> Option<&Card> {
        self.cards.get(code)
    }

    /// Each detection with its source, as the store keeps them; [`load::from_stored`] makes a ruleset of them again.
    pub fn stored(&self) -> Vec<(Detection, String)> {
        let source = |detection: &Detection| self.sources.get(&detection.code).cloned().unwrap_or_default();
        self.detections.values().map(|detection| (detection.clone(), source(detection))).collect()
    }

    /// What is new or changed in this ruleset since `before`, alone.
    ///
    /// # Errors
    /// When it does not load by itself.
    pub fn changed_since(&self, before: &Ruleset) -> Result<Ruleset, LoadErrors> {
        let is_changed = |detection: &Detection| {
            before.detections.get(&detection.code).is_none_or(|earlier| earlier.version != detection.version)
        };
        load::all_of(self.stored().into_iter().filter(|(detection, _)| is_changed(detection)).collect())
    }

    /// This ruleset with the detections of `more` added; those of the same code are replaced.
    ///
    /// # Errors
    /// When they do not load together.
    pub fn with(&self, more: &Ruleset) -> Result<Ruleset, LoadErrors> {
        let stored: BTreeMap<DetectionCode, (Detection, String)> =
            self.stored().into_iter().chain(more.stored()).map(|one| (one.0.code.clone(), one)).collect();
        let mut both = load::all_of(stored.into_values().collect())?;
        both.pages = self.pages.clone();
        both.pages.extend(more.pages.clone());
        both.fixtures = self.fixtures.clone();
        both.fixtures.extend(more.fixtures.clone());
        Ok(both)
    }

    /// Takes the earlier forms of those detections that have changed from what was in force before, so that they are
    /// run on whatever the new ones hit. Returns which could not be loaded, and why.
    pub fn remember_previous(&mut self, before: Vec<(Detection, String)>) -> Vec<String> {
        let changed = before.into_iter().filter_map(|(mut earlier, source)| {
            let today = self.detections.get(&earlier.code)?;
            earlier.target = today.target;
            (today.version != earlier.version).then_some((earlier, source))
        });
        let (previous, faults) = load::from_stored(changed.collect());
        self.previous = (!previous.detections.is_empty()).then(|| Box::new(previous));
        faults
    }

    /// The shipped ruleset.
    ///
    /// # Errors
    /// When it does not load, which a test of ours would have shown.
    pub fn shipped() -> Result<Self, LoadErrors> {
        load::from_files(shipped_files())
    }
}

/// The files of the shipped ruleset by path.
pub fn shipped_files() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![&SHIPPED];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        for file in folder.files() {
            files.insert(file.path().to_string_lossy().into_owned(), file.contents().to_vec());
        }
    }
    files
}

/// Everything that is wrong with a ruleset, one line each: what, where, what to do.
#[derive(Debug, thiserror::Error)]
#[error("the ruleset does not load:\n  {}", .0.join("\n  "))]
pub struct LoadErrors(pub Vec<String>);
