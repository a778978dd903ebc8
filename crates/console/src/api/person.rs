//! People who may sign in to the console, over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::Digest;
use serde::{Deserialize, Serialize};
use store::Scope;
use store::person::{LastAdmin, Person};
use utoipa::ToSchema;

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use super::word;
use crate::access::{Operator, Permission, Role};
use crate::secret;

/// Characters of a name at most.
const NAME_MAX: usize = 100;
/// How long an invitation holds.
const INVITED: Duration = Duration::from_secs(72 * 3600);

/// Somebody who may sign in.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonView {
    pub(crate) name: String,
    pub(crate) role: String,
    /// Only units of these domains; all without.
    pub(crate) domains: Vec<String>,
    /// Whether they have chosen a password, and whether they use one-time codes.
    pub(crate) has_password: bool,
    pub(crate) has_totp: bool,
    pub(crate) invited_until: Option<String>,
    pub(crate) made: String,
    pub(crate) made_by: String,
    pub(crate) disabled: Option<String>,
    /// The secret of the invitation, once, when it was made: the page `/welcome#SECRET` of the console takes it.
    pub(crate) invitation: Option<String>,
    /// Where the console is, as the configuration has it for browsers (`console` of `[oidc]`); none where it has
    /// nothing.
    pub(crate) console: Option<String>,
    /// Where the console listens.
    pub(crate) console_listens: Option<String>,
}

/// What is known of somebody, without an invitation.
fn view(person: Person) -> PersonView {
    let domains = match person.scope {
        Scope::All | Scope::Recipient(_) => Vec::new(),
        Scope::Domains(domains) => domains.into_iter().map(String::from).collect(),
    };
    PersonView {
        name: person.name,
        role: person.role,
        domains,
        has_password: person.password.is_some(),
        has_totp: person.totp.is_some(),
        invited_until: person.invited_until.map(|at| at.to_string()),
        made: person.made.to_string(),
        made_by: person.made_by,
        disabled: person.disabled.map(|at| at.to_string()),
        invitation: None,
        console: None,
        console_listens: None,
    }
}

/// `GET /api/v1/people`: who may sign in to the console.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "person.list",
    path = "/api/v1/people",
    responses((status = 200, body = [PersonView]), Refusal),
)]
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<PersonView>> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    let people = console.store()?.people().await?;
    Ok(Json(people.into_iter().map(view).collect()))
}

/// Whom to invite.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteAsk {
    /// The name: what they type, and the actor in the audit log.
    pub(crate) name: String,
    /// admin, analyst or auditor.
    pub(crate) role: String,
    /// Only units of these domains; all without.
    #[serde(default)]
    pub(crate) domains: Vec<String>,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
    /// Over the unix socket alone: invites anew even the last administrator who can sign in.
    #[serde(default)]
    pub(crate) last_admin: bool,
}

/// Whether an act may take away the last administrator: only for who is on this host, and so can always invite another.
fn last_admin(console: &Console, operator: &Operator, may_go: bool) -> Result<LastAdmin, ApiError> {
    match (may_go, console.config.oidc.is_some()) {
        (true, _) if operator.is_local => Ok(LastAdmin::MayGo),
        (true, _) => Err(ApiError::Forbidden("last_admin is for the command line on the gateway's own host".into())),
        (false, true) => Ok(LastAdmin::Stays),
        (false, false) => Ok(LastAdmin::StaysByPassword),
    }
}

/// `POST /api/v1/people`: invites somebody, or somebody anew who has lost their password: what they had is forgotten,
/// and their sessions end.
///
/// # Errors
/// When the role is none, it is the last administrator who can sign in, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "person.invite",
    path = "/api/v1/people",
    request_body = InviteAsk,
    responses((status = 200, body = PersonView), Refusal),
)]
pub async fn invite(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<InviteAsk>,
) -> ApiResult<PersonView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    let role = Role::parse(word::one_of("role", &ask.role, &Role::ALL.map(Role::as_str))?);
    let role = role.ok_or_else(|| ApiError::Internal("a role without its name".into()))?;
    let name = ask.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(ApiError::Bad(format!("give a name of at most {NAME_MAX} characters")));
    }
    let (now, actor) = (console.clock.now(), operator.actor(&ask.actor));
    let invitation = secret::new(console.clock.as_ref());
    let domains = word::domains(&console.config.border, &ask.domains)?;
    let person = Person {
        name,
        role: role.as_str().to_owned(),
        scope: if domains.is_empty() { Scope::All } else { Scope::Domains(domains) },
        password: None,
        totp: None,
        invited_until: Some(now.after(INVITED)),
        made: now,
        made_by: actor.clone(),
        disabled: None,
    };
    // An administrator who has lost the password is invited anew from the host itself.
    let is_recovery = operator.is_local && role == Role::Admin && person.scope == Scope::All;
    let last = last_admin(&console, &operator, ask.last_admin || is_recovery)?;
    console.record(actor, "person.invite", &person.name, role.as_str()).await?;
    console.store()?.invite(person.clone(), Digest::of(invitation.as_bytes()), last).await?;
    Ok(Json(PersonView {
        invitation: Some(invitation),
        console: console.config.oidc.as_ref().map(|oidc| oidc.console.clone()),
        console_listens: console.listens_at.get().map(|at| listening(*at, &console.config.hostname)),
        ..view(person)
    }))
}

/// A listener as an address for browsers: one that listens everywhere is reached by the name of this host.
fn listening(at: SocketAddr, hostname: &str) -> String {
    if at.ip().is_unspecified() { format!("http://{hostname}:{}", at.port()) } else { format!("http://{at}") }
}

/// Why somebody is shut out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DisableAsk {
    /// Why, for the record.
    pub(crate) reason: String,
    /// Who asks, for the record.
    pub(crate) actor: String,
    /// Over the unix socket alone: shuts out even the last administrator who can sign in.
    pub(crate) last_admin: bool,
}

/// `POST /api/v1/people/{name}/disable`: shuts somebody out; their sessions end now.
///
/// # Errors
/// When there is nobody of this name, it is the last administrator who can sign in, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "person.disable",
    path = "/api/v1/people/{name}/disable",
    params(("name" = String, Path, description = "The name of somebody who may sign in")),
    request_body = DisableAsk,
    responses((status = 200, body = PersonView), Refusal),
)]
pub async fn disable(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(name): Path<String>,
    Json(ask): Json<DisableAsk>,
) -> ApiResult<PersonView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    let (store, now) = (console.store()?, console.clock.now());
    let known = store.person(&name).await?.filter(|person| person.disabled.is_none());
    let person = known.ok_or_else(|| ApiError::NotFound(format!("nobody named {name} may sign in")))?;
    let last = last_admin(&console, &operator, ask.last_admin)?;
    console.record(operator.actor(&ask.actor), "person.disable", &name, &ask.reason).await?;
    store.disable_person(&name, now, last).await?;
    Ok(Json(view(Person { disabled: Some(now), ..person })))
}
