//! What lets a recipient in: a link that is mailed to them and works once, and the session that it begins. Both are
//! sealed ([`platform::recipient::link`]); they hold no longer once the portal was closed to what a recipient had.

use std::time::Duration;

use domain::envelope::Border;
use domain::token::TokenKey;
use domain::{Address, Digest};
use platform::config::Config;
use platform::recipient::PURPOSE;
use platform::recipient::language::Language;
use platform::recipient::link::{self, Kind, Pass};
use platform::system_mail::{self, Letter};
use tokio::sync::Semaphore;

use super::{Recipient, actor};
use crate::Service;
use crate::error::ServiceResult;
use crate::rate::Rates;

/// How often a link is mailed to one address, and how many at once.
const LINK_EVERY: Duration = Duration::from_secs(60);
/// See [`LINK_EVERY`].
const LINKS_AT_ONCE: u32 = 3;
/// Letters with links that are on their way at once. Who is not sent one asks again.
static LETTERS: Semaphore = Semaphore::const_new(32);

/// The key of links and sessions, and how often recipients ask.
#[derive(Clone, Debug)]
pub(crate) struct Passes {
    /// Seals links and sessions.
    key: TokenKey,
    /// How often a recipient may ask.
    rates: Rates,
    /// How often a link is mailed to one address.
    links: Rates,
}

impl Passes {
    /// Those of an installation, by its key.
    pub(crate) fn new(key: &TokenKey, config: &Config) -> Self {
        Self {
            key: key.for_purpose(PURPOSE),
            rates: Rates::new(config.api.requests_per_second),
            links: Rates::slow(LINK_EVERY, LINKS_AT_ONCE),
        }
    }
}

/// Who shows this session; nobody when it does not hold.
///
/// # Errors
/// When the store fails.
pub async fn recipient(service: &Service, session: Option<&str>) -> ServiceResult<Option<Recipient>> {
    let now = service.clock.now();
    let pass = session.and_then(|text| link::read(&service.passes.key, Kind::Session, text, now));
    let Some(pass) = pass else { return Ok(None) };
    Ok(holds(service, Kind::Session, &pass).await?.then_some(Recipient { address: pass.address }))
}

/// Counts one more request of a recipient, or of a client of whom nobody knows who it is.
///
/// # Errors
/// [`ServiceError::TooMany`](crate::error::ServiceError::TooMany) when there were too many.
pub fn one_more_request(service: &Service, recipient: Option<&Recipient>, client: &str) -> ServiceResult<()> {
    let whose = recipient.map_or(client, Recipient::address);
    service.passes.rates.take_one(whose, service.clock.now())
}

/// Whether a pass lets its recipient in: not once the portal was closed to what they had by then.
async fn holds(service: &Service, kind: Kind, pass: &Pass) -> ServiceResult<bool> {
    let closed = service.store()?.recipients.portal_closed_at(&pass.address).await?;
    Ok(closed.is_none_or(|at| !pass.is_from_before(kind, at)))
}

/// Uses a link; returns the session that it begins, or nothing when it does not hold.
///
/// # Errors
/// When the store fails.
pub async fn use_link(service: &Service, text: &str) -> ServiceResult<Option<String>> {
    let (key, now) = (&service.passes.key, service.clock.now());
    let text = link_in(text);
    let Some(pass) = link::read(key, Kind::Link, text, now) else { return Ok(None) };
    let Some(address) = ours(&service.config.border, &pass.address) else { return Ok(None) };
    if !holds(service, Kind::Link, &pass).await? {
        return Ok(None);
    }
    if !service.store()?.recipients.use_link(Digest::of(text.as_bytes()), pass.until).await? {
        return Ok(None);
    }
    service.record(actor(&pass.address), "portal.enter", "portal", "").await?;
    Ok(Some(link::make(key, Kind::Session, &address, now.after(link::SESSION), service.clock.as_ref())))
}

/// The sealed text of a link: people copy the whole address as well.
fn link_in(text: &str) -> &str {
    text.rsplit('#').next().unwrap_or_default().trim()
}

/// An address of one of our domains.
fn ours(border: &Border, text: &str) -> Option<Address> {
    let address = Address::parse(text.trim()).ok()?;
    border.accepts(&address.domain()).then_some(address)
}

/// Mails a link to an address, if it is one of ours. Whether there is such an address, and whether it was just sent
/// one, is told nobody.
pub fn mail_link(service: &Service, address: &str, words: &Language) {
    let Some(address) = ours(&service.config.border, address) else { return };
    // Nobody's mailbox is filled by others.
    if service.passes.links.take(&address.normal(), service.clock.now()).is_err() {
        return;
    }
    // Letters that are on their way have an end as well.
    let Ok(under_way) = LETTERS.try_acquire() else { return };
    let (service, words) = (service.clone(), words.clone());
    tokio::spawn(async move {
        let _under_way = under_way;
        if let Err(why) = send(&service, &address, &words).await {
            tracing::warn!(why, "a link to held mail could not be mailed");
        }
    });
}

async fn send(service: &Service, to: &Address, words: &Language) -> Result<String, String> {
    let now = service.clock.now();
    let pass = link::make(&service.passes.key, Kind::Link, to, now.after(link::LINK), service.clock.as_ref());
    let url = format!("{}/#{pass}", service.config.portal.url);
    let text = format!("{}\n\n{url}\n\n{}\n", words.say("link.intro"), words.say("link.end"));
    let letter = Letter {
        host: &service.config.hostname,
        to,
        subject: words.say("link.subject").to_owned(),
        at: now,
        name: format!("{}.link", Digest::of(pass.as_bytes()).hex().get(..16).unwrap_or_default()),
        text,
    };
    system_mail::deliver(&service.hops, to, &letter.compose()).await
}

/// Ends all links and sessions that a recipient has now.
///
/// # Errors
/// When the store fails.
pub async fn end_all(service: &Service, recipient: &Recipient) -> ServiceResult<()> {
    let address = recipient.address();
    service.record(recipient.actor(), "portal.close", address, "").await?;
    Ok(service.store()?.recipients.close_portal(address, service.clock.now()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_taken_with_the_address_before_it() {
        for text in ["1.a.b.c", " 1.a.b.c ", "https://mail.example/#1.a.b.c", "https://mail.example/#x#1.a.b.c\n"] {
            assert_eq!(link_in(text), "1.a.b.c", "{text}");
        }
        assert_eq!(link_in(""), "");
    }
}
