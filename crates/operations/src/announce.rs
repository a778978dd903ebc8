//! The announcement reconciler: what the public is told of an incident goes to webhooks and mailboxes as well, each
//! line once to each.

use std::sync::Arc;
use std::time::Duration;

use domain::{Address, Timestamp};
use serde_json::json;
use store::incident::{Announced, Announcement};
use store::notices::claim::ONCE;
use store::{IncidentStore, NoticeStore, StoreError};
use tokio::sync::watch;

use super::deliveries::Deliveries;
use crate::channel::{Channel, tell_each};
use platform::authorities::Authorities;
use platform::clock::Clock;
use platform::config::Announcements;
use platform::hop::Hops;
use platform::items::{ELSEWHERE, Items};
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::report::{IncidentRecord, moment};
use platform::signals::Signals;
use platform::system_mail::{self, Letter};

/// How often it looks without a signal.
const PERIOD: Duration = Duration::from_secs(5);
/// Lines that are older are told nobody any more.
const TOLD: Duration = Duration::from_secs(24 * 3600);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Announcer {
    /// Our name.
    pub hostname: String,
    /// Who is told, and who is called.
    pub announcements: Announcements,
    /// Incidents.
    pub incidents: IncidentStore,
    /// What people are called for and told.
    pub notices: NoticeStore,
    /// The hop of internal mail.
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

impl Reconciler for Announcer {
    type Memory = Deliveries;

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "announcements", "a round of announcements failed").or_when(&self.signals.announce)
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: every channel that is not being told something is told what it does not know.
    async fn round(&self, deliveries: &mut Deliveries, _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let ended = deliveries.ended();
        let told = &self.announcements;
        for channel in Channel::all(&told.webhooks, &told.mail) {
            let name = channel.name().to_owned();
            deliveries.begin(&name, self.clone().tell(channel));
        }
        ended?;
        Ok(false)
    }
}

impl Announcer {
    /// Tells a channel all that it does not know. What it does not take rests, and holds up none behind it.
    async fn tell(self, channel: Channel) -> Result<(), StoreError> {
        let (now, name) = (self.clock.now(), channel.name());
        let untold = self.incidents.lines_not_yet_announced(name, now.before(TOLD)).await?;
        let shown = channel.shown();
        let item = |one: &Announcement| format!("line {} of {} for {shown}", one.number, one.incident);
        tell_each(&self.items, untold, item, now, |one| self.told(&channel, one)).await
    }

    /// Claims a line, tells it, and remembers the answer; the inner error says why it has to be told again.
    async fn told(&self, channel: &Channel, one: Announcement) -> Result<Result<(), String>, StoreError> {
        let title = self.title(&one).await?;
        let key = format!("line {} {} {}", one.incident, one.number, channel.name());
        let Some(claim) = self.notices.claim_notice(&key, self.clock.now(), ONCE).await? else {
            return Ok(Err(ELSEWHERE.to_owned()));
        };
        match self.say(channel, &one, &title).await {
            Ok(reply) => {
                let (incident, number, at) = (one.incident.clone(), one.number, self.clock.now());
                let told = Announced { claim, incident, number, channel: channel.name().to_owned(), at, reply };
                self.incidents.record_line_announced(told).await.map(Ok)
            }
            Err(why) => self.notices.give_up_claim(claim, self.clock.now()).await.map(|()| Err(why)),
        }
    }

    async fn say(&self, channel: &Channel, one: &Announcement, title: &str) -> Result<String, String> {
        match channel {
            Channel::Hook(hook) => {
                let Announcement { incident, note, .. } = one;
                let line = json!({
                    "incident": incident, "title": title, "stage": note.what, "at": note.at, "text": note.text,
                });
                hook.post(&line, &self.authorities.client()?).await
            }
            Channel::Mailbox(to) => system_mail::deliver(&self.hops, to, &self.compose(to, one, title)).await,
        }
    }

    /// The title of the incident of a line, as the record has it now.
    async fn title(&self, one: &Announcement) -> Result<String, StoreError> {
        let incident = self.incidents.by_id(&one.incident).await?;
        Ok(IncidentRecord::in_brief(&self.incidents, &incident).await?.facts(&incident).title())
    }

    fn compose(&self, to: &Address, one: &Announcement, title: &str) -> Vec<u8> {
        let Announcement { incident, number, note } = one;
        let subject = format!("{incident}: {}", note.what);
        let text = format!("{incident}: {title}\r\n\r\n{}: {}\r\n", moment(note.at), note.text);
        self.letter(to, &subject, note.at, &format!("{incident}.{number}"), text)
    }

    fn letter(&self, to: &Address, subject: &str, at: Timestamp, name: &str, text: String) -> Vec<u8> {
        let (host, subject, name) = (&self.hostname, subject.to_owned(), name.to_owned());
        Letter { host, to, subject, at, name, text }.compose()
    }
}
