//! One held message with all that is known about it.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::finding::EngineReport;
use domain::verdict::Reason;
use serde::Serialize;
use store::quarantine::HeldUnit;
use store::release::ReleaseRow;
use utoipa::ToSchema;

use super::error::{ApiResult, Refusal};
use super::{Console, HeldView, PartView, one, part_view, view};
use crate::console::access::{Operator, Permission};

/// A held message with all that is known about it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownView {
    #[serde(flatten)]
    held: HeldView,
    units: Vec<UnitView>,
    parts: Vec<PartView>,
    findings: Vec<FindingView>,
    engines: Vec<EngineView>,
    url_domains: Vec<String>,
    removed_fields: Vec<String>,
    ruleset: String,
}

/// One unit with its release.
#[derive(Debug, Serialize, ToSchema)]
struct UnitView {
    recipient: String,
    direction: String,
    state: String,
    reply: String,
    release_id: Option<String>,
    release_state: Option<String>,
    attempts: u32,
    possibly_twice: bool,
    reasons: Vec<ReasonView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct FindingView {
    detection: String,
    detection_version: String,
    engine: String,
    effect: String,
    part: Option<u32>,
    offset: Option<u64>,
    evidence: String,
    /// What the detection's earlier version says of the same bytes, where this one is a change of it.
    previous: Option<PreviousView>,
}

/// The earlier form of a detection that has changed.
#[derive(Debug, Serialize, ToSchema)]
struct PreviousView {
    detection_version: String,
    hit: bool,
}

/// How an engine fared.
#[derive(Debug, Serialize, ToSchema)]
struct EngineView {
    engine: String,
    version: String,
    data_version: String,
    /// Done, Error, Timeout or Skipped.
    outcome: String,
    millis: f64,
    detail: String,
}

fn engine_view(report: EngineReport) -> EngineView {
    let EngineReport { engine, version, data_version, outcome, millis, detail } = report;
    EngineView { engine, version, data_version, outcome: outcome.as_str().to_owned(), millis, detail }
}

/// Why a unit is treated as it is.
#[derive(Debug, Serialize, ToSchema)]
struct ReasonView {
    /// A machine constant, such as `detection` or `engine-timeout`.
    code: String,
    text: String,
    detection: Option<String>,
    detection_version: Option<String>,
}

fn reason_view(reason: &Reason) -> ReasonView {
    ReasonView {
        code: reason.code.clone(),
        text: reason.text.clone(),
        detection: reason.detection.as_ref().map(ToString::to_string),
        detection_version: reason.detection_version.as_ref().map(ToString::to_string),
    }
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
    let message = record.examination.message;
    Ok(Json(ShownView {
        units: held.units.iter().map(|unit| unit_view(unit, &releases)).collect(),
        parts: message.parts.into_iter().map(part_view).collect(),
        findings: record
            .examination
            .findings
            .into_iter()
            .map(|finding| FindingView {
                detection: finding.detection.to_string(),
                detection_version: finding.detection_version.to_string(),
                engine: finding.engine,
                effect: finding.effect.as_str().to_owned(),
                part: finding.part,
                offset: finding.offset,
                evidence: finding.evidence,
                previous: finding.previous.map(|previous| PreviousView {
                    detection_version: previous.detection_version.to_string(),
                    hit: previous.hit,
                }),
            })
            .collect(),
        engines: record.examination.engines.into_iter().map(engine_view).collect(),
        url_domains: message.url_domains,
        removed_fields: record.removed_fields,
        ruleset: record.examination.ruleset.to_string(),
        held: view(&held),
    }))
}

fn unit_view(unit: &HeldUnit, releases: &[ReleaseRow]) -> UnitView {
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
        reasons: unit.reasons.iter().map(reason_view).collect(),
    }
}
