//! What recipients have asked for, and nobody has decided: a release or a denial of the unit is the answer.

use api_types::quarantine::RequestView;
use store::quarantine::recipient::ReleaseRequest;

use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::ServiceResult;

/// Requests of one answer; the longest waiting come first.
const REQUESTS_MAX: i64 = 500;

fn view(request: ReleaseRequest) -> RequestView {
    RequestView {
        mail_id: request.unit.mail.to_string(),
        recipient: request.recipient,
        asked: request.asked.to_string(),
        reason: request.reason,
        sender: request.sender,
        subject: request.subject,
        category: request.category,
    }
}

/// What recipients ask for and is held still. Release approves, deny denies, for the
/// named recipient.
///
/// # Errors
/// When the operator may not, or the store fails.
pub async fn list(service: &Service, operator: &Operator) -> ServiceResult<Vec<RequestView>> {
    operator.may(Permission::Look)?;
    let requests = service.store()?.recipients.release_requests(&operator.scope, REQUESTS_MAX).await?;
    Ok(requests.into_iter().map(view).collect())
}
