//! Mail in, mail out. A message's priority: [`listener`] -> [`connection`] -> [`transaction`] (recipients, next hop)
//! -> [`intake`] (examine, decide, record, pass on or hold, answer), and behind the answer [`known_good::recorder`].
//!
//! Live mail has no queue here: the next hop's answer is our answer. Only held mail is in our custody, and
//! it is durable before anybody is told so.

pub mod connection;
pub mod engines;
pub mod intake;
pub mod known;
pub mod listener;
pub mod memory;
pub mod patience;
pub mod place;
pub mod post_reply;
pub mod repeat;
pub mod source;
pub mod transaction;

use std::sync::Arc;

use domain::token::TokenKey;
use store::blob::Blobs;
use store::{KnownGoodStore, MailStore, RuleStore};

use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use known_good::first_contact::FirstContacts;
use known_good::recorder::KnownGoodRecorder;
use platform::clock::Clock;
use platform::config::Config;
use platform::containment::ContainmentInForce;
use platform::disk::DiskSpace;
use platform::entries::Entries;
use platform::hop::Hops;
use platform::panic_switch::PanicSwitch;
use platform::priority::Priority;
use platform::readiness::Readiness;
use platform::signals::Signals;

/// The parts of the store that live mail needs.
#[derive(Clone, Debug)]
pub struct StoreParts {
    /// Mail and its units.
    pub mail: MailStore,
    /// The bytes of held mail.
    pub blobs: Blobs,
    /// What engines have said of themselves is kept with the rules.
    pub rules: RuleStore,
    /// Who has met whom, and what is known of content and senders.
    pub known_good: KnownGoodStore,
}

/// What every connection shares.
#[derive(Debug)]
pub struct Gateway {
    /// The configuration.
    pub config: Arc<Config>,
    /// The store; without one (it would not open) only the panic switch lets mail through.
    pub store: Option<StoreParts>,
    /// The examining threads.
    pub examiner: ExaminerPool,
    /// The engines beside them.
    pub external_engines: ExternalEngines,
    /// Next hops for live mail.
    pub hops: Hops,
    /// Domain time and ids.
    pub clock: Arc<dyn Clock>,
    /// The key of release tokens.
    pub token_key: TokenKey,
    /// Whether there is room for more.
    pub room: DiskSpace,
    /// Whether mail is taken now.
    pub readiness: Readiness,
    /// The panic switch.
    pub panic_switch: PanicSwitch,
    /// The containment state that verdicts are made under.
    pub contained: ContainmentInForce,
    /// Wakes the sentinel.
    pub signals: Signals,
    /// Allow and block entries.
    pub entries: Entries,
    /// What engines have said of themselves.
    pub engines: engines::Engines,
    /// Who has met whom.
    pub met: Arc<FirstContacts>,
    /// Remembers what went through clean.
    pub learner: KnownGoodRecorder,
    /// Outcomes being written behind their answers.
    pub post_reply: post_reply::PostReply,
    /// Live mail that is under way, for which others wait.
    pub priority: Priority,
    /// Memory for mail that is here now.
    pub memory: memory::Memory,
    /// Places for connections.
    pub places: place::Places,
    /// Networks that have sent good mail for some time.
    pub known: known::KnownNetworks,
    /// How often clients make us ask a hop again.
    pub repeats: repeat::Repeats,
}
