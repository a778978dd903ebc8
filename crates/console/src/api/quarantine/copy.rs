//! A copy of a held message to somebody of ours who is no recipient of it: who has to look into it. No unit moves by
//! that, and the books know nothing of it; the audit log does.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::Address;
use domain::envelope::MailParams;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use super::read::stored;
use super::release::takes_two_persons;
use crate::access::{Operator, Permission};
use platform::outgoing::Outgoing;
use platform::system_mail;

/// To whom, and why.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyAsk {
    /// An address of a domain of ours.
    pub(crate) to: String,
    /// Why, for the record; it must be said.
    pub(crate) reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CopiedView {
    pub(crate) id: String,
    pub(crate) to: String,
    /// What the mailbox server said.
    pub(crate) reply: String,
}

/// `POST /api/v1/quarantine/{id}/copy`: sends its bytes to somebody else, behind Resent fields (RFC 5322 section
/// 3.6.6). Nothing else happens to it.
///
/// # Errors
/// When it is not known, its bytes are gone, no reason is given, the address is not one of ours, it takes two persons,
/// or the mailbox server does not take it.
#[utoipa::path(
    post,
    operation_id = "quarantine.copy",
    path = "/api/v1/quarantine/{id}/copy",
    params(("id" = String, Path, description = "The id of a held message")),
    request_body = CopyAsk,
    responses((status = 200, body = CopiedView), Refusal),
)]
pub async fn copy(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<CopyAsk>,
) -> ApiResult<CopiedView> {
    operator.may(Permission::Read)?;
    operator.may(Permission::Decide)?;
    if ask.reason.trim().is_empty() {
        return Err(ApiError::Bad("say why somebody else gets it: it goes into the record".into()));
    }
    let to = Address::parse(ask.to.trim()).map_err(|error| ApiError::Bad(format!("'{}': {error}", ask.to)))?;
    let domain = to.domain();
    if !console.config.border.accepts(&domain) || !operator.scope.covers(&domain) {
        return Err(ApiError::Bad(format!("{to} is not of a domain that you may send copies to")));
    }
    let store = console.store()?;
    let (held, bytes) = stored(store, &id, &operator.scope).await?;
    takes_two_persons(&console, [&held])?;
    let actor = operator.actor(&ask.actor);
    console.record(actor.clone(), "quarantine.copy", &id, &format!("to {to}: {}", ask.reason)).await?;
    let came = store.record(held.mail_id).await?.envelope.params;
    let smtputf8 = came.smtputf8 || to.needs_smtputf8();
    let params = MailParams { body: came.body, smtputf8, ..MailParams::default() };
    let fields = resent(&console, &to, &held.mail_id.to_string());
    let emitted = Outgoing::new(&bytes, &console.config.authserv_id, None).emit(&fields);
    let emitted = emitted.map_err(|stray| ApiError::Conflict(format!("it cannot be sent: {stray}")))?;
    let said = system_mail::hand_over(&console.hops, &to, &params, &emitted).await;
    match said {
        Ok(reply) if reply.starts_with('2') => Ok(Json(CopiedView { id, to: to.to_string(), reply })),
        Ok(reply) | Err(reply) => {
            Err(ApiError::Conflict(format!("the mailbox server did not take it for {to}: {reply}")))
        }
    }
}

fn resent(console: &Console, to: &Address, id: &str) -> String {
    let (host, now) = (&console.config.hostname, console.clock.now());
    format!(
        "Resent-From: Mail protection <postmaster@{host}>\r\nResent-To: <{to}>\r\nResent-Date: \
            {}\r\nResent-Message-ID: <{}.copy@{host}>\r\n\
         X-Reprieve-Copy: {id}\r\n",
        now.rfc5322(),
        console.clock.mail_id()
    )
}
