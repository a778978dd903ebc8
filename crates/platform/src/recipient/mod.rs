//! What portal and notices share: links, words, and what quarantine policy lets the recipient of a held mail do.

pub mod language;
pub mod link;

use domain::Address;
use domain::detection::Category;
use domain::envelope::{RcptParams, Recipient};
use domain::policy::{Policy, QuarantinePolicy};
use store::quarantine::HeldUnit;

/// What the key of links is for.
pub const PURPOSE: &str = "portal";

/// What the recipient of a held unit may do with it.
pub fn may(policy: &Policy, category: &str, unit: &HeldUnit) -> QuarantinePolicy {
    let (Some(category), Ok(address)) = (Category::parse(category), Address::parse(&unit.recipient)) else {
        return QuarantinePolicy::AdminOnlyAccess;
    };
    let recipient = Recipient {
        address,
        params: RcptParams::default(),
        direction: unit.direction,
        domain: unit.domain.as_str().into(),
    };
    policy.quarantine(category, &recipient)
}
