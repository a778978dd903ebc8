//! Where people are told something.

use domain::{Address, Timestamp};
use store::StoreError;

use platform::items::Items;
use platform::webhook::Webhook;

/// What a channel does not take in a row, before it is the channel that does not answer: then it has a rest until the
/// next round.
const MISSED_MAX: u32 = 2;

/// A webhook or a mailbox.
#[derive(Clone, Debug)]
pub enum Channel {
    /// A program somewhere.
    Hook(Webhook),
    /// A person of ours.
    Mailbox(Address),
}

impl Channel {
    /// All of these.
    pub fn all(hooks: &[Webhook], mailboxes: &[Address]) -> Vec<Self> {
        let hooks = hooks.iter().cloned().map(Self::Hook);
        hooks.chain(mailboxes.iter().cloned().map(Self::Mailbox)).collect()
    }

    /// What may be shown of it: of a URL the host and a mark.
    pub fn shown(&self) -> String {
        match self {
            Self::Hook(hook) => hook.shown(),
            Self::Mailbox(to) => to.to_string(),
        }
    }

    /// What it is remembered by: the URL, or the address.
    pub fn name(&self) -> &str {
        match self {
            Self::Hook(hook) => &hook.url,
            Self::Mailbox(to) => to.as_str(),
        }
    }
}

/// Tells a channel each of these. What it does not take rests, and holds up none behind it.
///
/// # Errors
/// When it is not the channel that fails, but the store.
pub(crate) async fn tell_each<T, Telling>(
    items: &Items,
    untold: Vec<T>,
    item: impl Fn(&T) -> String,
    now: Timestamp,
    mut tell: impl FnMut(T) -> Telling,
) -> Result<(), StoreError>
where
    Telling: Future<Output = Result<Result<(), String>, StoreError>>,
{
    let mut missed = 0;
    for (item, one) in items.due_of(untold, item, now) {
        let told = items.attempt(&item, now, tell(one)).await?;
        missed = if told.is_some() { 0 } else { missed + 1 };
        if missed >= MISSED_MAX {
            break;
        }
    }
    Ok(())
}
