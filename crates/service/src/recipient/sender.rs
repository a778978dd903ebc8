//! Senders that a recipient blocks or allows, for their own mail alone: entries like those of operators
//! (`domain::entry`), with an end. An allow entry clears what only guesses, and only for a sender who is vouched for;
//! never malware or certain phishing.

use std::time::Duration;

use domain::entry::{Entry, Reach, Subject};

use super::Recipient;
use super::mail::{self, OwnMail};
use crate::Service;
use crate::error::{ServiceError, ServiceResult};

/// How long such an entry holds.
const HOLDS: Duration = Duration::from_secs(90 * 86_400);
/// Entries of one recipient.
const ENTRIES_MAX: usize = 200;

/// The entries of a recipient, newest first.
///
/// # Errors
/// When the store fails.
pub async fn list(service: &Service, recipient: &Recipient) -> ServiceResult<Vec<Entry>> {
    let entries = service.store()?.entries.entries(service.clock.now()).await?;
    Ok(entries.into_iter().filter(|entry| is_of(entry, recipient)).collect())
}

/// Whether an entry was made by this recipient: what an operator made for them is not theirs to end.
fn is_of(entry: &Entry, recipient: &Recipient) -> bool {
    entry.reach == Reach::Recipient(recipient.address().to_owned()) && entry.owner == recipient.actor()
}

/// Blocks the sender of a message of theirs.
///
/// # Errors
/// When the message is not theirs, the quarantine policy does not let them, or there are too many entries.
pub async fn block(service: &Service, recipient: &Recipient, id: &str) -> ServiceResult<()> {
    let mail = mail::find(service, recipient, id).await?;
    mail::permit(mail.may_block())?;
    keep(service, recipient, &mail, false).await
}

/// Allows the sender of a message of theirs.
///
/// # Errors
/// As [`block`].
pub async fn allow(service: &Service, recipient: &Recipient, id: &str) -> ServiceResult<()> {
    let mail = mail::find(service, recipient, id).await?;
    mail::permit(mail.may_allow())?;
    keep(service, recipient, &mail, true).await
}

async fn keep(service: &Service, recipient: &Recipient, mail: &OwnMail, allow: bool) -> ServiceResult<()> {
    let subject = Subject::parse("sender", &mail.sender).map_err(|error| ServiceError::Bad(error.to_string()))?;
    let (known, now) = (list(service, recipient).await?, service.clock.now());
    if known.iter().any(|entry| entry.subject == subject && entry.allow == allow) {
        return Ok(());
    }
    if known.len() >= ENTRIES_MAX {
        let first_end = known.iter().map(|entry| entry.expires.since(now)).min().unwrap_or(HOLDS);
        return Err(ServiceError::TooMany(first_end.as_secs().max(1)));
    }
    let entry = Entry {
        id: 0,
        allow,
        subject,
        reach: Reach::Recipient(recipient.address().to_owned()),
        clears_malware: false,
        owner: recipient.actor(),
        reason: "a recipient's own".into(),
        // A block because of a verdict that is taken back goes with it; a wish of one's own stays.
        caused_by: (!allow).then_some(mail.mail_id),
        made: now,
        expires: now.after(HOLDS),
        last_used: None,
    };
    let verb = if allow { "portal.allow" } else { "portal.block" };
    service.record(recipient.actor(), verb, &format!("sender {}", entry.subject.value()), "").await?;
    service.store()?.entries.add_entry(entry).await?;
    service.signals.entries.notify_one();
    Ok(())
}

/// Ends an entry of theirs.
///
/// # Errors
/// When it is not theirs.
pub async fn forget(service: &Service, recipient: &Recipient, number: u64) -> ServiceResult<()> {
    if !list(service, recipient).await?.iter().any(|entry| entry.id == number) {
        return Err(ServiceError::NotFound(format!("no entry {number} of {}", recipient.address())));
    }
    service.record(recipient.actor(), "portal.forget", &number.to_string(), "").await?;
    service.store()?.entries.remove_entry(number, recipient.actor(), service.clock.now()).await?;
    service.signals.entries.notify_one();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    #[test]
    fn what_an_operator_made_for_a_recipient_is_not_theirs() {
        let bert = Recipient { address: "bert@ours.example".into() };
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let entry = |reach: Reach, owner: &str| Entry {
            id: 1,
            allow: true,
            subject: Subject::parse("sender", "a@elsewhere.example").expect("a sender"),
            reach,
            clears_malware: false,
            owner: owner.into(),
            reason: String::new(),
            caused_by: None,
            made: now,
            expires: now.after(HOLDS),
            last_used: None,
        };
        let to = |address: &str| Reach::Recipient(address.into());
        assert!(is_of(&entry(to("bert@ours.example"), "recipient bert@ours.example"), &bert));
        assert!(!is_of(&entry(to("bert@ours.example"), "an operator"), &bert));
        assert!(!is_of(&entry(to("anna@ours.example"), "recipient bert@ours.example"), &bert));
    }
}
