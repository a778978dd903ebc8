//! What takes two persons, where that is configured: the first one's request waits, and somebody else's same request
//! does it.

use api_types::agreement::WishView;
use domain::Timestamp;
use store::people::agreement::{WAITS, Wish};

use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// What waits for a second person, who asks for the same.
///
/// # Errors
/// When the operator may not.
pub async fn list(service: &Service, operator: &Operator) -> ServiceResult<Vec<WishView>> {
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
    Ok(service.store()?.people.wishes(service.clock.now()).await?.into_iter().map(view).collect())
}

impl Service {
    /// Who else wants an act done, where it takes two persons; none where one is enough.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] when nobody else has asked for it within the hour: it waits, and the log has it.
    pub(super) async fn second_person(
        &self,
        what: &str,
        object: &str,
        actor: &str,
        reason: &str,
        asked: Timestamp,
    ) -> Result<Option<String>, ServiceError> {
        if self.config.api.two_persons_above.is_none() {
            return Ok(None);
        }
        self.record(actor.to_owned(), &format!("{what}.ask"), object, reason).await?;
        let [what, object, actor, reason] = [what, object, actor, reason].map(str::to_owned);
        match self.store()?.people.agree(Wish { what: what.clone(), object, actor, reason, asked }).await? {
            Some(first) => Ok(Some(first.actor)),
            None => Err(ServiceError::Conflict(format!(
                "{what} takes two persons: it waits until somebody else asks for the same, for an hour"
            ))),
        }
    }
}
