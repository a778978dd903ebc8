//! Known-good content: how much there is, and its keys.

use api_types::known_good::{KnownGoodView, RotateAsk};

use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// How much is known to be good.
///
/// # Errors
/// When the operator may not.
pub async fn status(service: &Service, operator: &Operator) -> ServiceResult<KnownGoodView> {
    operator.may(Permission::Look)?;
    view(service).await
}

async fn view(service: &Service) -> ServiceResult<KnownGoodView> {
    let status = service.store()?.known_good.known_good_status(service.clock.now()).await?;
    let [c1, c2, c3] = status.by_class;
    Ok(KnownGoodView {
        on: service.vault.is_some(),
        contents: status.contents,
        kept: status.kept,
        kept_bytes: status.kept_bytes,
        mails: status.mails,
        mail_bytes: status.mail_bytes,
        c1,
        c2,
        c3,
        by_family: status.by_family,
        since: status.since.map(|at| at.to_string()),
        keys: service.vault.as_ref().map(store::known_good::vault::Vault::key_ids).unwrap_or_default(),
    })
}

/// Makes a new key. What is kept is encrypted anew in the background, then the
/// old key goes.
///
/// # Errors
/// When nothing is kept, the keys are systemd's, or the operator may not.
pub async fn rotate_key(service: &Service, operator: &Operator, ask: RotateAsk) -> ServiceResult<KnownGoodView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    let vault = service.vault.clone().ok_or_else(|| ServiceError::Conflict("known_good is switched off".into()))?;
    if !ask.what_if {
        service.record(operator.actor(&ask.actor), "known_good.rotate_key", "known-good", &ask.reason).await?;
        let key =
            service.ring.add(service.clock.as_ref()).map_err(|error| ServiceError::Conflict(error.to_string()))?;
        vault.add_key(key);
    }
    view(service).await
}
