//! Queries of the explorer that people keep by a name.

use api_types::saved::{SaveAsk, SavedView};
use store::explorer::saved::SavedQuery;

use super::explore::read;
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// Characters of a name.
const NAME_MAX: usize = 80;

fn view(saved: SavedQuery) -> SavedView {
    let SavedQuery { name, query, by, made, is_tracked } = saved;
    SavedView { name, q: query, by, made: made.to_string(), tracked: is_tracked }
}

/// All of them, by name. They are everybody's; what they find is what each may see.
///
/// # Errors
/// When the operator may not.
pub async fn list(service: &Service, operator: &Operator) -> ServiceResult<Vec<SavedView>> {
    operator.may(Permission::Look)?;
    Ok(service.store()?.explorer.saved_queries().await?.into_iter().map(view).collect())
}

/// Keeps a query.
///
/// # Errors
/// When the query cannot be read, the name is none, or the operator may not.
pub async fn save(service: &Service, operator: &Operator, ask: SaveAsk) -> ServiceResult<SavedView> {
    operator.may(Permission::Decide)?;
    let (name, now) = (ask.name.trim().to_owned(), service.clock.now());
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(ServiceError::Bad(format!("a name has 1 to {NAME_MAX} characters")));
    }
    read(&ask.q, now)?;
    let saved = SavedQuery {
        name,
        query: ask.q.trim().to_owned(),
        by: operator.name.clone(),
        made: now,
        is_tracked: ask.tracked,
    };
    service.record(operator.name.clone(), "query.save", &saved.name, &saved.query).await?;
    service.store()?.explorer.save_query(saved.clone()).await?;
    Ok(view(saved))
}

/// Keeps it no longer.
///
/// # Errors
/// When there is none of this name, or the operator may not.
pub async fn forget(service: &Service, operator: &Operator, name: &str) -> ServiceResult<Vec<SavedView>> {
    operator.may(Permission::Decide)?;
    service.record(operator.name.clone(), "query.forget", name, "").await?;
    service.store()?.explorer.forget_query(name).await?;
    list(service, operator).await
}
