//! People who may sign in to the console.

use std::net::SocketAddr;
use std::time::Duration;

use api_types::person::{DisableAsk, InviteAsk, PersonView, RecoverAsk};
use domain::Digest;
use platform::keys::random_secret;
use platform::recovery::{self, Asked};
use store::Scope;
use store::people::person::{LastAdmin, Person};

use super::word;
use crate::Service;
use crate::access::{Operator, Permission, Role};
use crate::error::{ServiceError, ServiceResult};

/// Characters of a name at most.
pub const NAME_MAX: usize = 100;

/// How long an invitation holds.
const INVITED: Duration = Duration::from_secs(72 * 3600);

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

/// Who may sign in to the console.
///
/// # Errors
/// When the operator may not.
pub async fn list(service: &Service, operator: &Operator) -> ServiceResult<Vec<PersonView>> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    let people = service.store()?.people.people().await?;
    Ok(people.into_iter().map(view).collect())
}

/// Whether nobody may sign in yet, as after the installation. Not asked in anybody's name: who looks at the page where
/// one signs in is told what to do.
pub async fn is_nobody_invited(service: &Service) -> bool {
    match service.store() {
        Ok(store) => store.people.people().await.is_ok_and(|people| people.is_empty()),
        Err(_) => false,
    }
}

/// Whether an act may take away the last administrator: only for who is on this host, and so can always invite another.
fn last_admin(service: &Service, operator: &Operator, may_go: bool) -> Result<LastAdmin, ServiceError> {
    match (may_go, service.config.oidc.is_some()) {
        (true, _) if operator.is_local => Ok(LastAdmin::MayGo),
        (true, _) => {
            Err(ServiceError::Forbidden("last_admin is for the command line on the gateway's own host".into()))
        }
        (false, true) => Ok(LastAdmin::Stays),
        (false, false) => Ok(LastAdmin::StaysByPassword),
    }
}

/// Invites somebody, or somebody anew who has lost their password: what they had is forgotten,
/// and their sessions end.
///
/// # Errors
/// When the role is none, it is the last administrator who can sign in, or the operator may not.
pub async fn invite(service: &Service, operator: &Operator, ask: InviteAsk) -> ServiceResult<PersonView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    let role = Role::parse(word::one_of("role", &ask.role, &Role::ALL.map(Role::as_str))?);
    let role = role.ok_or_else(|| ServiceError::Internal("a role without its name".into()))?;
    let name = ask.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(ServiceError::Bad(format!("give a name of at most {NAME_MAX} characters")));
    }
    let (now, actor) = (service.clock.now(), operator.actor(&ask.actor));
    let invitation = random_secret(service.clock.as_ref());
    let domains = word::domains(&service.config.border, &ask.domains)?;
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
    let last = last_admin(service, operator, ask.last_admin || is_recovery)?;
    service.record(actor, "person.invite", &person.name, role.as_str()).await?;
    service.store()?.people.invite(person.clone(), Digest::of(invitation.as_bytes()), last).await?;
    Ok(PersonView {
        invitation: Some(invitation),
        console: service.config.oidc.as_ref().map(|oidc| oidc.console.clone()),
        console_listens: service.listens_at.get().map(|at| listening(*at, &service.config.hostname)),
        ..view(person)
    })
}

/// Lets in again, from the host itself, an administrator who has lost the password and the second factor: what they had
/// is forgotten, their sessions and tokens end, and the other administrators are called. The link holds for an hour.
///
/// # Errors
/// When the operator is not on the host, no reason is given, or nobody of this name is an administrator.
pub async fn recover(service: &Service, operator: &Operator, name: &str, ask: RecoverAsk) -> ServiceResult<PersonView> {
    operator.may(Permission::Tokens)?;
    if !operator.is_local {
        let why = "`reprieve person recover` is for the command line on the gateway's own host";
        return Err(ServiceError::Forbidden(why.into()));
    }
    let store = service.store()?;
    let asked = Asked { name: name.to_owned(), actor: operator.actor(&ask.actor), reason: ask.reason };
    let let_in = recovery::let_in((&store.audit, &store.people), service.clock.as_ref(), asked).await?;
    service.signals.operators.notify_one();
    let person = store.people.person(name).await?;
    let person = person.ok_or_else(|| ServiceError::NotFound(format!("{name} among those who may sign in")))?;
    Ok(PersonView {
        invitation: Some(let_in.secret),
        console: service.config.oidc.as_ref().map(|oidc| oidc.console.clone()),
        console_listens: service.listens_at.get().map(|at| listening(*at, &service.config.hostname)),
        ..view(person)
    })
}

/// A listener as an address for browsers: one that listens everywhere is reached by the name of this host.
fn listening(at: SocketAddr, hostname: &str) -> String {
    if at.ip().is_unspecified() { format!("http://{hostname}:{}", at.port()) } else { format!("http://{at}") }
}

/// Shuts somebody out; their sessions end now.
///
/// # Errors
/// When there is nobody of this name, it is the last administrator who can sign in, or the operator may not.
pub async fn disable(service: &Service, operator: &Operator, name: &str, ask: DisableAsk) -> ServiceResult<PersonView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    let (store, now) = (service.store()?, service.clock.now());
    let known = store.people.person(name).await?.filter(|person| person.disabled.is_none());
    let person = known.ok_or_else(|| ServiceError::NotFound(format!("nobody named {name} may sign in")))?;
    let last = last_admin(service, operator, ask.last_admin)?;
    service.record(operator.actor(&ask.actor), "person.disable", name, &ask.reason).await?;
    store.people.disable_person(name, now, last).await?;
    Ok(view(Person { disabled: Some(now), ..person }))
}
