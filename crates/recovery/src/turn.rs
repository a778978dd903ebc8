//! The rounds of this room's tasks one after the other, for a drill, whose driver owns the clock.

use platform::reconciler::{Reconciler, RoundError};
use tokio::sync::watch;

use crate::incident::IncidentWorker;
use crate::partial_mail::PartialMailWorker;
use crate::probation::ProbationWorker;
use crate::release::Releaser;
use crate::replay::Replayer;
use crate::status::Publisher;

/// The tasks that held mail is handled by, and the status page.
#[derive(Debug)]
pub struct InTurn {
    incidents: IncidentWorker,
    replayer: Replayer,
    partial_mail: PartialMailWorker,
    probation: ProbationWorker,
    releaser: Releaser,
    publisher: (Publisher, <Publisher as Reconciler>::Memory),
}

impl InTurn {
    pub(crate) fn new(
        incidents: IncidentWorker,
        replayer: Replayer,
        partial_mail: PartialMailWorker,
        probation: ProbationWorker,
        releaser: Releaser,
        publisher: Publisher,
    ) -> Self {
        Self { incidents, replayer, partial_mail, probation, releaser, publisher: (publisher, Default::default()) }
    }

    /// One round of each but the status page; whether there may be more to do at this moment.
    ///
    /// # Errors
    /// When a round has to be made again.
    pub async fn round(&mut self, stop: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        // Time stands still: it counts all mail in, and not what is recent alone.
        let mut has_more = self.incidents.round(&mut None, stop).await?;
        has_more |= self.replayer.round(&mut (), stop).await?;
        self.partial_mail.round(&mut (), stop).await?;
        has_more |= self.probation.round(&mut None, stop).await?;
        self.releaser.round(&mut (), stop).await?;
        Ok(has_more)
    }

    /// Writes the status page, once everything else has come to rest.
    ///
    /// # Errors
    /// When it has to be written again.
    pub async fn publish(&mut self, stop: &watch::Receiver<bool>) -> Result<(), RoundError> {
        let (publisher, published) = &mut self.publisher;
        publisher.round(published, stop).await.map(drop)
    }
}
