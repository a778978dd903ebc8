//! Closing the portal to what lets a recipient in now: a link that was forwarded, a session on a machine that is
//! somebody else's.

use api_types::quarantine::{CloseAsk, ClosedView};
use domain::Address;

use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// The links and sessions that a recipient has now no longer open the portal. They can ask
/// for a new link.
///
/// # Errors
/// When no reason is given, or the address is of no domain of the operator's.
pub async fn close(service: &Service, operator: &Operator, ask: CloseAsk) -> ServiceResult<ClosedView> {
    operator.may(Permission::Decide)?;
    if ask.reason.trim().is_empty() {
        return Err(ServiceError::Bad("say why: it goes into the record".into()));
    }
    let address = Address::parse(ask.address.trim());
    let address = address.map_err(|error| ServiceError::Bad(format!("'{}': {error}", ask.address)))?;
    let domain = address.domain();
    if !service.config.border.accepts(&domain) || !operator.scope.covers(&domain) {
        return Err(ServiceError::Bad(format!("{address} is not of a domain of yours")));
    }
    let (address, at) = (address.normal(), service.clock.now());
    service.record(operator.actor(&ask.actor), "portal.close", &address, &ask.reason).await?;
    service.store()?.recipients.close_portal(&address, at).await?;
    Ok(ClosedView { address, closed: at.to_string() })
}
