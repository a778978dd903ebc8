//! What keeps the store in order.

pub mod backup;
pub mod check;
pub mod hold;
pub mod ledger;
pub mod reading;
pub mod retention;
pub mod scrub;

use crate::core::part;

part! {
    /// Retention, holds, backups, and the checks of the database, the ledger, the stored bytes and the clock.
    UpkeepStore
}
