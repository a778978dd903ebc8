//! Calls to operators: what they are called for goes to their webhooks and mailboxes, each thing once to each. They have a loop and connections of
//! their own, so that they wait for no notice to the public, and each channel is called beside the others, so that none waits for a slow one.

use std::sync::Arc;
use std::time::Duration;

use domain::{Address, Timestamp};
use rustls::ClientConfig;
use serde_json::json;
use store::alert::Alert;
use store::claim::ONCE;
use store::{Store, StoreError};
use tokio::sync::watch;
use wire::smtp::client::Timeouts;

use crate::deliveries::Deliveries;
use platform::clock::Clock;
use platform::config::Config;
use platform::hop::Hops;
use platform::reconciler::{Beat, Rounds};
use platform::signals::Signals;
use platform::system_mail::{self, Letter};
use platform::webhook::Webhook;

/// How often it looks without a signal.
const PERIOD: Duration = Duration::from_secs(1);
/// What is older is told nobody any more.
const TOLD: Duration = Duration::from_secs(24 * 3600);
/// How long a webhook may take for one call.
const WEBHOOK_TIME: Duration = Duration::from_secs(10);
/// How long a mail host may take for each step of one call.
const STEP_TIME: Duration = Duration::from_secs(10);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The configuration.
    pub config: Arc<Config>,
    /// The store.
    pub store: Store,
    /// The hop of internal mail, with [`timeouts`].
    pub hops: Hops,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Whom webhooks are believed to be.
    pub tls: Arc<ClientConfig>,
    /// Wakes the loop.
    pub signals: Signals,
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

impl Caller {
    /// Runs until `stop` says so.
    pub async fn run(self, rounds: Rounds, stop: watch::Receiver<bool>) {
        let beat =
            Beat::every(PERIOD, "calls to operators", "a call to operators failed").or_when(&self.signals.operators);
        let mut turns = rounds.turns(beat, stop);
        let mut deliveries = Deliveries::default();
        while turns.after(self.round(&mut deliveries).map(|()| false)).await {}
    }

    /// One round: every channel that is not being called is called for what it does not know.
    fn round(&self, deliveries: &mut Deliveries) -> Result<(), StoreError> {
        let ended = deliveries.ended();
        for hook in &self.config.announcements.alert_webhooks {
            deliveries.begin(&hook.url, self.clone().call_hook(hook.clone()));
        }
        for to in &self.config.announcements.alert_mail {
            deliveries.begin(to.as_str(), self.clone().call_mailbox(to.clone()));
        }
        ended
    }

    async fn call_hook(self, hook: Webhook) -> Result<(), StoreError> {
        for one in self.untold(&hook.url).await? {
            let call = json!({
                "alert": one.number, "kind": one.kind.as_str(), "at": one.at, "subject": one.subject, "text": one.text,
            });
            let posted = async {
                let said = tokio::time::timeout(WEBHOOK_TIME, hook.post(&call, &self.tls)).await;
                said.unwrap_or_else(|_| Err("no answer".into()))
            };
            if !self.called(&hook.url, &one, posted).await? {
                break;
            }
        }
        Ok(())
    }

    async fn call_mailbox(self, to: Address) -> Result<(), StoreError> {
        for one in self.untold(to.as_str()).await? {
            let mail = self.compose(&to, &one);
            if !self.called(to.as_str(), &one, system_mail::deliver(&self.hops, &to, &mail)).await? {
                break;
            }
        }
        Ok(())
    }

    async fn untold(&self, channel: &str) -> Result<Vec<Alert>, StoreError> {
        self.store.untold_alerts(channel, self.clock.now().before(TOLD)).await
    }

    /// Claims a call, makes it, and remembers the answer; `false` when the channel does not take it now. One that another process has claimed holds up
    /// none behind it.
    async fn called(
        &self,
        channel: &str,
        one: &Alert,
        call: impl Future<Output = Result<String, String>>,
    ) -> Result<bool, StoreError> {
        let key = format!("alert {} {channel}", one.number);
        let Some(claim) = self.store.claim_notice(&key, self.clock.now(), ONCE).await? else { return Ok(true) };
        match call.await {
            Ok(reply) => {
                self.store.alert_told(claim, one.number, channel, self.clock.now(), reply).await.map(|()| true)
            }
            Err(why) => {
                tracing::warn!(channel, why, "an operator could not be called; tried again");
                self.store.give_up_notice(claim, self.clock.now()).await.map(|()| false)
            }
        }
    }

    fn compose(&self, to: &Address, one: &Alert) -> Vec<u8> {
        let subject = format!("Mail protection: {} ({})", one.subject, one.kind.as_str());
        let text = format!("{}\r\n\r\n`reprieve alert seen {}` ends this call.\r\n", one.text, one.number);
        let (host, at, name): (_, Timestamp, _) = (&self.config.hostname, one.at, format!("alert.{}", one.number));
        Letter { host, to, subject, at, name, text }.compose()
    }
}
