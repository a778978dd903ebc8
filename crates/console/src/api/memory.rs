//! The memory over HTTP: how strong it is, and mail of an archive that it is made of.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::{Extension, Json};
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use store::memory::{MemoryStrength, STRONG_CONTENTS, STRONG_IDENTITIES};
use utoipa::{IntoParams, ToSchema};

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use crate::access::{Operator, Permission};
use known_good::archive::{Imported, Terms};

/// Bytes of one mail of an archive at most.
pub const MAIL_BYTES_MAX: usize = 64 << 20;

/// How strong the memory is.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemoryView {
    /// none, weak, fair or strong.
    pub(crate) strength: String,
    /// Identities that are remembered, those of them that are established, and those of these that are ours.
    pub(crate) identities: u64,
    pub(crate) established: u64,
    pub(crate) internal: u64,
    /// Contents that may testify: known for 72 hours, carried by somebody established.
    pub(crate) eligible: u64,
    pub(crate) eligible_by_family: BTreeMap<String, u64>,
    /// From these on what the sentinel finds is acted on without a person.
    pub(crate) strong_contents: u64,
    pub(crate) strong_identities: u64,
}

/// The view of a strength.
pub fn view(strength: &MemoryStrength) -> MemoryView {
    MemoryView {
        strength: strength.word().into(),
        identities: strength.identities,
        established: strength.established,
        internal: strength.internal,
        eligible: strength.eligible,
        eligible_by_family: strength.by_family.clone(),
        strong_contents: STRONG_CONTENTS,
        strong_identities: STRONG_IDENTITIES,
    }
}

/// `GET /api/v1/memory`: how strong the memory is.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "memory.status",
    path = "/api/v1/memory",
    responses((status = 200, body = MemoryView), Refusal),
)]
pub async fn status(State(console): State<Console>, Extension(operator): Extension<Operator>) -> ApiResult<MemoryView> {
    operator.may(Permission::Look)?;
    let strength = console.store()?.memory_strength(&console.config.sentinel.establish, console.clock.now()).await?;
    Ok(Json(view(&strength)))
}

/// How a mail of an archive is taken.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// When it came, in RFC 3339.
    pub(crate) received: String,
    /// Whether From is believed: the archive's mail was checked when it came.
    #[serde(default)]
    pub(crate) trust_from: bool,
    /// Whether it counts as an answer of ours to its sender as well.
    #[serde(default)]
    pub(crate) correspond: bool,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportView {
    /// learned, bad, partial, no-sender, too-old or off.
    pub(crate) became: String,
}

/// `POST /api/v1/memory/mails`: takes one mail of an archive, as `message/rfc822`. It is examined first, and nothing
/// bad enters.
///
/// # Errors
/// When the time makes no sense, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "memory.import",
    path = "/api/v1/memory/mails",
    params(ImportQuery),
    request_body(content = Vec<u8>, content_type = "message/rfc822"),
    responses((status = 200, body = ImportView), Refusal),
)]
pub async fn import(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<ImportQuery>,
    body: Bytes,
) -> ApiResult<ImportView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    console.store()?;
    let received = Timestamp::parse(&query.received).map_err(|error| ApiError::Bad(error.to_string()))?;
    if received > console.clock.now() {
        return Err(ApiError::Bad(format!("{received} is in the future")));
    }
    let terms = Terms { trusts_from: query.trust_from, answers_itself: query.correspond };
    let became = match console.importer.take(body.to_vec(), received, terms).await {
        Imported::Learned => "learned",
        Imported::Bad => "bad",
        Imported::Partial => "partial",
        Imported::NoSender => "no-sender",
        Imported::TooOld => "too-old",
        Imported::Off => "off",
    };
    Ok(Json(ImportView { became: became.into() }))
}

/// An import as a whole, for the record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportAsk {
    /// begin or end.
    pub(crate) step: String,
    /// What is imported, on which terms, and at the end with what result.
    pub(crate) reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
}

/// `POST /api/v1/memory/imports`: writes the begin or the end of an import into the audit log; at the end all of it is
/// written down.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    post,
    operation_id = "memory.import_step",
    path = "/api/v1/memory/imports",
    request_body = ImportAsk,
    responses((status = 200, body = MemoryView), Refusal),
)]
pub async fn import_step(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<ImportAsk>,
) -> ApiResult<MemoryView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    if !matches!(ask.step.as_str(), "begin" | "end") {
        return Err(ApiError::Bad("step is begin or end".into()));
    }
    console.record(operator.actor(&ask.actor), &format!("memory.import.{}", ask.step), "memory", &ask.reason).await?;
    console.importer.learner.written().await;
    let strength = console.store()?.memory_strength(&console.config.sentinel.establish, console.clock.now()).await?;
    Ok(Json(view(&strength)))
}
