//! One held message with all that is known about it.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::detection::Category;
use domain::policy::{Policy, QuarantinePolicy};
use serde::Serialize;
use store::quarantine::HeldUnit;
use store::release::ReleaseRow;
use utoipa::ToSchema;

use super::error::{ApiResult, Refusal};
use super::{Console, HeldView, PartView, one, part_view, view};
use crate::access::{Operator, Permission};
use crate::api::explain::{EngineView, FindingView, ReasonView, engine_view, finding_view, reason_view};

/// A held message with all that is known about it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownView {
    #[serde(flatten)]
    pub(crate) held: HeldView,
    pub(crate) units: Vec<UnitView>,
    pub(crate) parts: Vec<PartView>,
    pub(crate) findings: Vec<FindingView>,
    pub(crate) engines: Vec<EngineView>,
    pub(crate) url_domains: Vec<String>,
    pub(crate) removed_fields: Vec<String>,
    pub(crate) ruleset: String,
}

/// One unit with its release.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnitView {
    pub(crate) recipient: String,
    pub(crate) direction: String,
    pub(crate) state: String,
    pub(crate) reply: String,
    pub(crate) release_id: Option<String>,
    pub(crate) release_state: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) possibly_twice: bool,
    /// What its recipient may do with it: AdminOnlyAccess, LimitedAccess or FullAccess.
    pub(crate) quarantine_policy: String,
    pub(crate) reasons: Vec<ReasonView>,
}

/// `GET /api/v1/quarantine/{id}`: one held message, explained.
///
/// # Errors
/// When it is not known, or the store fails.
#[utoipa::path(
    get,
    operation_id = "quarantine.show",
    path = "/api/v1/quarantine/{id}",
    params(("id" = String, Path, description = "The id of a held message")),
    responses((status = 200, body = ShownView), Refusal),
)]
pub async fn show(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<ShownView> {
    operator.may(Permission::Look)?;
    let store = console.store()?;
    let held = one(store, &id, &operator.scope).await?;
    let record = store.record(held.mail_id).await?;
    let releases = store.releases_of(held.mail_id).await?;
    let policy = store.policy(&record.policy).await?.unwrap_or_else(Policy::standard);
    let category = Category::parse(&held.category).unwrap_or(Category::Malware);
    let units = held.units.iter().map(|unit| {
        let recipient = record.envelope.recipients.iter().find(|one| one.address.as_str() == unit.recipient);
        let access = recipient.map_or(QuarantinePolicy::usual(category), |one| policy.quarantine(category, one));
        unit_view(unit, &releases, access.as_str().to_owned())
    });
    let units = units.collect();
    let message = record.examination.message;
    Ok(Json(ShownView {
        units,
        parts: message.parts.into_iter().map(part_view).collect(),
        findings: record.examination.findings.into_iter().map(finding_view).collect(),
        engines: record.examination.engines.into_iter().map(engine_view).collect(),
        url_domains: message.url_domains,
        removed_fields: record.removed_fields,
        ruleset: record.examination.ruleset.to_string(),
        held: view(&held),
    }))
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
