//! What the last check of the ledger said, for whoever looks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::Timestamp;
use store::upkeep::ledger::Balance;

use crate::measure;

/// A check of the ledger.
#[derive(Clone, Debug)]
pub struct Checked {
    /// When it ended.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What it said.
    pub balance: Balance,
}

/// The last check of the ledger; none before the first has ended.
#[derive(Clone, Debug, Default)]
pub struct LedgerCheck(Arc<Mutex<Option<Checked>>>);

impl LedgerCheck {
    /// The last check.
    pub fn last(&self) -> Option<Checked> {
        self.0.lock().expect("nobody panics while holding this").clone()
    }

    /// Keeps a check.
    pub fn keep(&self, checked: Checked) {
        measure::ledger(&checked.balance);
        *self.0.lock().expect("nobody panics while holding this") = Some(checked);
    }
}
