//! Whether sender and recipient have met: a mail that went through clean between them, in either direction. The first
//! of a sender is what a recipient should look at twice; it is a fact, shown, and nothing acts on it alone.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use detect::text::organisation;
use domain::envelope::{Direction, Envelope, Recipient};
use domain::identity::Identity;
use domain::token::{TokenKey, seal};
use domain::{Address, Digest, Examination, Timestamp};
use store::{KnownGoodStore, StoreError};

/// Pairs that are remembered in memory.
const KNOWN_MAX: usize = 100_000;
/// How long one writing down lasts; who has met is forgotten after weeks.
const WRITTEN_AGAIN: Duration = Duration::from_secs(3600);
/// Characters of a seal that are kept.
const SEAL_CHARS: usize = 32;

/// The pairs of a mail, for each recipient; none where nobody knows who it is from.
pub fn pairs(key: &TokenKey, examination: &Examination, envelope: &Envelope) -> Vec<String> {
    let sealed = |outside: &Identity, inside: &Address| {
        let pair = format!("{outside} {}", inside.normal());
        let seal: Digest = seal(key, "contact", &pair);
        seal.hex()[..SEAL_CHARS].to_owned()
    };
    let sender = examination.identity(envelope.client.login.as_deref());
    let of_unit = |unit: &Recipient| {
        let address = unit.address.as_str();
        match unit.direction {
            Direction::Inbound if sender == Identity::Unverified => Vec::new(),
            Direction::Inbound => vec![sealed(&sender, &unit.address)],
            // Whoever of us writes to somebody has met them: when they answer they are no strangers, by whichever name
            // they are known then.
            Direction::Outbound => {
                let names = organisation(address).map(|organisation| Identity::of(address, &organisation));
                let names = names.into_iter().chain([Identity::Claimed(unit.address.domain().into())]);
                names.filter_map(|name| Some(sealed(&name, envelope.sender.as_ref()?))).collect()
            }
            Direction::Internal => Vec::new(),
        }
    };
    envelope.recipients.iter().flat_map(of_unit).collect()
}

/// Pairs that are known to have met, so that the store is asked about each once and told of each once an hour.
#[derive(Debug, Default)]
pub struct FirstContacts(Mutex<HashMap<String, Timestamp>>);

impl FirstContacts {
    /// Whether an inbound mail is the first between its sender and all of its recipients; none where that cannot be
    /// known.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_first(
        &self,
        store: &KnownGoodStore,
        key: &TokenKey,
        examination: &Examination,
        envelope: &Envelope,
    ) -> Result<Option<bool>, StoreError> {
        let is_inbound = envelope.recipients.iter().all(|unit| unit.direction == Direction::Inbound);
        let pairs = if is_inbound { pairs(key, examination, envelope) } else { Vec::new() };
        if pairs.is_empty() || pairs.len() > store::known_good::contact::ASKED_MAX {
            return Ok(None);
        }
        if self.knows_any(&pairs) {
            return Ok(Some(false));
        }
        let met = store.contacts_of(&pairs).await?;
        let is_first = met.is_empty();
        // When they met is not asked; an hour ago at least, as far as writing it again is concerned.
        self.remember(met, Timestamp::from_micros(0));
        Ok(Some(is_first))
    }

    fn knows_any(&self, pairs: &[String]) -> bool {
        let known = self.0.lock().expect("nobody panics while holding who has met");
        pairs.iter().any(|pair| known.contains_key(pair))
    }

    fn remember(&self, pairs: impl IntoIterator<Item = String>, at: Timestamp) {
        let mut known = self.with_room();
        for pair in pairs {
            known.entry(pair).or_insert(at);
        }
    }

    /// The pairs, with room for more.
    fn with_room(&self) -> MutexGuard<'_, HashMap<String, Timestamp>> {
        let mut known = self.0.lock().expect("nobody panics while holding who has met");
        if known.len() >= KNOWN_MAX {
            // What recurs comes again.
            known.clear();
        }
        known
    }

    /// Those of these pairs that are to be written down: not known, or not written for an hour.
    pub fn unwritten(&self, pairs: Vec<String>, at: Timestamp) -> Vec<String> {
        let known = self.0.lock().expect("nobody panics while holding who has met");
        let is_old = |pair: &String| known.get(pair).is_none_or(|written| at.since(*written) >= WRITTEN_AGAIN);
        pairs.into_iter().filter(is_old).collect()
    }

    /// These pairs have been written down.
    pub fn written(&self, pairs: impl IntoIterator<Item = (String, Timestamp)>) {
        self.with_room().extend(pairs);
    }
}
