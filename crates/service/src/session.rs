//! Sessions in the console: begun by a name with its password and one-time code, or by an account elsewhere that
//! vouches for a name; over when they are ended, when their time is, or when nobody uses them. A session is a random
//! secret, of which the digest is kept.

use std::fmt;
use std::time::Duration;

use domain::{Digest, Timestamp};
use platform::keys::random_secret;
use store::people::person::{self as kept, Person};

use crate::access::{Operator, Role};
use crate::attempt::{self, Client};
use crate::error::{ServiceError, ServiceResult};
use crate::person::NAME_MAX;
use crate::{Service, secret};

/// How long a session lasts, used or not.
pub const LASTS: Duration = Duration::from_secs(12 * 3600);
/// How long an unused one lasts.
const IDLE: Duration = Duration::from_secs(2 * 3600);
/// How exactly it is known when a session was last used.
const SEEN_EVERY: Duration = Duration::from_secs(60);
/// Bytes of a name that somebody signs in with at most.
const NAME_BYTES_MAX: usize = 400;
/// Bytes of a one-time code with its blanks at most.
const CODE_BYTES_MAX: usize = 32;

/// A session of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The digest of its secret: its id for lists.
    pub id: String,
    /// When it began.
    pub began: Timestamp,
    /// When it was last used, to the minute.
    pub seen: Timestamp,
    /// From where, and with what program.
    pub client: String,
}

impl From<kept::Session> for Session {
    fn from(session: kept::Session) -> Self {
        let kept::Session { id, began, seen, client, .. } = session;
        Self { id, began, seen, client }
    }
}

/// What somebody shows to sign in.
#[derive(Clone, Copy)]
pub struct Credentials<'c> {
    /// The name.
    pub name: &'c str,
    /// The password.
    pub password: &'c str,
    /// The one-time code; empty without one.
    pub code: &'c str,
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What was typed as a name is now and then a password.
        f.write_str("Credentials(..)")
    }
}

/// How signing in by a password ended.
#[derive(Debug)]
pub enum SignedIn {
    /// A session began: its secret.
    Begun(String),
    /// Name, password and code do not belong together; which of them is wrong is told nobody.
    Refused,
    /// There were too many attempts; the next one is possible in so many seconds.
    TooOften(u64),
}

/// Signs somebody in by name, password and one-time code.
///
/// # Errors
/// When the name or the code is longer than any is, too many passwords wait to be checked, or the store fails.
pub async fn by_password(service: &Service, client: &Client, shown: Credentials<'_>) -> ServiceResult<SignedIn> {
    if let Some(seconds) = wait(attempt::from(service, client))? {
        return Ok(SignedIn::TooOften(seconds));
    }
    if shown.name.len() > NAME_BYTES_MAX || shown.code.len() > CODE_BYTES_MAX {
        return Err(ServiceError::Bad("no name and no code is that long".into()));
    }
    if let Some(seconds) = wait(attempt::by_name(service, shown.name))? {
        return Ok(SignedIn::TooOften(seconds));
    }
    if !belong_together(service, shown).await? {
        refuse(service, shown.name).await?;
        return Ok(SignedIn::Refused);
    }
    Ok(SignedIn::Begun(begin(service, shown.name, client, "").await?))
}

/// The seconds to wait after an attempt too many.
fn wait(attempt: ServiceResult<()>) -> ServiceResult<Option<u64>> {
    match attempt {
        Ok(()) => Ok(None),
        Err(ServiceError::TooMany(seconds)) => Ok(Some(seconds)),
        Err(other) => Err(other),
    }
}

/// Whether what somebody shows is all of one person who may sign in. Who is not known costs as much work.
async fn belong_together(service: &Service, shown: Credentials<'_>) -> ServiceResult<bool> {
    let person = may_sign_in(service, shown.name).await?;
    let known = person.as_ref().and_then(|person| person.password.clone());
    let is_password = service.passwords.checked(shown.password, known).await?;
    let codes = person.and_then(|person| person.totp);
    Ok(is_password && codes.is_none_or(|codes| secret::is_code(&codes, shown.code, service.clock.now())))
}

/// Begins a session of somebody for whom an issuer vouches; returns its secret.
///
/// # Errors
/// [`ServiceError::Forbidden`] when nobody of this name may sign in; or when the store fails.
pub async fn by_issuer(service: &Service, client: &Client, name: &str, issuer: &str) -> ServiceResult<String> {
    if may_sign_in(service, name).await?.is_none() {
        refuse(service, name).await?;
        return Err(ServiceError::Forbidden("you are known there, and nobody of that name may sign in here".into()));
    }
    begin(service, name, client, issuer).await
}

