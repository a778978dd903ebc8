//! Whether sender and recipient have met: a mail that went through clean between them, in either direction. The first of a sender is what a
//! recipient should look at twice; it is a fact, shown, and nothing acts on it alone.

use detect::text::organisation;
use domain::envelope::{Direction, Envelope, Recipient};
use domain::identity::Identity;
use domain::token::{TokenKey, seal};
use domain::{Digest, Examination};
use store::{Store, StoreError};

/// Characters of a seal that are kept.
const SEAL_CHARS: usize = 32;

/// The pairs of a mail, for each recipient; none where nobody knows who it is from.
pub fn pairs(key: &TokenKey, examination: &Examination, envelope: &Envelope) -> Vec<String> {
    let sealed = |outside: &Identity, inside: &str| {
        let pair = format!("{outside} {}", inside.to_lowercase());
        let seal: Digest = seal(key, "contact", &pair);
        seal.hex()[..SEAL_CHARS].to_owned()
    };
    let sender = examination.identity(envelope.client.login.as_deref());
    let of_unit = |unit: &Recipient| {
        let address = unit.address.as_str();
        match unit.direction {
            Direction::Inbound if sender == Identity::Unverified => Vec::new(),
            Direction::Inbound => vec![sealed(&sender, address)],
            // Whoever of us writes to somebody has met them: when they answer they are no strangers, by whichever name they are known then.
            Direction::Outbound => {
                let names = organisation(address).map(|organisation| Identity::of(address, &organisation));
                let names = names.into_iter().chain([Identity::Claimed(unit.address.domain())]);
                names.map(|name| sealed(&name, envelope.sender_text())).collect()
            }
            Direction::Internal => Vec::new(),
        }
    };
    envelope.recipients.iter().flat_map(of_unit).collect()
}

/// Whether an inbound mail is the first between its sender and all of its recipients; none where that cannot be known.
///
/// # Errors
/// When the store fails.
pub async fn is_first(
    store: &Store,
    key: &TokenKey,
    examination: &Examination,
    envelope: &Envelope,
) -> Result<Option<bool>, StoreError> {
    let is_inbound = envelope.recipients.iter().all(|unit| unit.direction == Direction::Inbound);
    let pairs = if is_inbound { pairs(key, examination, envelope) } else { Vec::new() };
    if pairs.is_empty() || pairs.len() > store::contact::ASKED_MAX {
        return Ok(None);
    }
    Ok(Some(store.contacts_of(&pairs).await?.is_empty()))
}
