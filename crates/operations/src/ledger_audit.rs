//! The bookkeeper: does the ledger balance? It asks again and again, keeps the answer for whoever looks, and calls
//! people when it does not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Timestamp;
use store::notices::alert::{AlertKind, NewAlert};
use store::{NoticeStore, StoreError, UpkeepStore};
use tokio::sync::watch;

use platform::clock::Clock;
use platform::ledger_check::{Checked, LedgerCheck};
use platform::priority::Priority;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks whether a check is due.
const PERIOD: Duration = Duration::from_secs(60);
/// How often the ledger is checked.
const CHECKED_EVERY: Duration = Duration::from_secs(15 * 60);
/// A check over millions of units takes its time: it is repeated when so many times of that have passed.
const TIMES_AS_LONG: u32 = 30;
/// Faults that a call names.
const NAMED_MAX: usize = 3;

/// The reconciler.
#[derive(Clone, Debug)]
pub struct LedgerAuditor {
    /// What people are called for and told.
    pub notices: NoticeStore,
    /// What keeps the store in order.
    pub upkeep: UpkeepStore,
    /// What the last check said.
    pub ledger_check: LedgerCheck,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes those who tell people.
    pub signals: Signals,
    /// Live mail comes first.
    pub priority: Priority,
}

impl Reconciler for LedgerAuditor {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "books", "the books could not be checked")
    }

    /// One round: checks the ledger where that is due.
    async fn round(&self, _: &mut (), _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let now = self.clock.now();
        if self.ledger_check.last().is_some_and(|last| !is_due(&last, now)) {
            return Ok(false);
        }
        self.priority.give().await;
        let began = Instant::now();
        let balance = self.upkeep.check_ledger(false).await?;
        if !balance.is_balanced() {
            self.call(&balance.faults, now).await?;
        }
        self.ledger_check.keep(Checked { at: self.clock.now(), took: began.elapsed(), balance });
        Ok(false)
    }
}

impl LedgerAuditor {
    /// People are called, once a day while it lasts.
    async fn call(&self, faults: &[String], at: Timestamp) -> Result<(), StoreError> {
        let named = faults.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join("; ");
        let text = format!(
            "The ledger is not consistent: {named}. `reprieve ledger check --deep` names all faults; mail flow \
             continues. Do not restore or purge anything before the database has been looked at."
        );
        let day = at.to_string().chars().take(10).collect::<String>();
        let alert = NewAlert { key: format!("books/{day}"), at, kind: AlertKind::Books, subject: "books".into(), text };
        if self.notices.raise_alert(alert).await? {
            tracing::error!(faults = faults.len(), named, "the ledger is not consistent: operators are alerted");
            self.signals.operators.notify_one();
        }
        Ok(())
    }
}

fn is_due(last: &Checked, now: Timestamp) -> bool {
    now.since(last.at) >= CHECKED_EVERY.max(last.took * TIMES_AS_LONG)
}
