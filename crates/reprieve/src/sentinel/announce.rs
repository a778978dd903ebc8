//! The announcement reconciler: what the public is told of an incident goes to webhooks and mailboxes as well, each line once; and what operators
//! are called for goes to theirs.

use std::sync::Arc;
use std::time::Duration;

use domain::{Address, Timestamp};
use rustls::ClientConfig;
use serde_json::json;
use store::alert::Alert;
use store::incident::{Announced, Announcement};
use store::{Store, StoreError};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::Config;
use crate::hop::Hops;
use crate::postman::{self, Letter};
use crate::report::{Told, moment};
use crate::rounds::{Beat, Rounds};
use crate::signals::Signals;
use crate::webhook::Webhook;

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
        while turns.after(self.round().await.map(|()| false)).await {}
    }

    /// One round: every channel is told what it does not know. One that cannot be reached keeps nobody else waiting.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn round(&self) -> Result<(), StoreError> {
        let since = self.clock.now().before(TOLD);
        for hook in &self.config.announcements.webhooks {
            for one in self.store.unannounced(&hook.url, since).await? {
                let title = self.title(&one).await?;
                let Announcement { incident, note, .. } = &one;
                let line = json!({ "incident": incident, "title": title, "stage": note.what, "at": note.at, "text": note.text });
                if !self.told(&hook.url, &one, self.post(hook, &line).await).await? {
                    break;
                }
            }
        }
        for to in &self.config.announcements.mail {
            for one in self.store.unannounced(to.as_str(), since).await? {
                let mail = self.compose(to, &one, &self.title(&one).await?);
                if !self.told(to.as_str(), &one, postman::deliver(&self.hops, to, &mail).await).await? {
                    break;
                }
            }
        }
        self.call_operators(since).await
    }

    /// What operators are called for.
    async fn call_operators(&self, since: Timestamp) -> Result<(), StoreError> {
        for hook in &self.config.announcements.alert_webhooks {
            for one in self.store.untold_alerts(&hook.url, since).await? {
                let call = json!({
                    "alert": one.number, "kind": one.kind.as_str(), "at": one.at, "subject": one.subject, "text": one.text,
                });
                if !self.called(&hook.url, &one, self.post(hook, &call).await).await? {
                    break;
                }
            }
        }
        for to in &self.config.announcements.alert_mail {
            for one in self.store.untold_alerts(to.as_str(), since).await? {
                let mail = self.compose_call(to, &one);
                if !self.called(to.as_str(), &one, postman::deliver(&self.hops, to, &mail).await).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn post(&self, hook: &Webhook, body: &serde_json::Value) -> Result<String, String> {
        let said = tokio::time::timeout(WEBHOOK_TIME, hook.post(body, &self.tls)).await;
        said.unwrap_or_else(|_| Err("no answer".into()))
    }

    /// Remembers an answer to a call; `false` when it is to be tried again.
    async fn called(&self, channel: &str, one: &Alert, said: Result<String, String>) -> Result<bool, StoreError> {
        match said {
            Ok(reply) => self.store.alert_told(one.number, channel, self.clock.now(), reply).await.map(|()| true),
            Err(why) => {
                tracing::warn!(channel, why, "an operator could not be called; tried again");
                Ok(false)
            }
        }
    }

    fn compose_call(&self, to: &Address, one: &Alert) -> Vec<u8> {
        let subject = format!("Mail protection: {} ({})", one.subject, one.kind.as_str());
        let text = format!("{}\r\n\r\n`reprieve alert seen {}` ends this call.\r\n", one.text, one.number);
        self.letter(to, &subject, one.at, &format!("alert.{}", one.number), text)
    }

    /// Remembers an answer; `false` when it is to be tried again.
    async fn told(&self, channel: &str, one: &Announcement, said: Result<String, String>) -> Result<bool, StoreError> {
        match said {
            Ok(reply) => {
                let (incident, number, at) = (one.incident.clone(), one.number, self.clock.now());
                let told = Announced { incident, number, channel: channel.to_owned(), at, reply };
                self.store.announced(told).await.map(|()| true)
            }
            Err(why) => {
                tracing::warn!(channel, why, "an announcement did not arrive; tried again");
                Ok(false)
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
