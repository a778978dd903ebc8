//! Calls to operators: what they are called for goes to their webhooks and mailboxes, each thing once to each. They
//! have a loop and connections of their own, so that they wait for no notice to the public, and each channel is called
//! beside the others, so that none waits for a slow one.

use std::sync::Arc;
use std::time::Duration;

use domain::{Address, Timestamp};
use serde_json::json;
use store::notices::alert::Alert;
use store::notices::claim::ONCE;
use store::{NoticeStore, StoreError};
use tokio::sync::watch;
use wire::smtp::client::Timeouts;

use super::deliveries::Deliveries;
use crate::channel::{Channel, tell_each};
use platform::authorities::Authorities;
use platform::clock::Clock;
use platform::config::Announcements;
use platform::hop::Hops;
use platform::items::{ELSEWHERE, Items};
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;
use platform::system_mail::{self, Letter};

/// How often it looks without a signal.
const PERIOD: Duration = Duration::from_secs(1);
/// What is older is told nobody any more.
const TOLD: Duration = Duration::from_secs(24 * 3600);
/// How long a mail host may take for each step of one call.
const STEP_TIME: Duration = Duration::from_secs(10);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Our name.
    pub hostname: String,
    /// Who is told, and who is called.
    pub announcements: Announcements,
    /// What people are called for and told.
    pub notices: NoticeStore,
    /// The hop of internal mail, with [`timeouts`].
    pub hops: Hops,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Who vouches for webhooks.
    pub authorities: Authorities,
    /// Wakes the loop.
    pub signals: Signals,
    /// What could not be told to whom.
    pub items: Items,
}

/// How long a mail host may take for each step of a call.
pub fn timeouts() -> Timeouts {
    Timeouts {
        connect: STEP_TIME,
        greeting: STEP_TIME,
        command: STEP_TIME,
        data: STEP_TIME,
        block: STEP_TIME,
        dot: STEP_TIME * 3,
    }
}

impl Reconciler for Caller {
    type Memory = Deliveries;

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "calls to operators", "a call to operators failed").or_when(&self.signals.operators)
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: every channel that is not being called is called for what it does not know.
    async fn round(&self, deliveries: &mut Deliveries, _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let ended = deliveries.ended();
        let told = &self.announcements;
        for channel in Channel::all(&told.alert_webhooks, &told.alert_mail) {
            let name = channel.name().to_owned();
            deliveries.begin(&name, self.clone().call(channel));
        }
        ended?;
        Ok(false)
    }
}

impl Caller {
    /// Calls a channel for all that it does not know. What it does not take rests, and holds up none behind it.
    async fn call(self, channel: Channel) -> Result<(), StoreError> {
        let (now, name) = (self.clock.now(), channel.name());
        let untold = self.notices.alerts_not_yet_told(name, now.before(TOLD)).await?;
        let shown = channel.shown();
        let item = |one: &Alert| format!("call {} of {shown}", one.number);
        tell_each(&self.items, untold, item, now, |one| self.called(&channel, one)).await
    }

    /// Claims a call, makes it, and remembers the answer; the inner error says why it has to be made again.
    async fn called(&self, channel: &Channel, one: Alert) -> Result<Result<(), String>, StoreError> {
        let name = channel.name();
        let key = format!("alert {} {name}", one.number);
        let Some(claim) = self.notices.claim_notice(&key, self.clock.now(), ONCE).await? else {
            return Ok(Err(ELSEWHERE.to_owned()));
        };
        match self.say(channel, &one).await {
            Ok(reply) => self.notices.record_alert_told(claim, one.number, name, self.clock.now(), reply).await.map(Ok),
            Err(why) => self.notices.give_up_claim(claim, self.clock.now()).await.map(|()| Err(why)),
        }
    }

    async fn say(&self, channel: &Channel, one: &Alert) -> Result<String, String> {
        match channel {
            Channel::Hook(hook) => {
                let call = json!({
                    "alert": one.number, "kind": one.kind.as_str(), "at": one.at, "subject": one.subject,
                        "text": one.text,
                });
                hook.post(&call, &self.authorities.client()?).await
            }
            Channel::Mailbox(to) => system_mail::deliver(&self.hops, to, &self.compose(to, one)).await,
        }
    }

    fn compose(&self, to: &Address, one: &Alert) -> Vec<u8> {
        let subject = format!("Mail protection: {} ({})", one.subject, one.kind.as_str());
        let text = format!("{}\r\n\r\n`reprieve alert seen {}` ends this call.\r\n", one.text, one.number);
        let (host, at, name): (_, Timestamp, _) = (&self.hostname, one.at, format!("alert.{}", one.number));
        Letter { host, to, subject, at, name, text }.compose()
    }
}
