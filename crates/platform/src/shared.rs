//! What all rooms of a service share.

use std::sync::Arc;

use domain::token::TokenKey;

use crate::bypassed;
use crate::certificates::Certificates;
use crate::clock::Clock;
use crate::config::Config;
use crate::containment::ContainmentInForce;
use crate::entries::Entries;
use crate::kept::Kept;
use crate::ledger_check::LedgerCheck;
use crate::panic_switch::PanicSwitch;
use crate::priority::Priority;
use crate::removal::Removal;
use crate::signals::Signals;
use crate::traces::Traces;

/// What all rooms of a service share. Clones are the same.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The configuration.
    pub config: Arc<Config>,
    /// Domain time and ids.
    pub clock: Arc<dyn Clock>,
    /// The key of this installation: release tokens, and what is derived from it.
    pub token_key: TokenKey,
    /// What wakes background tasks.
    pub signals: Signals,
    /// Allow and block entries in force.
    pub entries: Entries,
    /// What is contained.
    pub contained: ContainmentInForce,
    /// Live mail that is under way, for which others wait.
    pub priority: Priority,
    /// Whether mail passes unexamined, or none is taken.
    pub panic_switch: PanicSwitch,
    /// Whether the clock is believed.
    pub removal: Removal,
    /// The certificates of the listeners.
    pub certificates: Certificates,
    /// What the last check of the ledger said.
    pub ledger_check: LedgerCheck,
    /// Where the ways of mail are left to be told.
    pub traces: Traces,
    /// What the process keeps when this service ends and the next one begins.
    pub kept: Kept,
}

impl Shared {
    /// With nothing in force yet.
    pub fn new(config: Arc<Config>, clock: Arc<dyn Clock>, token_key: TokenKey) -> Self {
        Self {
            removal: Removal::new(clock.clone(), config.retention.clock_jump),
            panic_switch: PanicSwitch::listing_in(config.data_dir.join(bypassed::FILE)),
            config,
            clock,
            token_key,
            signals: Signals::default(),
            entries: Entries::default(),
            contained: ContainmentInForce::default(),
            priority: Priority::default(),
            certificates: Certificates::default(),
            ledger_check: LedgerCheck::default(),
            traces: Traces::default(),
            kept: Kept::default(),
        }
    }
}
