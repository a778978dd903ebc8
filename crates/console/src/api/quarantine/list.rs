//! The list, by filters.

use axum::extract::{Query, State};
use axum::{Extension, Json};
use domain::detection::Category;
use domain::held::ReleaseStatus;
use domain::{Account, Direction, Timestamp};
use serde::Deserialize;
use store::Store;
use store::quarantine::{Filter, SHOWN};
use utoipa::IntoParams;

use super::error::{ApiError, ApiResult, Refusal};
use super::{Console, HeldView, mail_id, view, word};
use crate::access::{Operator, Permission};

/// The word for every state that the quarantine shows.
const ANY: &str = "any";

/// Filters of the list, as query parameters. Words and addresses are taken in any case; a word that is none is refused.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct ListQuery {
    /// Only with a recipient in one of these states, with commas between them: held (what waits for a decision; without
    /// this and `status`), tentative, releasing, in_doubt, released, failed, denied, deleted, or any.
    pub(crate) state: Option<String>,
    /// The same in Exchange's words: NotReleased, PreparingToRelease, Released, Error, Denied or Gone.
    pub(crate) status: Option<String>,
    /// Inbound, Outbound or Internal.
    pub(crate) direction: Option<String>,
    /// The category of the verdict, such as Malware.
    pub(crate) category: Option<String>,
    /// The code of a detection that found something.
    pub(crate) detection: Option<String>,
    pub(crate) sender: Option<String>,
    pub(crate) recipient: Option<String>,
    /// A text in the subject.
    pub(crate) subject: Option<String>,
    pub(crate) message_id: Option<String>,
    /// Received at or after: a moment, a date, or a time before now such as -24h.
    pub(crate) since: Option<String>,
    /// Received before: the same.
    pub(crate) until: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) limit: Option<u32>,
}

impl ListQuery {
    async fn filter(self, store: &Store, now: Timestamp) -> Result<Filter, ApiError> {
        let direction =
            self.direction.map(|text| word::one_of("direction", &text, &Direction::ALL.map(Direction::as_str)));
        let category = self.category.map(|text| word::one_of("category", &text, &Category::ALL.map(Category::as_str)));
        let detection = match &self.detection {
            Some(code) => Some(word::detection(store, code).await?),
            None => None,
        };
        let time = |what: &str, text: Option<String>| text.map(|text| word::beginning(what, &text, now)).transpose();
        Ok(Filter {
            accounts: accounts(self.state.as_deref(), self.status.as_deref())?,
            direction: direction.transpose()?.and_then(Direction::parse),
            category: category.transpose()?.map(str::to_owned),
            detection: detection.map(|code| code.to_string()),
            sender: self.sender,
            recipient: self.recipient,
            subject: self.subject,
            message_id: self.message_id,
            since: time("since", self.since)?,
            until: time("until", self.until)?,
            after: self.after.map(|text| mail_id(&text)).transpose()?,
            limit: self.limit.unwrap_or_default(),
        })
    }
}

/// The accounts that are asked for: what is held, where nothing is said; none for all that the quarantine shows.
fn accounts(state: Option<&str>, status: Option<&str>) -> Result<Vec<Account>, ApiError> {
    match (state, status) {
        (Some(_), Some(_)) => Err(ApiError::Bad("give a state or a status, not both".into())),
        (None, None) => Ok(vec![Account::Held]),
        (None, Some(status)) => {
            let name = word::one_of("status", status, &ReleaseStatus::ALL.map(ReleaseStatus::as_str))?;
            Ok(ReleaseStatus::parse(name).map(ReleaseStatus::accounts).unwrap_or_default())
        }
        (Some(states), None) => {
            let names: Vec<&str> = SHOWN.iter().map(|account| account.as_str()).chain([ANY]).collect();
            let states = states.split(',').map(|state| word::one_of("state", state, &names));
            let states = states.collect::<Result<Vec<&str>, _>>()?;
            let is_any = states.contains(&ANY);
            Ok(if is_any { Vec::new() } else { states.into_iter().filter_map(Account::parse).collect() })
        }
    }
}

/// `GET /api/v1/quarantine`: messages that are held, newest first; with `state` or `status` those that were.
///
/// # Errors
/// When a filter makes no sense, or the store fails.
#[utoipa::path(
    get,
    operation_id = "quarantine.list",
    path = "/api/v1/quarantine",
    params(ListQuery),
    responses((status = 200, body = [HeldView]), Refusal),
)]
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<ListQuery>,
) -> ApiResult<Vec<HeldView>> {
    operator.may(Permission::Look)?;
    let store = console.store()?;
    let filter = query.filter(store, console.clock.now()).await?;
    let held = store.held(&filter, &operator.scope).await?;
    Ok(Json(held.iter().map(view).collect()))
}
