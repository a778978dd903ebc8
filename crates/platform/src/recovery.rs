//! Letting in again, from the host itself, an administrator who has lost the password and the second factor.
//!
//! Whoever can write the data folder owns everything in it; so this asks for nothing else, and sees to it that nobody
//! can have done it unseen: it is in the audit log before it is done, and the other administrators are called.

use std::time::Duration;

use domain::Digest;
use store::audit::Act;
use store::notices::alert::{AlertKind, NewAlert};
use store::people::person::Recovered;
use store::{AuditStore, PeopleStore, StoreError};

use crate::clock::Clock;
use crate::keys::random_secret;

/// How long the link holds.
pub const LINK: Duration = Duration::from_secs(3600);
/// The role that is let in again so; all others are invited anew by an administrator.
const ADMIN: &str = "admin";

/// Who is to be let in again, and on whose word.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The administrator's name.
    pub name: String,
    /// Who asks, for the record.
    pub actor: String,
    /// Why, for the record.
    pub reason: String,
}

/// What is to be told of it.
#[derive(Debug)]
pub struct LetIn {
    /// The secret of the link that works once.
    pub secret: String,
    /// Until when, and what ended.
    pub recovered: Recovered,
}

/// Lets an administrator in again: password, second factor, sessions and tokens end, and a link is made that works
/// once.
///
/// # Errors
/// [`StoreError::NotFound`] when nobody has the name, [`StoreError::Refused`] when they are no administrator, were shut
/// out, or no reason is given; or when the store fails.
pub async fn let_in(
    (audit, people): (&AuditStore, &PeopleStore),
    clock: &dyn Clock,
    asked: Asked,
) -> Result<LetIn, StoreError> {
    let Asked { name, actor, reason } = asked;
    let refused = |why: String| Err(StoreError::Refused(why));
    if reason.trim().is_empty() {
        return refused("say why: it goes into the record".into());
    }
    let known = people.person(&name).await?;
    let person = known.ok_or_else(|| StoreError::NotFound(format!("{name} among those who may sign in")))?;
    if person.role != ADMIN {
        return refused(format!(
            "{name} is no administrator (role {}): an administrator invites them anew",
            person.role
        ));
    }
    if person.disabled.is_some() {
        return refused(format!("the account {name} is disabled: `reprieve person invite` enables it again"));
    }
    let now = clock.now();
    let act = Act {
        at: now,
        actor: actor.clone(),
        action: "person.recover".into(),
        object: name.clone(),
        reason: reason.trim().to_owned(),
        detail: "from the host".into(),
    };
    audit.record_act(act).await?;
    let secret = random_secret(clock);
    let text = format!(
        "{actor} has let the administrator {name} in again from the host of the gateway: the password, one-time codes, \
         sessions and tokens of {name} have ended, and a link that works once was made. The reason that was given: {}. \
         If nobody of you knows of it, somebody else has the host.",
        reason.trim()
    );
    let key = format!("access/{name}/{}", now.as_micros());
    let alert = NewAlert { key, at: now, kind: AlertKind::Access, subject: name.clone(), text };
    // People are called in the same write: it is not done without.
    let recovered = people.recover_person(&name, Digest::of(secret.as_bytes()), now.after(LINK), alert).await?;
    Ok(LetIn { secret, recovered })
}