/// Who has this name, unless they are shut out.
async fn may_sign_in(service: &Service, name: &str) -> ServiceResult<Option<Person>> {
    Ok(service.store()?.people.person(name).await?.filter(|person| person.disabled.is_none()))
}

/// Writes down that somebody could not sign in. What was typed as a name is private: now and then it is a password.
async fn refuse(service: &Service, name: &str) -> ServiceResult<()> {
    let typed: String = name.chars().take(NAME_MAX).collect();
    service.record("nobody".into(), "sign_in.refused", "console", &typed).await
}

/// Begins a session; returns its secret. `by` is who vouches for them, if not we.
pub(crate) async fn begin(service: &Service, name: &str, client: &Client, by: &str) -> ServiceResult<String> {
    let (secret, now) = (random_secret(service.clock.as_ref()), service.clock.now());
    service.record(name.to_owned(), "sign_in", "console", by).await?;
    let store = service.store()?;
    store.people.sweep_sessions(now).await?;
    store.people.begin_session(new(&secret, name, client, now)).await?;
    Ok(secret)
}

/// A session that begins now, as it is kept.
fn new(secret: &str, person: &str, client: &Client, now: Timestamp) -> kept::Session {
    kept::Session {
        id: Digest::of(secret.as_bytes()).hex(),
        person: person.to_owned(),
        began: now,
        seen: now,
        until: now.after(LASTS),
        client: client.description(),
    }
}

/// What the time since a session was last used means for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// It was used a moment ago.
    Fresh,
    /// That it is used now is worth writing down.
    Seen,
    /// Nobody used it for too long: it is over.
    Over,
}

impl Use {
    fn after(unused: Duration) -> Self {
        match unused {
            unused if unused >= IDLE => Self::Over,
            unused if unused >= SEEN_EVERY => Self::Seen,
            _ => Self::Fresh,
        }
    }
}

/// The session of a secret, and who acts in it; none when it is over, or its role is not known to this program.
///
/// # Errors
/// When the session asks too often, or the store fails.
pub async fn find(service: &Service, secret: &str) -> ServiceResult<Option<(Session, Operator)>> {
    let (store, now) = (service.store()?, service.clock.now());
    let Some((session, person)) = store.people.session(Digest::of(secret.as_bytes()), now).await? else {
        return Ok(None);
    };
    match Use::after(now.since(session.seen)) {
        Use::Over => {
            store.people.end_session(&session.id).await?;
            return Ok(None);
        }
        Use::Seen => store.people.record_session_use(&session.id, now).await?,
        Use::Fresh => {}
    }
    service.rates.take_one(&session.id, now)?;
    Ok(operator(person).map(|operator| (session.into(), operator)))
}

/// Who acts: none when the role is not known to this program.
fn operator(person: Person) -> Option<Operator> {
    let role = Role::parse(&person.role)?;
    Some(Operator { name: person.name, role, scope: person.scope, is_local: false })
}

/// Ends the session that somebody is in.
///
/// # Errors
/// When the store fails.
pub async fn end(service: &Service, session: &Session) -> ServiceResult<()> {
    Ok(service.store()?.people.end_session(&session.id).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::Scope;

    #[test]
    fn a_session_is_over_when_nobody_uses_it() {
        let after = |seconds| Use::after(Duration::from_secs(seconds));
        assert_eq!([after(0), after(59)], [Use::Fresh; 2]);
        assert_eq!([after(60), after(2 * 3600 - 1)], [Use::Seen; 2]);
        assert_eq!(after(2 * 3600), Use::Over);
    }

    #[test]
    fn what_is_kept_of_a_session_is_not_its_secret() {
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let address = "192.0.2.1".parse().expect("an address");
        let client = Client { address, counted: address, program: Some("curl".into()) };
        let session = new("secret", "anna", &client, now);
        assert_eq!(session.id, Digest::of(b"secret").hex());
        assert_eq!((session.until.since(now), session.client.as_str()), (LASTS, "192.0.2.1 with curl"));
    }

    #[test]
    fn nobody_acts_in_a_role_that_is_not_known() {
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let person = |role: &str| Person {
            name: "anna".into(),
            role: role.into(),
            scope: Scope::All,
            password: None,
            totp: None,
            invited_until: None,
            made: now,
            made_by: "local administrator".into(),
            disabled: None,
        };
        let found = operator(person("analyst")).expect("a role");
        assert_eq!((found.name.as_str(), found.role, found.is_local), ("anna", Role::Analyst, false));
        assert!(operator(person("emperor")).is_none());
    }

    #[test]
    fn no_log_line_tells_a_password() {
        let shown = Credentials { name: "anna", password: "correct horse battery", code: "" };
        assert_eq!(format!("{shown:?}"), "Credentials(..)");
    }
}
