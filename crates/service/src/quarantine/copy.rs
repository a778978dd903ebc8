//! A copy of a held message to somebody of ours who is no recipient of it: who has to look into it. No unit moves by
//! that, and the ledger knows nothing of it; the audit log does.

use api_types::quarantine::{CopiedView, CopyAsk};
use domain::Address;
use domain::envelope::MailParams;
use platform::outgoing::Outgoing;
use platform::system_mail;

use super::read::stored;
use super::release::takes_two_persons;
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// Sends its bytes to somebody else, behind Resent fields (RFC 5322 section
/// 3.6.6). Nothing else happens to it.
///
/// # Errors
/// When it is not known, its bytes are gone, no reason is given, the address is not one of ours, it takes two persons,
/// or the mailbox server does not take it.
pub async fn copy(service: &Service, operator: &Operator, id: &str, ask: CopyAsk) -> ServiceResult<CopiedView> {
    operator.may(Permission::Read)?;
    operator.may(Permission::Decide)?;
    if ask.reason.trim().is_empty() {
        return Err(ServiceError::Bad("say why somebody else gets it: it goes into the record".into()));
    }
    let to = Address::parse(ask.to.trim()).map_err(|error| ServiceError::Bad(format!("'{}': {error}", ask.to)))?;
    let domain = to.domain();
    if !service.config.border.accepts(&domain) || !operator.scope.covers(&domain) {
        return Err(ServiceError::Bad(format!("{to} is not of a domain that you may send copies to")));
    }
    let store = service.store()?;
    let (held, bytes) = stored(store, id, &operator.scope).await?;
    takes_two_persons(service, [&held])?;
    let actor = operator.actor(&ask.actor);
    service.record(actor.clone(), "quarantine.copy", id, &format!("to {to}: {}", ask.reason)).await?;
    let came = store.mail.record(held.mail_id).await?.envelope.params;
    let smtputf8 = came.smtputf8 || to.needs_smtputf8();
    let params = MailParams { body: came.body, smtputf8, ..MailParams::default() };
    let fields = resent(service, &to, &held.mail_id.to_string());
    let emitted = Outgoing::new(&bytes, &service.config.authserv_id, None).emit(&fields);
    let emitted = emitted.map_err(|stray| ServiceError::Conflict(format!("it cannot be sent: {stray}")))?;
    let said = system_mail::hand_over(&service.hops, &to, &params, &emitted).await;
    match said {
        Ok(reply) if reply.starts_with('2') => Ok(CopiedView { id: id.to_owned(), to: to.to_string(), reply }),
        Ok(reply) | Err(reply) => {
            Err(ServiceError::Conflict(format!("the mailbox server did not take it for {to}: {reply}")))
        }
    }
}

fn resent(service: &Service, to: &Address, id: &str) -> String {
    let (host, now) = (&service.config.hostname, service.clock.now());
    format!(
        "Resent-From: Mail protection <postmaster@{host}>\r\nResent-To: <{to}>\r\nResent-Date: \
            {}\r\nResent-Message-ID: <{}.copy@{host}>\r\n\
         X-Reprieve-Copy: {id}\r\n",
        now.rfc5322(),
        service.clock.mail_id()
    )
}
