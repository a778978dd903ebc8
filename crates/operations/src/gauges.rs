//! What stands open is counted for Prometheus: alerts that nobody has acknowledged, incidents that are not resolved,
//! detections that are contained.

use std::time::Duration;

use domain::incident::Stage;
use store::notices::alert::AlertKind;
use store::{IncidentStore, NoticeStore};
use tokio::sync::watch;

use platform::containment::ContainmentInForce;
use platform::measure;
use platform::reconciler::{Beat, Reconciler, RoundError};

/// How often it counts.
const PERIOD: Duration = Duration::from_secs(15);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct GaugeSetter {
    /// What people are called for.
    pub notices: NoticeStore,
    /// Incidents.
    pub incidents: IncidentStore,
    /// What is contained.
    pub contained: ContainmentInForce,
}

impl Reconciler for GaugeSetter {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "gauges", "alerts and incidents could not be counted for the metrics")
    }

    /// One round: each gauge is set, to 0 where there is nothing.
    async fn round(&self, _: &mut (), _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let alerts = self.notices.count_unseen_alerts().await?;
        for kind in AlertKind::ALL {
            measure::open_alerts(kind.as_str(), alerts.get(kind.as_str()).copied().unwrap_or_default());
        }
        let incidents = self.incidents.count_unresolved().await?;
        for stage in Stage::ALL.into_iter().filter(|stage| *stage != Stage::Resolved) {
            measure::open_incidents(stage.as_str(), incidents.get(stage.as_str()).copied().unwrap_or_default());
        }
        let contained = self.contained.now();
        let (delayed, held_back): (Vec<_>, Vec<_>) =
            contained.held_back.values().partition(|one| one.level.holds_as_before());
        measure::contained(held_back.len());
        measure::on_probation(delayed.len());
        measure::upkeep();
        Ok(false)
    }
}
