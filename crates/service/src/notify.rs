//! A test of the ways by which people are told.

use api_types::notify::{NotifyAsk, TriedView};
use domain::Address;
use platform::notice_test::{self, Tried};

use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// Whose tests are counted together: whoever asks, the other sides are the same.
const BUCKET: &str = "notice test";

fn view(tried: Tried) -> TriedView {
    let Tried { whom, to, is_taken, by, answer, took } = tried;
    TriedView { whom: whom.to_owned(), to, is_taken, by, answer, took_ms: took.as_secs_f64() * 1000.0 }
}

/// Sends a test notice, marked as one, through every way that the configuration names, and to a recipient if one is
/// given; says what each other side answered. Nothing else is changed by it.
///
/// # Errors
/// When the recipient is none of ours, it is asked for too often, or the operator may not.
pub async fn test(service: &Service, operator: &Operator, ask: NotifyAsk) -> ServiceResult<Vec<TriedView>> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    let given = ask.recipient.as_deref().map(str::trim).filter(|given| !given.is_empty());
    let recipient = given.map(|given| own(service, given)).transpose()?;
    let now = service.clock.now();
    service.notice_tests.take_one(BUCKET, now)?;
    let whom = recipient.as_ref().map_or("", Address::as_str);
    service.record(operator.actor(&ask.actor), "notify.test", whom, "").await?;
    Ok(notice_test::try_all(&service.config, &service.hops, recipient, now).await.into_iter().map(view).collect())
}

/// An address of ours: mail of ours goes to nobody else.
fn own(service: &Service, given: &str) -> Result<Address, ServiceError> {
    let address = Address::parse(given).map_err(|error| ServiceError::Bad(format!("recipient '{given}': {error}")))?;
    match service.config.border.accepts(&address.domain()) {
        true => Ok(address),
        false => Err(ServiceError::Bad(format!("'{given}' is none of accepted_domains"))),
    }
}
