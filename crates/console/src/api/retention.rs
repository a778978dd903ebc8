//! Retention over HTTP: whether the clock is believed, that it is right, and taking back what was deleted or expired.

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use store::recovery::Ended;
use utoipa::ToSchema;

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use super::word;
use crate::access::{Operator, Permission};
use platform::removal::Looked;

/// Units that one request takes back at most.
const RECOVERED_MAX: i64 = 5000;
/// Units of one write.
const BATCH: usize = 100;

/// What is known of the clock.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockView {
    /// believed; or doubted, and then nothing is removed for its age.
    pub(crate) state: String,
    /// What it says.
    pub(crate) now: String,
    /// The last time that has certainly come.
    pub(crate) certain: String,
    /// Why it is doubted, and what to do; empty when it is not.
    pub(crate) why: String,
    /// When an operator last said that it is right.
    pub(crate) confirmed: Option<String>,
}

/// The clock as it was found.
pub(super) fn clock_view(looked: &Looked) -> ClockView {
    let why = looked.doubt.map(|doubt| {
        format!(
            "{doubt}; nothing is removed until it is set right, `reprieve retention confirm-clock` says that it is \
                right, or as much time has run"
        )
    });
    ClockView {
        state: if why.is_some() { "doubted" } else { "believed" }.to_owned(),
        now: looked.now.to_string(),
        certain: looked.reached.to_string(),
        why: why.unwrap_or_default(),
        confirmed: looked.confirmed.map(|at| at.to_string()),
    }
}

/// `GET /api/v1/retention/clock`: whether the clock is believed, so that what is over goes.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "retention.clock",
    path = "/api/v1/retention/clock",
    responses((status = 200, body = ClockView), Refusal),
)]
pub async fn clock(State(console): State<Console>, Extension(operator): Extension<Operator>) -> ApiResult<ClockView> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    Ok(Json(clock_view(&console.removal.look(console.store()?).await?)))
}

/// That the clock is right, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmAsk {
    /// Why, for the record; it must be said.
    pub(crate) reason: String,
    /// Who says so, for the record.
    #[serde(default)]
    pub(crate) actor: String,
}

/// `POST /api/v1/retention/confirm-clock`: the clock is right, although it is doubted. What is over goes from now on,
/// little by little.
///
/// # Errors
/// When no reason is given, the clock is not doubted, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "retention.confirm_clock",
    path = "/api/v1/retention/confirm-clock",
    request_body = ConfirmAsk,
    responses((status = 200, body = ClockView), Refusal),
)]
pub async fn confirm_clock(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<ConfirmAsk>,
) -> ApiResult<ClockView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    if ask.reason.trim().is_empty() {
        return Err(ApiError::Bad("say how you know that the clock is right: it goes into the record".into()));
    }
    let store = console.store()?;
    let looked = console.removal.look(store).await?;
    if looked.doubt.is_none() {
        return Err(ApiError::Conflict(format!("the clock is believed: it says {}", looked.now)));
    }
    console.record(operator.actor(&ask.actor), "retention.confirm-clock", &looked.now.to_string(), &ask.reason).await?;
    let confirmed = console.removal.confirm(store).await?;
    console.signals.retention.notify_one();
    Ok(Json(clock_view(&confirmed)))
}

/// What to take back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoverAsk {
    /// What was deleted or expired at this time or later, such as 2026-11-23T08:00:00Z or -2h.
    pub(crate) since: String,
    /// What people deleted as well as what retention expired.
    #[serde(default)]
    pub(crate) deleted: bool,
    /// Why, for the record; it must be said.
    pub(crate) reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
    /// Only say how much it would be.
    #[serde(default)]
    pub(crate) what_if: bool,
}

/// What was taken back.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecoveredView {
    pub(crate) what_if: bool,
    /// Units that are held again, or would be.
    pub(crate) units: u64,
    /// Units that remain to be taken back: ask again.
    pub(crate) remain: u64,
}

/// `POST /api/v1/retention/recover`: takes back into the quarantine what expired (and what was deleted) since a moment,
/// as long as its bytes are there: that is a day. 5,000 units at once; it has its whole time in the quarantine anew.
///
/// # Errors
/// When the moment makes no sense, no reason is given, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "retention.recover",
    path = "/api/v1/retention/recover",
    request_body = RecoverAsk,
    responses((status = 200, body = RecoveredView), Refusal),
)]
pub async fn recover(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<RecoverAsk>,
) -> ApiResult<RecoveredView> {
    operator.may(Permission::Decide)?;
    if !ask.what_if && ask.reason.trim().is_empty() {
        return Err(ApiError::Bad("say why: it goes into the record".into()));
    }
    let since = word::beginning("since", &ask.since, console.clock.now())?;
    let ended = Ended { since, expired: true, deleted: ask.deleted };
    let store = console.store()?;
    let (count, units) = store.recoverable(&ended, &operator.scope, RECOVERED_MAX).await?;
    if ask.what_if {
        return Ok(Json(RecoveredView { what_if: true, units: count, remain: 0 }));
    }
    let actor = operator.actor(&ask.actor);
    let object = format!("{} units that ended since {since}", units.len());
    console.record(actor.clone(), "retention.recover", &object, &ask.reason).await?;
    let mut back = 0;
    for batch in units.chunks(BATCH) {
        back += store.recover(batch.to_vec(), console.clock.now(), &actor, &ask.reason).await?.len() as u64;
    }
    Ok(Json(RecoveredView { what_if: false, units: back, remain: count.saturating_sub(units.len() as u64) }))
}
