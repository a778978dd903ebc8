//! The announcement reconciler: what the public is told of an incident goes to webhooks and mailboxes as well, each line once to each.

use std::sync::Arc;
use std::time::Duration;

use domain::{Address, Timestamp};
use rustls::ClientConfig;
use serde_json::json;
use store::claim::ONCE;
use store::incident::{Announced, Announcement};
use store::{Store, StoreError};
use tokio::sync::watch;

use crate::deliveries::Deliveries;
use platform::clock::Clock;
use platform::config::Config;
use platform::hop::Hops;
use platform::reconciler::{Beat, Rounds};
use platform::report::{Told, moment};
use platform::signals::Signals;
use platform::system_mail::{self, Letter};
use platform::webhook::Webhook;

/// How often it looks without a signal.
const PERIOD: Duration = Duration::from_secs(5);
/// Lines that are older are told nobody any more.
const TOLD: Duration = Duration::from_secs(24 * 3600);
/// How long a webhook may take.
const WEBHOOK_TIME: Duration = Duration::from_secs(10);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Announcer {
    /// The configuration.
    pub config: Arc<Config>,
    /// The store.
    pub store: Store,
    /// The hop of internal mail.
    pub hops: Hops,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Whom webhooks are believed to be.
    pub tls: Arc<ClientConfig>,
    /// Wakes the loop.
    pub signals: Signals,
}

impl Announcer {
    /// Runs until `stop` says so.
    pub async fn run(self, rounds: Rounds, stop: watch::Receiver<bool>) {
        let beat =
            Beat::every(PERIOD, "announcements", "a round of announcements failed").or_when(&self.signals.announce);
        let mut turns = rounds.turns(beat, stop);
        let mut deliveries = Deliveries::default();
        while turns.after(self.round(&mut deliveries).map(|()| false)).await {}
    }

    /// One round: every channel that is not being told something is told what it does not know.
    fn round(&self, deliveries: &mut Deliveries) -> Result<(), StoreError> {
        let ended = deliveries.ended();
        for hook in &self.config.announcements.webhooks {
            deliveries.begin(&hook.url, self.clone().tell_hook(hook.clone()));
        }
        for to in &self.config.announcements.mail {
            deliveries.begin(to.as_str(), self.clone().tell_mailbox(to.clone()));
        }
        ended
    }

    async fn tell_hook(self, hook: Webhook) -> Result<(), StoreError> {
        for one in self.store.unannounced(&hook.url, self.clock.now().before(TOLD)).await? {
            let title = self.title(&one).await?;
            let Announcement { incident, note, .. } = &one;
            let line =
                json!({ "incident": incident, "title": title, "stage": note.what, "at": note.at, "text": note.text });
            let posted = async {
                let said = tokio::time::timeout(WEBHOOK_TIME, hook.post(&line, &self.tls)).await;
                said.unwrap_or_else(|_| Err("no answer".into()))
            };
            if !self.told(&hook.url, &one, posted).await? {
                break;
            }
        }
        Ok(())
    }

    async fn tell_mailbox(self, to: Address) -> Result<(), StoreError> {
        for one in self.store.unannounced(to.as_str(), self.clock.now().before(TOLD)).await? {
            let mail = self.compose(&to, &one, &self.title(&one).await?);
            if !self.told(to.as_str(), &one, system_mail::deliver(&self.hops, &to, &mail)).await? {
                break;
            }
        }
        Ok(())
    }

    /// Claims a line, tells it, and remembers the answer; `false` when the channel does not take it now. One that another process has claimed holds up
    /// none behind it.
    async fn told(
        &self,
        channel: &str,
        one: &Announcement,
        telling: impl Future<Output = Result<String, String>>,
    ) -> Result<bool, StoreError> {
        let key = format!("line {} {} {channel}", one.incident, one.number);
        let Some(claim) = self.store.claim_notice(&key, self.clock.now(), ONCE).await? else { return Ok(true) };
        match telling.await {
            Ok(reply) => {
                let (incident, number, at) = (one.incident.clone(), one.number, self.clock.now());
                let told = Announced { claim, incident, number, channel: channel.to_owned(), at, reply };
                self.store.announced(told).await.map(|()| true)
            }
            Err(why) => {
                tracing::warn!(channel, why, "an announcement did not arrive; tried again");
                self.store.give_up_notice(claim, self.clock.now()).await.map(|()| false)
            }
        }
    }

    /// The title of the incident of a line, as the record has it now.
    async fn title(&self, one: &Announcement) -> Result<String, StoreError> {
        let incident = self.store.incident(&one.incident).await?;
        Ok(Told::in_brief(&self.store, &incident).await?.facts(&incident).title())
    }

    fn compose(&self, to: &Address, one: &Announcement, title: &str) -> Vec<u8> {
        let Announcement { incident, number, note } = one;
        let subject = format!("{incident}: {}", note.what);
        let text = format!("{incident}: {title}\r\n\r\n{}: {}\r\n", moment(note.at), note.text);
        self.letter(to, &subject, note.at, &format!("{incident}.{number}"), text)
    }

    fn letter(&self, to: &Address, subject: &str, at: Timestamp, name: &str, text: String) -> Vec<u8> {
        let (host, subject, name) = (&self.config.hostname, subject.to_owned(), name.to_owned());
        Letter { host, to, subject, at, name, text }.compose()
    }
}
