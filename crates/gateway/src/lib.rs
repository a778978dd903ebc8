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
pub mod start;
pub mod transaction;

use std::sync::Arc;

use domain::token::TokenKey;
use store::blob::Blobs;
use store::{HealthStore, KnownGoodStore, MailStore, RuleStore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use wire::smtp::client::Timeouts;

use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use known_good::first_contact::FirstContacts;
use known_good::recorder::KnownGoodRecorder;
use platform::certificates::Certificates;
use platform::clock::Clock;
use platform::config::Config;
use platform::containment::ContainmentInForce;
use platform::entries::Entries;
use platform::hop::Hops;
use platform::measure::{self, Scarce};
use platform::panic_switch::PanicSwitch;
use platform::priority::Priority;
use platform::readiness::Readiness;
use platform::shared::Shared;
use platform::signals::Signals;
use platform::traces::Traces;

store::parts! {
    /// The parts of the store that live mail needs.
    pub struct StoreParts {
        /// Whether it can be written.
        pub health: HealthStore,
        /// Mail and its units.
        pub mail: MailStore,
        /// The bytes of held mail.
        pub blobs: Blobs,
        /// What engines have said of themselves is kept with the rules.
        pub rules: RuleStore,
        /// Who has met whom, and what is known of content and senders.
        pub known_good: KnownGoodStore,
    }
}

/// What the gateway is given.
#[derive(Debug)]
pub struct Parts {
    /// What all rooms share.
    pub shared: Shared,
    /// The store; without one (it would not open) only the panic switch lets mail through.
    pub store: Option<StoreParts>,
    /// The examining processes.
    pub examiner: ExaminerPool,
    /// The engines beside them.
    pub external_engines: ExternalEngines,
    /// Whether mail is taken now.
    pub readiness: Readiness,
    /// Who has met whom.
    pub met: Arc<FirstContacts>,
    /// Remembers what went through clean.
    pub learner: KnownGoodRecorder,
}

/// What every connection shares.
#[derive(Debug)]
pub struct Gateway {
    /// The configuration.
    pub config: Arc<Config>,
    /// The store; without one (it would not open) only the panic switch lets mail through.
    pub store: Option<StoreParts>,
    /// The examining processes.
    pub examiner: ExaminerPool,
    /// The engines beside them.
    pub external_engines: ExternalEngines,
    /// Next hops for live mail.
    pub hops: Hops,
    /// Domain time and ids.
    pub clock: Arc<dyn Clock>,
    /// The key of release tokens.
    pub token_key: TokenKey,
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
    /// The certificates of the listeners.
    pub certificates: Certificates,
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
    /// Where the ways of mail are left to be told.
    pub traces: Traces,
    /// What is looked at for as long as there is a gateway: the panic switch, the room on the disk.
    watches: JoinSet<()>,
}

impl Gateway {
    /// A gateway that nobody has connected to.
    pub fn new(parts: Parts) -> Self {
        let Parts { shared, store, examiner, external_engines, readiness, met, learner } = parts;
        let Shared { config, clock, token_key, signals, entries, contained, priority, certificates, traces, .. } =
            shared;
        let limits = &config.limits;
        Self {
            store,
            certificates,
            examiner,
            external_engines,
            hops: Hops::for_live_mail(&config, &live_timeouts(&config)),
            clock,
            token_key,
            panic_switch: readiness.panic_switch.clone(),
            readiness,
            contained,
            signals,
            entries,
            engines: engines::Engines::default(),
            met,
            learner,
            post_reply: post_reply::PostReply::default(),
            priority,
            memory: memory::Memory::new(limits),
            places: place::Places::new(limits.connections(), limits.stress_percent),
            known: known::KnownNetworks::new(limits.known),
            repeats: repeat::Repeats::new(limits.repeats_max),
            traces,
            watches: JoinSet::new(),
            config,
        }
    }

    /// Says which limits are in force, beside what is used of them.
    pub fn tell_limits(&self) {
        let limits = &self.config.limits;
        for (what, most) in [
            (Scarce::Connections, limits.connections_max as u64),
            (Scarce::HopConnections, limits.hop_connections_max as u64),
            (Scarce::Memory, self.memory.coming_max()),
            (Scarce::Recipients, limits.recipients_max as u64),
            (Scarce::Examinations, self.examiner.live_max()),
        ] {
            measure::limit(what, most);
        }
    }

    /// Writes the outcomes behind answers and the list of what passed unexamined, until `last` at most, and doubts what
    /// was passed on and not answered, so that the ledger says so at once. Connections have ended before.
    pub async fn finish(&self, last: Instant) {
        if timeout_at(last, self.post_reply.finish()).await.is_err() {
            tracing::warn!("outcomes of messages could not be written in time; the next start doubts them");
        }
        let list = self.panic_switch.bypassed.clone();
        if timeout_at(last, tokio::task::spawn_blocking(move || list.write())).await.is_err() {
            tracing::warn!("what passed unexamined just now could not be listed in time");
        }
        let Some(store) = &self.store else { return };
        match timeout_at(last, store.mail.doubt_forwarding(self.clock.now())).await {
            Ok(Ok(0)) => {}
            Ok(Ok(doubted)) => tracing::warn!(doubted, "the next hop had not answered: units in doubt"),
            Ok(Err(error)) => {
                tracing::error!(%error, "what the next hop has not answered is doubted at the next start")
            }
            Err(_) => {
                tracing::warn!("what the next hop has not answered could not be doubted in time; the next start does")
            }
        }
    }
}

/// Live mail must be answered within the reply deadline; each step of the hop gets no more than that.
fn live_timeouts(config: &Config) -> Timeouts {
    let most = config.limits.reply_deadline;
    let full = Timeouts::default();
    Timeouts {
        connect: full.connect.min(most),
        greeting: full.greeting.min(most),
        command: full.command.min(most),
        data: full.data.min(most),
        block: full.block.min(most),
        dot: full.dot.min(most),
    }
}
