//! Closing the portal to what lets a recipient in now: a link that was forwarded, a session on a machine that is
//! somebody else's.

use axum::extract::State;
use axum::{Extension, Json};
use domain::Address;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use crate::access::{Operator, Permission};

/// Whose, and why.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseAsk {
    /// A recipient of a domain of ours.
    pub(crate) address: String,
    /// Why, for the record; it must be said.
    pub(crate) reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
}

/// What was closed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosedView {
    pub(crate) address: String,
    /// Links and sessions from before this do not hold any more.
    pub(crate) closed: String,
}

/// `POST /api/v1/portal/close`: the links and sessions that a recipient has now no longer open the portal. They can ask
/// for a new link.
///
/// # Errors
/// When no reason is given, or the address is of no domain of the operator's.
#[utoipa::path(
    post,
    operation_id = "portal.close",
    path = "/api/v1/portal/close",
    request_body = CloseAsk,
    responses((status = 200, body = ClosedView), Refusal),
)]
pub async fn close(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<CloseAsk>,
) -> ApiResult<ClosedView> {
    operator.may(Permission::Decide)?;
    if ask.reason.trim().is_empty() {
        return Err(ApiError::Bad("say why: it goes into the record".into()));
    }
    let address = Address::parse(ask.address.trim());
    let address = address.map_err(|error| ApiError::Bad(format!("'{}': {error}", ask.address)))?;
    let domain = address.domain();
    if !console.config.border.accepts(&domain) || !operator.scope.covers(&domain) {
        return Err(ApiError::Bad(format!("{address} is not of a domain of yours")));
    }
    let (address, at) = (address.normal(), console.clock.now());
    console.record(operator.actor(&ask.actor), "portal.close", &address, &ask.reason).await?;
    console.store()?.close_portal(&address, at).await?;
    Ok(Json(ClosedView { address, closed: at.to_string() }))
}
