//! What engines say of themselves: a version that was never heard before is remembered, because it may be the cause of
//! what follows.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard};

use domain::{Examination, Timestamp};
use store::RuleStore;

/// The engine, its version and that of its data.
type Said = (String, String, String);

/// What was heard since the start.
#[derive(Debug, Default)]
pub struct Engines(Mutex<HashSet<Said>>);

impl Engines {
    /// Remembers what this examination's engines say that was not heard before.
    pub async fn hear(&self, examination: &Examination, rules: &RuleStore, now: Timestamp) {
        for report in examination.engines.iter().filter(|report| !report.version.is_empty()) {
            let said = (report.engine.clone(), report.version.clone(), report.data_version.clone());
            if self.heard().contains(&said) {
                continue;
            }
            let (engine, version, data) = (&report.engine, &report.version, &report.data_version);
            tracing::info!(engine, version, data, "an engine says a version that was not heard since the start");
            match rules.remember_engine(engine, version, data, now).await {
                // Only now: what could not be remembered is said again by the next mail. It is remembered once, however
                // many say it.
                Ok(()) => drop(self.heard().insert(said)),
                Err(error) => tracing::warn!(%error, engine, "the version of an engine could not be remembered"),
            }
        }
    }

    fn heard(&self) -> MutexGuard<'_, HashSet<Said>> {
        self.0.lock().expect("nobody panics while holding what was heard")
    }
}
