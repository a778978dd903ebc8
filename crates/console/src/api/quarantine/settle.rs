//! Deny, delete, and taking a deletion back: decisions of people that move units without sending anything.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::UnitId;
use domain::ledger::Move;
use serde::Deserialize;
use store::moves::UnitMove;
use utoipa::ToSchema;

use super::error::{ApiResult, Refusal};
use super::{Console, ReleasedUnit, ReleasedView, chosen, one};
use crate::access::{Operator, Permission};

/// What to deny, delete or take back, and why.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DecideAsk {
    /// Only these recipients; all without.
    pub(crate) recipients: Vec<String>,
    /// Why, for the record.
    pub(crate) reason: String,
    /// Who asks, for the record.
    pub(crate) actor: String,
    /// Only say what would be done.
    pub(crate) what_if: bool,
}

/// `POST /api/v1/quarantine/{id}/deny`: a person decided that it stays. It can still be released by another decision.
///
/// # Errors
/// When it is not known, a recipient is not among its own, or the store fails.
#[utoipa::path(
    post,
    operation_id = "quarantine.deny",
    path = "/api/v1/quarantine/{id}/deny",
    params(("id" = String, Path, description = "The id of a held message")),
    request_body = DecideAsk,
    responses((status = 200, body = ReleasedView), Refusal),
)]
pub async fn deny(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<DecideAsk>,
) -> ApiResult<ReleasedView> {
    operator.may(Permission::Decide)?;
    settle(&console, &operator, &id, ask, Move::Denied).await
}

/// `POST /api/v1/quarantine/{id}/delete`: it is gone for people; its bytes stay until retention removes them.
///
/// # Errors
/// As [`deny`].
#[utoipa::path(
    post,
    operation_id = "quarantine.delete",
    path = "/api/v1/quarantine/{id}/delete",
    params(("id" = String, Path, description = "The id of a held message")),
    request_body = DecideAsk,
    responses((status = 200, body = ReleasedView), Refusal),
)]
pub async fn delete(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<DecideAsk>,
) -> ApiResult<ReleasedView> {
    operator.may(Permission::Decide)?;
    settle(&console, &operator, &id, ask, Move::Deleted).await
}

/// `POST /api/v1/quarantine/{id}/recover`: what was deleted or expired is held again, as long as its bytes are there: a
/// day.
///
/// # Errors
/// As [`deny`]; it is not known any more when its bytes are gone.
#[utoipa::path(
    post,
    operation_id = "quarantine.recover",
    path = "/api/v1/quarantine/{id}/recover",
    params(("id" = String, Path, description = "The id of a message that was deleted or expired")),
    request_body = DecideAsk,
    responses((status = 200, body = ReleasedView), Refusal),
)]
pub async fn recover(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<DecideAsk>,
) -> ApiResult<ReleasedView> {
    operator.may(Permission::Decide)?;
    settle(&console, &operator, &id, ask, Move::Recovered).await
}

async fn settle(console: &Console, operator: &Operator, id: &str, ask: DecideAsk, by: Move) -> ApiResult<ReleasedView> {
    let store = console.store()?;
    let held = one(store, id, &operator.scope).await?;
    let actor = operator.actor(&ask.actor);
    if !ask.what_if {
        console.record(actor.clone(), &format!("quarantine.{}", by.as_str()), id, &ask.reason).await?;
    }
    let mut units = Vec::new();
    for unit in chosen(&held, &ask.recipients)? {
        let (state, reply) = match unit.account.on(by) {
            Err(_) => (unit.account, format!("cannot be {} from here", done(by))),
            Ok(_) if ask.what_if => (unit.account, format!("would be {}", done(by))),
            Ok(to) => {
                let step = UnitMove {
                    unit: UnitId { mail: held.mail_id, number: unit.number },
                    from: unit.account,
                    by,
                    at: console.clock.now(),
                    actor: actor.clone(),
                    reason: ask.reason.clone(),
                };
                store.move_units(vec![step]).await?;
                (to, String::new())
            }
        };
        let (recipient, state) = (unit.recipient.clone(), state.as_str().to_owned());
        units.push(ReleasedUnit { recipient, state, release_id: None, reply });
    }
    Ok(Json(ReleasedView { id: held.mail_id.to_string(), what_if: ask.what_if, units }))
}

/// What has been done to a unit that was moved so, as people say it.
fn done(by: Move) -> &'static str {
    match by {
        Move::Deleted => "deleted",
        Move::Recovered => "held again",
        _ => "denied",
    }
}
