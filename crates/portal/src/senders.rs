//! Senders that a recipient blocks or allows, for their own mail alone: entries like those of operators
//! (`domain::entry`), with an end. An allow entry clears what only guesses, and only for a sender who is vouched for;
//! never malware or certain phishing.

use std::time::Duration;

use domain::entry::{Entry, Reach, Subject};
use domain::{MailId, Timestamp};
use maud::{Markup, html};
use platform::recipient::language::Language;
use web::page::{enter_does_nothing, moment};

use super::Portal;
use super::enter::actor;
use super::page::Wrong;

/// How long such an entry holds.
const HOLDS: Duration = Duration::from_secs(90 * 86_400);
/// Entries of one recipient.
const ENTRIES_MAX: usize = 200;

/// The entries of a recipient, newest first.
///
/// # Errors
/// When the store fails.
pub async fn of(portal: &Portal, address: &str) -> Result<Vec<Entry>, Wrong> {
    let entries = portal.service.store()?.entries(portal.service.clock.now()).await?;
    Ok(entries.into_iter().filter(|entry| is_of(entry, address)).collect())
}

/// Whether an entry was made by this recipient: what an operator made for them is not theirs to end.
fn is_of(entry: &Entry, address: &str) -> bool {
    entry.reach == Reach::Recipient(address.to_owned()) && entry.owner == actor(address)
}

/// Blocks or allows a sender, because of a message.
///
/// # Errors
/// When the sender is none, or there are too many.
pub async fn keep(portal: &Portal, address: &str, sender: &str, allow: bool, because: MailId) -> Result<(), Wrong> {
    let service = &portal.service;
    let subject = Subject::parse("sender", sender).map_err(|_| Wrong::Gone)?;
    let known = of(portal, address).await?;
    if known.iter().any(|entry| entry.subject == subject && entry.allow == allow) {
        return Ok(());
    }
    if known.len() >= ENTRIES_MAX {
        return Err(Wrong::Often);
    }
    let now: Timestamp = service.clock.now();
    let entry = Entry {
        id: 0,
        allow,
        subject,
        reach: Reach::Recipient(address.to_owned()),
        clears_malware: false,
        owner: actor(address),
        reason: "a recipient's own".into(),
        // A block because of a verdict that is taken back goes with it; a wish of one's own stays.
        caused_by: (!allow).then_some(because),
        made: now,
        expires: now.after(HOLDS),
        last_used: None,
    };
    let verb = if allow { "portal.allow" } else { "portal.block" };
    service.record(actor(address), verb, &format!("sender {}", entry.subject.value()), "").await?;
    service.store()?.add_entry(entry).await?;
    service.signals.entries.notify_one();
    Ok(())
}

/// Ends one of their own.
///
/// # Errors
/// When it is not theirs.
pub async fn forget(portal: &Portal, address: &str, number: &str) -> Result<(), Wrong> {
    let service = &portal.service;
    let number: u64 = number.parse().map_err(|_| Wrong::Gone)?;
    if !of(portal, address).await?.iter().any(|entry| entry.id == number) {
        return Err(Wrong::Gone);
    }
    service.record(actor(address), "portal.forget", &number.to_string(), "").await?;
    service.store()?.remove_entry(number, actor(address), service.clock.now()).await?;
    service.signals.entries.notify_one();
    Ok(())
}

/// All of them, each with its end.
pub fn list(words: &Language, entries: &[Entry]) -> Markup {
    html! {
        @if !entries.is_empty() {
            section {
                h2 { (words.say("senders")) }
                ul.senders { @for entry in entries { li {
                    span { (entry.subject.value()) " · " (words.say(if entry.allow { "senders.allowed" } else {
                        "senders.blocked" })) " " (moment(&entry.expires.to_string())) }
                    form method="post" action="/act" { (enter_does_nothing())
                        input type="hidden" name="verb" value="forget";
                        input type="hidden" name="entry" value=(entry.id);
                        button.quiet { (words.say("senders.forget")) }
                    }
                } } }
            }
        }
    }
}
