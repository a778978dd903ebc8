//! One held message with all that is known about it.

use api_types::quarantine::{ShownView, UnitView};
use domain::detection::Category;
use domain::policy::{Policy, QuarantinePolicy};
use store::quarantine::HeldUnit;
use store::release::ReleaseRow;

use super::{one, part_view, view};
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::ServiceResult;
use crate::explain::{engine_view, finding_view, reason_view};

/// One held message, explained.
///
/// # Errors
/// When it is not known, or the store fails.
pub async fn show(service: &Service, operator: &Operator, id: &str) -> ServiceResult<ShownView> {
    operator.may(Permission::Look)?;
    let store = service.store()?;
    let held = one(store, id, &operator.scope).await?;
    let record = store.mail.record(held.mail_id).await?;
    let releases = store.releases.releases_of(held.mail_id).await?;
    let policy = store.rules.policy(&record.policy).await?.unwrap_or_else(Policy::standard);
    let category = Category::parse(&held.category).unwrap_or(Category::Malware);
    let units = held.units.iter().map(|unit| {
        let recipient = record.envelope.recipients.iter().find(|one| one.address.as_str() == unit.recipient);
        let access = recipient.map_or(QuarantinePolicy::usual(category), |one| policy.quarantine(category, one));
        unit_view(unit, &releases, access.as_str().to_owned())
    });
    let units = units.collect();
    let message = record.examination.message;
    Ok(ShownView {
        units,
        parts: message.parts.into_iter().map(part_view).collect(),
        findings: record.examination.findings.into_iter().map(finding_view).collect(),
        engines: record.examination.engines.into_iter().map(engine_view).collect(),
        url_domains: message.url_domains,
        removed_fields: record.removed_fields,
        ruleset: record.examination.ruleset.to_string(),
        held: view(&held),
    })
}

fn unit_view(unit: &HeldUnit, releases: &[ReleaseRow], quarantine_policy: String) -> UnitView {
    let release = releases.iter().find(|release| release.unit.number == unit.number);
    UnitView {
        recipient: unit.recipient.clone(),
        direction: unit.direction.as_str().to_owned(),
        state: unit.account.as_str().to_owned(),
        reply: unit.reply.clone(),
        release_id: release.map(|release| release.release.to_string()),
        release_state: release.map(|release| release.state.as_str().to_owned()),
        attempts: release.map_or(0, |release| release.attempt),
        possibly_twice: release.is_some_and(|release| release.possibly_twice),
        quarantine_policy,
        reasons: unit.reasons.iter().map(reason_view).collect(),
    }
}
