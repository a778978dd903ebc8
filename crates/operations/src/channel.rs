//! Where people are told something.

use domain::Address;

use platform::webhook::Webhook;

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

    /// What it is remembered by: the URL, or the address.
    pub fn name(&self) -> &str {
        match self {
            Self::Hook(hook) => &hook.url,
            Self::Mailbox(to) => to.as_str(),
        }
    }
}
