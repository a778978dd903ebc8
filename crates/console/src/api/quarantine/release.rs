//! Release: a row for each unit, found by the reconciler. Asking twice is asking once.

use std::collections::HashMap;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::detection::Category;
use domain::ledger::Move;
use domain::release::ReleaseState;
use domain::{MailId, UnitId};
use serde::Deserialize;
use store::quarantine::{HeldMessage, HeldUnit};
use store::release::Requested;
use utoipa::ToSchema;

use super::error::{ApiError, ApiResult, Refusal};
use super::{Console, ReleasedUnit, ReleasedView, chosen, some};
use crate::access::{Operator, Permission};

/// Messages of one request at most.
const IDS_MAX: usize = 500;

/// What to release.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseAsk {
    /// Only these recipients; all without.
    pub(crate) recipients: Vec<String>,
    /// Why, for the record. What was held as Malware or HighConfidencePhish is not released without.
    pub(crate) reason: String,
    /// Who asks, for the record.
    pub(crate) actor: String,
    /// Only say what would be done.
    pub(crate) what_if: bool,
    /// Releases what was refused: the sender was told that it failed, and knows of no delivery.
    pub(crate) confirm_refused: bool,
}

/// `POST /api/v1/quarantine/{id}/release`: asks for the release of some or all recipients. Asking twice is asking once.
///
/// # Errors
/// When it is not known, a recipient is not among its own, a reason is missing for what is harmful, or the store fails.
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
    let ids = vec![id];
    let released = release_all(&console, &operator, ids, ask).await?;
    let one = released.into_iter().next();
    one.map(Json).ok_or_else(|| ApiError::Internal("a release without an answer".into()))
}

/// What to release at once: [`ReleaseAsk`] with ids. (Its fields stand here again, because a flattened struct cannot
/// deny fields that it does not know, and a misspelt `recipients` must not release a mail to everybody.)
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseManyAsk {
    /// Held messages, 500 at most.
    pub(crate) ids: Vec<String>,
    /// Only these recipients; all without.
    pub(crate) recipients: Vec<String>,
    /// Why, for the record. What was held as Malware or HighConfidencePhish is not released without.
    pub(crate) reason: String,
    /// Who asks, for the record.
    pub(crate) actor: String,
    /// Only say what would be done.
    pub(crate) what_if: bool,
    /// As in the release of one.
    pub(crate) confirm_refused: bool,
}

/// `POST /api/v1/quarantine/release`: asks for the release of many messages. One that is not known lets nothing be
/// done.
///
/// # Errors
/// When one is not known, a recipient is not among its own, or the store fails.
#[utoipa::path(
    post,
    operation_id = "quarantine.release_many",
    path = "/api/v1/quarantine/release",
    request_body = ReleaseManyAsk,
    responses((status = 200, body = [ReleasedView]), Refusal),
)]
pub async fn release_many(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(many): Json<ReleaseManyAsk>,
) -> ApiResult<Vec<ReleasedView>> {
    if many.ids.is_empty() || many.ids.len() > IDS_MAX {
        return Err(ApiError::Bad(format!("give 1 to {IDS_MAX} ids at once, not {}", many.ids.len())));
    }
    let ReleaseManyAsk { ids, recipients, reason, actor, what_if, confirm_refused } = many;
    let ask = ReleaseAsk { recipients, reason, actor, what_if, confirm_refused };
    release_all(&console, &operator, ids, ask).await.map(Json)
}

