//! A ruleset as the store keeps it: detections with their sources and pages, what the gates said, and fixtures for
//! people to read.

use detect::ruleset::{Fixtures, Ruleset};
use domain::Timestamp;
use domain::detection::DetectionCode;
use domain::rollout::GateReport;
use store::rules::version::{KeptFixtures, KeptRuleset};
use store::{RuleStore, StoreError};

/// Keeps a ruleset; `in_force`: from now on.
///
/// # Errors
/// When the store fails.
pub async fn keep(
    rules: &RuleStore,
    ruleset: &Ruleset,
    gates: Vec<GateReport>,
    in_force: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (id, detections, pages) = (ruleset.id.clone(), ruleset.stored(), ruleset.pages.clone());
    rules.remember_ruleset(KeptRuleset { id, detections, pages, gates }, in_force, at).await?;
    rules.remember_fixtures(fixtures(ruleset)).await
}

fn fixtures(ruleset: &Ruleset) -> Vec<KeptFixtures> {
    let kept = |(code, fixtures): (&DetectionCode, &Fixtures)| {
        let version = ruleset.detections.get(code)?.version.clone();
        Some(KeptFixtures { code: code.clone(), version, hit: fixtures.hit.clone(), miss: fixtures.miss.clone() })
    };
    ruleset.fixtures.iter().filter_map(kept).collect()
}
