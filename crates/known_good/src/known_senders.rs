//! What the memory knows of a mail: who sent it, and who has carried what something in it acts on. Resolved before
//! `decide`, and recorded.

use std::collections::{BTreeMap, BTreeSet};

use detect::text::organisation;
use domain::envelope::{Direction, Envelope};
use domain::finding::{Examination, MemoryFact, SenderFact};
use domain::identity::{Establish, Identity, Kind};
use domain::sentinel::past::OURS;
use domain::token::{TokenKey, seal};
use domain::{Digest, Timestamp};
use store::{KnownGoodStore, StoreError};

/// Characters of a seal that are kept.
const SEAL_CHARS: usize = 16;

/// The seal over an identity: the tables tell nobody who writes to whom.
pub fn sealed(key: &TokenKey, identity: &Identity) -> String {
    seal(key, "carrier", &identity.to_string()).hex()[..SEAL_CHARS].to_owned()
}

/// The domain behind an identity: all of ours are one, and addresses at one provider are. None for anybody. A mail from
/// outside that bears the domain of one of its recipients counts as ours: it must not be one more.
pub fn node(key: &TokenKey, identity: &Identity, envelope: &Envelope) -> Option<String> {
    let domain = match identity {
        Identity::Login(_) => return Some(OURS.to_owned()),
        Identity::Unverified => return None,
        Identity::Domain(domain) | Identity::Claimed(domain) => domain.to_lowercase(),
        Identity::Address(address) => {
            address.rsplit_once('@').map_or(address.as_str(), |(_, domain)| domain).to_owned()
        }
    };
    let inbound = envelope.recipients.iter().filter(|unit| unit.direction == Direction::Inbound);
    let is_ours = inbound.clone().any(|unit| *unit.domain.as_str() == domain);
    let sealed = || seal(key, "domain", &domain).hex()[..SEAL_CHARS].to_owned();
    Some(if is_ours { OURS.to_owned() } else { sealed() })
}

/// The seal over the id of a mail.
pub fn sealed_id(key: &TokenKey, message_id: &str) -> String {
    seal(key, "message-id", message_id).hex()[..SEAL_CHARS].to_owned()
}

/// Whom of outside a mail of ours is written to, by whichever name they are known when they answer; none when no person
/// wrote it.
pub fn answered(examination: &Examination, envelope: &Envelope) -> Vec<Identity> {
    let is_automatic = examination.message.auto_submitted.as_deref().is_some_and(|said| said != "no");
    if is_automatic || envelope.sender.is_none() {
        return Vec::new();
    }
    let outbound = envelope.recipients.iter().filter(|unit| unit.direction == Direction::Outbound);
    let names = outbound.flat_map(|unit| {
        let address = unit.address.as_str();
        let vouched = organisation(address).map(|organisation| Identity::of(address, &organisation));
        vouched.into_iter().chain([Identity::Claimed(unit.address.domain().into())])
    });
    let mut names: Vec<Identity> = names.collect();
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.to_string()));
    names
}

/// Resolves what is known of the sender, and of every part that something acts on. For a mail that nothing acts on
/// nobody asks.
///
/// # Errors
/// When the store fails; then nothing is known.
pub async fn resolve(
    store: &KnownGoodStore,
    key: &TokenKey,
    rule: &Establish,
    examination: &mut Examination,
    envelope: &Envelope,
    now: Timestamp,
) -> Result<(), StoreError> {
    let parts: BTreeMap<u32, Digest> = examination
        .findings
        .iter()
        .filter(|finding| finding.may_act())
        .filter_map(|finding| examination.message.part(finding.part?))
        .map(|part| (part.number, part.sha256))
        .collect();
    if !examination.findings.iter().any(domain::finding::Finding::may_act) {
        return Ok(());
    }
    let identity = examination.identity(envelope.client.login.as_deref());
    let internal = identity.kind() == Kind::Login;
    let established = internal || {
        let who = sealed(key, &identity);
        let known = store.acquaintances(std::slice::from_ref(&who)).await?;
        known.get(&who).is_some_and(|known| known.is_established(rule, now))
    };
    examination.facts.sender = Some(SenderFact { established, internal });
    let contents: Vec<Digest> = parts.values().copied().collect();
    let remembered = store.remembered(&contents, rule, now).await?;
    for (number, content) in parts {
        if let Some(known) = remembered.get(&content) {
            let identities = known.carriers.len() as u64;
            let class = known.standing.class(now, store.heirloom_carriers());
            let fact = MemoryFact { class, carriers: known.standing.carriers, identities, internal: known.internal };
            examination.facts.memory.insert(number, fact);
        }
    }
    Ok(())
}
