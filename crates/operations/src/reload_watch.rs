//! A reload that was refused or rolled back leaves a file that the next start may fail with: operators are called.

use std::sync::Arc;
use std::time::Duration;

use store::audit::Act;
use store::notices::alert::{AlertKind, NewAlert};
use store::{AuditStore, NoticeStore, StoreError};
use tokio::sync::watch;

use platform::clock::Clock;
use platform::config::change::Difference;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::reload::{Reload, Reloads, Stage};
use platform::signals::Signals;

/// How often it looks; a reload that was refused has it look at once.
const PERIOD: Duration = Duration::from_secs(5);

/// Who it is in the audit log.
const ACTOR: &str = "reload";

/// The reconciler.
#[derive(Clone, Debug)]
pub struct ReloadWatcher {
    /// What came of reloads.
    pub reloads: Reloads,
    /// What people are called for.
    pub notices: NoticeStore,
    /// What becomes of settings is on record.
    pub audit: AuditStore,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes it, and those who tell people.
    pub signals: Signals,
}

impl Reconciler for ReloadWatcher {
    /// The reload that operators were called for.
    type Memory = Option<Arc<str>>;

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "reload", "operators could not be called for a reload").or_when(&self.signals.reload)
    }

    /// One round: what went wrong is called out once.
    async fn round(&self, called: &mut Self::Memory, _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let Some(reload) = self.reloads.last() else { return Ok(false) };
        let Some(text) = told(&reload) else { return Ok(false) };
        let key = format!("reload/{}/{}", reload.number, reload.at);
        if called.as_deref() == Some(&key) {
            return Ok(false);
        }
        if reload.stage == Stage::RolledBack {
            self.record(&reload, &text).await?;
        }
        let subject = "configuration".to_owned();
        let alert = NewAlert { key: key.clone(), at: reload.at, kind: AlertKind::Reload, subject, text };
        if self.notices.raise_alert(alert).await? {
            self.signals.operators.notify_one();
        }
        *called = Some(key.into());
        Ok(false)
    }
}

impl ReloadWatcher {
    /// That settings were changed is on record: so is that they are not.
    async fn record(&self, reload: &Reload, text: &str) -> Result<(), StoreError> {
        let names: Vec<String> = reload.changed.iter().map(Difference::name).collect();
        let act = Act {
            at: self.clock.now(),
            actor: ACTOR.into(),
            action: "configuration.rolled_back".into(),
            object: names.join(", "),
            reason: reload.fault.clone().unwrap_or_default(),
            detail: text.to_owned(),
        };
        self.audit.record_act(act).await
    }
}

/// What operators are told of a reload that went wrong.
fn told(reload: &Reload) -> Option<String> {
    let why = reload.fault.as_deref()?;
    let by = &reload.by;
    match reload.stage {
        Stage::Refused => Some(format!(
            "The configuration was not reloaded for {by}; everything is as it was: {why}. `reprieve config check` \
             tells what is wrong with the file; the next start would read it."
        )),
        Stage::RolledBack => Some(format!(
            "The service did not start with the settings that {by} put in force, and runs with the old ones again: \
             {why}. The file has the new ones: the next start would fail."
        )),
        Stage::UnderWay | Stage::Unchanged | Stage::InForce => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_called_for_what_went_wrong_and_for_nothing_else() {
        let (reloads, at) = (Reloads::default(), domain::Timestamp::from_micros(1_795_000_000_000_000));
        let words = Stage::ALL.map(|stage| {
            let reload = reloads.nothing_to_do(stage, "somebody", at, Some("a reason".into()));
            told(&reload).map(|text| text.contains("a reason"))
        });
        assert_eq!(words, [None, None, None, Some(true), Some(true)]);
    }
}
