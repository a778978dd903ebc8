//! The announcement reconciler: what the public is told of an incident goes to webhooks and mailboxes as well, each line once.

use std::sync::Arc;
use std::time::Duration;

use domain::Address;
use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;
use rustls::ClientConfig;
use store::incident::{Announced, Announcement};
use store::{Store, StoreError};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::Config;
use crate::hop::Hops;
use crate::postman;
use crate::report::moment;
use crate::signals::Signals;

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
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.round().await {
                tracing::error!(%error, "a round of announcements failed");
            }
            tokio::select! {
                _ = stop.changed() => return,
                () = self.signals.announce.notified() => {}
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }

    /// One round: every channel is told what it does not know. One that cannot be reached keeps nobody else waiting.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn round(&self) -> Result<(), StoreError> {
        let since = self.clock.now().before(TOLD);
        for hook in &self.config.announcements.webhooks {
            for one in self.store.unannounced(&hook.url, since).await? {
                let said = tokio::time::timeout(WEBHOOK_TIME, hook.post(&one, &self.tls)).await;
                if !self.told(&hook.url, &one, said.unwrap_or_else(|_| Err("no answer".into()))).await? {
                    break;
                }
            }
        }
        for to in &self.config.announcements.mail {
            for one in self.store.unannounced(to.as_str(), since).await? {
                let mail = self.compose(to, &one);
                if !self.told(to.as_str(), &one, postman::deliver(&self.hops, to, &mail).await).await? {
                    break;
                }
            }
        }
        Ok(())
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

    fn compose(&self, to: &Address, one: &Announcement) -> Vec<u8> {
        let host = &self.config.hostname;
        let from = format!("postmaster@{host}");
        let Announcement { incident, title, number, note } = one;
        let builder = MessageBuilder::new()
            .from(("Mail protection", from.as_str()))
            .to(to.as_str())
            .subject(format!("{incident}: {}", note.what))
            .date(note.at.as_seconds())
            .message_id(format!("{incident}.{number}@{host}"))
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .text_body(format!("{incident}: {title}\r\n\r\n{}: {}\r\n", moment(note.at), note.text));
        builder.write_to_vec().expect("memory takes all that is written")
    }
}