async fn release_all(
    console: &Console,
    operator: &Operator,
    ids: Vec<String>,
    ask: ReleaseAsk,
) -> Result<Vec<ReleasedView>, ApiError> {
    operator.may(Permission::Decide)?;
    let store = console.store()?;
    let held = some(store, &ids, &operator.scope).await?;
    if !ask.what_if {
        takes_two_persons(console, &held)?;
        takes_a_reason(&held, &ask.reason)?;
    }
    let actor = operator.actor(&ask.actor);
    let mut wanted = Vec::new();
    for message in &held {
        for unit in chosen(message, &ask.recipients)? {
            wanted.push((message.mail_id, unit));
        }
    }
    let is_refused = |unit: &HeldUnit| unit.account == domain::Account::Refused && !ask.confirm_refused;
    let mut requested = HashMap::new();
    if !ask.what_if {
        let objects = held.iter().map(|message| message.mail_id.to_string());
        console.record_all(&actor, "quarantine.release", objects, &ask.reason).await?;
        let units: Vec<UnitId> = wanted
            .iter()
            .filter(|(_, unit)| !is_refused(unit))
            .map(|(mail, unit)| UnitId { mail: *mail, number: unit.number })
            .collect();
        let answers = store.request_releases(&units, &actor, &ask.reason, console.clock.now()).await?;
        requested.extend(units.into_iter().zip(answers));
        console.signals.release.notify_one();
    }
    let mut views: Vec<ReleasedView> = Vec::new();
    for message in &held {
        let unit_view =
            |(mail, unit): &(MailId, &HeldUnit)| match requested.get(&UnitId { mail: *mail, number: unit.number }) {
                Some(answer) => answered(unit, answer),
                None => as_it_is(unit, is_refused(unit)),
            };
        let units = wanted.iter().filter(|(mail, _)| *mail == message.mail_id).map(unit_view).collect();
        views.push(ReleasedView { id: message.mail_id.to_string(), what_if: ask.what_if, units });
    }
    Ok(views)
}

/// Whether mail of this category harms whoever opens it: nobody releases it by a slip.
pub fn is_harmful(category: &str) -> bool {
    [Category::Malware, Category::HighConfidencePhish].map(Category::as_str).contains(&category)
}

/// What is harmful is released for a reason that is said.
fn takes_a_reason(held: &[HeldMessage], reason: &str) -> Result<(), ApiError> {
    match held.iter().find(|one| is_harmful(&one.category)) {
        Some(one) if reason.trim().is_empty() => {
            Err(ApiError::Bad(format!("{} was held as {}: give a reason for its release", one.mail_id, one.category)))
        }
        _ => Ok(()),
    }
}

/// Where that is configured, what is harmful reaches nobody by the word of one person.
pub(super) fn takes_two_persons<'h>(
    console: &Console,
    held: impl IntoIterator<Item = &'h HeldMessage>,
) -> Result<(), ApiError> {
    let found = held.into_iter().find(|one| is_harmful(&one.category));
    let Some(one) = found.filter(|_| console.config.api.two_persons_above.is_some()) else { return Ok(()) };
    let how = format!(
        "ask for its release as a job (POST /api/v1/bulk with q = \"id:{}\", or /bulk), to which somebody else agrees",
        one.mail_id
    );
    Err(ApiError::Conflict(format!("{} takes two persons: {how}", one.category)))
}

fn as_it_is(unit: &HeldUnit, refused: bool) -> ReleasedUnit {
    let can = unit.account.on(Move::ReleaseRequested).is_ok();
    let reply = match (refused, can) {
        (true, _) => "the sender was told that it failed; confirm_refused releases it all the same",
        (false, true) => "would be released",
        (false, false) => "would stay as it is: it cannot be released from here",
    };
    ReleasedUnit {
        recipient: unit.recipient.clone(),
        state: unit.account.as_str().into(),
        release_id: None,
        reply: reply.into(),
    }
}

fn answered(unit: &HeldUnit, answer: &Requested) -> ReleasedUnit {
    let (state, release_id, reply) = match answer {
        Requested::Queued(release) => ("releasing".to_owned(), Some(release), String::new()),
        Requested::Already(release, ReleaseState::Released) => {
            ("released".to_owned(), Some(release), unit.reply.clone())
        }
        Requested::Already(release, _) => (unit.account.as_str().to_owned(), Some(release), unit.reply.clone()),
        Requested::Impossible(account) => {
            (account.as_str().to_owned(), None, "cannot be released from here".to_owned())
        }
    };
    let (recipient, release_id) = (unit.recipient.clone(), release_id.map(ToString::to_string));
    ReleasedUnit { recipient, state, release_id, reply }
}
