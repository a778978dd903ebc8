//! Release: a row for each unit, found by the reconciler. Asking twice is asking once.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::UnitId;
use domain::ledger::Move;
use domain::release::ReleaseState;
use serde::Deserialize;
use store::Store;
use store::quarantine::{HeldMessage, HeldUnit};
use store::release::Requested;
use utoipa::ToSchema;

use super::error::{ApiError, ApiResult, Refusal};
use super::{Console, ReleasedUnit, ReleasedView, chosen, one};
use crate::console::access::{Operator, Permission};

/// What to release.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseAsk {
    /// Only these recipients; all without.
    recipients: Vec<String>,
    /// Why, for the record.
    reason: String,
    /// Who asks, for the record.
    actor: String,
    /// Only say what would be done.
    what_if: bool,
    /// Releases what was refused: the sender was told that it failed, and knows of no delivery (ruling 6).
    confirm_refused: bool,
}

/// `POST /api/v1/quarantine/{id}/release`: asks for the release of some or all recipients. Asking twice is asking once.
///
/// # Errors
/// When it is not known, a recipient is not among its own, or the store fails.
#[utoipa::path(
    post,
    operation_id = "quarantine.release",
    path = "/api/v1/quarantine/{id}/release",
    params(("id" = String, Path, description = "The id of a held message")),
    request_body = ReleaseAsk,
    responses((status = 200, body = ReleasedView), Refusal),
)]
pub async fn release(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<ReleaseAsk>,
) -> ApiResult<ReleasedView> {
    operator.may(Permission::Decide)?;
    let store = console.store()?;
    let held = one(store, &id, &operator.scope).await?;
    let actor = operator.actor(&ask.actor);
    if !ask.what_if {
        console.record(actor.clone(), "quarantine.release", &id, &ask.reason).await?;
    }
    let mut units = Vec::new();
    for unit in chosen(&held, &ask.recipients)? {
        let refused = unit.account == domain::Account::Refused && !ask.confirm_refused;
        units.push(if ask.what_if || refused {
            as_it_is(unit, refused)
        } else {
            ask_for(&console, store, &held, unit, &ask.reason, &actor).await?
        });
    }
    console.signals.release.notify_one();
    Ok(Json(ReleasedView { id: held.mail_id.to_string(), what_if: ask.what_if, units }))
}

fn as_it_is(unit: &HeldUnit, refused: bool) -> ReleasedUnit {
    let can = unit.account.on(Move::ReleaseRequested).is_ok();
    let reply = match (refused, can) {
        (true, _) => "the sender was told that it failed; confirm_refused releases it all the same",
        (false, true) => "would be released",
        (false, false) => "would stay as it is",
    };
    ReleasedUnit {
        recipient: unit.recipient.clone(),
        state: unit.account.as_str().into(),
        release_id: None,
        reply: reply.into(),
    }
}

async fn ask_for(
    console: &Console,
    store: &Store,
    held: &HeldMessage,
    unit: &HeldUnit,
    reason: &str,
    actor: &str,
) -> Result<ReleasedUnit, ApiError> {
    let id = UnitId { mail: held.mail_id, number: unit.number };
    let (state, release_id, reply) = match store.request_release(id, actor, reason, console.clock.now()).await? {
        Requested::Queued(release) => ("releasing".to_owned(), Some(release), String::new()),
        Requested::Already(release, ReleaseState::Released) => {
            ("released".to_owned(), Some(release), unit.reply.clone())
        }
        Requested::Already(release, _) => (unit.account.as_str().to_owned(), Some(release), unit.reply.clone()),
        Requested::Impossible(account) => {
            (account.as_str().to_owned(), None, "cannot be released from here".to_owned())
        }
    };
    Ok(ReleasedUnit {
        recipient: unit.recipient.clone(),
        state,
        release_id: release_id.map(|id| id.to_string()),
        reply,
    })
}
