//! What takes two persons, where that is configured: the first one's request waits, and somebody else's same request
//! does it.

use axum::extract::State;
use axum::{Extension, Json};
use domain::Timestamp;
use serde::Serialize;
use store::agreement::{WAITS, Wish};
use utoipa::ToSchema;

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use crate::access::{Operator, Permission};

/// What somebody wants done, and waits for a second person.
#[derive(Debug, Serialize, ToSchema)]
pub struct WishView {
    /// The act, as the audit log names it.
    pub(crate) what: String,
    pub(crate) object: String,
    /// Who wants it, and why.
    pub(crate) actor: String,
    pub(crate) reason: String,
    pub(crate) asked: String,
    /// Then nobody has agreed, and it is asked anew.
    pub(crate) until: String,
}

/// `GET /api/v1/agreements`: what waits for a second person, who asks for the same.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "agreement.list",
    path = "/api/v1/agreements",
    responses((status = 200, body = [WishView]), Refusal),
)]
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<WishView>> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let view = |wish: Wish| WishView {
        what: wish.what,
        object: wish.object,
        actor: wish.actor,
        reason: wish.reason,
        asked: wish.asked.to_string(),
        until: wish.asked.after(WAITS).to_string(),
    };
    Ok(Json(console.store()?.wishes(console.clock.now()).await?.into_iter().map(view).collect()))
}

impl Console {
    /// Who else wants an act done, where it takes two persons; none where one is enough.
    ///
    /// # Errors
    /// [`ApiError::Conflict`] when nobody else has asked for it within the hour: it waits, and the log has it.
    pub(super) async fn second_person(
        &self,
        what: &str,
        object: &str,
        actor: &str,
        reason: &str,
        asked: Timestamp,
    ) -> Result<Option<String>, ApiError> {
        if self.config.api.two_persons_above.is_none() {
            return Ok(None);
        }
        self.record(actor.to_owned(), &format!("{what}.ask"), object, reason).await?;
        let [what, object, actor, reason] = [what, object, actor, reason].map(str::to_owned);
        match self.store()?.agree(Wish { what: what.clone(), object, actor, reason, asked }).await? {
            Some(first) => Ok(Some(first.actor)),
            None => Err(ApiError::Conflict(format!(
                "{what} takes two persons: it waits until somebody else asks for the same, for an hour"
            ))),
        }
    }
}
