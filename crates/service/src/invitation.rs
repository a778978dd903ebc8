//! What somebody who was invited does: see whom the invitation is for, choose a password, and be signed in.

use domain::Digest;

use crate::attempt::{self, Client};
use crate::error::{ServiceError, ServiceResult};
use crate::secret::{PASSWORD_MAX, PASSWORD_MIN};
use crate::{Service, session};

/// An invitation that holds.
#[derive(Debug)]
pub struct Invitation {
    name: String,
}

/// Why a password cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordFault {
    /// It is too short or too long.
    Length,
    /// It was typed differently the second time.
    Differs,
}

/// The invitation with this secret, if it holds.
///
/// # Errors
/// [`ServiceError::TooMany`] when somebody tries too often; or when the store fails.
pub async fn find(service: &Service, client: &Client, secret: &str) -> ServiceResult<Option<Invitation>> {
    attempt::from(service, client)?;
    holding(service, secret).await
}

/// The name that an invitation is for.
///
/// # Errors
/// When the invitation does not hold, somebody tries too often, or the store fails.
pub async fn name(service: &Service, client: &Client, secret: &str) -> ServiceResult<String> {
    attempt::to_read_an_invitation(service, client)?;
    let found = holding(service, secret).await?;
    found.map(|invitation| invitation.name).ok_or_else(|| ServiceError::NotFound("this invitation".into()))
}

async fn holding(service: &Service, secret: &str) -> ServiceResult<Option<Invitation>> {
    let digest = Digest::of(secret.trim().as_bytes());
    let person = service.store()?.people.person_invited_by(digest, service.clock.now()).await?;
    Ok(person.map(|person| Invitation { name: person.name }))
}

impl Invitation {
    /// The name that it is for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Uses the invitation up: they have this password from now on, and a session whose secret is returned.
    ///
    /// # Errors
    /// When too many passwords wait to be hashed, or the store fails.
    pub async fn accept(self, service: &Service, client: &Client, password: Password) -> ServiceResult<String> {
        let hashed = service.passwords.hashed(password.0).await?;
        service.record(self.name.clone(), "person.accept", &self.name, "").await?;
        service.store()?.people.accept_invitation(&self.name, hashed).await?;
        session::begin(service, &self.name, client, "").await
    }
}

/// A password that somebody has chosen, and typed twice.
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

impl Password {
    /// Takes what was typed, twice.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn typed(password: &str, again: &str) -> Result<Self, PasswordFault> {
        if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&password.chars().count()) {
            return Err(PasswordFault::Length);
        }
        if password != again {
            return Err(PasswordFault::Differs);
        }
        Ok(Self(password.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_enough_and_typed_twice() {
        let fault = |password: &str, again: &str| Password::typed(password, again).err();
        let (short, least) = ("ä".repeat(PASSWORD_MIN - 1), "ä".repeat(PASSWORD_MIN));
        let (most, long) = ("x".repeat(PASSWORD_MAX), "x".repeat(PASSWORD_MAX + 1));
        assert_eq!([fault(&short, &short), fault(&long, &long)], [Some(PasswordFault::Length); 2]);
        assert_eq!([fault(&least, &least), fault(&most, &most)], [None; 2]);
        assert_eq!(fault(&least, &most), Some(PasswordFault::Differs));
        assert_eq!(format!("{:?}", Password::typed(&least, &least)), "Ok(Password(..))");
    }
}
