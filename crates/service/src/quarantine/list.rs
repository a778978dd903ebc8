//! The list, by filters.

use api_types::quarantine::{HeldView, ListQuery};
use domain::detection::Category;
use domain::held::ReleaseStatus;
use domain::{Account, Direction, Timestamp};
use store::Store;
use store::quarantine::{Filter, SHOWN};

use super::{mail_id, view, word};
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// The word for every state that the quarantine shows.
const ANY: &str = "any";

/// What the store is asked for.
async fn filter(query: ListQuery, store: &Store, now: Timestamp) -> Result<Filter, ServiceError> {
    let direction =
        query.direction.map(|text| word::one_of("direction", &text, &Direction::ALL.map(Direction::as_str)));
    let category = query.category.map(|text| word::one_of("category", &text, &Category::ALL.map(Category::as_str)));
    let detection = match &query.detection {
        Some(code) => Some(word::detection(store, code).await?),
        None => None,
    };
    let time = |what: &str, text: Option<String>| text.map(|text| word::beginning(what, &text, now)).transpose();
    Ok(Filter {
        accounts: accounts(query.state.as_deref(), query.status.as_deref())?,
        direction: direction.transpose()?.and_then(Direction::parse),
        category: category.transpose()?.map(str::to_owned),
        detection: detection.map(|code| code.to_string()),
        sender: query.sender,
        recipient: query.recipient,
        subject: query.subject,
        message_id: query.message_id,
        since: time("since", query.since)?,
        until: time("until", query.until)?,
        after: query.after.map(|text| mail_id(&text)).transpose()?,
        limit: query.limit.unwrap_or_default(),
    })
}

/// The accounts that are asked for: what is held, where nothing is said; none for all that the quarantine shows.
fn accounts(state: Option<&str>, status: Option<&str>) -> Result<Vec<Account>, ServiceError> {
    match (state, status) {
        (Some(_), Some(_)) => Err(ServiceError::Bad("give a state or a status, not both".into())),
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

/// Messages that are held, newest first; with `state` or `status` those that were.
///
/// # Errors
/// When a filter makes no sense, or the store fails.
pub async fn list(service: &Service, operator: &Operator, query: ListQuery) -> ServiceResult<Vec<HeldView>> {
    operator.may(Permission::Look)?;
    let store = service.store()?;
    let filter = filter(query, store, service.clock.now()).await?;
    let held = store.quarantine.held(&filter, &operator.scope).await?;
    Ok(held.iter().map(view).collect())
}
