//! What somebody who has signed in sees of their own account, and does about it: one-time codes, and their sessions.

use crate::access::Operator;
use crate::attempt;
use crate::error::{ServiceError, ServiceResult};
use crate::session::Session;
use crate::{Service, secret};

/// Letters of the secret of one-time codes.
const CODES_SECRET_LETTERS: usize = 32;

/// One's own account.
#[derive(Debug)]
pub struct Account {
    /// Whether one-time codes are used.
    pub has_codes: bool,
    /// The sessions that are not over, newest first.
    pub sessions: Vec<Session>,
}

/// Whether a one-time code that was typed is one of the secret.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// It is, and what was asked for is done.
    Fits,
    /// It is not; nothing was done.
    Wrong,
}

/// One's own account.
///
/// # Errors
/// When the store fails.
pub async fn show(service: &Service, operator: &Operator) -> ServiceResult<Account> {
    let store = service.store()?;
    let person = store.people.person(&operator.name).await?;
    let has_codes = person.is_some_and(|person| person.totp.is_some());
    let sessions = store.people.sessions_of(&operator.name, service.clock.now()).await?;
    Ok(Account { has_codes, sessions: sessions.into_iter().map(Session::from).collect() })
}

/// A new secret for one-time codes; it is used from when [`use_codes`] was shown a code of it.
pub fn new_codes(service: &Service) -> String {
    secret::new_totp(service.clock.as_ref())
}

/// From now on, codes of this secret are asked for.
///
/// # Errors
/// When the secret is none that [`new_codes`] made, or the store fails.
pub async fn use_codes(service: &Service, operator: &Operator, secret: &str, code: &str) -> ServiceResult<Code> {
    let store = service.store()?;
    if secret.len() != CODES_SECRET_LETTERS {
        return Err(ServiceError::Bad("this secret is none of ours: begin anew".into()));
    }
    if !secret::is_code(secret, code, service.clock.now()) {
        return Ok(Code::Wrong);
    }
    service.record(operator.actor(""), "person.codes", &operator.name, "on").await?;
    store.people.set_totp(&operator.name, Some(secret.to_owned())).await?;
    Ok(Code::Fits)
}

/// From now on, no codes are asked for.
///
/// # Errors
/// When somebody tries too often, or the store fails.
pub async fn stop_codes(service: &Service, operator: &Operator, code: &str) -> ServiceResult<Code> {
    let store = service.store()?;
    attempt::at_own_codes(service, &operator.name)?;
    let known = store.people.person(&operator.name).await?.and_then(|person| person.totp);
    if !known.is_some_and(|secret| secret::is_code(&secret, code, service.clock.now())) {
        return Ok(Code::Wrong);
    }
    service.record(operator.actor(""), "person.codes", &operator.name, "off").await?;
    store.people.set_totp(&operator.name, None).await?;
    Ok(Code::Fits)
}

/// Ends one of one's own sessions, by its id; what is nobody's or somebody else's is left alone.
///
/// # Errors
/// When the store fails.
pub async fn end_session(service: &Service, operator: &Operator, id: &str) -> ServiceResult<()> {
    let store = service.store()?;
    let own = store.people.sessions_of(&operator.name, service.clock.now()).await?;
    if own.iter().any(|known| known.id == id) {
        store.people.end_session(id).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::clock::SystemClock;

    #[test]
    fn a_new_secret_has_as_many_letters_as_are_taken() {
        assert_eq!(secret::new_totp(&SystemClock).len(), CODES_SECRET_LETTERS);
    }
}
