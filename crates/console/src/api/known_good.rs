//! Known-good content over HTTP: how much there is, and its keys.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use crate::access::{Operator, Permission};

/// How much is known to be good.
#[derive(Debug, Serialize, ToSchema)]
pub struct KnownGoodView {
    /// Whether anything is remembered.
    on: bool,
    /// Contents remembered.
    contents: u64,
    /// Contents whose bytes are kept, for backtests.
    kept: u64,
    kept_bytes: u64,
    /// Whole mails kept.
    mails: u64,
    mail_bytes: u64,
    /// Seen clean for 3 days by two carriers; for 7 by five; for 14 by twenty.
    c1: u64,
    c2: u64,
    c3: u64,
    /// Kept contents by family.
    by_family: BTreeMap<String, u64>,
    since: Option<String>,
    /// The ids of its keys, the one that encrypts first.
    keys: Vec<String>,
}

/// `GET /api/v1/known-good`: how much is known to be good.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "known_good.status",
    path = "/api/v1/known-good",
    responses((status = 200, body = KnownGoodView), Refusal),
)]
pub async fn status(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<KnownGoodView> {
    operator.may(Permission::Look)?;
    view(&console).await
}

async fn view(console: &Console) -> ApiResult<KnownGoodView> {
    let status = console.store()?.known_good_status(console.clock.now()).await?;
    let [c1, c2, c3] = status.by_class;
    Ok(Json(KnownGoodView {
        on: console.vault.is_some(),
        contents: status.contents,
        kept: status.kept,
        kept_bytes: status.kept_bytes,
        mails: status.mails,
        mail_bytes: status.mail_bytes,
        c1,
        c2,
        c3,
        by_family: status.by_family,
        since: status.since.map(|at| at.to_string()),
        keys: console.vault.as_ref().map(store::vault::Vault::key_ids).unwrap_or_default(),
    }))
}

/// Why to make a new key.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RotateAsk {
    /// Why, for the record.
    reason: String,
    /// Who asks, for the record.
    actor: String,
    /// Only say what there is.
    what_if: bool,
}

/// `POST /api/v1/known-good/rotate-key`: makes a new key. What is kept is encrypted anew in the background, then the
/// old key goes.
///
/// # Errors
/// When nothing is kept, the keys are systemd's, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "known_good.rotate_key",
    path = "/api/v1/known-good/rotate-key",
    request_body = RotateAsk,
    responses((status = 200, body = KnownGoodView), Refusal),
)]
pub async fn rotate_key(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<RotateAsk>,
) -> ApiResult<KnownGoodView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    let vault = console.vault.clone().ok_or_else(|| ApiError::Conflict("known_good is switched off".into()))?;
    if !ask.what_if {
        console.record(operator.actor(&ask.actor), "known_good.rotate_key", "known-good", &ask.reason).await?;
        let key = console.ring.add(console.clock.as_ref()).map_err(|error| ApiError::Conflict(error.to_string()))?;
        vault.add_key(key);
    }
    view(&console).await
}
